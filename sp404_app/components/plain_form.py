"""HTML form submitted by the browser. `rx.el.form` always prevents that and triggers an event."""

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML

# Prevents a double submit. A TOTP code is valid only once, so a second request would fail although
# the first one has signed the user in.
ONCE = rx.Var(
    """(event) => {
      const form = event.currentTarget;
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "1";
      setTimeout(() => delete form.dataset.sent, 3000);
    }"""
)


class PlainForm(BaseHTML):
    """An HTML form that works without a websocket."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


def plain_form(*children: rx.Component, **attributes: Any) -> rx.Component:
    """Render a form that the browser submits, at most once every three seconds."""
    given = attributes.pop("custom_attrs", {})
    return PlainForm.create(*children, custom_attrs={"onSubmit": ONCE, **given}, **attributes)

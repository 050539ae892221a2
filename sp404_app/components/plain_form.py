"""A form the browser sends itself; `rx.el.form` always stops it and calls an event instead."""

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML

# The browser sends a form once for each click. A code of the second step is good only once, so
# the answer to the second request would say that it is wrong, although the first one signed in.
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
    """Draw a form that the browser sends, once however often its button is pressed."""
    given = attributes.pop("custom_attrs", {})
    return PlainForm.create(*children, custom_attrs={"onSubmit": ONCE, **given}, **attributes)

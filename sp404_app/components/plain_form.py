"""A form the browser sends itself; `rx.el.form` always stops it and calls an event instead."""

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML


class PlainForm(BaseHTML):
    """An HTML form that works without a websocket."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


plain_form = PlainForm.create

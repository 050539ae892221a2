"""Menus and modal dialogs."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec

from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True),
    "menu_button.jsx",
    "modal.jsx",
)


class MenuButton(rx.Component):
    """Button that opens a menu; its children are `menu_item`s."""

    library = _ASSET["menu_button.jsx"]
    tag = "MenuButton"

    label: rx.Var[str]
    text: rx.Var[str]  # shown instead of three dots
    test_id: rx.Var[str]


class Modal(rx.Component):
    """Modal dialog, open while it is on the page. Escape and a click beside it call `on_close`.

    It opens with the focus on the control with `data_autofocus=""`, or else on the first one.
    """

    library = _ASSET["modal.jsx"]
    tag = "Modal"

    label: rx.Var[str]
    test_id: rx.Var[str]

    on_close: rx.EventHandler[no_args_event_spec]


menu_button = MenuButton.create
modal = Modal.create


def menu_line() -> rx.Component:
    """Render a line between two groups of a menu's items."""
    return rx.el.hr(class_name="menu-line")


def menu_item(
    text: str | rx.Var[str], test_id: str, *, deletes: bool = False, **attributes: Any
) -> rx.Component:
    """Render an item of a menu; one that `deletes` is red."""
    return rx.el.button(
        text,
        type="button",
        role="menuitem",
        class_name="menu-item danger" if deletes else "menu-item",
        data_testid=test_id,
        **attributes,
    )

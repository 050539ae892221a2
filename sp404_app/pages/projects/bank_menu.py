"""Actions for the visible bank: arrange, level, copy, swap and clear it."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from sp404_app.components.pads import DetailsMenu
from sp404_app.state.projects.pads import PadsState


def bank_menu() -> rx.Component:
    """The menu of the visible bank."""
    return DetailsMenu.create(
        rx.el.div(
            action_group(
                "Arrange by",
                PadsState.arrange,
                [("Kind", "kind"), ("Key", "key"), ("Tempo", "tempo"), ("Name", "name")],
                "arrange",
            ),
            action_group(
                "Even out",
                PadsState.level_bank,
                [("Loudness", "lufs"), ("Peak", "peak")],
                "level",
            ),
            target_select("Copy to", "copy"),
            target_select("Swap with", "swap"),
            rx.el.button(
                "Clear bank",
                type="button",
                class_name="button small danger",
                on_click=PadsState.clear_bank,
                custom_attrs={"data-closes": ""},
                data_testid="clear-bank",
            ),
            class_name="bank-actions",
        ),
        label=f"Bank {PadsState.bank}",
        test_id="bank-menu",
        class_name="bank-menu",
    )


def action_group(
    text: str, handler: Any, choices: Sequence[tuple[str, str]], test_id: str
) -> rx.Component:
    """Buttons that do something to the whole bank."""
    return rx.el.div(
        rx.el.span(text, class_name="label"),
        rx.el.div(
            *(
                rx.el.button(
                    label,
                    type="button",
                    class_name="switch",
                    on_click=handler(value),
                    data_testid=f"{test_id}-{value}",
                )
                for label, value in choices
            ),
            class_name="switches",
        ),
        role="group",
        aria_label=text,
        class_name="action-group",
    )


def target_select(text: str, how: str) -> rx.Component:
    """A choice of the bank to copy to or swap with."""
    return rx.el.label(
        rx.el.span(text),
        rx.el.select(
            rx.el.option("Bank…", value=""),
            *(
                rx.el.option(letter, value=letter, disabled=PadsState.bank == letter)
                for letter in "ABCDEFGHIJ"
            ),
            value="",
            class_name="input",
            aria_label=f"{text} bank",
            on_change=lambda letter: PadsState.move_bank(PadsState.bank, letter, how),
            data_testid=f"bank-{how}",
        ),
        class_name="bank-target",
    )

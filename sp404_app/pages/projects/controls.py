"""Controls of the pad page whose values the browser changes ahead of the server."""

from collections.abc import Callable
from typing import Any

import reflex as rx

from sp404_app.components.pads import commit_field, knob
from sp404_app.state.projects.pads import PadsState

SHEET = PadsState.sheet


def confirmed(change: Any, number: rx.Var[int]) -> list[Any]:
    """Return the events of a numbered change: handle it, then confirm it, saved or refused."""
    return [change, PadsState.confirm_edit(number)]


def saving_field(*, on_commit: Callable[[rx.Var[str]], Any], **props: Any) -> rx.Component:
    """A text field; `on_commit` returns the event that saves a text."""
    return commit_field(
        confirmed=PadsState.confirmed_edit,
        on_commit=lambda text, number: confirmed(on_commit(text), number),
        **props,
    )


def saving_knob(  # noqa: PLR0913 - a knob has this many properties
    text: str,
    value: rx.Var[float] | float,
    low: float,
    high: float,
    standard: float,
    *,
    on_change: Callable[[rx.Var[float]], Any],
    test_id: str,
    unit: str = "",
    step: float = 1,
    centred: bool = False,
) -> rx.Component:
    """A knob of the chosen pad; `on_change` returns the event that saves a value."""
    return knob(
        label=text,
        value=value,
        scope=SHEET.key,
        confirmed=PadsState.confirmed_edit,
        low=low,
        high=high,
        step=step,
        standard=standard,
        unit=unit,
        centred=centred,
        test_id=test_id,
        on_change=lambda chosen, number: confirmed(on_change(chosen), number),
    )

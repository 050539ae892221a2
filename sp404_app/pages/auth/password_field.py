"""The input for a new password, with a strength meter."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.state.auth.password_meter import StrengthState


def new_password_with_meter(label: str, problem: forms.Text) -> rx.Component:
    """Render the input; the server estimates the strength half a second after the last key."""
    return forms.new_password_field(
        label,
        problem=problem,
        level=StrengthState.level,
        words=StrengthState.words,
        on_change=StrengthState.estimate.debounce(500),  # type: ignore[attr-defined]
    )

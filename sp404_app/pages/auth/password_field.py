"""The input for a new password, which says how it looks so far."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.state.auth.password_meter import StrengthState


def weighed_password(label: str, problem: forms.Text) -> rx.Component:
    """Draw it; half a second after the last key, the server says what it thinks."""
    return forms.new_password_field(
        label,
        problem=problem,
        level=StrengthState.level,
        words=StrengthState.words,
        on_change=StrengthState.weigh.debounce(500),  # type: ignore[attr-defined]
    )

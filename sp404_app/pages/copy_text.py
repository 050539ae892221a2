"""Button that copies a text, and says that it did or that the browser does not allow it."""

from typing import Any, Final

import reflex as rx

from sp404_app.components.copy_button import copy_button
from sp404_app.state.toast import ToastState

CANNOT_COPY: Final = "Your browser didn’t allow it. Select the text and copy it with Ctrl C."


def copy_text_button(words: str, text: Any, done: str, test_id: str) -> rx.Component:
    """Render the button; `done` is what it says after it copied."""
    return copy_button(
        text=text,
        label=words,
        test_id=test_id,
        on_copied=ToastState.show(done, "ok", "", ""),
        on_refused=ToastState.show(CANNOT_COPY, "bad", "", ""),
    )

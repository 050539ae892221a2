"""Toast: one line about what just happened, with an undo button if it can be undone."""

import time

import reflex as rx

from sp404_app.state import validation


class ToastState(rx.State):
    """The toast at the bottom of the page; `stamp` makes a repeated message appear again."""

    message: str = ""
    tone: str = "ok"
    undo: bool = False
    stamp: float = 0.0

    @rx.event
    def show(self, message: str, tone: str = "ok", undo: bool = False) -> None:
        """Show a message; the page hides it after ten seconds."""
        self.message, self.tone = (
            validation.validate_text(message),
            validation.validate_text(tone, 10),
        )
        self.undo, self.stamp = bool(undo), time.time()

    @rx.event
    def close(self) -> None:
        """Hide the message."""
        self.message = ""

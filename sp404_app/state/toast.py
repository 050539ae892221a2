"""One line that says what just happened, and how to take it back."""

import time

import reflex as rx

from sp404_app.state import validation


class NoticeState(rx.State):
    """The notice at the foot of the page; `stamp` makes a repeated one appear again."""

    message: str = ""
    tone: str = "ok"
    undo: bool = False
    stamp: float = 0.0

    @rx.event
    def show(self, message: str, tone: str = "ok", undo: bool = False) -> None:
        """Show a sentence; it goes by itself after ten seconds."""
        self.message, self.tone = validation.text(message), validation.text(tone, 10)
        self.undo, self.stamp = bool(undo), time.time()

    @rx.event
    def close(self) -> None:
        """Put it away."""
        self.message = ""

"""Toast: one line about what just happened, with an undo button if it can be undone."""

import time
from typing import Any

import reflex as rx
from reflex.event import EventType

from sp404_app.state import validation

# Name of an undo: the event handler that runs it. States add theirs.
undo_handlers: dict[str, Any] = {}


class ToastState(rx.State):
    """The toast at the bottom of the page; `stamp` makes a repeated message appear again.

    `undo` is a key of `undo_handlers`, or empty. `link` is a path of this site, or empty.
    """

    message: str = ""
    tone: str = "ok"
    undo: str = ""
    link: str = ""
    stamp: float = 0.0

    @rx.event
    def show(self, message: str, tone: str = "ok", undo: str = "", link: str = "") -> None:
        """Show a message; the page hides it after ten seconds."""
        self.message, self.tone = (
            validation.validate_text(message),
            validation.validate_text(tone, 10),
        )
        name, path = validation.validate_text(undo, 40), validation.validate_text(link, 200)
        self.undo = name if name in undo_handlers else ""
        self.link = path if path.startswith("/") and path[1:2] not in {"/", "\\"} else ""
        self.stamp = time.time()

    @rx.event
    def run_undo(self) -> EventType[()] | None:
        """Hide the message and undo what it reports; the handler authenticates its user."""
        self.message = ""
        return undo_handlers.get(self.undo)

    @rx.event
    def close(self) -> None:
        """Hide the message."""
        self.message = ""

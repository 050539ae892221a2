"""A word about the password that is being typed; the password itself is not kept."""

import reflex as rx

from sp404_app.services.auth import password_strength
from sp404_app.state import validation


class StrengthState(rx.State):
    """How it looks so far."""

    level: int = 0
    words: str = ""

    @rx.event
    def load(self) -> None:
        """Begin with an empty field."""
        self.level, self.words = 0, ""

    @rx.event
    def weigh(self, password: str) -> None:
        """Estimate what was typed."""
        if not isinstance(password, str):
            validation.text(password)
        found = password_strength.estimate_strength(password)
        self.level, self.words = found.level, found.words

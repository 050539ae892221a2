"""State of the password strength meter; the password itself is not stored."""

import reflex as rx

from sp404_app.services.auth import password_strength
from sp404_app.state import validation


class StrengthState(rx.State):
    """The estimate for the password typed so far."""

    level: int = 0
    words: str = ""

    @rx.event
    def load(self) -> None:
        """Reset the meter."""
        self.level, self.words = 0, ""

    @rx.event
    def estimate(self, password: str) -> None:
        """Estimate the strength of the typed password."""
        if not isinstance(password, str):
            validation.validate_text(password)
        strength = password_strength.estimate_strength(password)
        self.level, self.words = strength.level, strength.message

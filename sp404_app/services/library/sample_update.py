"""The fields of a sample that its owner can change, with validation."""

from collections.abc import Sequence
from dataclasses import dataclass

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.errors import ValidationFailed
from sp404_app.models import Kind
from sp404_app.services.infra.text import clean_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Changes to a sample; None leaves a value unchanged, "" or 0 clears it."""

    name: str | None = None
    tags: Sequence[str] | None = None
    bpm: float | None = None
    key: str | None = None
    kind: str | None = None
    favourite: bool | None = None
    rating: int | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        """Validate all fields.

        Raises:
            ValidationFailed: With a message for each invalid field.
        """
        faults = {
            "name": self.name is not None and not clean_name(self.name, ""),
            "bpm": bool(self.bpm) and not 20 <= float(self.bpm or 0) <= 999,
            "key": bool(self.key) and self.key not in KEYS,
            "kind": self.kind is not None and self.kind not in set(Kind),
            "rating": self.rating is not None and self.rating not in range(6),
            "note": self.note is not None and len(self.note) > 4000,
        }
        messages = {
            "name": "Enter a name.",
            "bpm": "Enter a tempo from 20 to 999 BPM.",
            "key": "Enter a key like “F# minor”.",
            "kind": "Must be loop or one_shot.",
            "rating": "Rate from 0 to 5.",
            "note": "Use at most 4,000 characters.",
        }
        errors = {field: [messages[field]] for field, invalid in faults.items() if invalid}
        if errors:
            raise ValidationFailed("This change isn’t valid.", errors)

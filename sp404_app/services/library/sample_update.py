"""What a person may change about a sample, checked as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.errors import ValidationFailed
from sp404_app.models import Kind
from sp404_app.services.infra.text import clean_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a person wants different; None leaves a value as it is, "" or 0 clears it."""

    name: str | None = None
    tags: Sequence[str] | None = None
    bpm: float | None = None
    key: str | None = None
    kind: str | None = None
    favourite: bool | None = None
    rating: int | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            ValidationFailed: With a message for each field at fault.
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
            "name": "A name needs at least one character.",
            "bpm": "A tempo lies between 20 and 999 BPM.",
            "key": "A key is written like “F# minor”.",
            "kind": "A sample is a loop or a one_shot.",
            "rating": "A rating is 0 to 5.",
            "note": "A note has at most 4,000 characters.",
        }
        wrong = {field: [messages[field]] for field, bad in faults.items() if bad}
        if wrong:
            raise ValidationFailed("This change cannot be made.", wrong)

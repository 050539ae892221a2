"""What is written into the tags of a file, and its spelling in text tags."""

import struct
from dataclasses import dataclass
from typing import Final

# Names of text tags that state a tempo or a key. All of them are replaced, so none contradicts.
TEMPO_NAMES: Final = frozenset({"bpm", "tbpm", "tempo", "beatsperminute"})
KEY_NAMES: Final = frozenset({"key", "tkey", "initialkey", "initial_key", "initial key"})
MIDDLE_C: Final = 60


class CannotHoldTags(ValueError):
    """The file is damaged or irregular, or its format holds no tags."""


@dataclass(frozen=True, slots=True)
class SoundTags:
    """Tempo in BPM, key ("F# minor"), MIDI note and loop of a sound of `seconds`; None if unknown.

    Tags of unknown values stay as they are.
    """

    bpm: float | None = None
    key: str | None = None
    root_note: int | None = None
    is_loop: bool | None = None
    seconds: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return self.bpm is None and self.key is None and self.root_note is None

    @property
    def beats(self) -> int:
        """Return the number of beats of a loop; 0 if there is no tempo, or the sound is no loop."""
        return round(self.bpm * self.seconds / 60) if self.bpm and self.is_loop else 0

    @property
    def bpm_text(self) -> str:
        """Return the tempo with up to two decimals: "92.5"."""
        return f"{self.bpm:.2f}".rstrip("0").rstrip(".") if self.bpm else ""

    @property
    def key_text(self) -> str:
        """Return the key as ID3 spells it, "F#m" for F# minor."""
        pitch, _, mode = (self.key or "").partition(" ")
        return pitch + "m" * (mode == "minor")

    def texts(self) -> dict[str, str]:
        """Return the Vorbis comments of the known values.

        `BPM` and `INITIALKEY` are the names that DJ programs read, `KEY` that of others.
        """
        tempo = {"BPM": self.bpm_text} if self.bpm else {}
        return tempo | ({"INITIALKEY": self.key_text, "KEY": self.key_text} if self.key else {})

    def replaces(self, name: str) -> bool:
        """Return whether a text tag of this name states a value that is written anew."""
        plain = name.casefold()
        return bool((self.bpm and plain in TEMPO_NAMES) or (self.key and plain in KEY_NAMES))


def pack_length(content: bytes, form: str) -> bytes:
    """Return content with its length in front, packed as `form`.

    Raises:
        CannotHoldTags: If the length does not fit.
    """
    try:
        return struct.pack(form, len(content)) + content
    except struct.error as error:
        raise CannotHoldTags("The tags are too long.") from error

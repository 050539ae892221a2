"""Tempo, key and class from a file name and its folders."""

from dataclasses import dataclass
from typing import Final

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.audio.features.filename_class import stated_classes
from sp404_app.audio.features.filename_key import KeyName, find_key_name, strip_accents
from sp404_app.audio.features.filename_tempo import (
    MAX_BPM,
    MIN_BPM,
    bare_number_tempo,
    explicit_tempo,
)
from sp404_app.audio.features.sound_class import SoundClass

LENGTH_TOLERANCE: Final = 0.015  # relative difference between length and stated tempo
EXACT_LENGTH_TOLERANCE: Final = 0.001  # of an exact match, which is rare by chance


@dataclass(frozen=True, slots=True)
class StatedMetadata:
    """Tempo (BPM), key and classes as stated in a name or a tag.

    `bpm_explicit` is False for a number in a name without "bpm" beside it. `beats` is the number of
    beats in the whole file, `root` a MIDI note. `tonic` is the key's note, also if no mode is
    stated; `key_certain` means that the key cannot be another word. The sound has one of `classes`,
    if any are stated.
    """

    bpm: float | None = None
    key: str | None = None
    bpm_explicit: bool = True
    beats: float | None = None
    root: int | None = None
    tonic: str | None = None
    key_certain: bool = True
    classes: tuple[SoundClass, ...] = ()

    def tempo(self, duration: float) -> float | None:
        """Return the tempo, computed from `beats` and `duration` (s) if only they are stated."""
        if self.bpm or not self.beats or duration <= 0:
            return self.bpm
        counted = 60 * self.beats / duration
        return counted if MIN_BPM <= counted <= MAX_BPM else None


def read_filename_hints(name: str) -> StatedMetadata:
    """Parse a name with its folders, such as "Drums/95bpm/Break_F#m.wav"; the file name goes first.

    A folder counts only if it contains "bpm", a key with its mode, or a class and nothing else.
    """
    file, *folders = name.split("/")[::-1]
    parts = [strip_accents(part) for part in (split_extension(file)[0], *folders)]
    key = _key_in_path(parts)
    explicit = next((found for part in parts if (found := explicit_tempo(part))), None)
    bpm = explicit or bare_number_tempo(parts[0], keyed=key is not None)
    classes = stated_classes(name)
    if key is None:
        return StatedMetadata(bpm, bpm_explicit=explicit is not None, classes=classes)
    return StatedMetadata(
        bpm,
        key.key,
        explicit is not None,
        tonic=key.tonic,
        key_certain=key.certain,
        classes=classes,
    )


def _key_in_path(parts: list[str]) -> KeyName | None:
    named = find_key_name(parts[0])
    if named:
        return named
    above = (find_key_name(part) for part in parts[1:])
    return next((key for key in above if key and key.certain), None)


def tempo_fits_length(bpm: float, duration: float) -> bool:
    """Return whether a loop of `duration` s has whole bars, or a few whole beats, at this tempo.

    Any number of whole beats fits if the length is exact, which is rare by chance.
    """
    if is_exact_length(bpm, duration):
        return True
    beats = bpm * duration / 60
    step = 4 if beats > 8.5 else 1
    nearest = step * round(beats / step)
    return nearest > 0 and abs(nearest / beats - 1) <= LENGTH_TOLERANCE


def is_exact_length(bpm: float, duration: float) -> bool:
    """Return whether a length is a whole number of beats to within 0.1 %."""
    beats = bpm * duration / 60
    return round(beats) > 0 and abs(round(beats) / beats - 1) <= EXACT_LENGTH_TOLERANCE

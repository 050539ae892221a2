"""What a file is called: tempo and key in its name and its folders."""

from dataclasses import dataclass
from typing import Final

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.audio.features.filename_key import KeyName, find_key_name, plain
from sp404_app.audio.features.filename_tempo import (
    MAX_BPM,
    MIN_BPM,
    bare_number_tempo,
    explicit_tempo,
)

LENGTH_TOLERANCE: Final = 0.015  # of the tempo: how well the length must fit what is written
EXACT_LENGTH_TOLERANCE: Final = 0.001  # the same, for a tempo that nobody would choose by chance


@dataclass(frozen=True, slots=True)
class StatedMetadata:
    """A tempo (BPM) and a key as written; `sure` says that "bpm" stands beside the number.

    `beats` is how many the file counts in its whole length, `root` a MIDI note. `tonic` is the
    note of a key, also where its mode is not written; `key_sure` says that the mode is written out.
    """

    bpm: float | None = None
    key: str | None = None
    sure: bool = True
    beats: float | None = None
    root: int | None = None
    tonic: str | None = None
    key_sure: bool = True

    def tempo(self, duration: float) -> float | None:
        """Return the tempo, from the beats of `duration` seconds where only they are given."""
        if self.bpm or not self.beats or duration <= 0:
            return self.bpm
        counted = 60 * self.beats / duration
        return counted if MIN_BPM <= counted <= MAX_BPM else None


def read_filename_hints(name: str) -> StatedMetadata:
    """Read a name with its folders, the last part first: "Drums/95bpm/Break_F#m.wav".

    A folder counts only where it says "bpm", or writes the mode of a key.
    """
    file, *folders = name.split("/")[::-1]
    parts = [plain(part) for part in (split_extension(file)[0], *folders)]
    key = _key_in_path(parts)
    sure = next((found for part in parts if (found := explicit_tempo(part))), None)
    bpm = sure or bare_number_tempo(parts[0], keyed=key is not None)
    if key is None:
        return StatedMetadata(bpm, sure=sure is not None)
    return StatedMetadata(bpm, key.key, sure is not None, tonic=key.tonic, key_sure=key.sure)


def _key_in_path(parts: list[str]) -> KeyName | None:
    named = find_key_name(parts[0])
    if named:
        return named
    above = (find_key_name(part) for part in parts[1:])
    return next((key for key in above if key and key.sure), None)


def tempo_fits_length(bpm: float, duration: float) -> bool:
    """Whether a loop of that length has whole bars, or a few whole beats, at that tempo.

    One that is cut to a hair may have any number of whole beats: few lengths are so by chance.
    """
    if is_exact_length(bpm, duration):
        return True
    beats = bpm * duration / 60
    step = 4 if beats > 8.5 else 1
    nearest = step * round(beats / step)
    return nearest > 0 and abs(nearest / beats - 1) <= LENGTH_TOLERANCE


def is_exact_length(bpm: float, duration: float) -> bool:
    """Whether a length is a whole number of beats so nearly that it was made at that tempo."""
    beats = bpm * duration / 60
    return round(beats) > 0 and abs(round(beats) / beats - 1) <= EXACT_LENGTH_TOLERANCE

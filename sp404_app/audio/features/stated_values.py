"""Tempo, key and class that a name, its folders, tags and an exact length give by themselves."""

import math
import re
from dataclasses import dataclass
from typing import Final

from sp404_app.audio.features import metadata_fusion
from sp404_app.audio.features.filename_hints import (
    StatedMetadata,
    is_exact_length,
    read_filename_hints,
    tempo_fits_length,
)
from sp404_app.audio.features.filename_tokens import LOOP_WORDS, ONE_SHOT_WORDS
from sp404_app.audio.features.sound_class import SoundClass

FILE, NAME, FOLDER, LENGTH = "file", "name", "folder", "length"
LOOP_NAME: Final = re.compile(r"(?:loop|break|breakbeat|beat|groove)s?(?![a-z])", re.IGNORECASE)
LOOP_BEATS: Final = (4, 8, 16, 32, 64)
# One octave, so that a length gives one tempo at most.
MIN_LENGTH_BPM, MAX_LENGTH_BPM = 80, 159
MIN_FOLDER_BEATS: Final = 2  # a folder's tempo is that of its loops, not of its hits
LENGTH_TOLERANCE: Final = 5e-5  # relative; a length by chance meets it once in a hundred times


@dataclass(frozen=True, slots=True)
class StatedValues:
    """Tempo (BPM) and key with their sources, and class; `bpm_confirmed`: the length fits.

    A source is "file" (tags), "name", "folder" or "length", or empty without a value.
    """

    bpm: float | None = None
    bpm_source: str = ""
    bpm_confirmed: bool = False
    key: str | None = None
    key_source: str = ""
    sound_class: str | None = None


def read_stated_values(
    folder: str, filename: str, duration: float, tags: StatedMetadata | None = None
) -> StatedValues:
    """Return what is stated with certainty; nobody has listened to the sound.

    A tempo counts if "bpm" is beside it, or the length is exactly whole beats at it; a key, if it
    cannot be another word. The tempo of a folder does not count for hits: sounds of less than two
    beats, and those that are named so and have no length of whole beats. Without any, a length of
    whole bars at a whole tempo counts for what is named a loop. A class counts if the name or a
    folder allows no other, and the name is not that of a loop.

    Args:
        folder: The folders above the file, separated by "/".
        filename: The name of the file.
        duration: Its length in seconds.
        tags: What its metadata states.
    """
    tags = tags or StatedMetadata()
    duration = duration if math.isfinite(duration) and duration > 0 else 0.0
    named = read_filename_hints(filename)
    above = read_filename_hints(f"{folder}/{filename}")
    merged = metadata_fusion.merge_stated(above, tags, duration)
    bpm, confirmed = merged.bpm, False
    if bpm is not None:
        is_default = bpm == metadata_fusion.DEFAULT_TAG_BPM and named.bpm != bpm
        is_sure = merged.bpm_explicit and not is_default
        fits = tempo_fits_length if is_sure else is_exact_length
        confirmed = duration > 0 and fits(bpm, duration)
        if not (is_sure or confirmed):
            bpm = None
    bpm_source = "" if bpm is None else _source(bpm, tags.tempo(duration), named.bpm)
    if bpm and bpm_source == FOLDER and _is_hit(filename, bpm, duration):
        bpm, bpm_source = None, ""
    if bpm is None and (bpm := _tempo_of_length(f"{folder}/{filename}", duration)):
        bpm_source, confirmed = LENGTH, True
    key = merged.key if merged.key_certain else None
    key_source = _source(key, tags.key, named.key) if key else ""
    return StatedValues(
        bpm,
        bpm_source,
        confirmed and bpm is not None,
        key,
        key_source,
        _class_of_hit(filename, above.classes),
    )


def _source(value: float | str, tagged: float | str | None, named: float | str | None) -> str:
    if value == tagged:
        return FILE
    return NAME if value == named else FOLDER


def _is_hit(filename: str, bpm: float, duration: float) -> bool:
    if duration and bpm * duration / 60 < MIN_FOLDER_BEATS:
        return True
    words = _words(filename)
    is_named_hit = bool(words & ONE_SHOT_WORDS) and not words & LOOP_WORDS
    return is_named_hit and not is_exact_length(bpm, duration)


def _class_of_hit(filename: str, classes: tuple[SoundClass, ...]) -> str | None:
    return classes[0].value if len(classes) == 1 and not LOOP_NAME.search(filename) else None


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", text.lower()))


def _tempo_of_length(path: str, duration: float) -> float | None:
    """Return the tempo at which a loop has whole bars to the sample, if it is a whole number."""
    words = _words(path.rsplit("/", 1)[-1])
    if not duration or not LOOP_NAME.search(path) or words & ONE_SHOT_WORDS:
        return None
    for beats in LOOP_BEATS:
        bpm = 60 * beats / duration
        nearest = round(bpm)
        if (
            MIN_LENGTH_BPM <= nearest <= MAX_LENGTH_BPM
            and abs(bpm / nearest - 1) <= LENGTH_TOLERANCE
        ):
            return float(nearest)
    return None

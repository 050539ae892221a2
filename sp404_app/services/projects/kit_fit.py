"""How well a sample fits the other pads of a bank, with the reason in words.

Pure. A score is the sum of the weights of all reasons, about -1 to 2.5; the reason with the
largest weight is shown.
"""

import math
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Final

from sp404_app.audio.features.musical_keys import camelot, compatible_keys
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.services.projects.pad_sounds import PadSound

# What a kit usually has, the most important first.
MISSING_WEIGHTS: Final = {
    SoundClass.KICK: 1.0,
    SoundClass.SNARE: 0.95,
    SoundClass.CLOSED_HAT: 0.9,
    SoundClass.CLAP: 0.75,
    SoundClass.OPEN_HAT: 0.75,
    SoundClass.BASS: 0.6,
    SoundClass.PERCUSSION: 0.55,
    SoundClass.CHORD: 0.5,
    SoundClass.CYMBAL: 0.45,
    SoundClass.TOM: 0.45,
    SoundClass.VOCAL: 0.4,
    SoundClass.MELODIC_LOOP: 0.4,
    SoundClass.BREAK: 0.35,
    SoundClass.LEAD: 0.35,
    SoundClass.FX: 0.3,
}
LOOP_BANK_SHARE: Final = 0.4  # of these weights, for one-shots in a bank of loops
SECOND_WEIGHT: Final = 0.15
MANY_PADS: Final = 4  # of one class; a further one is worth less
MANY_WEIGHT: Final = -0.2
SAME_KEY_WEIGHT: Final = 0.6
COMPATIBLE_KEY_WEIGHT: Final = 0.45
CLASH_WEIGHT: Final = -0.5
SAME_TEMPO_WEIGHT: Final = 0.5
OCTAVE_TEMPO_WEIGHT: Final = 0.4
PROJECT_TEMPO_WEIGHT: Final = 0.3
OTHER_TEMPO_WEIGHT: Final = -0.3
LOW_END_WEIGHT: Final = 0.65
FREE_RANGE_WEIGHT: Final = 0.25
LOUDNESS_WEIGHT: Final = 0.1
FAVOURITE_WEIGHT: Final = 0.05
RATING_WEIGHT: Final = 0.01  # a star
SAME_CLASS_PENALTY: Final = 0.35  # for each suggestion of the same class before

TEMPO_TOLERANCE: Final = 0.02
TEMPO_FACTORS: Final = ((1.0, "like"), (2.0, "double the tempo of"), (0.5, "half the tempo of"))
LOUDNESS_TOLERANCE_DB: Final = 2.0
LOW_END: Final = frozenset({SoundClass.KICK, SoundClass.BASS})
LOW_NOTE: Final = 46  # MIDI, 117 Hz
LOW_BRIGHTNESS_HZ: Final = 400.0  # a low root with a higher centroid is that of a chord
FREE_RANGE_OCTAVES: Final = 1.0
MIN_KNOWN_RANGES: Final = 2  # pads whose spectral centroid is known, to speak of a free range


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another pad of the bank: its name as "A1", its sound, and its spectral centroid in Hz."""

    place: str
    sound: PadSound
    brightness: float | None
    root_note: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sample of the library. `brightness` is its spectral centroid in Hz."""

    sample_id: uuid.UUID
    sound: PadSound
    brightness: float | None = None
    root_note: int | None = None
    favourite: bool = False
    rating: int = 0
    duplicate_group_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A candidate, its score, and the reason in words."""

    candidate: Candidate
    score: float
    reason: str


Reason = tuple[float, str]


def suggest_candidates(
    candidates: Iterable[Candidate],
    neighbours: Sequence[Neighbour],
    project_bpm: float,
    limit: int,
) -> list[Suggestion]:
    """Return the candidates that fit best, of different classes and each recording once."""
    scored = [rate_candidate(each, neighbours, project_bpm) for each in candidates]
    left = [each for each in scored if each and each.score > 0]
    chosen: list[Suggestion] = []
    classes: Counter[SoundClass | None] = Counter()
    while left and len(chosen) < limit:
        best = min(left, key=lambda each: (_penalty(each, classes) - each.score, _order(each)))
        chosen.append(best)
        classes[best.candidate.sound.sound_class] += 1
        group = best.candidate.duplicate_group_id
        left = [
            each
            for each in left
            if each is not best and (group is None or each.candidate.duplicate_group_id != group)
        ]
    return chosen


def _penalty(suggestion: Suggestion, classes: Counter[SoundClass | None]) -> float:
    return SAME_CLASS_PENALTY * classes[suggestion.candidate.sound.sound_class]


def _order(suggestion: Suggestion) -> str:
    return str(suggestion.candidate.sample_id)


def rate_candidate(
    candidate: Candidate, neighbours: Sequence[Neighbour], project_bpm: float
) -> Suggestion | None:
    """Return a candidate's score and reason; None if nothing speaks for it."""
    reasons = [
        *class_reasons(candidate, neighbours),
        *key_reasons(candidate, neighbours),
        *tempo_reasons(candidate, neighbours, project_bpm),
        *range_reasons(candidate, neighbours),
        *loudness_reasons(candidate, neighbours),
    ]
    weight, text = max(reasons, default=(0.0, ""))
    if weight <= 0:
        return None
    liked = FAVOURITE_WEIGHT * candidate.favourite + RATING_WEIGHT * candidate.rating
    return Suggestion(candidate, sum(each for each, _ in reasons) + liked, text)


def class_reasons(candidate: Candidate, neighbours: Sequence[Neighbour]) -> Iterator[Reason]:
    """Yield whether the bank lacks the candidate's class."""
    found = candidate.sound.sound_class
    if found is None:
        return
    count = sum(each.sound.sound_class == found for each in neighbours)
    loops = sum(each.sound.is_loop for each in neighbours)
    is_loop_bank = 2 * loops > len(neighbours)
    share = LOOP_BANK_SHARE if is_loop_bank and not candidate.sound.is_loop else 1.0
    if count == 0:
        yield share * MISSING_WEIGHTS[found], f"You have no {found} yet"
    elif count == 1:
        yield share * SECOND_WEIGHT, f"You have only one {found}"
    elif count >= MANY_PADS:
        yield MANY_WEIGHT, ""


def key_reasons(candidate: Candidate, neighbours: Sequence[Neighbour]) -> Iterator[Reason]:
    """Yield whether the candidate is in the key of a pad or a compatible one, or in neither."""
    key = candidate.sound.key
    keyed = [each for each in neighbours if each.sound.key]
    if key is None or not keyed:
        return
    code = camelot(key)
    same = _first_loop([each for each in keyed if each.sound.key == key])
    near = _first_loop([each for each in keyed if each.sound.key in fitting_keys(key)])
    if same:
        what = f"the loop on {same.place}" if same.sound.is_loop else same.place
        yield SAME_KEY_WEIGHT, f"Same key as {what}: {code}"
    elif near and near.sound.key:
        yield (
            COMPATIBLE_KEY_WEIGHT,
            f"Its key {code} goes with {camelot(near.sound.key)} on {near.place}",
        )
    else:
        yield CLASH_WEIGHT, ""


@lru_cache
def fitting_keys(key: str) -> frozenset[str]:
    """Return the keys that go with a key."""
    return frozenset(compatible_keys(key))


def _first_loop(neighbours: Sequence[Neighbour]) -> Neighbour | None:
    """Return the first loop, or else the first pad."""
    return next((each for each in neighbours if each.sound.is_loop), next(iter(neighbours), None))


def tempo_reasons(
    candidate: Candidate, neighbours: Sequence[Neighbour], project_bpm: float
) -> Iterator[Reason]:
    """Yield whether a loop has the tempo of a pad, its double or half, or else of the project."""
    bpm = candidate.sound.bpm
    if bpm is None or not candidate.sound.is_loop:
        return
    timed = [each for each in neighbours if each.sound.bpm and each.sound.is_loop]
    for factor, words in TEMPO_FACTORS:
        for each in timed:
            if each.sound.bpm and is_near(bpm, factor * each.sound.bpm):
                weight = SAME_TEMPO_WEIGHT if factor == 1 else OCTAVE_TEMPO_WEIGHT
                yield weight, f"{format_bpm(bpm)}, {words} {each.place}"
                return
    if is_near(bpm, project_bpm):
        yield PROJECT_TEMPO_WEIGHT, f"{format_bpm(bpm)}, like the project"
    elif timed:
        yield OTHER_TEMPO_WEIGHT, ""


def is_near(bpm: float, other: float) -> bool:
    """Return whether two tempos are equal within `TEMPO_TOLERANCE`."""
    return abs(bpm / other - 1) <= TEMPO_TOLERANCE


def format_bpm(bpm: float) -> str:
    """Return a tempo as "96 BPM" or "92.5 BPM"."""
    return f"{round(bpm, 1):g} BPM"


def range_reasons(candidate: Candidate, neighbours: Sequence[Neighbour]) -> Iterator[Reason]:
    """Yield whether the candidate fills the low end, or a range of the spectrum that is free."""
    if not neighbours:
        return
    if is_low(candidate) and not any(is_low(each) for each in neighbours):
        yield LOW_END_WEIGHT, "Fills the low end: no kick or bass plays in this bank"
        return
    known = [each.brightness for each in neighbours if each.brightness]
    if not candidate.brightness or len(known) < MIN_KNOWN_RANGES:
        return
    nearest = min(abs(math.log2(candidate.brightness / each)) for each in known)
    if nearest >= FREE_RANGE_OCTAVES:
        where = format_frequency(candidate.brightness)
        yield FREE_RANGE_WEIGHT, f"Fills a free range: no other pad is centred near {where}"


def is_low(sound: Candidate | Neighbour) -> bool:
    """Return whether a sound plays below about 120 Hz: kicks, basses, and low notes."""
    if sound.sound.sound_class in LOW_END:
        return True
    is_low_note = sound.root_note is not None and sound.root_note <= LOW_NOTE
    return is_low_note and (sound.brightness or 0.0) < LOW_BRIGHTNESS_HZ


def format_frequency(hertz: float) -> str:
    """Return a frequency with two digits, as "240 Hz" or "2.4 kHz"."""
    rounded = float(f"{hertz:.2g}")
    return f"{rounded / 1000:g} kHz" if rounded >= 1000 else f"{rounded:g} Hz"


def loudness_reasons(candidate: Candidate, neighbours: Sequence[Neighbour]) -> Iterator[Reason]:
    """Yield whether the candidate is as loud as the middle of the other pads."""
    known = [each.sound.lufs for each in neighbours if each.sound.lufs is not None]
    lufs = candidate.sound.lufs
    if lufs is None or not known:
        return
    if abs(lufs - median(known)) <= LOUDNESS_TOLERANCE_DB:
        yield LOUDNESS_WEIGHT, f"As loud as the others: {lufs:.0f} LUFS".replace("-", "−")

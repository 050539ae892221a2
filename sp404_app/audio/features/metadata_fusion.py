"""Combine stated metadata (tags, file name) with what the signal shows."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp import pitch
from sp404_app.audio.dsp.chroma import Chroma
from sp404_app.audio.features import filename_hints, tempo
from sp404_app.audio.features.filename_hints import StatedMetadata
from sp404_app.audio.features.key_detection import KeyEstimate, pitched_probability
from sp404_app.audio.features.sound_class import CLASSES, SoundClass
from sp404_app.audio.features.tempo import TempoEstimate

MIN_CANDIDATE_PROBABILITY: Final = 0.005  # a less likely candidate does not confirm a tempo
# Tempi this close belong to one loop: one of them was estimated or rounded.
ESTIMATE_TOLERANCE: Final = 0.01
MIN_BEATS: Final = 4
DEFAULT_TAG_BPM: Final = 120.0  # what many programs write into files without knowing the tempo
STATED_LOOP_ODDS_FACTOR: Final = 9.0  # if the length is a whole number of stated beats
# Kits name their hits well; larger odds would let a name turn a chord into a kick.
STATED_CLASS_ODDS_FACTOR: Final = 50.0
# Of a stated tempo that nothing confirms: beside the engine's candidates, and alone.
OFFERED_CHANCE, OFFERED_CHANCE_ALONE = 0.05, 0.5

MIN_PITCHED_FOR_STATED_KEY: Final = 0.03  # a less pitched sound cannot have a key
# From this confidence a detected key is clear; a less probable stated key is then rejected.
CLEAR_CONFIDENCE, MIN_KEY_PROBABILITY = 0.6, 0.05
# The same for a stated key with its mode: producers know it better than the estimator.
CLEAR_CONFIDENCE_EXPLICIT, MIN_KEY_PROBABILITY_EXPLICIT = 0.7, 0.001
STATED_KEY_CONFIDENCE: Final = 0.95  # of a stated key with its mode


@dataclass(frozen=True, slots=True)
class FusedKey:
    """The resulting key and the stated one; `conflict` means that they differ."""

    name: str | None = None
    confidence: float = 0.0
    from_file: bool = False
    stated: str | None = None
    conflict: bool = False


def merge_stated(named: StatedMetadata, tagged: StatedMetadata, duration: float) -> StatedMetadata:
    """Merge the hints of the name with the tags; tags take precedence.

    A tempo tag close to the tempo in the name is used only if it matches the length exactly.
    Otherwise it is an estimate by another program, and the name's tempo is used. A tag of 120 is
    often a program's default: the name precedes it, too, see `_is_default_tag`.
    """
    bpm = tagged.tempo(duration)
    if bpm and _is_default_tag(bpm, named, duration):
        bpm = None
    if bpm and named.bpm and named.bpm_explicit and abs(bpm / named.bpm - 1) < ESTIMATE_TOLERANCE:
        bpm = bpm if filename_hints.is_exact_length(bpm, duration) else named.bpm
    return StatedMetadata(
        bpm or named.bpm,
        tagged.key or named.key,
        bpm_explicit=bpm is not None or named.bpm_explicit,
        root=tagged.root,
        tonic=None if tagged.key else named.tonic,
        key_certain=bool(tagged.key) or named.key_certain,
        classes=named.classes,
    )


def _is_default_tag(bpm: float, named: StatedMetadata, duration: float) -> bool:
    """Return whether a tempo tag is a default that says less than the tempo in the name.

    It is not if the length has whole beats at the tag's tempo only.
    """
    if bpm != DEFAULT_TAG_BPM or not named.bpm or named.bpm == bpm:
        return False
    if filename_hints.is_exact_length(bpm, duration):
        return filename_hints.is_exact_length(named.bpm, duration)
    return named.bpm_explicit or filename_hints.tempo_fits_length(named.bpm, duration)


def fuse_key(
    estimate: KeyEstimate | None, stated: StatedMetadata, chroma: Chroma | None
) -> FusedKey:
    """Combine the stated key with the detected one.

    `estimate` is None for drum hits, single notes and unpitched sounds. A stated key with its mode
    is used unless the sound is unpitched or clearly has another key. A tonic alone, or an ambiguous
    key, is used only if a key was detected, and not against a clear one.
    """
    detected, confidence = (estimate.name, estimate.confidence) if estimate else (None, 0.0)
    chances = estimate.chances if estimate else {}
    modes = [f"{stated.tonic} {mode}" for mode in ("major", "minor")] if stated.tonic else []
    candidates = [stated.key] if stated.key else modes
    if not candidates:
        return FusedKey(detected, confidence)
    candidate = max(candidates, key=lambda each: chances.get(each, 0.0))
    explicit = stated.key_certain and stated.key is not None
    chance = chances.get(candidate, 0.0)
    if candidate == detected or (estimate and _is_plausible(chance, confidence, explicit=explicit)):
        stated_confidence = STATED_KEY_CONFIDENCE if explicit else chance
        return FusedKey(candidate, stated_confidence, from_file=True, stated=candidate)
    if (
        estimate is None
        and explicit
        and chroma is not None
        and pitched_probability(chroma) >= MIN_PITCHED_FOR_STATED_KEY
    ):
        return FusedKey(candidate, STATED_KEY_CONFIDENCE, from_file=True, stated=candidate)
    written = candidate if estimate else stated.key
    return FusedKey(detected, confidence, stated=written, conflict=explicit or estimate is not None)


def _is_plausible(chance: float, confidence: float, *, explicit: bool) -> bool:
    """Return whether a stated key of probability `chance` is possible beside the detected key."""
    if explicit:
        return confidence < CLEAR_CONFIDENCE_EXPLICIT or chance >= MIN_KEY_PROBABILITY_EXPLICIT
    return confidence < CLEAR_CONFIDENCE or chance >= MIN_KEY_PROBABILITY


def length_matches_stated_tempo(stated: StatedMetadata, length: float) -> bool:
    """Return whether a length is a whole number of beats of an explicitly stated tempo."""
    if not stated.bpm or not stated.bpm_explicit or stated.bpm * length / 60 < MIN_BEATS - 0.5:
        return False
    return filename_hints.is_exact_length(stated.bpm, length)


def fuse_loop_probability(probability: float, stated: StatedMetadata, length: float) -> float:
    """Return the probability that a sound is a loop, from the signal and the stated tempo.

    A pad held for eight bars sounds like one long note; its name shows that it is a loop.
    """
    odds = probability / max(1e-9, 1 - probability)
    if length_matches_stated_tempo(stated, length):
        odds *= STATED_LOOP_ODDS_FACTOR
    return odds / (1 + odds)


def fuse_class(
    chances: npt.NDArray[np.float64], stated: Collection[SoundClass]
) -> tuple[SoundClass, float]:
    """Return the class of a one-shot and its probability, from the signal and the stated classes.

    Args:
        chances: The probabilities of `CLASSES` by the signal.
        stated: Classes that the name or a folder allows; none if it states nothing.
    """
    odds = np.where([each in stated for each in CLASSES], STATED_CLASS_ODDS_FACTOR, 1.0)
    fused = chances * odds / np.sum(chances * odds)
    best = int(fused.argmax())
    return CLASSES[best], float(fused[best])


def fuse_tempo(
    estimate: TempoEstimate | None, stated: StatedMetadata, length: float
) -> TempoEstimate | None:
    """Use a stated tempo if the length or the signal confirms it; else keep the estimate.

    The signal confirms its own candidates and the half and double of its estimate. A fractional
    tempo is often another program's estimate: unless the length matches it exactly, it only selects
    one of the candidates. Rejected candidates share the remaining probability.
    """
    if stated.bpm is None:
        return estimate
    if estimate is None:
        return (
            stated_only_tempo(stated.bpm, length)
            if length_matches_stated_tempo(stated, length)
            else None
        )
    likely = [bpm for bpm, chance in estimate.candidates if chance >= MIN_CANDIDATE_PROBABILITY]
    known = (*likely, estimate.bpm / 2, estimate.bpm * 2)
    confirmed = next((bpm for bpm in known if abs(bpm / stated.bpm - 1) < 0.02), None)
    if confirmed is None and not (
        stated.bpm_explicit and filename_hints.tempo_fits_length(stated.bpm, length)
    ):
        return estimate
    precise = stated.bpm == round(stated.bpm) or filename_hints.is_exact_length(stated.bpm, length)
    fused = tempo.with_stated_tempo(
        estimate, stated.bpm if precise or confirmed is None else confirmed
    )
    return replace(fused, candidates=rescale_rivals(fused))


def offer_stated_tempo(
    estimate: TempoEstimate | None, stated: StatedMetadata
) -> list[tuple[float, float]]:
    """Return the candidates of an estimate; an explicitly stated tempo is always among them."""
    candidates = estimate.candidates if estimate else []
    if not stated.bpm or not stated.bpm_explicit:
        return candidates
    if any(
        abs(bpm / stated.bpm - 1) < 0.02 and chance >= OFFERED_CHANCE for bpm, chance in candidates
    ):
        return candidates
    if not candidates:
        return [(stated.bpm, OFFERED_CHANCE_ALONE)]
    kept = [(bpm, chance) for bpm, chance in candidates if abs(bpm / stated.bpm - 1) >= 0.02]
    rest = [(bpm, chance * (1 - OFFERED_CHANCE)) for bpm, chance in kept]
    return sorted([*rest, (stated.bpm, OFFERED_CHANCE)], key=lambda each: -each[1])


def stated_only_tempo(bpm: float, length: float) -> TempoEstimate:
    """Return the stated tempo for a loop without onsets."""
    confidence = tempo.STATED_CONFIDENCE
    rivals = [(bpm / 2, (1 - confidence) / 2), (bpm * 2, (1 - confidence) / 2)]
    return TempoEstimate(
        bpm, confidence, [(bpm, confidence), *rivals], 0.0, length, from_ends=True, odds=0.0
    )


def rescale_rivals(estimate: TempoEstimate) -> list[tuple[float, float]]:
    """Return the candidates; all but the first share the remaining probability."""
    first, *rivals = estimate.candidates
    chances = max(1e-9, sum(chance for _, chance in rivals))
    share = min(1.0, (1 - estimate.confidence) / chances)
    return [first, *((bpm, chance * share) for bpm, chance in rivals)]


def fuse_root_note(detected: pitch.Pitch | None, stated: int | None) -> int | None:
    """Return the root as a MIDI note: the detected pitch class, in the octave stated by a sampler.

    Editors write middle C by default, so a stated root is ignored if the pitch does not confirm it.
    """
    if detected is None:
        return None
    return stated if stated is not None and (stated - detected.note) % 12 == 0 else detected.note

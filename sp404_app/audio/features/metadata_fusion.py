"""What a file says of itself, weighed against what is heard."""

from dataclasses import dataclass, replace
from typing import Final

from sp404_app.audio.dsp import pitch
from sp404_app.audio.dsp.chroma import Chroma
from sp404_app.audio.features import filename_hints, tempo
from sp404_app.audio.features.filename_hints import StatedMetadata
from sp404_app.audio.features.key_detection import KeyEstimate, pitched_probability
from sp404_app.audio.features.tempo import TempoEstimate

MIN_CANDIDATE_PROBABILITY: Final = 0.005  # a smaller chance confirms nothing
# Two tempi this close are of one loop: one of them was estimated, or rounded.
ESTIMATE_TOLERANCE: Final = 0.01
MIN_BEATS: Final = 4
STATED_LOOP_ODDS_FACTOR: Final = (
    9.0  # times as likely a loop: its length is made of the beats that it names
)

MIN_PITCHED_FOR_STATED_KEY: Final = (
    0.03  # probability of pitch below which a sound has no key, whatever is written
)
# From this confidence on a key is heard clearly; a written one below that chance is then wrong.
CLEAR_CONFIDENCE, MIN_KEY_PROBABILITY = 0.6, 0.05
# The same for a key whose mode is written out: producers know it better than the estimator.
CLEAR_CONFIDENCE_EXPLICIT, MIN_KEY_PROBABILITY_EXPLICIT = 0.95, 0.001
STATED_KEY_CONFIDENCE: Final = 0.95  # the confidence of a key whose mode is written out


@dataclass(frozen=True, slots=True)
class FusedKey:
    """The key that counts and what was written; `conflict` says that they differ."""

    name: str | None = None
    confidence: float = 0.0
    from_file: bool = False
    written: str | None = None
    conflict: bool = False


def merge_stated(named: StatedMetadata, tagged: StatedMetadata, duration: float) -> StatedMetadata:
    """Join what the name and the tags say; what a program wrote goes before what people typed.

    But not a tempo that a program estimated: such a one is close to the name's, and does not
    fit the length to a hair as that of a program which made the loop would.
    """
    bpm = tagged.tempo(duration)
    if bpm and named.bpm and named.sure and abs(bpm / named.bpm - 1) < ESTIMATE_TOLERANCE:
        bpm = bpm if filename_hints.is_exact_length(bpm, duration) else named.bpm
    return StatedMetadata(
        bpm or named.bpm,
        tagged.key or named.key,
        sure=bpm is not None or named.sure,
        root=tagged.root,
        tonic=None if tagged.key else named.tonic,
        key_sure=bool(tagged.key) or named.key_sure,
    )


def fuse_key(heard: KeyEstimate | None, stated: StatedMetadata, found: Chroma | None) -> FusedKey:
    """Weigh the key that is written against the key that is heard.

    `heard` is None for drum hits, single notes and sounds without pitch. A key with its mode
    written out counts unless the sound has no pitch or clearly another key. A tonic alone, or
    what may be another word, needs a key that is heard, and gives way to a clear one.
    """
    name, confidence = (heard.name, heard.confidence) if heard else (None, 0.0)
    chances = heard.chances if heard else {}
    modes = [f"{stated.tonic} {mode}" for mode in ("major", "minor")] if stated.tonic else []
    options = [stated.key] if stated.key else modes
    if not options:
        return FusedKey(name, confidence)
    option = max(options, key=lambda each: chances.get(each, 0.0))
    sure = stated.key_sure and stated.key is not None
    chance = chances.get(option, 0.0)
    if option == name or (heard and _is_plausible(chance, confidence, sure=sure)):
        told = STATED_KEY_CONFIDENCE if sure else chance
        return FusedKey(option, told, from_file=True, written=option)
    if (
        heard is None
        and sure
        and found is not None
        and pitched_probability(found) >= MIN_PITCHED_FOR_STATED_KEY
    ):
        return FusedKey(option, STATED_KEY_CONFIDENCE, from_file=True, written=option)
    written = option if heard else stated.key
    return FusedKey(name, confidence, written=written, conflict=sure or heard is not None)


def _is_plausible(chance: float, confidence: float, *, sure: bool) -> bool:
    """Whether a written key of that chance stands beside another one that is heard."""
    if sure:
        return confidence < CLEAR_CONFIDENCE_EXPLICIT or chance >= MIN_KEY_PROBABILITY_EXPLICIT
    return confidence < CLEAR_CONFIDENCE or chance >= MIN_KEY_PROBABILITY


def length_matches_stated_tempo(stated: StatedMetadata, length: float) -> bool:
    """Whether a length is a whole number of the beats that the file surely states."""
    if not stated.bpm or not stated.sure or stated.bpm * length / 60 < MIN_BEATS - 0.5:
        return False
    return filename_hints.is_exact_length(stated.bpm, length)


def fuse_loop_probability(heard: float, stated: StatedMetadata, length: float) -> float:
    """Return the probability that a sound is a loop, what is heard and what is written together.

    A pad that is held for eight bars sounds like one long note; its name says more.
    """
    odds = heard / max(1e-9, 1 - heard)
    if length_matches_stated_tempo(stated, length):
        odds *= STATED_LOOP_ODDS_FACTOR
    return odds / (1 + odds)


def fuse_tempo(
    heard: TempoEstimate | None, stated: StatedMetadata, length: float
) -> TempoEstimate | None:
    """Take a stated tempo where length or ears confirm it; else keep what was heard.

    The ears confirm what they thought of, and the half and double of what they heard, which is
    a matter of taste. A broken number is often another program's estimate: where neither is it
    whole nor the length made of its beats, it says which of the tempi that were heard is meant.
    What was heard instead shares what is left over.
    """
    if stated.bpm is None:
        return heard
    if heard is None:
        return (
            stated_only_tempo(stated.bpm, length)
            if length_matches_stated_tempo(stated, length)
            else None
        )
    thought_of = [bpm for bpm, chance in heard.candidates if chance >= MIN_CANDIDATE_PROBABILITY]
    known = (*thought_of, heard.bpm / 2, heard.bpm * 2)
    near = next((bpm for bpm in known if abs(bpm / stated.bpm - 1) < 0.02), None)
    if near is None and not (stated.sure and filename_hints.tempo_fits_length(stated.bpm, length)):
        return heard
    precise = stated.bpm == round(stated.bpm) or filename_hints.is_exact_length(stated.bpm, length)
    told = tempo.with_stated_tempo(heard, stated.bpm if precise or near is None else near)
    return replace(told, candidates=rescale_rivals(told))


def stated_only_tempo(bpm: float, length: float) -> TempoEstimate:
    """Return the tempo of a loop in which nothing is struck."""
    sure = tempo.STATED_CONFIDENCE
    rivals = [(bpm / 2, (1 - sure) / 2), (bpm * 2, (1 - sure) / 2)]
    return TempoEstimate(bpm, sure, [(bpm, sure), *rivals], 0.0, length, from_ends=True, odds=0.0)


def rescale_rivals(told: TempoEstimate) -> list[tuple[float, float]]:
    """Return the candidates, all but the first sharing what its confidence leaves over."""
    first, *rivals = told.candidates
    chances = max(1e-9, sum(chance for _, chance in rivals))
    share = min(1.0, (1 - told.confidence) / chances)
    return [first, *((bpm, chance * share) for bpm, chance in rivals)]


def fuse_root_note(heard: pitch.Pitch | None, stated: int | None) -> int | None:
    """Return the root as a MIDI note: what is heard, in the octave that a sampler wrote.

    Editors write middle C where nobody chose, so a root that is not heard does not count.
    """
    if heard is None:
        return None
    return stated if stated is not None and (stated - heard.note) % 12 == 0 else heard.note

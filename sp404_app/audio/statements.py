"""What a file says of itself, weighed against what is heard."""

from dataclasses import replace
from typing import Final

from sp404_app.audio import hints, pitch, tempo
from sp404_app.audio.hints import Stated
from sp404_app.audio.tempo import Tempo

THOUGHT_OF: Final = 0.005  # a smaller chance confirms nothing
# Two tempi this close are of one loop: one of them was estimated, or rounded.
ESTIMATED: Final = 0.01


def written(named: Stated, tagged: Stated, duration: float) -> Stated:
    """Join what the name and the tags say; what a program wrote goes before what people typed.

    But not a tempo that a program estimated: such a one is close to the name's, and does not
    fit the length to a hair as that of a program which made the loop would.
    """
    bpm = tagged.tempo(duration)
    if bpm and named.bpm and named.sure and abs(bpm / named.bpm - 1) < ESTIMATED:
        bpm = bpm if hints.exact(bpm, duration) else named.bpm
    return Stated(
        bpm or named.bpm,
        tagged.key or named.key,
        sure=bpm is not None or named.sure,
        root=tagged.root,
    )


def settled(heard: Tempo | None, stated: Stated, length: float) -> Tempo | None:
    """Take a stated tempo where length or ears confirm it; else keep what was heard.

    The ears confirm what they thought of, and the half and double of what they heard, which is
    a matter of taste. What was heard instead shares what is left over.
    """
    if heard is None or stated.bpm is None:
        return heard
    octaves = (heard.bpm / 2, heard.bpm, heard.bpm * 2)
    thought_of = [bpm for bpm, chance in heard.candidates if chance >= THOUGHT_OF]
    near = any(abs(bpm / stated.bpm - 1) < 0.02 for bpm in (*octaves, *thought_of))
    if not near and not (stated.sure and hints.fits(stated.bpm, length)):
        return heard
    told = tempo.stated(heard, stated.bpm)
    rivals = told.candidates[1:]
    share = (1 - told.confidence) / max(1e-9, sum(chance for _, chance in rivals))
    left = [(bpm, chance * min(1.0, share)) for bpm, chance in rivals]
    return replace(told, candidates=[told.candidates[0], *left])


def rooted(heard: pitch.Pitch | None, stated: int | None) -> int | None:
    """Return the root as a MIDI note: what is heard, in the octave that a sampler wrote.

    Editors write middle C where nobody chose, so a root that is not heard does not count.
    """
    if heard is None:
        return None
    return stated if stated is not None and (stated - heard.note) % 12 == 0 else heard.note

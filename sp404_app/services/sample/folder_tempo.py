"""Evidence between half and double tempo: the other loops of the same folder.

A loop alone often fits 87 BPM as well as 174. If the other loops of its folder are near 174, it
most likely is, too. The rule is a Dirichlet-like smoothing: each of tempo, half and double has the
probability that the analysis gives it, times `1 + s`, where s is the number of other loops near it,
weighted by a Gaussian of the distance in octaves and by how certain their own tempi are. Only what
the analysis of a loop says by itself counts for others, so that evidence cannot feed on itself.
"""

import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FOLDER_TEMPO: Final = "folder_tempo"  # key in `Analysis.content`
WIDTH_OCTAVES: Final = 0.3  # a folder's tempi vary, but less than by half an octave
MAX_WEIGHT: Final = 15.0  # of all other loops together: a clear tempo stays as it is
DOUBTFUL_BELOW: Final = 0.95  # confidence; above it no folder can change a tempo
MIN_OTHERS: Final = 2
OCTAVE_TOLERANCE: Final = 0.03
SAME_TOLERANCE: Final = 0.02  # relative: closer tempi count as the same
LOWEST_BPM, HIGHEST_BPM, STEPS_PER_OCTAVE = 20.0, 1000.0, 48

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FolderLoop:
    """A loop with the tempo that it has by itself, in BPM.

    `weight` (0..1) is how certain that tempo is. `candidates` are (bpm, probability), best first,
    of a loop whose tempo may be chosen; a loop with a stated or a person's tempo has none.
    """

    sample_id: uuid.UUID
    bpm: float
    weight: float
    candidates: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True)
class FolderTempo:
    """The tempo of a loop in BPM and its confidence (0..1), given the others of its folder.

    `around` is the tempo in BPM of the `sounds` others that are nearest to one of its octaves, and
    `same` whether most of them have exactly it.
    """

    bpm: float
    confidence: float
    around: float
    sounds: int
    same: bool

    def is_close(self, other: "FolderTempo | None") -> bool:
        """Return whether the difference to a stored one is not worth a write."""
        return (
            other is not None
            and (self.bpm, self.same) == (other.bpm, other.same)
            and abs(self.confidence - other.confidence) < 0.02
            and abs(self.around - other.around) < 0.5
            and abs(self.sounds - other.sounds) <= other.sounds // 20
        )

    @classmethod
    def from_json(cls, stored: dict[str, Any] | None) -> "FolderTempo | None":
        """Read what `dataclasses.asdict` made."""
        return cls(**stored) if stored else None


def weigh_candidates(
    candidates: Sequence[tuple[float, float]], tempo: FolderTempo | None
) -> list[tuple[float, float]]:
    """Return an analysis's candidates (bpm, probability) given the folder, best first.

    Those that are not chosen share what the confidence leaves, in proportion to their own.
    """
    if tempo is None:
        return list(candidates)
    rivals = [(bpm, chance) for bpm, chance in candidates if bpm != tempo.bpm]
    share = (1 - tempo.confidence) / max(1e-9, sum(chance for _, chance in rivals))
    scaled = [(bpm, chance * min(1.0, share)) for bpm, chance in rivals]
    return sorted([(tempo.bpm, tempo.confidence), *scaled], key=lambda each: -each[1])


def weigh_folder(loops: Sequence[FolderLoop]) -> dict[uuid.UUID, FolderTempo]:
    """Return the tempo of each doubtful loop, given the others. The time grows with n log n."""
    known = [loop for loop in loops if LOWEST_BPM <= loop.bpm <= HIGHEST_BPM]
    if len(known) <= MIN_OTHERS:
        return {}
    octaves = np.log2([loop.bpm / LOWEST_BPM for loop in known])
    weights = np.array([loop.weight for loop in known])
    near, total = _support_table(octaves, weights), float(weights.sum())
    ordered = sorted(octaves.tolist())
    doubtful = [loop for loop in known if _is_doubtful(loop)]
    found = [(loop.sample_id, _weigh_loop(loop, near, total, ordered)) for loop in doubtful]
    return {sample_id: tempo for sample_id, tempo in found if tempo.sounds}


def _is_doubtful(loop: FolderLoop) -> bool:
    return bool(loop.candidates) and loop.candidates[0][1] < DOUBTFUL_BELOW


def _kernel(octaves: Numbers) -> Numbers:
    return np.exp(-0.5 * (octaves / WIDTH_OCTAVES) ** 2)


def _support_table(octaves: Numbers, weights: Numbers) -> Numbers:
    """Return the weighted number of loops near each step of the tempo."""
    steps = int(np.log2(HIGHEST_BPM / LOWEST_BPM) * STEPS_PER_OCTAVE) + 2
    place = np.round(octaves * STEPS_PER_OCTAVE).astype(np.int64)
    counts = np.bincount(place, weights, steps)
    offsets = np.arange(-2 * STEPS_PER_OCTAVE, 2 * STEPS_PER_OCTAVE + 1) / STEPS_PER_OCTAVE
    return np.convolve(counts, _kernel(offsets))[2 * STEPS_PER_OCTAVE :][:steps]


def _weigh_loop(loop: FolderLoop, near: Numbers, total: float, ordered: list[float]) -> FolderTempo:
    options = _octaves_of(loop)
    at = np.log2([bpm / LOWEST_BPM for bpm, _ in options])
    step = np.clip(np.round(at * STEPS_PER_OCTAVE).astype(np.int64), 0, len(near) - 1)
    own = round(float(np.log2(loop.bpm / LOWEST_BPM)) * STEPS_PER_OCTAVE) / STEPS_PER_OCTAVE
    support = near[step] - loop.weight * _kernel(step / STEPS_PER_OCTAVE - own)
    support = np.maximum(support, 0) * min(1.0, MAX_WEIGHT / max(total - loop.weight, 1e-9))
    chances = np.array([chance for _, chance in options])
    posterior = chances * (1 + support)
    posterior *= chances.sum() / max(float(posterior.sum()), 1e-12)
    best = int(posterior.argmax())
    around, sounds, same = _describe(float(at[support.argmax()]), ordered, loop)
    return FolderTempo(
        options[best][0], round(float(posterior[best]), 4), round(around, 2), sounds, same
    )


def _octaves_of(loop: FolderLoop) -> list[tuple[float, float]]:
    """Return the best candidate, and its half and double if the analysis offers them."""
    first, *rivals = loop.candidates
    ratios = [(bpm / first[0], bpm, chance) for bpm, chance in rivals]
    octaves = [
        (bpm, chance)
        for ratio, bpm, chance in ratios
        if min(abs(ratio / 2 - 1), abs(ratio / 0.5 - 1)) < OCTAVE_TOLERANCE
    ]
    return [first, *octaves]


def _describe(octave: float, ordered: list[float], loop: FolderLoop) -> tuple[float, int, bool]:
    """Return the median tempo in BPM of the others near `octave`, their number, and if they agree.

    `ordered` are the tempi of all loops, in octaves above `LOWEST_BPM`; `loop` itself is left out.
    """
    own = float(np.log2(loop.bpm / LOWEST_BPM))
    place = bisect_left(ordered, own)

    def others_between(low: float, high: float) -> range:
        """Return the places of the others, counted without `loop`."""
        start, end = bisect_left(ordered, low), bisect_right(ordered, high)
        return range(start - (start > place), end - (end > place))

    near = others_between(octave - WIDTH_OCTAVES, octave + WIDTH_OCTAVES)
    if not near:
        return 0.0, 0, False
    middle = near[len(near) // 2]
    median = ordered[middle + (middle >= place)]
    step = float(np.log2(1 + SAME_TOLERANCE))
    same = len(others_between(median - step, median + step)) > len(near) / 2
    return LOWEST_BPM * 2**median, len(near), same

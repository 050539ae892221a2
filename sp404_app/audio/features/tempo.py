"""Tempo estimation: rank the candidates of a loop's tempo and compute a calibrated confidence."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.onset import OnsetEnvelope
from sp404_app.audio.features import tempo_candidates
from sp404_app.audio.features.tempo_candidates import FREE, WHOLE, TempoCandidates
from sp404_app.audio.model_weights import Linear, Net, sigmoid, softmax

STATED_CONFIDENCE: Final = 0.99  # of a stated and confirmed tempo
MERGE_TOLERANCE: Final = 0.006  # relative: closer candidates are one answer
CUT_TOLERANCE_MS: Final = 1.5  # a less exact cut does not imply a whole tempo
# By how much the beats must fit a whole tempo better than the one that the file's length gives.
REFINE_MARGIN: Final = 0.2
MAX_CANDIDATES: Final = 6
PRIOR_MEDIAN_BPM, PRIOR_WIDTH_OCTAVES = 105.0, 0.42  # of users' loops
CONFIDENCE_FEATURES: Final = ("log odds", "lead", "octave share")


@dataclass(frozen=True, slots=True)
class TempoEstimate:
    """A tempo in BPM with the probability (0..1) that it is right within 4 %.

    `candidates` are (bpm, probability), best first, always including half and double. The beats lie
    in `start` to `start + length` seconds. `odds` are the log odds of the best candidate.
    """

    bpm: float
    confidence: float
    candidates: list[tuple[float, float]]
    start: float
    length: float
    from_ends: bool
    odds: float


@lru_cache(maxsize=1)
def tempo_model() -> Net:
    """Load the weights of the evidence."""
    return Net.load("tempo")


@lru_cache(maxsize=1)
def confidence_model() -> Linear:
    """Load the calibration from `CONFIDENCE_FEATURES` to a probability."""
    return Linear.load("tempo_confidence")


def estimate_tempo(
    env: OnsetEnvelope, duration: float, *, whole: bool = True
) -> TempoEstimate | None:
    """Estimate the tempo of `duration` seconds, or None if there are fewer than two onsets."""
    evidence = tempo_candidates.gather_candidates(env, duration, whole=whole)
    if not len(evidence.bpm) or len(env.onsets) < 2:
        return None
    return decide_tempo(evidence, tempo_model()(evidence.evidence), env)


def log_tempo_prior(bpm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the log prior of a tempo: a lognormal distribution, set by hand.

    The weights are learned from rendered styles, fast ones as often as slow ones, but users'
    samples are slower. Half and double tempo have similar evidence, so the prior often decides.
    """
    return -0.5 * (np.log2(bpm / PRIOR_MEDIAN_BPM) / PRIOR_WIDTH_OCTAVES) ** 2


def rank_answers(
    candidates: TempoCandidates, scores: npt.NDArray[np.floating]
) -> list[tuple[int, float]]:
    """Return the merged candidates for the `scores` of the evidence; see `merge_candidates`."""
    return merge_candidates(candidates.bpm, softmax(scores + log_tempo_prior(candidates.bpm)))


def decide_tempo(
    candidates: TempoCandidates, scores: npt.NDArray[np.floating], env: OnsetEnvelope
) -> TempoEstimate:
    """Choose the most probable tempo, after merging candidates that agree."""
    answers = rank_answers(candidates, scores)
    best = answers[0][0]
    share = answers[0][1]
    span = candidates.spans[candidates.span[best]]
    bpm = refine_tempo(float(candidates.bpm[best]), span.kind, span.length, env)
    confidence = sigmoid(float(confidence_model()(confidence_features(candidates, answers))))
    ratio = bpm / candidates.bpm[best]
    rescaled = [(float(candidates.bpm[index] * ratio), chance) for index, chance in answers]
    return TempoEstimate(
        bpm=bpm,
        confidence=confidence,
        candidates=list_candidates(bpm, confidence, share, rescaled),
        start=span.start,
        length=span.length,
        from_ends=span.kind != FREE,
        odds=float(np.log((share + 1e-6) / (1 - share + 1e-6))),
    )


def merge_candidates(
    bpm: npt.NDArray[np.float64], chances: npt.NDArray[np.float64]
) -> list[tuple[int, float]]:
    """Merge candidates within `MERGE_TOLERANCE`: (index of the best, probability), best first."""
    remaining = chances.copy()
    answers: list[tuple[int, float]] = []
    while len(answers) < MAX_CANDIDATES and remaining.max() > 0:
        # The most likely candidate absorbs the probability of its neighbours in tempo.
        best = int(remaining.argmax())
        near = np.abs(bpm / bpm[best] - 1) < MERGE_TOLERANCE
        answers.append((best, float(remaining[near].sum())))
        remaining[near] = 0.0
    return sorted(answers, key=lambda answer: -answer[1])


def confidence_features(
    candidates: TempoCandidates, answers: list[tuple[int, float]]
) -> npt.NDArray[np.float64]:
    """Return `CONFIDENCE_FEATURES`, which describe how clear the decision was.

    More features would overfit to the cuts and onsets of single sample packs.
    """
    best, share = answers[0]
    second = answers[1][1] if len(answers) > 1 else 0.0
    ratios = [candidates.bpm[index] / candidates.bpm[best] for index, _ in answers]
    octave = sum(
        chance
        for (_, chance), ratio in zip(answers, ratios, strict=True)
        if min(abs(ratio - 2), abs(ratio - 0.5)) < 0.03
    )
    return np.array(
        [
            np.log((share + 1e-3) / (1 - share + 1e-3)),
            np.log((share + 1e-3) / (second + 1e-3)),
            octave,
        ]
    )


def list_candidates(
    bpm: float, confidence: float, share: float, candidates: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """List the answer, its rivals, and always half and double, with calibrated probabilities.

    The rivals share the remaining probability in proportion to their own.
    """
    others = dict(candidates[1:])
    for octave in (bpm / 2, bpm * 2):
        if not any(abs(other / octave - 1) < MERGE_TOLERANCE for other in others):
            others[octave] = 0.0
    rest = max(1e-9, sum(others.values()))
    remaining = (1 - confidence) if share < 1 else 0.0
    rivals = [(other, remaining * chance / rest) for other, chance in others.items()]
    rivals.sort(key=lambda rival: -rival[1])
    return [(bpm, confidence), *rivals]


def refine_tempo(bpm: float, kind: int, length: float, env: OnsetEnvelope) -> float:
    """Round to a whole tempo where the evidence allows it, because most music has one.

    An exact cut gives its tempo directly. Else whole tempi within 2 % compete by the mean
    autocorrelation at their beats; the best is used if it wins clearly. The fractional tempo of the
    file's length yields only to a much better one: a cut is more exact than an onset.
    """
    nearest = round(bpm)
    allowed = max(0.02, bpm * CUT_TOLERANCE_MS * 1e-3 / length)
    if kind == WHOLE and abs(bpm - nearest) <= allowed:
        return float(nearest)
    lags = tempo_candidates.autocorrelation(env.flux[0])
    rivals = range(int(np.ceil(bpm * 0.98)), int(bpm * 1.02) + 1)
    fits = {rival: beat_autocorrelation(lags, 60 / rival * env.fps) for rival in rivals}
    best = max(fits, key=lambda rival: fits[rival])
    clear = fits[best] - float(np.median(list(fits.values()))) > 0.05
    bar = beat_autocorrelation(lags, 60 / bpm * env.fps) + REFINE_MARGIN
    if clear and (kind != WHOLE or fits[best] > bar):
        return float(best)
    if kind != WHOLE and abs(bpm - nearest) < 0.0035 * bpm:
        return float(nearest)
    return bpm


def beat_autocorrelation(lags: npt.NDArray[np.float32], beat: float) -> float:
    """Return the mean autocorrelation at all beats; later (more exact) ones weigh more."""
    count = int(len(lags) * 0.86 / beat)
    if count < 1:
        return 0.0
    at = beat * np.arange(1, count + 1)
    return float(np.average(np.interp(at, np.arange(len(lags)), lags), weights=at))


def with_stated_tempo(estimate: TempoEstimate, bpm: float) -> TempoEstimate:
    """Return the estimate with a stated tempo first; the estimated one becomes a rival."""
    rivals = [
        (other, chance) for other, chance in estimate.candidates if abs(other / bpm - 1) > 0.02
    ]
    return replace(
        estimate,
        bpm=bpm,
        confidence=STATED_CONFIDENCE,
        candidates=[(bpm, STATED_CONFIDENCE), *rivals],
    )

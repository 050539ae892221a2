"""Calibrate the probabilities of the keys, and compute MIREX key scores."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from sp404_app.audio.features.key_detection import KEY_EVIDENCE
from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.model_weights import Linear

# Of `KEY_EVIDENCE`, set by hand; see docs/ANALYSIS.md.
KEY_WEIGHTS = np.array([1.0, 0.5, 0.2])
LARGEST_SLOPE = 40.0

Evidence = npt.NDArray[np.float64]
KeyCase = tuple[Evidence, str]  # `key_evidence`, and the right key


def fit_key(made: list[KeyCase], real: list[KeyCase]) -> Linear:
    """Calibrate the probabilities of the keys on rendered and real sounds, weighted equally."""
    x = np.array([evidence for evidence, _ in made + real])
    truth = np.array([KEYS.index(key) for _, key in made + real])
    return key_linear(key_slope(x, truth, balanced_weights(len(made), len(real))))


def key_slope(x: Evidence, truth: npt.NDArray[np.int64], weight: Evidence) -> float:
    """Return the factor that makes log probabilities of the scores, by maximum likelihood.

    `x` is (sounds, 24, evidence), `truth` (sounds,) the index of the key, `weight` (sounds,).
    """
    scores = x @ KEY_WEIGHTS
    right = scores[np.arange(len(truth)), truth]

    def loss(slope: float) -> float:
        top = scores.max(axis=1)
        total = top * slope + np.log(np.exp(slope * (scores - top[:, None])).sum(axis=1))
        return float(weight @ (total - slope * right))

    return float(minimize_scalar(loss, bounds=(0.1, LARGEST_SLOPE), method="bounded").x)


def key_linear(slope: float) -> Linear:
    """Return the model of the 24 keys with this slope."""
    count = len(KEY_EVIDENCE)
    zeros, ones = np.zeros(count, np.float32), np.ones(count, np.float32)
    weight = (slope * KEY_WEIGHTS).astype(np.float32)
    return Linear(zeros, ones, weight, np.zeros((), np.float32))


def balanced_weights(made: int, real: int) -> Evidence:
    """Return weights for rendered and then real sounds, so that both count the same."""
    return np.repeat([1 / max(1, made), 1 / max(1, real)], [made, real])


def mirex_score(found: str | None, truth: str) -> float:
    """Return the MIREX score: 1 correct, 0.5 fifth above, 0.3 relative, 0.2 parallel key."""
    if found is None:
        return 0.0
    if found == truth:
        return 1.0
    one, other = KEYS.index(found), KEYS.index(truth)
    up = (one - other) % 12
    same_mode = one // 12 == other // 12
    if same_mode:
        return 0.5 if up == 7 else 0.0
    relative = 3 if one < 12 else 9
    return 0.2 if up == 0 else 0.3 if up == relative else 0.0

"""Train the weights of the key evidence, and compute MIREX key scores."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.model_weights import Linear


def fit_key(
    x: npt.NDArray[np.float64], truth: npt.NDArray[np.int64], ridge: float = 0.02
) -> Linear:
    """Fit a conditional logit over the 24 keys; `x` is (sounds, 24, evidence)."""
    flat = x.reshape(-1, x.shape[-1])
    mean, scale = flat.mean(axis=0), flat.std(axis=0) + 1e-6
    z = (x - mean) / scale
    rows = np.arange(len(truth))

    def loss(w: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        score = z @ w
        score -= score.max(axis=1, keepdims=True)
        total = np.log(np.exp(score).sum(axis=1))
        value = float((total - score[rows, truth]).mean())
        gap = np.exp(score - total[:, None])
        gap[rows, truth] -= 1
        slope = np.einsum("ij,ijk->k", gap, z) / len(truth)
        return value + 0.5 * ridge * float(w @ w), slope + ridge * w

    w = minimize(loss, np.zeros(x.shape[-1]), jac=True, method="L-BFGS-B").x
    parts = (mean, scale, w, np.zeros(()))
    return Linear(*(np.asarray(part, np.float32) for part in parts))


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

"""Logistic and softmax regression with an L2 penalty by L-BFGS: convex, so reproducible."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from sp404_app.audio.model_weights import Linear

Matrix = npt.NDArray[np.floating]


def fit_binary(x: Matrix, y: npt.NDArray[np.bool_], weight: Matrix, ridge: float = 1e-3) -> Linear:
    """Fit P(y) = sigmoid(score)."""
    two = fit_softmax(x, y.astype(np.int64), 2, weight, ridge)
    return Linear(
        two.mean, two.scale, two.weight[:, 1] - two.weight[:, 0], two.bias[1] - two.bias[0]
    )


def fit_softmax(
    x: Matrix, label: npt.NDArray[np.int64], classes: int, weight: Matrix, ridge: float = 1e-3
) -> Linear:
    """Fit P(label) = softmax(scores)."""
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = np.concatenate([(x - mean) / scale, np.ones((len(x), 1))], axis=1)
    weight = weight / weight.sum()
    truth = np.eye(classes)[label]

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        w = flat.reshape(-1, classes)
        score = z @ w
        score -= score.max(axis=1, keepdims=True)
        total = np.log(np.exp(score).sum(axis=1, keepdims=True))
        value = -float(weight @ ((score - total) * truth).sum(axis=1))
        slope = z.T @ ((np.exp(score - total) - truth) * weight[:, None])
        slope[:-1] += ridge * w[:-1]
        return value + 0.5 * ridge * float(np.sum(w[:-1] ** 2)), slope.ravel()

    start = np.zeros(z.shape[1] * classes)
    w = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    w = w.reshape(-1, classes).astype(np.float32)
    return Linear(mean.astype(np.float32), scale.astype(np.float32), w[:-1], w[-1])

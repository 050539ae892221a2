"""Train the projection of the log-mel patch to the vector for timbre."""

import numpy as np
import numpy.typing as npt

from sp404_app.audio.model_weights import Linear
from sp404_app.audio.similarity import embedding


def fit_timbre_projection(
    x: npt.NDArray[np.float64], labels: npt.NDArray[np.str_], shrink: float = 0.9
) -> Linear:
    """Return a linear discriminant projection of log-mel patches (sounds, 520) to 32 dimensions.

    The within-class covariance, shrunk towards a multiple of the identity, is whitened; the
    principal components of the whitened data follow.
    """
    mean = x.mean(axis=0)
    within = np.zeros((x.shape[1], x.shape[1]))
    for label in set(labels):
        part = x[labels == label]
        within += np.cov(part.T, bias=True) * len(part) / len(x)
    within = (1 - shrink) * within + shrink * np.trace(within) / len(within) * np.eye(len(within))
    values, axes = np.linalg.eigh(within)
    whiten = axes / np.sqrt(values)
    _, main = np.linalg.eigh(whiten.T @ np.cov(x.T, bias=True) @ whiten)
    weight = (whiten @ main[:, ::-1][:, : embedding.TIMBRE_DIMENSIONS]).astype(np.float32)
    ones = np.ones(x.shape[1], np.float32)
    zero = np.zeros(embedding.TIMBRE_DIMENSIONS, np.float32)
    return Linear(mean.astype(np.float32), ones, weight, zero)

"""Learned weights, stored as small JSON files with their provenance."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

WEIGHTS_FOLDER: Final = Path(__file__).parent / "weights"


@lru_cache(maxsize=16)
def load_weights(name: str) -> dict[str, Any]:
    """Load `weights/<name>.json`."""
    return json.loads((WEIGHTS_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear model: ((x - mean) / scale) @ weight + bias, with one or several outputs."""

    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    @classmethod
    def load(cls, name: str) -> Self:
        """Load the model `name`."""
        return cls.from_numbers(load_weights(name))

    @classmethod
    def from_numbers(cls, numbers: dict[str, Any]) -> Self:
        """Build from lists of numbers."""
        fields = ("mean", "scale", "weight", "bias")
        return cls(*(np.asarray(numbers[field], np.float32) for field in fields))

    def __call__(self, x: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Return the scores of feature rows."""
        z = (np.asarray(x, np.float32) - self.mean) / self.scale
        return np.asarray(z @ self.weight + self.bias, np.float32)


@dataclass(frozen=True, slots=True)
class Net:
    """A linear model plus one hidden layer of tanh units, for interactions between features.

    `hidden` is (features, units), `offset` (units,), `out` (units,); see `Linear` for the rest.
    """

    linear: Linear
    hidden: npt.NDArray[np.float32]
    offset: npt.NDArray[np.float32]
    out: npt.NDArray[np.float32]

    @classmethod
    def load(cls, name: str) -> Self:
        """Load the model `name`."""
        numbers = load_weights(name)
        layers = (np.asarray(numbers[key], np.float32) for key in ("hidden", "offset", "out"))
        return cls(Linear.from_numbers(numbers), *layers)

    def __call__(self, x: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Return the scores of feature rows."""
        z = (np.asarray(x, np.float32) - self.linear.mean) / self.linear.scale
        nonlinear = np.tanh(z @ self.hidden + self.offset) @ self.out
        return np.asarray(z @ self.linear.weight + self.linear.bias + nonlinear, np.float32)


def softmax(scores: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Convert scores to probabilities along the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True), dtype=np.float64)
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(score: float) -> float:
    """Convert a score to a probability."""
    return float(1 / (1 + np.exp(-np.clip(score, -40, 40))))

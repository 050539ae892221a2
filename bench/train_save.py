"""Write learned weights to where the app loads them."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from sp404_app.audio.model_weights import WEIGHTS_FOLDER, Linear, Net

RENDERED = "rendered by bench/train_render.py, seed {seed}, {count} sounds"
REAL = " and {count} real sounds of public packs with known truth"


def round_numbers(values: Any) -> Any:
    """Round to five significant digits, which keeps the files small."""
    if isinstance(values, np.ndarray | np.generic):
        return round_numbers(values.tolist())
    if isinstance(values, list):
        return [round_numbers(value) for value in values]
    return float(f"{values:.5g}") if isinstance(values, float) else values


def save_weights(name: str, provenance: str, features: Sequence[str], model: Linear | Net) -> None:
    """Write `weights/<name>.json`, with feature names beside the numbers."""
    linear = model.linear if isinstance(model, Net) else model
    numbers: dict[str, Any] = {"provenance": provenance, "features": list(features)}
    numbers |= {
        key: round_numbers(getattr(linear, key)) for key in ("mean", "scale", "weight", "bias")
    }
    if isinstance(model, Net):
        numbers |= {key: round_numbers(getattr(model, key)) for key in ("hidden", "offset", "out")}
    WEIGHTS_FOLDER.mkdir(exist_ok=True)
    text = json.dumps(numbers, separators=(", ", ": "), indent=None)
    (WEIGHTS_FOLDER / f"{name}.json").write_text(
        text.replace('], "', '],\n"') + "\n", encoding="utf-8"
    )

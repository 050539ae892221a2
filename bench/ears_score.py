"""Scores with their uncertainty: 95 % intervals, calibration error, precision at ten."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt


def wilson_interval(hits: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a proportion (Wilson 1927), suitable for small counts."""
    if not count:
        return 0.0, 1.0
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def format_percent(values: Iterable[float]) -> str:
    """Format a mean of values in 0..1 as per cent with its interval and n."""
    numbers = list(map(float, values))
    if not numbers:
        return "-"
    low, high = wilson_interval(sum(numbers), len(numbers))
    return f"{100 * np.mean(numbers):.1f} ({100 * low:.0f}-{100 * high:.0f}, n={len(numbers)})"


def expected_calibration_error(
    confidence: Sequence[float], right: Sequence[bool], bins: int = 10
) -> tuple[float, list[tuple[float, float, int]]]:
    """Return the expected calibration error, and (confidence, accuracy, n) of each bin.

    Guo et al., "On calibration of modern neural networks" (ICML 2017), bins of equal width.
    """
    sure, truth = np.asarray(confidence), np.asarray(right, float)
    rows: list[tuple[float, float, int]] = []
    place = np.minimum((sure * bins).astype(int), bins - 1)
    for number in range(bins):
        inside = place == number
        if inside.any():
            rows.append(
                (float(sure[inside].mean()), float(truth[inside].mean()), int(inside.sum()))
            )
    error = sum(abs(said - was) * count for said, was, count in rows) / max(1, len(sure))
    return error, rows


def chance_calibration_error(confidence: Sequence[float], rounds: int = 200) -> float:
    """Return the calibration error that a perfect confidence would show by chance."""
    sure = np.asarray(confidence)
    draws = np.random.default_rng(0).random((rounds, len(sure))) < sure
    return float(
        np.mean([expected_calibration_error(confidence, draw.tolist())[0] for draw in draws])
    )


def precision_at(
    vectors: npt.NDArray[np.floating], labels: Sequence[str], groups: Sequence[str], most: int = 10
) -> list[float]:
    """Return, for each sound, the share of its nearest neighbours with the same label.

    Neighbours of the same group (kit, pack) are excluded; sounds with fewer than three others of
    their label are skipped.
    """
    unit = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-12)
    near = unit @ unit.T
    label, group = np.asarray(labels), np.asarray(groups)
    found: list[float] = []
    for index in range(len(label)):
        allowed = group != group[index]
        same = int(np.sum(allowed & (label == label[index])))
        if same >= 3:
            order = np.flatnonzero(allowed)[np.argsort(-near[index][allowed])]
            found.append(float(np.mean(label[order[: min(most, same)]] == label[index])))
    return found


def group_by_name(rows: Iterable[tuple[str, float]]) -> dict[str, list[float]]:
    """Collect values by name."""
    out: dict[str, list[float]] = defaultdict(list)
    for name, value in rows:
        out[name].append(value)
    return dict(out)

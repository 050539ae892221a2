"""Plot the results of `bench/ears.py` as SVG for docs/."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from bench.ears_score import wilson_interval

Scores = Mapping[tuple[str, str], npt.NDArray[np.float64]]
Reliability = Mapping[str, tuple[float, list[tuple[float, float, int]]]]

COLOURS = ("#d9480f", "#495057", "#868e96", "#1971c2", "#4dabf7", "#a5d8ff", "#2f9e44")
ACC1 = 1  # column of the scores


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure with reproducible SVG output."""
    mpl.rcParams["svg.hashsalt"] = "sp404"
    mpl.rcParams["svg.fonttype"] = "none"
    return Figure((width, height), layout="constrained")


def save_figure(drawn: Figure, path: Path) -> None:
    """Write a figure without a timestamp."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path, format="svg", metadata={"Date": None})


def draw_tempo(scores: Scores, sets: Sequence[str], path: Path) -> None:
    """Draw Acc1 with its interval: a group of bars for each set, a bar for each method."""
    methods = list(dict.fromkeys(method for _, method in scores))
    drawn = new_figure(10, 4.5)
    axes = drawn.subplots()
    width = 0.8 / len(methods)
    for number, method in enumerate(methods):
        at = np.arange(len(sets)) + (number - (len(methods) - 1) / 2) * width
        rights = [scores[name, method][:, ACC1] for name in sets]
        means = np.array([right.mean() for right in rights])
        ends = np.array([wilson_interval(right.sum(), len(right)) for right in rights]).T
        bars = np.abs(ends - means) * 100
        axes.bar(at, 100 * means, width, yerr=bars, color=COLOURS[number], label=method,
                 error_kw={"linewidth": 0.8})  # fmt: skip
    counts = [len(scores[name, methods[0]]) for name in sets]
    lines = [name.replace(", ", ",\n", 1) for name in sets]
    labels = [f"{line}\nn={count}" for line, count in zip(lines, counts, strict=True)]
    axes.set_xticks(np.arange(len(sets)), labels)
    axes.set_ylim(0, 100)
    axes.set_ylabel("tempo right within 4 % (per cent)")
    axes.spines[["top", "right"]].set_visible(False)
    drawn.legend(loc="outside upper center", ncols=4, frameon=False)
    save_figure(drawn, path)


def draw_reliability(found: Reliability, path: Path) -> None:
    """Draw the share of correct tempi against `bpm_confidence`."""
    drawn = new_figure(9, 3.4)
    for axes, (which, (error, rows)) in zip(drawn.subplots(1, len(found)), found.items(),
                                            strict=True):  # fmt: skip
        confidence, correct, count = np.array(rows).T
        ends = np.array(
            [wilson_interval(share * n, int(n)) for share, n in zip(correct, count, strict=True)]
        ).T
        axes.plot([0, 1], [0, 1], color="#868e96", linewidth=1, linestyle=":")
        axes.errorbar(confidence, correct, yerr=np.abs(ends - correct), fmt="o-", color=COLOURS[0],
                      linewidth=1.2, markersize=4, elinewidth=0.8)  # fmt: skip
        axes.set_title(f"{which}, n={int(count.sum())}, ECE {error:.3f}", fontsize=10)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", aspect="equal")
        axes.spines[["top", "right"]].set_visible(False)
    drawn.axes[0].set_ylabel("correct")
    save_figure(drawn, path)

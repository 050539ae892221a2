"""The loops on which the tempo is measured: rendered and real ones, clean and distorted."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.ears_sounds import RealSound, read_loops
from bench.train_dirt import DISTORTIONS, distort
from bench.train_render import render_takes
from bench.train_tempo import SHORTEST_CROP_BEATS

Signal = npt.NDArray[np.float32]
SEED = 99
TRAP_PACK = "stargate/microlag"
# Their onsets contradict the tempo in their names, see docs/ANALYSIS.md.
MISNAMED = ("latin_brass01 - 140 BPM", "200938", "amenbreak_bpm136")


def distorted_versions(y: Signal, sr: float, bpm: float, seed: int) -> Iterator[tuple[str, Signal]]:
    """Yield a loop clean and distorted in four ways."""
    yield "clean", y
    for number, how in enumerate(DISTORTIONS):
        if how != "crop" or len(y) / sr * bpm / 60 >= SHORTEST_CROP_BEATS:
            yield how, distort(y, sr, how, np.random.default_rng([seed, number]))


def producers_loops() -> list[tuple[str, Signal, float, float]]:
    """Return the real loops of several producers, clean and distorted, by set."""
    rows = []
    for number, real in enumerate(read_loops()):
        found = real.survey()
        assert real.bpm is not None
        for how, y in distorted_versions(found.window, found.window_rate, real.bpm, 3000 + number):
            sort = "clean" if how == "clean" else "distorted"
            sets = [f"real, producers, {sort}"]
            sets += [f"real, producers, 90 BPM and slower, {sort}"] if real.bpm <= 90 else []
            sets += [f"real, producers, 140 BPM and faster, {sort}"] if real.bpm >= 140 else []
            rows += [(name, y, found.window_rate, real.bpm) for name in sets]
    return rows


def real_loops(reals: list[RealSound]) -> list[tuple[str, Signal, float, float]]:
    """Return the real loops of the packs, clean and distorted, by set."""
    rows = []
    for number, real in enumerate(real for real in reals if real.kind == "loop"):
        found = real.survey()
        assert real.bpm is not None
        for how, y in distorted_versions(found.window, found.window_rate, real.bpm, 1000 + number):
            which = "trap pack" if real.pack == TRAP_PACK else "packs"
            rows.append((f"real, {which}, {how}", y, found.window_rate, real.bpm))
            if which == "packs" and Path(real.original).stem not in MISNAMED:
                sort = "clean" if how == "clean" else "distorted"
                rows.append((f"real, well labelled, {sort}", y, found.window_rate, real.bpm))
            if how == "clean" and real.bpm <= 100:
                rows.append(("real, 100 BPM and slower", y, found.window_rate, real.bpm))
    return rows


def rendered_loops() -> list[tuple[str, Signal, float, float]]:
    """Return rendered loops that no model has seen, clean and distorted."""
    rows = []
    for what, count in (("drums", 160), ("tonal", 90)):
        for number, take in enumerate(render_takes(what, count, SEED)):
            assert take.bpm is not None
            for how, y in distorted_versions(take.signal, 44_100.0, take.bpm, 5000 + number):
                names = [f"rendered, all, {how}"]
                names += [f"rendered, {what}"] if how == "clean" else ["rendered, all, distorted"]
                rows += [(name, y, 44_100.0, take.bpm) for name in names]
    return rows

"""Speed and memory of one render, against one process of FFmpeg: `python -m bench.render`.

The sound is a stereo loop of 10 s, 24 bit at 44.1 kHz; the result has 16 bit at 48 kHz. Ours trims,
normalises the loudness, resamples and dithers it in this process, as a worker does; FFmpeg
resamples and dithers it. Both take turns, and medians are compared. FFmpeg must be on the PATH,
with soxr. Returns 1 if a target is missed.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from bench.peaks import peak_resident_mb
from sp404_app.audio.render.edit import NO_EDIT, Edit, Normalise
from sp404_app.audio.render.render import render

SOURCE_RATE, RATE, SECONDS, RUNS = 44_100, 48_000, 10, 21
LONG_MINUTES = 16
RESAMPLE = "aresample=48000:resampler=soxr:precision=28:osf=s16:dither_method=triangular"
LOUD = Normalise("lufs", -14.0)
TRIM = (100, SOURCE_RATE * SECONDS)
PLAIN = Edit(trim=TRIM, normalise=LOUD)
STRETCHED = Edit(trim=TRIM, normalise=LOUD, stretch=0.8)
LONG_EDITS = {
    "plain": NO_EDIT,
    "reversed, to a loudness": Edit(reverse=True, normalise=LOUD),
    "stretched": Edit(stretch=0.8, normalise=LOUD),
}
MIN_SPEED_RATIO, MAX_STRETCH_RATIO, MAX_MEMORY_MB = 1.7, 2.5, 80


def write_sound(path: Path, seconds: int, subtype: str) -> None:
    """Write decaying noise on every half second over a chord, a second at a time."""
    rng = np.random.default_rng(1)
    t = np.arange(SOURCE_RATE) / SOURCE_RATE
    chord = np.sum([0.1 * np.sin(2 * np.pi * hertz * t) for hertz in (220, 277, 330)], axis=0)
    decay = np.exp(-(t % 0.5) / 0.05)
    with soundfile.SoundFile(path, "w", SOURCE_RATE, 2, subtype) as sound:
        for _ in range(seconds):
            noise = rng.normal(0, 0.1, (SOURCE_RATE, 2)) * decay[:, None]
            sound.write(np.clip(noise + chord[:, None], -1, 1))


def run_ours(folder: Path, edit: Edit) -> None:
    """Render the short loop."""
    target = folder / "ours.wav"
    render(folder / "short.wav", edit, rate=RATE, loop=True, seed=b"seed", target=target)


def run_ffmpeg(folder: Path, filters: str) -> None:
    """Convert the short loop with one process of FFmpeg."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", folder / "short.wav"]
    command += ["-af", filters, "-c:a", "pcm_s16le", folder / "theirs.wav"]
    subprocess.run(command, check=True)


def compare_medians(ours: Callable[[], None], theirs: Callable[[], None]) -> tuple[float, float]:
    """Return the median times in ms, of runs in turns after one that is not counted."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(RUNS + 1):
        for index, work in enumerate((ours, theirs)):
            started = time.perf_counter()
            work()
            times[index].append(1000 * (time.perf_counter() - started))
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])


def measure_speed(folder: Path) -> bool:
    """Print both comparisons; return whether the targets are reached."""
    if not shutil.which("ffmpeg"):
        print("no ffmpeg on the PATH: its speed is not compared")
        return True
    reached = True
    for name, edit, filters in (
        ("without stretch", PLAIN, RESAMPLE),
        ("with stretch", STRETCHED, f"atempo=1.25,{RESAMPLE}"),
    ):
        ours, theirs = compare_medians(
            lambda edit=edit: run_ours(folder, edit),
            lambda filters=filters: run_ffmpeg(folder, filters),
        )
        print(f"{name}: ours {ours:.0f} ms, ffmpeg {theirs:.0f} ms, {theirs / ours:.2f} × faster")
        stretched = edit is STRETCHED
        limit = theirs * MAX_STRETCH_RATIO if stretched else theirs / MIN_SPEED_RATIO
        reached = reached and ours <= limit
    return reached


def measure_memory(path: Path, edit: Edit) -> None:
    """Render a long sound in this process, and print time and memory."""
    before, started = peak_resident_mb(), time.perf_counter()
    target = path.with_name("ours.wav")
    rendered = render(path, edit, rate=RATE, loop=False, seed=b"seed", target=target)
    took, peak = time.perf_counter() - started, peak_resident_mb()
    print(
        f"{rendered.frames / RATE / 60:.1f} min: {took:.1f} s, {peak:.0f} MB ({before:.0f} before)"
    )
    if peak > MAX_MEMORY_MB:
        sys.exit(1)


def main() -> int:
    """Measure in new processes with the environment of a worker; return 1 if a target is missed."""
    if len(sys.argv) > 2:
        measure_memory(Path(sys.argv[1]), LONG_EDITS[sys.argv[2]])
        return 0
    if len(sys.argv) > 1:
        return int(not measure_speed(Path(sys.argv[1])))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sound(folder / "short.wav", SECONDS, "PCM_24")
        write_sound(folder / "long.wav", 60 * LONG_MINUTES, "PCM_16")
        failed = run_again(folder)
        for edit in LONG_EDITS:
            print(edit, end=": ", flush=True)
            failed |= run_again(folder / "long.wav", edit)
    return failed


def run_again(*arguments: Path | str) -> int:
    """Run this module in a new process; return its exit code."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "bench.render", *map(str, arguments)]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""What the waveform of ten minutes costs: `python -m bench.peaks`."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from sp404_app.audio.decode import opened
from sp404_app.audio.peaks import PeaksBuilder

RATE, MINUTES = 48_000, 10


def write(path: Path) -> None:
    """Write ten minutes of stereo noise, a second at a time."""
    second = (np.random.default_rng(1).normal(0, 3000, (RATE, 2))).astype(np.int16)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as sound:
        for _ in range(60 * MINUTES):
            sound.write(second)


def build(path: Path) -> None:
    """Print how long the pyramid takes, and how much memory the process took in the end."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    with opened(path) as (header, blocks):
        builder = PeaksBuilder(header.sample_rate)
        for block in blocks:
            builder.feed(block)
    size = len(builder.done().to_bytes())
    took = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"peaks of {MINUTES} min: {took:.3f} s, {after:.0f} MB resident "
        f"({before:.0f} of them after the imports), {size / 1000:.0f} kB stored"
    )


def main() -> None:
    """Measure in a process of its own, which has never held the file."""
    if len(sys.argv) > 1:
        build(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        write(path)
        for _ in range(3):
            subprocess.run([sys.executable, "-m", "bench.peaks", path], check=True)


if __name__ == "__main__":
    main()

"""Cost of the waveform peaks of ten minutes: `python -m bench.peaks`."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from sp404_app.audio.io.decode import open_audio
from sp404_app.audio.io.peaks import PeaksBuilder

RATE, MINUTES = 48_000, 10


def write_noise(path: Path) -> None:
    """Write ten minutes of stereo noise, a second at a time."""
    rng = np.random.default_rng(1)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as sound:
        for _ in range(60 * MINUTES):
            sound.write(rng.normal(0, 3000, (RATE, 2)).astype(np.int16))


def peak_resident_mb() -> float:
    """Return the peak resident memory of this process in MB, since its own start."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def build_peaks(path: Path) -> None:
    """Print the time and the memory that building the peaks takes."""
    before = peak_resident_mb()
    started = time.perf_counter()
    with open_audio(path) as (header, blocks):
        builder = PeaksBuilder(header.sample_rate)
        for block in blocks:
            builder.feed(block)
    size = len(builder.done().to_bytes())
    took = time.perf_counter() - started
    print(
        f"peaks of {MINUTES} min: {took:.3f} s, {peak_resident_mb():.0f} MB resident "
        f"({before:.0f} of them after the imports), {size / 1000:.0f} kB stored"
    )


def main() -> None:
    """Measure in a new process, which has never held the file."""
    if len(sys.argv) > 1:
        build_peaks(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        write_noise(path)
        for _ in range(3):
            subprocess.run([sys.executable, "-m", "bench.peaks", path], check=True)


if __name__ == "__main__":
    main()

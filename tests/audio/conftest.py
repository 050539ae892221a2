"""Test signals with known properties, written to files of any format."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
import soundfile

RATE = 44_100
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a signal to a temporary file, in any format of libsndfile."""

    def writer(name: str, signal: npt.ArrayLike, rate: int = RATE, **options: str) -> Path:
        path = tmp_path / name
        soundfile.write(path, np.asarray(signal), rate, **options)
        return path

    return writer


def sine(hertz: float, seconds: float, level: float = 0.5, rate: int = RATE) -> npt.NDArray:
    """Return a sine."""
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


PEAK = """
import resource, sys
def peak():
    # On Linux ru_maxrss starts with the peak of the parent process.
    try:
        lines = open("/proc/self/status").read().splitlines()
    except FileNotFoundError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
"""


def growth(imports: str, work: str, *arguments: object) -> int:
    """Return the peak memory growth in bytes of a new process while it runs `work`."""
    script = f"{PEAK}\n{imports}\nbefore = peak()\n{work}\nprint(peak() - before)"
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return int(done.stdout.split()[-1])


def encode_m4a(
    path: Path,
    frames: npt.NDArray,
    codec: str = "aac",
    container: str = "ipod",
    rate: int = RATE,
) -> Path:
    """Write one or two channels with FFmpeg: AAC, ALAC, or another codec of the container."""
    channels = {1: "mono", 2: "stereo"}[frames.shape[1]]
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.layout = channels
        layout = "s16p" if codec == "alac" else "fltp"
        data = (frames.T * 32767).astype("<i2") if codec == "alac" else frames.T.astype("f4")
        for at in range(0, data.shape[1], 960):
            block = np.ascontiguousarray(data[:, at : at + 960])
            frame = av.AudioFrame.from_ndarray(block, format=layout, layout=channels)
            frame.sample_rate, frame.pts = rate, at
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path

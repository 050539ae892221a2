"""Signals with known answers, written to files of every format."""

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
    """Write a signal to a file of the test's own, in any format that libsndfile writes."""

    def writer(name: str, signal: npt.ArrayLike, rate: int = RATE, **options: str) -> Path:
        path = tmp_path / name
        soundfile.write(path, np.asarray(signal), rate, **options)
        return path

    return writer


def sine(hertz: float, seconds: float, level: float = 0.5, rate: int = RATE) -> npt.NDArray:
    """Make a sine."""
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def encode_m4a(
    path: Path, stereo: npt.NDArray, codec: str = "aac", container: str = "ipod"
) -> Path:
    """Write AAC or ALAC with FFmpeg."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=RATE)
        stream.layout = "stereo"
        layout = "s16p" if codec == "alac" else "fltp"
        data = (stereo.T * 32767).astype("<i2") if codec == "alac" else stereo.T.astype("f4")
        for at in range(0, data.shape[1], 1024):
            block = np.ascontiguousarray(data[:, at : at + 1024])
            frame = av.AudioFrame.from_ndarray(block, format=layout, layout="stereo")
            frame.sample_rate, frame.pts = RATE, at
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path

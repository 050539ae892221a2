"""Renders of synthetic sounds, read back as arrays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from sp404_app.audio.render.edit import parse_edit
from sp404_app.audio.render.render import Rendered, render

Samples = npt.NDArray[np.float64]
Json = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """A finished render: what it reported, its bytes, and its samples in -1..1."""

    rendered: Rendered
    content: bytes
    samples: Samples


@dataclass(frozen=True)
class Renders:
    """Renders signals; `edit` is JSON."""

    folder: Path

    def write(self, signal: npt.ArrayLike, rate: int = 48_000, subtype: str = "PCM_16") -> Path:
        source = self.folder / "source.wav"
        soundfile.write(source, np.asarray(signal), rate, subtype)
        return source

    def file(self, source: Path, edit: Any = None, rate: int = 48_000, **options: Any) -> Result:
        """Render a file."""
        target = self.folder / "render.wav"
        options = {"loop": False, "seed": b"a seed", **options}
        rendered = render(source, parse_edit(edit), rate=rate, target=target, **options)
        samples, read_rate = soundfile.read(target, always_2d=True)
        assert read_rate == rate
        return Result(rendered, target.read_bytes(), samples)

    def signal(
        self,
        signal: npt.ArrayLike,
        edit: Any = None,
        rate: int = 48_000,
        source_rate: int = 48_000,
        subtype: str = "PCM_16",
        **options: Any,
    ) -> Result:
        """Render a signal, written as a WAV file at `source_rate`."""
        source = self.write(signal, source_rate, subtype)
        return self.file(source, edit, rate, **options)


@pytest.fixture
def renders(tmp_path: Path) -> Renders:
    return Renders(tmp_path)


def sixteen_bit(frames: int = 48_000, channels: int = 2, seed: int = 1) -> npt.NDArray[np.int16]:
    """Return noise over the whole range of 16-bit samples."""
    rng = np.random.default_rng(seed)
    return rng.integers(-32_768, 32_768, (frames, channels), np.int16)


def tone(
    hertz: float, seconds: float = 1.0, level: float = 0.5, rate: int = 48_000
) -> npt.NDArray[np.float64]:
    """Return a sine."""
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def frequency_of(samples: Samples, rate: int = 48_000) -> float:
    """Return the frequency of a sine, from the phase of its middle half."""
    part = samples[len(samples) // 4 : len(samples) * 3 // 4]
    spectrum = np.fft.rfft(part * np.hanning(len(part)))
    coarse = np.argmax(np.abs(spectrum)) * rate / len(part)
    carrier = np.exp(-2j * np.pi * coarse * np.arange(len(part)) / rate)
    kernel = np.hanning(round(rate * 0.02))
    baseband = np.convolve(part * carrier, kernel / kernel.sum(), "valid")
    phase = np.unwrap(np.angle(baseband))
    slope = np.polyfit(np.arange(len(phase)), phase, 1)[0]
    return coarse + slope * rate / (2 * np.pi)

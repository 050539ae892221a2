"""Write samples as a 16-bit WAV file: ceiling, dither, rounding, the hash of the bytes."""

import hashlib
import struct
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from sp404_app.audio.render.clip import GRID
from sp404_app.audio.render.levels import CEILING

Samples = npt.NDArray[np.float64]  # (frames, channels)

HEADER_BYTES: Final = 44
MAX_DATA_BYTES: Final = 0xFFFFFFFF - HEADER_BYTES
CEILING_STEP: Final = int(CEILING * GRID)
HELD_TOLERANCE: Final = 1e-9  # a peak that was normalised to the ceiling is not above it


def wav_header(frames: int, channels: int, rate: int) -> bytes:
    """Return the 44 bytes before 16-bit PCM: `fmt ` of 16 bytes, then `data`."""
    size = 2 * channels * frames
    riff = struct.pack("<4sI4s", b"RIFF", HEADER_BYTES - 8 + size, b"WAVE")
    layout = (1, channels, rate, 2 * channels * rate, 2 * channels, 16)
    return riff + struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, *layout, b"data", size)


class Dither:
    """Triangular noise of ±1 step, from the raw words of a generator.

    NumPy promises the words of `SFC64` for a seed, but not the values of `Generator`.
    """

    def __init__(self, seed: bytes) -> None:
        start = int.from_bytes(hashlib.sha256(seed).digest()[:8], "big")
        self.generator = np.random.SFC64(start)

    def noise(self, shape: tuple[int, ...]) -> Samples:
        """Return the next values, in steps."""
        words = self.generator.random_raw(int(np.prod(shape))).astype("<u8", copy=False)
        halves = words.view("<u4").reshape(-1, 2).astype(np.float64)
        return ((halves[:, 0] - halves[:, 1]) / 2**32).reshape(shape)


class PcmWriter:
    """Writes a sound of known length; `copies` of 2 writes one channel twice.

    With `exact`, all samples are 16-bit values and stay as they are. Otherwise peaks are held at
    the ceiling, and values between two steps are dithered. `peak` is the highest magnitude before
    that, `frames_held` the number of frames above the ceiling.
    """

    def __init__(
        self,
        target: Path,
        frames: int,
        *,
        channels: int,
        copies: int,
        rate: int,
        seed: bytes | None,
    ) -> None:
        self.file = target.open("wb")
        self.sha = hashlib.sha256()
        self.copies = copies
        self.dither = None if seed is None else Dither(seed)
        self.frames, self.width = frames, 2 * channels * copies
        self.written = self.frames_held = 0
        self.peak = 0.0
        self.put(wav_header(frames, channels * copies, rate))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.file.close()

    def put(self, content: bytes | memoryview) -> None:
        """Write bytes, and hash them."""
        self.file.write(content)
        self.sha.update(content)

    def feed(self, block: Samples) -> None:
        """Write the next frames, full scale at 1.0."""
        self.peak = max(self.peak, float(block.max()), -float(block.min()))
        steps = block * GRID
        if self.dither is not None:
            steps = self.quantise(steps, self.dither)
        samples = steps.astype("<i2")
        if self.copies > 1:
            samples = np.repeat(samples, self.copies, axis=1)
        self.put(np.ascontiguousarray(samples).data.cast("B"))
        self.written += len(block)

    def quantise(self, steps: Samples, dither: Dither) -> Samples:
        """Hold values at the ceiling, dither those between two steps, and round."""
        noise, ceiling = dither.noise(steps.shape), CEILING * GRID
        if max(steps.max(), -steps.min()) > ceiling * (1 + HELD_TOLERANCE):
            above = np.abs(steps) > ceiling * (1 + HELD_TOLERANCE)
            self.frames_held += int(np.count_nonzero(above.any(axis=1)))
        rounded = np.rint(steps)
        off_grid = rounded != steps
        noise *= off_grid
        noise += steps
        np.rint(noise, out=noise)
        return np.clip(noise, -CEILING_STEP, CEILING_STEP, out=noise)

    def pad(self) -> None:
        """Write silence up to the full length."""
        while self.written < self.frames:
            count = min(self.frames - self.written, 65_536)
            self.put(bytes(count * self.width))
            self.written += count

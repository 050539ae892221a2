"""Write samples as a WAV file of 16 bits, 24 bits or 32-bit float, of a length not known before.

The files have the chunks `fmt ` and `data`, float ones also `fact`, which their format requires.
They hold no time and no program name, so the same samples give the same bytes.
"""

import struct
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float32]  # (frames, channels), full scale at 1.0

PCM, IEEE_FLOAT = 1, 3  # format tags
MAX_FILE_BYTES: Final = 0xFFFF_FFFF  # what the size fields of a WAV file can say
STEPS_24: Final = 1 << 23


class Depth(IntEnum):
    """Bits of a sample; 32 are a float."""

    INT16 = 16
    INT24 = 24
    FLOAT32 = 32


class WavTooLong(ValueError):
    """The sound does not fit into a WAV file."""


class WavWriter:
    """Writes blocks of samples; the sizes in the header are filled in at the end."""

    def __init__(self, target: Path, channels: int, rate: int, depth: Depth) -> None:
        self.file = target.open("wb")
        self.channels, self.rate, self.depth = channels, rate, depth
        self.data_bytes = 0
        self.file.write(self.header())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self.file:
            self.file.write(bytes(self.data_bytes % 2))  # chunks have even lengths
            self.file.seek(0)
            self.file.write(self.header())

    def feed(self, block: Frames) -> None:
        """Write the next frames; 16 and 24 bits are rounded, and held at full scale.

        Raises:
            WavTooLong: If the file would have 4 GB or more.
        """
        packed = pack_samples(block, self.depth)
        if self.data_bytes + len(packed) > MAX_FILE_BYTES - len(self.header()):
            raise WavTooLong
        self.file.write(packed)
        self.data_bytes += len(packed)

    def header(self) -> bytes:
        """Return everything before the samples."""
        is_float = self.depth is Depth.FLOAT32
        frame_bytes = self.channels * self.depth // 8
        tag = IEEE_FLOAT if is_float else PCM
        layout = (tag, self.channels, self.rate, self.rate * frame_bytes, frame_bytes, self.depth)
        chunks = b"fmt " + struct.pack("<IHHIIHH", 18 if is_float else 16, *layout)
        if is_float:
            frames = self.data_bytes // frame_bytes
            chunks += struct.pack("<H4sII", 0, b"fact", 4, frames)
        chunks += struct.pack("<4sI", b"data", self.data_bytes)
        size = 4 + len(chunks) + self.data_bytes + self.data_bytes % 2
        return struct.pack("<4sI4s", b"RIFF", min(size, MAX_FILE_BYTES), b"WAVE") + chunks


def pack_samples(block: Frames, depth: Depth) -> bytes:
    """Return samples as the bytes of a WAV file."""
    if depth is Depth.FLOAT32:
        return block.astype("<f4").tobytes()
    steps = STEPS_24 if depth is Depth.INT24 else STEPS_24 >> 8
    rounded = np.rint(block.astype(np.float64) * steps)
    whole = np.clip(rounded, -steps, steps - 1).astype("<i4")
    if depth is Depth.INT16:
        return whole.astype("<i2").tobytes()
    return np.ascontiguousarray(whole).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()

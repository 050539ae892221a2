"""Waveform peaks: a pyramid of minima and maxima, a few kilobytes for any length."""

import struct
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self, TypeVar

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float32]
Points = npt.NDArray[np.int8]

Number = TypeVar("Number", np.int8, np.float32)

BASE_FRAMES: Final = 256  # per point of the finest level
LEVEL_FACTOR: Final = 4  # between levels
MAX_POINTS: Final = 1 << 20  # 1.5 h at 48 kHz; above it the finest level becomes coarser
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
HEADER: Final = struct.Struct("<4sIfdQ")
MAGIC: Final = b"SPK1"


@dataclass(frozen=True)
class Peaks:
    """The minimum and maximum over all channels of every `base` frames.

    `points` has shape (n, 2) in units of `scale` / 127, `sample_rate` is in Hz, and `frames` counts
    samples per channel of the whole sound. Only the finest level is stored; the coarser ones are
    recomputed in less than a millisecond.
    """

    base: int
    scale: float
    sample_rate: float
    frames: int
    points: Points

    @property
    def duration(self) -> float:
        """Duration in seconds."""
        return self.frames / self.sample_rate

    @cached_property
    def levels(self) -> list[Points]:
        """The pyramid, finest level first, each `LEVEL_FACTOR` times coarser than the previous."""
        levels = [self.points]
        while len(levels[-1]) > LEVEL_FACTOR * 16:
            levels.append(merge_points(levels[-1]))
        return levels

    def window(self, start_s: float, end_s: float, points: int) -> Frames:
        """Return `points` (min, max) pairs in -1..1 for a time span in seconds.

        They come from the coarsest level with at least one point per pair. Beyond the sound, or
        finer than the finest level, the nearest point is repeated.
        """
        points = max(1, points)
        level, per_point = self.level_for(end_s - start_s, points)
        if not len(level):
            return np.zeros((points, 2), np.float32)
        edges = np.linspace(start_s, end_s, points + 1) * self.sample_rate / per_point
        first = np.clip(np.floor(edges[:-1] + 1e-6), 0, len(level) - 1).astype(np.int64)
        last = np.clip(np.ceil(edges[1:] - 1e-6), first + 1, len(level)).astype(np.int64)
        low = reduce_spans(level[:, 0], first, last, np.minimum)
        high = reduce_spans(level[:, 1], first, last, np.maximum)
        return np.stack([low, high], axis=1).astype(np.float32) * np.float32(self.scale / 127)

    def level_for(self, seconds: float, points: int) -> tuple[Points, int]:
        """Return the level for a resolution, and the number of frames per point."""
        wanted = seconds * self.sample_rate / points
        per_point = self.base
        index = 0
        while index + 1 < len(self.levels) and per_point * LEVEL_FACTOR <= wanted:
            per_point *= LEVEL_FACTOR
            index += 1
        return self.levels[index], per_point

    def thumbnail(self, bars: int = 48) -> str:
        """Return `bars` URL-safe base64 characters, each a height 0..63 relative to the peak."""
        pairs = self.window(0.0, self.duration, bars)
        heights = np.abs(pairs).max(axis=1)
        top = heights.max()
        steps = np.round(63 * heights / top).astype(int) if top > 0 else np.zeros(bars, int)
        return "".join(ALPHABET[step] for step in steps)

    def to_bytes(self) -> bytes:
        """Pack for storage."""
        head = HEADER.pack(MAGIC, self.base, self.scale, self.sample_rate, self.frames)
        return head + zlib.compress(np.ascontiguousarray(self.points.T).tobytes(), 6)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Unpack the bytes of `to_bytes`.

        Raises:
            ValueError: If the bytes are not a packed waveform.
        """
        if len(packed) < HEADER.size or packed[:4] != MAGIC:
            raise ValueError("These bytes are not a packed waveform.")
        _, base, scale, rate, frames = HEADER.unpack_from(packed)
        planar = np.frombuffer(zlib.decompress(packed[HEADER.size :]), np.int8)
        return cls(base, scale, rate, frames, np.ascontiguousarray(planar.reshape(2, -1).T))


def reduce_spans(
    values: npt.NDArray[Number],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    reduce: np.ufunc,
) -> npt.NDArray[Number]:
    """Reduce `values[first[i]:last[i]]` for each i; no span may be empty."""
    padded = np.append(values, values[-1])  # `reduceat` needs all edges inside the array
    edges = np.stack([first, last], axis=1).ravel()
    return reduce.reduceat(padded, edges)[::2]


def merge_points(points: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Merge every `LEVEL_FACTOR` points into one."""
    edges = np.arange(0, len(points), LEVEL_FACTOR)
    low = np.minimum.reduceat(points[:, 0], edges)
    high = np.maximum.reduceat(points[:, 1], edges)
    return np.stack([low, high], axis=1)


def block_extremes(block: Frames, base: int) -> Frames:
    """Return the (min, max) over all channels of every `base` frames; the last span may be shorter.

    Each row holds the samples of one point for all channels, so the reduction runs over contiguous
    memory, which is ten times faster than over an axis of length two.
    """
    whole = len(block) // base
    rows = np.ascontiguousarray(block[: whole * base]).reshape(whole, base * block.shape[1])
    pairs = np.stack([rows.min(axis=1), rows.max(axis=1)], axis=1) if whole else rows[:, :2]
    rest = block[whole * base :]
    if not len(rest):
        return pairs
    return np.concatenate([pairs.reshape(-1, 2), [[rest.min(), rest.max()]]]).astype(np.float32)


class PeaksBuilder:
    """Builds the peaks from blocks of any size, with a few megabytes of memory."""

    def __init__(self, sample_rate: float) -> None:
        self.sample_rate = sample_rate
        self.base = BASE_FRAMES
        self.frames = 0
        self.rows: list[Frames] = []
        self.count = 0
        self.rest: Frames | None = None

    def feed(self, block: Frames) -> None:
        """Add a block of shape (frames, channels)."""
        self.frames += len(block)
        if self.rest is not None and len(self.rest):
            block = np.concatenate([self.rest, block])
        whole = len(block) // self.base * self.base
        self.rest = block[whole:]
        if whole:
            self.rows.append(block_extremes(block[:whole], self.base))
            self.count += whole // self.base
        if self.count > MAX_POINTS:
            self.make_coarser()

    def make_coarser(self) -> None:
        """Make the finest level coarser, to bound the memory."""
        merged = np.concatenate(self.rows)
        whole = len(merged) // LEVEL_FACTOR * LEVEL_FACTOR
        # Merge a remainder of up to three points into the last one, so that no peak is lost.
        merged[whole - 1] = merged[whole - 1 :, 0].min(), merged[whole - 1 :, 1].max()
        self.rows = [merge_points(merged[:whole]).astype(np.float32)]
        self.count = len(self.rows[0])
        self.base *= LEVEL_FACTOR

    def done(self) -> Peaks:
        """Quantise and return the peaks."""
        if self.rest is not None and len(self.rest):
            self.rows.append(block_extremes(self.rest, self.base))
        pairs = np.concatenate(self.rows) if self.rows else np.zeros((0, 2), np.float32)
        scale = float(np.abs(pairs).max(initial=0.0))
        steps = np.round(pairs * (127 / scale)) if scale > 0 else np.zeros_like(pairs)
        return Peaks(self.base, scale, self.sample_rate, self.frames, steps.astype(np.int8))


def compute_peaks(signal: Frames, sr: float, points: int) -> Frames:
    """Return `points` (min, max) pairs in -1..1 of a short signal, finer than `BASE_FRAMES`.

    `signal` has shape (frames,) or (frames, channels). `sr` is unused.
    """
    del sr
    if not len(signal):
        return np.zeros((points, 2), np.float32)
    frames = signal.reshape(len(signal), -1)
    edges = np.linspace(0, len(frames), points + 1)
    first = np.minimum(np.floor(edges[:-1]), len(frames) - 1).astype(np.int64)
    last = np.maximum(np.ceil(edges[1:]), first + 1).astype(np.int64)
    low, high = frames.min(axis=1), frames.max(axis=1)
    pairs = [
        reduce_spans(low, first, last, np.minimum),
        reduce_spans(high, first, last, np.maximum),
    ]
    return np.stack(pairs, axis=1).astype(np.float32)

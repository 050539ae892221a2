"""A print of a sound: two copies of one recording agree in it, two recordings of one drum do not.

Log-mel levels on a clock that starts at the onset, fine for the first 1.28 s and coarse for the
rest, so that padding, gain, sample rate and codec hardly matter while every hit's own noise does;
and one long spectrum in eighths of a tone, because two notes of one bass differ in nothing else.
Compared by the log-spectral distance (Gray & Markel, IEEE Trans. ASSP 24, 1976).
"""

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from sp404_app.audio.onset import window

Signal = npt.NDArray[np.float32]
Levels = npt.NDArray[np.int8]

PRINT_VERSION: Final = 1
BANDS: Final = 32
LOWEST_HZ, HIGHEST_HZ = 60.0, 10_000.0
HOP: Final = 0.01  # seconds of a fine row
SPAN: Final = 0.023  # seconds of one spectrum
FINE: Final = 128  # fine rows
COARSE: Final = 16  # fine rows in a coarse one
TONE_SPAN: Final = 0.37  # seconds of the long spectrum's frames
TONE_FRAMES: Final = 8
TONES_HZ: Final = 40.0 * 2 ** (np.arange(160) / 24)  # to 4 kHz
STEPS: Final = 2.0  # steps of a stored level in a decibel
FLOOR_DB: Final = -60.0
LOUD_DB: Final = -35.0  # cells below, in both sounds, are not compared
TONE_LOUD_DB: Final = -25.0  # the same for the long spectrum, which leaks less
START: Final = 0.1  # of the peak: where a sound begins
REACH: Final = 2  # fine rows by which two starts may differ
ALIKE_DB: Final = 1.0  # mean difference up to which two prints are of one recording
LENGTHS: Final = (0.06, 0.01)  # lengths may differ by so many seconds, plus this share
BAND_EDGE: Final = 0.85  # of half the sample rate: above, resamplers differ
SHORTEST: Final = 3  # fine rows: a click has nothing to be known by
HEADER: Final = struct.Struct("<BBHHf")


@dataclass(frozen=True, slots=True)
class Print:
    """`fine` (n, 32), `coarse` (m, 32) and `tones` (160,) hold levels in half decibels.

    Each is relative to its own top. `length` is the time in s from the onset to the last sound
    above -35 dB, `bands` how many bands the sample rate could carry.
    """

    fine: Levels
    coarse: Levels
    tones: Levels
    length: float
    bands: int

    def to_bytes(self) -> bytes:
        """Pack for storage: 1 to 10 kB."""
        head = HEADER.pack(PRINT_VERSION, self.bands, len(self.fine), len(self.coarse), self.length)
        rows = self.fine.tobytes() + self.coarse.tobytes() + self.tones.tobytes()
        return head + zlib.compress(rows, 6)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Unpack what `to_bytes` made.

        Raises:
            ValueError: If the bytes are something else, or of another version.
        """
        if len(packed) < HEADER.size or packed[0] != PRINT_VERSION:
            raise ValueError("These bytes are not a print of this version.")
        _, bands, fine, _coarse, length = HEADER.unpack_from(packed)
        values = np.frombuffer(zlib.decompress(packed[HEADER.size :]), np.int8)
        rows = values[: -len(TONES_HZ)].reshape(-1, BANDS)
        return cls(rows[:fine], rows[fine:], values[-len(TONES_HZ) :], length, bands)


def taken(y: Signal, sr: float) -> Print | None:
    """Take the print of a mono signal at `sr` Hz; silence and clicks have none."""
    peak = float(np.abs(y).max(initial=0.0))
    if peak < 1e-4:
        return None
    first = int(np.argmax(np.abs(y) >= START * peak))
    levels = fine_levels(y, sr, first)
    loud = np.flatnonzero(levels.max(axis=1) > LOUD_DB)
    levels = levels[: int(loud[-1]) + 1]
    if len(levels) < SHORTEST:
        return None
    bands = int(np.searchsorted(edges()[2:], BAND_EDGE * sr / 2))
    whole = len(levels) // COARSE * COARSE
    power = 10 ** (levels[:whole].reshape(-1, COARSE, BANDS) / 10)
    coarse = 10 * np.log10(power.mean(axis=1))
    length = len(levels) * HOP
    tones = tone_levels(y[first : first + int(length * sr)], sr)
    return Print(steps(levels[:FINE]), steps(coarse), steps(tones), length, max(1, bands))


def fine_levels(y: Signal, sr: float, first: int) -> npt.NDArray[np.float64]:
    """Return (n, 32) levels in dB below the loudest cell, from just before `first` on."""
    size = max(64, round(SPAN * sr))
    count = max(1, int(np.ceil((len(y) - first) / (HOP * sr))))
    starts = (first + np.arange(count) * HOP * sr - size / 2).round().astype(np.int64)
    padded = np.pad(y, (size, size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)
    power = np.concatenate(
        [
            np.abs(np.fft.rfft(frames[np.clip(part + size, 0, len(frames) - 1)] * window(size)))
            ** 2
            @ filters(size, sr)
            for part in np.array_split(starts, max(1, count // 512))
        ]
    )
    floor = 10 ** (FLOOR_DB / 10)
    return 10 * np.log10(np.maximum(power / (power.max() + 1e-20), floor))


def tone_levels(y: Signal, sr: float) -> npt.NDArray[np.float64]:
    """Return the mean spectrum of the first 1.7 s at `TONES_HZ`, in dB below its top anywhere."""
    size = max(64, round(TONE_SPAN * sr))
    y = np.pad(y, (0, max(0, size - len(y))))
    frames = np.lib.stride_tricks.sliding_window_view(y, size)[:: size // 2][:TONE_FRAMES]
    mean = np.mean(np.abs(np.fft.rfft(frames * window(size))) ** 2, axis=0)
    power = np.interp(TONES_HZ, np.fft.rfftfreq(size, 1 / sr), mean) / (mean.max() + 1e-20)
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))


def steps(levels: npt.NDArray[np.floating]) -> Levels:
    """Round levels in dB to half decibels."""
    return np.round(STEPS * np.maximum(levels, FLOOR_DB)).astype(np.int8)


@lru_cache(maxsize=1)
def edges() -> npt.NDArray[np.float64]:
    """Return the corners of the bands in Hz, evenly spaced in mel."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST_HZ, HIGHEST_HZ))
    return 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)


@lru_cache(maxsize=8)
def filters(size: int, sr: float) -> npt.NDArray[np.float64]:
    """Return triangles (bins, bands); one narrower than a bin takes the nearest bin."""
    hertz = np.fft.rfftfreq(size, 1 / sr)
    left, middle, right = edges()[:-2, None], edges()[1:-1, None], edges()[2:, None]
    rise, fall = (hertz - left) / (middle - left), (right - hertz) / (right - middle)
    weights = np.maximum(0, np.minimum(rise, fall))
    empty = weights.sum(axis=1) == 0
    weights[empty, np.abs(hertz - middle).argmin(axis=1)[empty]] = 1
    return weights.T


def same(one: Print, other: Print) -> bool:
    """Say whether two prints are of one recording, whatever was done to its file."""
    return fits(one.length, other.length) and difference(one, other) <= ALIKE_DB


def fits(one: float, other: float) -> bool:
    """Say whether two lengths in s may be of one recording."""
    return abs(one - other) <= LENGTHS[0] + LENGTHS[1] * min(one, other)


def difference(one: Print, other: Print) -> float:
    """Return the mean difference in dB of what is loud in either: about 1 for copies."""
    bands = min(one.bands, other.bands)
    fine = min(
        apart(one.fine[max(0, shift) :, :bands], other.fine[max(0, -shift) :, :bands])
        for shift in range(-REACH, REACH + 1)
    )
    coarse = apart(one.coarse[:, :bands], other.coarse[:, :bands])
    return max(fine, coarse, gap(one.tones / STEPS, other.tones / STEPS, TONE_LOUD_DB))


def apart(one: Levels, other: Levels) -> float:
    """Return the difference of two tables of levels (n, bands) over the rows both have."""
    count = min(len(one), len(other))
    if not count:
        return 0.0
    # The loudest band of one may be beyond the other's sample rate.
    first, second = ((rows[:count] - float(rows[:count].max())) / STEPS for rows in (one, other))
    return gap(first, second, LOUD_DB)


def gap(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating], loud: float) -> float:
    """Return the mean difference in dB where either is above `loud`, overall levels made equal."""
    compared = np.maximum(one, other) > loud
    if not compared.any():
        return 0.0
    gaps = (one - other)[compared]
    return float(np.abs(gaps - np.median(gaps)).mean())

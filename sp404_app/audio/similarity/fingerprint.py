"""Fingerprints for duplicate detection: they match only for files of the same recording.

A fingerprint holds log-mel levels on a time axis that starts at the onset, fine for the first
1.28 s and coarse after that. Padding, gain, sample rate and codec hardly change it; the noise of
each recorded hit does. One long spectrum in 24ths of an octave distinguishes two notes of the same
bass sound, whose log-mel levels hardly differ. All spans are defined in seconds, so that every
sample rate gives the same fingerprint. Fingerprints are compared by log-spectral distance (Gray &
Markel, IEEE Trans. ASSP 24, 1976).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.stft import windowed_rfft

Signal = npt.NDArray[np.float32]
Power = npt.NDArray[np.floating]
Levels = npt.NDArray[np.int8]

FINGERPRINT_VERSION: Final = 1
BANDS: Final = 32
LOWEST_HZ, HIGHEST_HZ = 60.0, 10_000.0
FINE_HOP_S: Final = 0.01
LATE_HOP_S: Final = 0.04  # between spectra after the fine rows; they are averaged to coarse rows
FRAME_S: Final = 0.02
MAX_FINE_ROWS: Final = 128
COARSE_ROW_S: Final = 0.16
TONE_FRAME_S: Final = 0.4
MAX_TONE_FRAMES: Final = 4
TONES_HZ: Final = 40.0 * 2 ** (np.arange(160) / 24)  # 24 per octave, to 4 kHz
STEPS_PER_DB: Final = 2.0  # of a stored level
FLOOR_DB: Final = -60.0
LOUD_DB: Final = -35.0  # cells below it in both sounds are not compared
TONE_LOUD_DB: Final = -25.0  # as `LOUD_DB`, for the long spectrum, which has less leakage
ONSET_LEVEL: Final = 0.1  # of the peak
SILENCE_PEAK: Final = 1e-4  # -80 dBFS: quieter sounds have no fingerprint
TAIL_ENERGY_SHARE: Final = 1e-3  # energy after the effective length
MAX_SHIFT_ROWS: Final = 2  # largest offset between the onsets of two duplicates
MAX_DISTANCE_DB: Final = 1.0  # largest distance of two duplicates
LENGTH_TOLERANCES: Final = (0.06, 0.01)  # seconds, plus a share of the length
USABLE_NYQUIST_SHARE: Final = 0.85  # near Nyquist, resamplers give different levels
MIN_FINE_ROWS: Final = 3  # shorter sounds (clicks) have no fingerprint
HEADER: Final = struct.Struct("<BBHHf")
MIN_FRAME_SAMPLES: Final = 64


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A fingerprint of one recording.

    `fine` (n, 32), `coarse` (m, 32) and `tones` (160,) hold levels in half decibels, each relative
    to its own maximum. `length` is the time in s from the onset until 99.9 % of the energy has
    passed, `bands` the number of mel bands below the usable Nyquist frequency.
    """

    fine: Levels
    coarse: Levels
    tones: Levels
    length: float
    bands: int

    def to_bytes(self) -> bytes:
        """Pack for storage: 1 to 10 kB."""
        head = HEADER.pack(
            FINGERPRINT_VERSION, self.bands, len(self.fine), len(self.coarse), self.length
        )
        rows = self.fine.tobytes() + self.coarse.tobytes() + self.tones.tobytes()
        return head + zlib.compress(rows, 6)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """Unpack the bytes of `to_bytes`.

        Raises:
            ValueError: If the bytes are not a fingerprint of this version.
        """
        if len(packed) < HEADER.size or packed[0] != FINGERPRINT_VERSION:
            raise ValueError("The bytes are not a fingerprint of this version.")
        _, bands, fine, coarse, length = HEADER.unpack_from(packed)
        try:
            values = np.frombuffer(zlib.decompress(packed[HEADER.size :]), np.int8)
        except zlib.error as error:
            raise ValueError("The fingerprint is damaged.") from error
        if len(values) != (fine + coarse) * BANDS + len(TONES_HZ):
            raise ValueError("The fingerprint is truncated.")
        rows = values[: -len(TONES_HZ)].reshape(-1, BANDS)
        return cls(rows[:fine], rows[fine:], values[-len(TONES_HZ) :], length, bands)


def compute_fingerprint(y: Signal, sr: float) -> Fingerprint | None:
    """Compute the fingerprint of a mono signal at `sr` Hz; None for silence and clicks."""
    peak = max(float(y.max(initial=0.0)), -float(y.min(initial=0.0)))
    if peak < SILENCE_PEAK:
        return None
    onset = int((np.abs(y) >= ONSET_LEVEL * peak).argmax())
    y, first = pad_around_onset(y, onset, round(TONE_FRAME_S * sr) + MIN_FRAME_SAMPLES)
    seconds = (len(y) - 2 * first) / sr + FRAME_S  # include the frame that contains the cut
    early = mel_band_power(
        y,
        sr,
        first + sr * FINE_HOP_S * np.arange(min(MAX_FINE_ROWS, count_rows(seconds, FINE_HOP_S))),
    )
    later = np.arange(count_rows(seconds - FINE_HOP_S * MAX_FINE_ROWS, LATE_HOP_S))
    late = mel_band_power(y, sr, first + sr * (FINE_HOP_S * MAX_FINE_ROWS + LATE_HOP_S * later))
    length = effective_length(early.sum(axis=1), late.sum(axis=1))
    if length < MIN_FINE_ROWS * FINE_HOP_S:
        return None
    early = early[: round(length / FINE_HOP_S)]
    late = late[: max(0, round((length - FINE_HOP_S * MAX_FINE_ROWS) / LATE_HOP_S))]
    return Fingerprint(
        fine=to_half_decibels(early),
        coarse=to_half_decibels(
            np.concatenate([coarse_rows(early, FINE_HOP_S), coarse_rows(late, LATE_HOP_S)])
        ),
        tones=to_half_decibels(tone_spectrum(y, sr, first, length)),
        length=length,
        bands=max(1, int(np.searchsorted(band_corners_hz()[2:], USABLE_NYQUIST_SHARE * sr / 2))),
    )


def pad_around_onset(y: Signal, first: int, margin: int) -> tuple[Signal, int]:
    """Pad with silence: keep `margin` samples before the onset and add as many after the end."""
    before = min(first, margin)
    padded = np.zeros(2 * margin + len(y) - first, np.float32)
    padded[margin - before : len(padded) - margin] = y[first - before :]
    return padded, margin


def count_rows(seconds: float, hop: float) -> int:
    """Return how many rows a stretch fills; the last may be incomplete."""
    return max(0, int(np.ceil(seconds / hop)))


def mel_band_power(y: Signal, sr: float, centres: npt.NDArray[np.floating]) -> Power:
    """Return the power in the mel bands (n, 32) of frames centred on the given samples."""
    size = max(MIN_FRAME_SAMPLES, round(FRAME_S * sr))
    frames = np.lib.stride_tricks.sliding_window_view(y, size)
    spectra = windowed_rfft(frames[(centres - size // 2).astype(np.int64)])
    return (spectra.real**2 + spectra.imag**2) @ band_filters(size, sr)


def effective_length(early: Power, late: Power) -> float:
    """Return the time in s after which 99.9 % of the energy has passed."""
    times = np.concatenate([np.full(len(early), FINE_HOP_S), np.full(len(late), LATE_HOP_S)])
    energy = np.cumsum(np.concatenate([early, late]) * times)
    last = int(np.searchsorted(energy, (1 - TAIL_ENERGY_SHARE) * energy[-1]))
    return float(times[: last + 1].sum())


def coarse_rows(rows: Power, hop: float) -> Power:
    """Return the means of every 0.16 s of rows; an incomplete last row is dropped."""
    count = round(COARSE_ROW_S / hop)
    return rows[: len(rows) // count * count].reshape(-1, count, BANDS).mean(axis=1)


def tone_spectrum(y: Signal, sr: float, first: int, length: float) -> Power:
    """Return the mean power spectrum of up to 0.8 s at `TONES_HZ`, relative to its overall maximum.

    The first frame is centred on the onset, so that the overlapping windows sum to a constant.
    """
    half = max(MIN_FRAME_SAMPLES, round(TONE_FRAME_S * sr)) // 2
    count = min(MAX_TONE_FRAMES, 1 + int(length * sr / half))
    part = y[first - half : first + count * half]
    spectra = windowed_rfft(np.lib.stride_tricks.sliding_window_view(part, 2 * half)[::half])
    mean = (spectra.real**2 + spectra.imag**2).mean(axis=0)
    return np.interp(TONES_HZ, np.fft.rfftfreq(2 * half, 1 / sr), mean / (mean.max() + 1e-30))


def to_half_decibels(power: Power) -> Levels:
    """Convert power to half decibels relative to the maximum."""
    floor = 10 ** (FLOOR_DB / 10)
    relative = power / (power.max(initial=0.0) + 1e-30)
    return np.round(STEPS_PER_DB * 10 * np.log10(np.maximum(relative, floor))).astype(np.int8)


@lru_cache(maxsize=1)
def band_corners_hz() -> npt.NDArray[np.float64]:
    """Return the corner frequencies of the bands in Hz, evenly spaced in mel."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST_HZ, HIGHEST_HZ))
    return 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)


@lru_cache(maxsize=8)
def band_filters(size: int, sr: float) -> Signal:
    """Return triangular filters (bins, bands); a band narrower than a bin takes the nearest bin."""
    hertz = np.fft.rfftfreq(size, 1 / sr)
    left, middle, right = (
        band_corners_hz()[:-2, None],
        band_corners_hz()[1:-1, None],
        band_corners_hz()[2:, None],
    )
    rise, fall = (hertz - left) / (middle - left), (right - hertz) / (right - middle)
    weights = np.maximum(0, np.minimum(rise, fall))
    empty = weights.sum(axis=1) == 0
    weights[empty, np.abs(hertz - middle).argmin(axis=1)[empty]] = 1
    return weights.T.astype(np.float32)


def is_same_recording(one: Fingerprint, other: Fingerprint) -> bool:
    """Return whether two fingerprints are of the same recording."""
    return lengths_match(one.length, other.length) and all(
        any(gap <= MAX_DISTANCE_DB for gap in gaps) for gaps in part_distances(one, other)
    )


def lengths_match(one: float, other: float) -> bool:
    """Return whether two lengths in s may be of the same recording."""
    shortest, longest = matching_length_range(one)
    return shortest <= other <= longest


def matching_length_range(length: float) -> tuple[float, float]:
    """Return the shortest and the longest length in s that match `length`."""
    seconds, share = LENGTH_TOLERANCES
    return (length - seconds) / (1 + share), length * (1 + share) + seconds


def fingerprint_distance(one: Fingerprint, other: Fingerprint) -> float:
    """Return the largest log-spectral distance of the parts in dB; about 0.1 for duplicates."""
    return max(min(gaps) for gaps in part_distances(one, other))


def part_distances(one: Fingerprint, other: Fingerprint) -> Iterator[Iterator[float]]:
    """Yield the distances of each part over its time shifts, the most discriminative first."""
    bands = min(one.bands, other.bands)
    yield iter(
        [levels_distance(one.tones / STEPS_PER_DB, other.tones / STEPS_PER_DB, TONE_LOUD_DB)]
    )
    yield iter([rows_distance(one.coarse[:, :bands], other.coarse[:, :bands])])
    yield (
        rows_distance(one.fine[max(0, shift) :, :bands], other.fine[max(0, -shift) :, :bands])
        for shift in sorted(range(-MAX_SHIFT_ROWS, MAX_SHIFT_ROWS + 1), key=abs)
    )


def rows_distance(one: Levels, other: Levels) -> float:
    """Return the log-spectral distance of two tables (n, bands) over their common rows."""
    count = min(len(one), len(other))
    if not count:
        return 0.0
    # The loudest band of one may be above the other's Nyquist frequency.
    first, second = (
        (rows[:count] - float(rows[:count].max())) / STEPS_PER_DB for rows in (one, other)
    )
    return levels_distance(first, second, LOUD_DB)


def levels_distance(one: Power, other: Power, loud: float) -> float:
    """Return the mean absolute difference in dB where either is above `loud`, after gain alignment.

    Such cells always exist, because levels are relative to their own maximum.
    """
    compared = np.maximum(one, other) > loud
    gaps = (one - other)[compared]
    return float(np.abs(gaps - np.median(gaps)).mean())

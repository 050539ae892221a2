"""A print of a sound: two copies of one recording agree in it, two recordings of one drum do not.

Log-mel levels on a clock that starts at the onset, fine for the first 1.28 s and coarse for the
rest, so that padding, gain, sample rate and codec hardly matter while every hit's own noise does;
and one long spectrum in eighths of a tone, because two notes of one bass differ in nothing else.
All spans are the same in seconds at every rate, or two rates would not see the same. Compared by
the log-spectral distance (Gray & Markel, IEEE Trans. ASSP 24, 1976).
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

PRINT_VERSION: Final = 1
BANDS: Final = 32
LOWEST_HZ, HIGHEST_HZ = 60.0, 10_000.0
FINE_HOP_S: Final = 0.01  # seconds between fine rows
LATE_HOP_S: Final = 0.04  # seconds between the spectra of which coarse rows are made, after those
FRAME_S: Final = 0.02  # seconds of one spectrum
MAX_FINE_ROWS: Final = 128  # fine rows
COARSE_ROW_S: Final = 0.16  # seconds of a coarse row
TONE_FRAME_S: Final = 0.4  # seconds of the long spectrum's frames
MAX_TONE_FRAMES: Final = 4
TONES_HZ: Final = 40.0 * 2 ** (np.arange(160) / 24)  # to 4 kHz
STEPS_PER_DB: Final = 2.0  # steps of a stored level in a decibel
FLOOR_DB: Final = -60.0
LOUD_DB: Final = -35.0  # cells below, in both sounds, are not compared
TONE_LOUD_DB: Final = -25.0  # the same for the long spectrum, which leaks less
ONSET_LEVEL: Final = 0.1  # of the peak: where a sound begins
SILENCE_PEAK: Final = 1e-4  # peak of what has no print, -80 dBFS
TAIL_ENERGY_SHARE: Final = 1e-3  # share of its energy that comes after a sound's end
MAX_SHIFT_ROWS: Final = 2  # fine rows by which two starts may differ
MAX_DISTANCE_DB: Final = 1.0  # mean difference up to which two prints are of one recording
LENGTH_TOLERANCES: Final = (0.06, 0.01)  # lengths may differ by so many seconds, plus this share
USABLE_NYQUIST_SHARE: Final = 0.85  # of half the sample rate: above, resamplers differ
MIN_FINE_ROWS: Final = 3  # fine rows: a click has nothing to be known by
HEADER: Final = struct.Struct("<BBHHf")
MIN_FRAME_SAMPLES: Final = 64  # samples of a spectrum


@dataclass(frozen=True, slots=True)
class Print:
    """`fine` (n, 32), `coarse` (m, 32) and `tones` (160,) hold levels in half decibels.

    Each is relative to its own top. `length` is the time in s from the onset until 99.9 % of
    the energy has passed, `bands` how many bands the sample rate could carry.
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
        _, bands, fine, coarse, length = HEADER.unpack_from(packed)
        try:
            values = np.frombuffer(zlib.decompress(packed[HEADER.size :]), np.int8)
        except zlib.error as error:
            raise ValueError("This print is damaged.") from error
        if len(values) != (fine + coarse) * BANDS + len(TONES_HZ):
            raise ValueError("This print is cut off.")
        rows = values[: -len(TONES_HZ)].reshape(-1, BANDS)
        return cls(rows[:fine], rows[fine:], values[-len(TONES_HZ) :], length, bands)


def taken(y: Signal, sr: float) -> Print | None:
    """Take the print of a mono signal at `sr` Hz; silence and clicks have none."""
    peak = max(float(y.max(initial=0.0)), -float(y.min(initial=0.0)))
    if peak < SILENCE_PEAK:
        return None
    onset = int((np.abs(y) >= ONSET_LEVEL * peak).argmax())
    y, first = pad_around_onset(y, onset, round(TONE_FRAME_S * sr) + MIN_FRAME_SAMPLES)
    seconds = (len(y) - 2 * first) / sr + FRAME_S  # where a sound is cut off is heard, too
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
    return Print(
        fine=to_half_decibels(early),
        coarse=to_half_decibels(
            np.concatenate([coarse_rows(early, FINE_HOP_S), coarse_rows(late, LATE_HOP_S)])
        ),
        tones=to_half_decibels(tone_spectrum(y, sr, first, length)),
        length=length,
        bands=max(1, int(np.searchsorted(band_corners_hz()[2:], USABLE_NYQUIST_SHARE * sr / 2))),
    )


def pad_around_onset(y: Signal, first: int, margin: int) -> tuple[Signal, int]:
    """Return a signal from `margin` before its onset to as much silence after its end."""
    before = min(first, margin)
    whole = np.zeros(2 * margin + len(y) - first, np.float32)
    whole[margin - before : len(whole) - margin] = y[first - before :]
    return whole, margin


def count_rows(seconds: float, hop: float) -> int:
    """Return how many rows a stretch fills, the last one not wholly."""
    return max(0, int(np.ceil(seconds / hop)))


def mel_band_power(y: Signal, sr: float, centres: npt.NDArray[np.floating]) -> Power:
    """Return the power in the bands around some samples, as (n, 32)."""
    size = max(MIN_FRAME_SAMPLES, round(FRAME_S * sr))
    frames = np.lib.stride_tricks.sliding_window_view(y, size)
    spectra = windowed_rfft(frames[(centres - size // 2).astype(np.int64)])
    return (spectra.real**2 + spectra.imag**2) @ band_filters(size, sr)


def effective_length(early: Power, late: Power) -> float:
    """Return when, in s, nearly all energy of rows of powers has passed."""
    times = np.concatenate([np.full(len(early), FINE_HOP_S), np.full(len(late), LATE_HOP_S)])
    energy = np.cumsum(np.concatenate([early, late]) * times)
    last = int(np.searchsorted(energy, (1 - TAIL_ENERGY_SHARE) * energy[-1]))
    return float(times[: last + 1].sum())


def coarse_rows(rows: Power, hop: float) -> Power:
    """Return the means of every 0.16 s of rows; what does not fill one is left out."""
    count = round(COARSE_ROW_S / hop)
    return rows[: len(rows) // count * count].reshape(-1, count, BANDS).mean(axis=1)


def tone_spectrum(y: Signal, sr: float, first: int, length: float) -> Power:
    """Return the mean spectrum of up to 0.8 s at `TONES_HZ`, relative to its top anywhere.

    The first frame has the onset in its middle, so that the windows add up to one all along.
    """
    half = max(MIN_FRAME_SAMPLES, round(TONE_FRAME_S * sr)) // 2
    count = min(MAX_TONE_FRAMES, 1 + int(length * sr / half))
    part = y[first - half : first + count * half]
    spectra = windowed_rfft(np.lib.stride_tricks.sliding_window_view(part, 2 * half)[::half])
    mean = (spectra.real**2 + spectra.imag**2).mean(axis=0)
    return np.interp(TONES_HZ, np.fft.rfftfreq(2 * half, 1 / sr), mean / (mean.max() + 1e-30))


def to_half_decibels(power: Power) -> Levels:
    """Convert powers to half decibels below the highest."""
    floor = 10 ** (FLOOR_DB / 10)
    relative = power / (power.max(initial=0.0) + 1e-30)
    return np.round(STEPS_PER_DB * 10 * np.log10(np.maximum(relative, floor))).astype(np.int8)


@lru_cache(maxsize=1)
def band_corners_hz() -> npt.NDArray[np.float64]:
    """Return the corners of the bands in Hz, evenly spaced in mel."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST_HZ, HIGHEST_HZ))
    return 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)


@lru_cache(maxsize=8)
def band_filters(size: int, sr: float) -> Signal:
    """Return triangles (bins, bands); one narrower than a bin takes the nearest bin."""
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


def same(one: Print, other: Print) -> bool:
    """Say whether two prints are of one recording, whatever was done to its file."""
    return lengths_match(one.length, other.length) and all(
        any(gap <= MAX_DISTANCE_DB for gap in gaps) for gaps in part_distances(one, other)
    )


def lengths_match(one: float, other: float) -> bool:
    """Say whether two lengths in s may be of one recording."""
    shortest, longest = fitting(one)
    return shortest <= other <= longest


def fitting(length: float) -> tuple[float, float]:
    """Return the shortest and the longest length in s that fit one."""
    seconds, share = LENGTH_TOLERANCES
    return (length - seconds) / (1 + share), length * (1 + share) + seconds


def fingerprint_distance(one: Print, other: Print) -> float:
    """Return the mean difference in dB of what is loud in either: about 0.1 for copies."""
    return max(min(gaps) for gaps in part_distances(one, other))


def part_distances(one: Print, other: Print) -> Iterator[Iterator[float]]:
    """Yield the differences of the parts, what tells most sounds apart first; each may shift."""
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
    """Return the difference of two tables of levels (n, bands) over the rows both have."""
    count = min(len(one), len(other))
    if not count:
        return 0.0
    # The loudest band of one may be beyond the other's sample rate.
    first, second = (
        (rows[:count] - float(rows[:count].max())) / STEPS_PER_DB for rows in (one, other)
    )
    return levels_distance(first, second, LOUD_DB)


def levels_distance(one: Power, other: Power, loud: float) -> float:
    """Return the mean difference in dB where either is above `loud`, overall levels made equal.

    There always is such a place: levels are relative to the highest of their own.
    """
    compared = np.maximum(one, other) > loud
    gaps = (one - other)[compared]
    return float(np.abs(gaps - np.median(gaps)).mean())

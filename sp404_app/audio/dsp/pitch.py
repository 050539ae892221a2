"""Pitch of a single note by the normalised square difference function (NSDF).

McLeod & Wyvill, "A smarter way to find pitch" (ICMC 2005), computed by FFT on the loudest part
of the sound. Robust to a missing fundamental and to bright spectra.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.stft import decimate_by_averaging

Signal = npt.NDArray[np.float32]

TARGET_RATE_HZ: Final = 22_050
MAX_SAMPLES: Final = 16_384  # 0.74 s at 22 kHz: twenty periods of the lowest note
LOWEST_HZ, HIGHEST_HZ = 26.0, 4200.0
LAG_OVERSAMPLING: Final = 4  # per sample: the periods of high notes are only a few samples long
GUARD_LAGS: Final = 64  # samples beyond the longest period, which keep its interpolation accurate
MIN_BAND_POWER_SHARE: Final = 0.1  # share of the power that must remain after decimation
# The first key maximum that reaches this share of the highest one is the period.
KEY_MAXIMUM_RATIO: Final = 0.9
MIN_CLARITY: Final = 0.85  # below it there is no single pitch


@dataclass(frozen=True, slots=True)
class Pitch:
    """A fundamental frequency in Hz and its clarity (0..1)."""

    hertz: float
    clarity: float

    @property
    def note(self) -> int:
        """The nearest MIDI note (69 is A4, 440 Hz)."""
        return round(69 + 12 * float(np.log2(self.hertz / 440)))


def estimate_pitch(y: Signal, sr: float) -> Pitch | None:
    """Estimate the pitch of a single note at `sr` Hz, or None if there is no clear pitch."""
    decimated, rate = decimate_by_averaging(y, sr, TARGET_RATE_HZ)
    part = sustained_part(decimated)
    if len(part) < 4 * rate / HIGHEST_HZ or not np.any(part):
        return None
    if np.vdot(decimated, decimated) * len(y) < MIN_BAND_POWER_SHARE * np.vdot(y, y) * len(
        decimated
    ):
        return None
    longest = int(rate / LOWEST_HZ) + 1
    nsdf = normalised_square_difference(part, longest)
    maxima = key_maxima(nsdf[: min(len(nsdf) - 1, LAG_OVERSAMPLING * longest)])
    if not len(maxima):
        return None
    heights = nsdf[maxima]
    chosen = int(maxima[np.flatnonzero(heights >= KEY_MAXIMUM_RATIO * heights.max())[0]])
    left, centre, right = (float(value) for value in nsdf[chosen - 1 : chosen + 2])
    curvature = left - 2 * centre + right
    period = chosen + (0.5 * (left - right) / curvature if curvature < 0 else 0.0)
    hertz = LAG_OVERSAMPLING * rate / period
    if centre < MIN_CLARITY or not LOWEST_HZ <= hertz <= HIGHEST_HZ:
        return None
    return Pitch(hertz, min(1.0, centre))


def sustained_part(y: Signal) -> Signal:
    """Return the part after the attack: up to 0.74 s from just after the loudest sample."""
    top = int(np.abs(y).argmax()) if len(y) else 0  # y may be empty
    start = min(top + TARGET_RATE_HZ // 60, max(0, len(y) - MAX_SAMPLES // 4))
    part = y[start : start + MAX_SAMPLES]
    return part - part.mean() if len(part) else part


def normalised_square_difference(part: Signal, last: int) -> npt.NDArray[np.float64]:
    """Return the NSDF 2 r(t) / m(t) for lags t up to `last` or half the length; 1 means periodic.

    There are `LAG_OVERSAMPLING` values per sample of lag.
    """
    count = len(part)
    count_lags = min(count // 2, last + GUARD_LAGS)
    size = 1 << (count + count_lags - 1).bit_length()
    spectrum = np.fft.rfft(part.astype(np.float64), size)
    autocorrelation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[:count_lags]
    squares = np.cumsum(part.astype(np.float64) ** 2)
    lags = np.arange(count_lags)
    head_energy = squares[count - 1 - lags]
    tail_energy = squares[-1] - np.where(lags > 0, squares[lags - 1], 0.0)
    energy = np.interp(
        np.arange(LAG_OVERSAMPLING * count_lags) / LAG_OVERSAMPLING, lags, head_energy + tail_energy
    )
    return 2 * upsample_even(autocorrelation) / (energy + 1e-12)


def upsample_even(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Upsample an even function by `LAG_OVERSAMPLING` through its spectrum.

    `values` start at lag zero. Values near the end are less accurate, because the function is
    continued by its mirror image.
    """
    mirrored = np.concatenate([values, values[-2:0:-1]])
    spectrum = np.fft.rfft(mirrored)
    spectrum[-1] /= 2  # the longer transform counts the old Nyquist bin twice
    return (
        LAG_OVERSAMPLING
        * np.fft.irfft(spectrum, LAG_OVERSAMPLING * len(mirrored))[: LAG_OVERSAMPLING * len(values)]
    )


def key_maxima(nsdf: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the key maxima: local maxima above zero after the first zero crossing."""
    negative = np.flatnonzero(nsdf < 0)
    if not len(negative):
        return np.zeros(0, np.int64)
    start = int(negative[0])
    inner = nsdf[start:-1]
    is_maximum = (inner[1:-1] > inner[:-2]) & (inner[1:-1] >= inner[2:]) & (inner[1:-1] > 0)
    return np.flatnonzero(is_maximum) + 1 + start

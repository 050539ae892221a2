"""The one pitch of a single note: a fundamental by the normalised square difference.

McLeod & Wyvill, "A smarter way to find pitch" (ICMC 2005), computed through the FFT, on the
loudest stretch of the sound; robust to missing fundamentals and to a bright spectrum.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.stft import decimate_by_averaging

Signal = npt.NDArray[np.float32]

TARGET_RATE_HZ: Final = 22_050
MAX_SAMPLES: Final = 16_384  # 0.74 s at that rate: twenty periods of the lowest note
LOWEST_HZ, HIGHEST_HZ = 26.0, 4200.0
LAG_OVERSAMPLING: Final = 4  # lags per sample: the periods of high notes are a few samples long
GUARD_LAGS: Final = 64  # samples: lags beyond the longest period, so that it is exact too
MIN_BAND_POWER_SHARE: Final = 0.1  # share of the power that must lie in the range of that rate
KEY_MAXIMUM_RATIO: Final = (
    0.9  # the first peak that reaches this share of the highest is the period
)
MIN_CLARITY: Final = 0.85  # below this clarity there is no single pitch


@dataclass(frozen=True, slots=True)
class Pitch:
    """A fundamental in Hz and its clarity (0..1)."""

    hertz: float
    clarity: float

    @property
    def note(self) -> int:
        """The nearest MIDI note (69 is A4 at 440 Hz)."""
        return round(69 + 12 * float(np.log2(self.hertz / 440)))


def estimate_pitch(y: Signal, sr: float) -> Pitch | None:
    """Find the pitch of a single note at `sr` Hz, or None if there is no clear one."""
    low, rate = decimate_by_averaging(y, sr, TARGET_RATE_HZ)
    part = sustained_part(low)
    if len(part) < 4 * rate / HIGHEST_HZ or not np.any(part):
        return None
    if np.vdot(low, low) * len(y) < MIN_BAND_POWER_SHARE * np.vdot(y, y) * len(low):
        return None
    longest = int(rate / LOWEST_HZ) + 1
    nsdf = normalised_square_difference(part, longest)
    tops = key_maxima(nsdf[: min(len(nsdf) - 1, LAG_OVERSAMPLING * longest)])
    if not len(tops):
        return None
    heights = nsdf[tops]
    chosen = int(tops[np.flatnonzero(heights >= KEY_MAXIMUM_RATIO * heights.max())[0]])
    before, at, after = (float(value) for value in nsdf[chosen - 1 : chosen + 2])
    bend = before - 2 * at + after
    period = chosen + (0.5 * (before - after) / bend if bend < 0 else 0.0)
    hertz = LAG_OVERSAMPLING * rate / period
    if at < MIN_CLARITY or not LOWEST_HZ <= hertz <= HIGHEST_HZ:
        return None
    return Pitch(hertz, min(1.0, at))


def sustained_part(low: Signal) -> Signal:
    """Return the stretch after the attack: from just behind the loudest moment on."""
    top = int(np.abs(low).argmax()) if len(low) else 0  # a sound may be one sample long
    start = min(top + TARGET_RATE_HZ // 60, max(0, len(low) - MAX_SAMPLES // 4))
    part = low[start : start + MAX_SAMPLES]
    return part - part.mean() if len(part) else part


def normalised_square_difference(part: Signal, last: int) -> npt.NDArray[np.float64]:
    """Return 2 r(t) / m(t) for lags t up to `last`, or half the length: 1 where it repeats.

    There are `FINER` lags to a sample.
    """
    count = len(part)
    most = min(count // 2, last + GUARD_LAGS)
    size = 1 << (count + most - 1).bit_length()
    spectrum = np.fft.rfft(part.astype(np.float64), size)
    products = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[:most]
    squares = np.cumsum(part.astype(np.float64) ** 2)
    lags = np.arange(most)
    before = squares[count - 1 - lags]
    behind = squares[-1] - np.where(lags > 0, squares[lags - 1], 0.0)
    fine = np.interp(np.arange(LAG_OVERSAMPLING * most) / LAG_OVERSAMPLING, lags, before + behind)
    return 2 * upsample_even(products) / (fine + 1e-12)


def upsample_even(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return `FINER` values for each of an even function's from lag zero on, by its spectrum.

    What is near the last one is less exact: the function goes on as its mirror image.
    """
    mirrored = np.concatenate([values, values[-2:0:-1]])
    spectrum = np.fft.rfft(mirrored)
    spectrum[-1] /= 2  # the longer transform counts the old Nyquist frequency twice
    return (
        LAG_OVERSAMPLING
        * np.fft.irfft(spectrum, LAG_OVERSAMPLING * len(mirrored))[: LAG_OVERSAMPLING * len(values)]
    )


def key_maxima(nsdf: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the highest place of each positive arch after the one at lag zero."""
    below = np.flatnonzero(nsdf < 0)
    if not len(below):
        return np.zeros(0, np.int64)
    start = int(below[0])
    inner = nsdf[start:-1]
    up = (inner[1:-1] > inner[:-2]) & (inner[1:-1] >= inner[2:]) & (inner[1:-1] > 0)
    return np.flatnonzero(up) + 1 + start

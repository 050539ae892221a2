"""Loudness and true peak, after ITU-R BS.1770-4 (gated, as in EBU R 128)."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.fir import Fir

Frames = npt.NDArray[np.float32]

ABSOLUTE_GATE: Final = -70.0  # LUFS
RELATIVE_GATE: Final = -10.0  # LU below the mean of what passes the absolute gate
OFFSET: Final = -0.691  # makes a 997 Hz sine at 0 dBFS in one channel read -3.01 LUFS
HOP_SECONDS: Final = 0.1
HOPS_PER_BLOCK: Final = 4  # 400 ms blocks, overlapping by 75 %


@lru_cache(maxsize=8)
def k_weighting(rate: float) -> npt.NDArray[np.float64]:
    """Return the impulse response of the K filter at any sample rate.

    The standard gives coefficients for 48 kHz only; these are the analogue prototypes behind
    them (De Man, "Evaluation of implementations of the EBU R128 loudness measurement", 2014):
    a shelf of +4 dB above 1.68 kHz, and a high pass at 38 Hz, by the bilinear transform.
    """
    size = 1 << int(np.ceil(np.log2(max(64.0, rate * 0.08))))
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    response = shelf(z, rate) * high_pass(z, rate)
    return np.fft.irfft(response, size)[: size // 2]


def shelf(z: npt.NDArray[np.complex128], rate: float) -> npt.NDArray[np.complex128]:
    """Respond as the head does: more above 1.68 kHz. `z` is the delay of one sample."""
    # Below 4 kHz of rate the corner has no place under Nyquist; the shelf then does nothing.
    k = np.tan(np.pi * min(1681.974450955533 / rate, 0.45))
    high, q = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    band = high**0.4996667741545416
    top = high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k
    bottom = 1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k
    return (top[0] + top[1] * z + top[2] * z**2) / (bottom[0] + bottom[1] * z + bottom[2] * z**2)


def high_pass(z: npt.NDArray[np.complex128], rate: float) -> npt.NDArray[np.complex128]:
    """Leave out what is below hearing: second order at 38 Hz."""
    k = np.tan(np.pi * min(38.13547087602444 / rate, 0.45))
    q = 0.5003270373238773
    bottom = 1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k
    return (1 - 2 * z + z**2) / (bottom[0] + bottom[1] * z + bottom[2] * z**2)


class LoudnessMeter:
    """Collects the K-weighted power of every 100 ms; channels count alike, as in stereo."""

    def __init__(self, rate: float, channels: int) -> None:
        self.filter = Fir(k_weighting(rate), channels)
        self.hop = max(1, round(rate * HOP_SECONDS))
        self.rest = np.zeros(0)
        self.sums: list[npt.NDArray[np.float64]] = []

    def feed(self, block: Frames) -> None:
        """Add a block of shape (frames, channels)."""
        weighted = self.filter.feed(block)
        power = np.einsum("ij,ij->i", weighted, weighted, dtype=np.float64)
        power = np.concatenate([self.rest, power])
        whole = len(power) // self.hop * self.hop
        self.sums.append(power[:whole].reshape(-1, self.hop).sum(axis=1))
        self.rest = power[whole:]

    @property
    def powers(self) -> npt.NDArray[np.float64]:
        """Mean power of each whole 100 ms so far."""
        return np.concatenate([np.zeros(0), *self.sums]) / self.hop

    def integrated(self) -> float | None:
        """Return the integrated loudness in LUFS, or None for silence.

        A sound shorter than one 400 ms block, which the standard leaves undefined, is measured
        whole and ungated: one-shots are to be levelled too.
        """
        powers = self.powers
        if len(powers) < HOPS_PER_BLOCK:
            total = float(np.sum(powers) * self.hop + self.rest.sum())
            mean = total / max(1, len(powers) * self.hop + len(self.rest))
            return float(lufs(mean)) if lufs(mean) >= ABSOLUTE_GATE else None
        blocks = np.convolve(powers, np.ones(HOPS_PER_BLOCK) / HOPS_PER_BLOCK, "valid")
        loud = blocks[lufs(blocks) >= ABSOLUTE_GATE]
        if not len(loud):
            return None
        gate = lufs(loud.mean()) + RELATIVE_GATE
        return float(lufs(loud[lufs(loud) >= gate].mean()))


def lufs(power: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert mean K-weighted power to LUFS."""
    return OFFSET + 10 * np.log10(np.maximum(np.asarray(power, np.float64), 1e-12))


def true_peak(excerpt: npt.NDArray[np.floating]) -> float:
    """Return the highest value between samples of a short excerpt, by 8-fold interpolation.

    The ends are faded, so that cutting the excerpt out adds nothing. BS.1770-4, annex 2.
    """
    n = len(excerpt)
    if n < 4:
        return float(np.abs(excerpt).max(initial=0.0))
    edge = np.hanning(2 * (n // 4) + 2)[1:-1]
    window = np.ones(n)
    window[: n // 4], window[n - n // 4 :] = edge[: n // 4], edge[n // 4 :]
    dense = np.fft.irfft(np.fft.rfft(excerpt * window), 8 * n) * 8
    return float(np.abs(dense).max())

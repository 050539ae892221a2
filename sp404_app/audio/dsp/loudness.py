"""Integrated loudness, ITU-R BS.1770-4 (gated, as in EBU R 128)."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.iir import BlockMatrices, Matrix, RecursiveFilter, cascade_filters

Planes = npt.NDArray[np.float32]

ABSOLUTE_GATE_LUFS: Final = -70.0  # LUFS
RELATIVE_GATE_LU: Final = -10.0  # relative to the mean of the blocks above the absolute gate
LOUDNESS_OFFSET_DB: Final = -0.691  # makes a 997 Hz sine at 0 dBFS in one channel read -3.01 LUFS
HOP_S: Final = 0.1
HOPS_PER_BLOCK: Final = 4  # 400 ms blocks, overlapping by 75 %
SHELF_HZ, SHELF_Q = 1681.974450955533, 0.7071752369554196
# Linear gain above the corner frequency, and at the corner frequency.
SHELF_GAIN, SHELF_CORNER_GAIN = 1.5848647011308556, 1.2587209302325617
HIGH_PASS_HZ, HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773
HIGH_PASS_GAIN: Final = 1.0049948987  # not 1, because the standard does not normalise this section


@lru_cache(maxsize=8)
def k_weighting(rate: float) -> BlockMatrices:
    """Return the K-weighting filter for a sample rate in Hz.

    The standard gives coefficients for 48 kHz only. These are the analogue prototypes behind
    them (De Man, "Evaluation of implementations of the EBU R128 loudness measurement", 2014):
    a high shelf of +4 dB above 1.68 kHz and a high-pass at 38 Hz.
    """
    k = 1 / SHELF_Q
    mix = (SHELF_GAIN, (SHELF_CORNER_GAIN - SHELF_GAIN) * k, 1 - SHELF_GAIN)
    shelf = state_variable_section(SHELF_HZ / rate, SHELF_Q, mix)
    gain = HIGH_PASS_GAIN
    high_pass = state_variable_section(
        HIGH_PASS_HZ / rate, HIGH_PASS_Q, (gain, -gain / HIGH_PASS_Q, -gain)
    )
    return BlockMatrices(cascade_filters(shelf, high_pass))


def state_variable_section(corner: float, q: float, mix: tuple[float, float, float]) -> Matrix:
    """Return one step of a state-variable filter as ((A, B), (C, D)).

    `corner` is the corner frequency divided by the sample rate; `mix` holds the gains of the
    input, band-pass and low-pass in the output. Bilinear transform with trapezoidal integrators
    (Zavalishin, "The art of VA filter design", chapter 4), which is accurate in single precision
    at any corner frequency.
    """
    # Sample rates of a few kHz cannot represent the corner: keep it just below Nyquist.
    g = np.tan(np.pi * min(corner, 0.45))
    gain = 1 / (1 + g * (g + 1 / q))
    band = np.array([gain, -g * gain, g * gain])
    low = np.array([g * gain, 1 - g * g * gain, g * g * gain])
    first, second, source = np.eye(3)
    return np.array(
        [2 * band - first, 2 * low - second, mix[0] * source + mix[1] * band + mix[2] * low]
    )


class LoudnessMeter:
    """Accumulates the K-weighted power of each 100 ms. All channels have weight 1, as in stereo."""

    def __init__(self, rate: float, channels: int) -> None:
        self.filter = RecursiveFilter(k_weighting(rate), channels)
        self.hop = max(1, round(rate * HOP_S))
        self.rest = np.zeros((channels, 0), np.float32)
        self.sums: list[npt.NDArray[np.float64]] = []

    def feed(self, planes: Planes) -> None:
        """Add frames of shape (channels, frames)."""
        weighted = np.concatenate([self.rest, self.filter.feed(planes)], axis=1)
        whole = weighted.shape[1] // self.hop
        hops = weighted[:, : whole * self.hop].reshape(len(weighted), whole, self.hop)
        self.sums.append(np.vecdot(hops, hops).sum(axis=0, dtype=np.float64))
        self.rest = weighted[:, whole * self.hop :]

    @property
    def powers(self) -> npt.NDArray[np.float64]:
        """Mean power of each complete 100 ms so far."""
        return np.concatenate([np.zeros(0), *self.sums]) / self.hop

    def integrated(self) -> float | None:
        """Return the integrated loudness in LUFS, or None for silence.

        The standard does not define sounds shorter than one 400 ms block; they are measured whole
        and ungated, because one-shots need a level too.
        """
        powers = self.powers
        if len(powers) < HOPS_PER_BLOCK:
            total = float(np.sum(powers) * self.hop + np.sum(self.rest**2))
            mean = total / max(1, len(powers) * self.hop + self.rest.shape[1])
            return float(power_to_lufs(mean)) if power_to_lufs(mean) >= ABSOLUTE_GATE_LUFS else None
        blocks = np.convolve(powers, np.ones(HOPS_PER_BLOCK) / HOPS_PER_BLOCK, "valid")
        loud = blocks[power_to_lufs(blocks) >= ABSOLUTE_GATE_LUFS]
        if not len(loud):
            return None
        gate = power_to_lufs(loud.mean()) + RELATIVE_GATE_LU
        return float(power_to_lufs(loud[power_to_lufs(loud) >= gate].mean()))


def power_to_lufs(power: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert mean K-weighted power to LUFS."""
    return LOUDNESS_OFFSET_DB + 10 * np.log10(np.maximum(np.asarray(power, np.float64), 1e-12))

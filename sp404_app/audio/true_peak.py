"""The highest value between samples, after ITU-R BS.1770-4, annex 2: what a converter puts out.

Interpolating everything would cost more than the rest of the pass. The sound is divided into
short pieces, and of each block only the pieces with the highest samples are interpolated, each
with what is around it. Before and after the sound there is silence.
"""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Planes = npt.NDArray[np.float32]

PIECE: Final = 64  # samples; as many are looked at on either side
MOST_PIECES: Final = 16  # of one block
UNLIKELY: Final = 0.5  # of the highest value: pieces below it do not rise above it in between
FINER: Final = 8


class TruePeakMeter:
    """Keeps the highest value between the samples of a stream, in `highest`."""

    def __init__(self, channels: int) -> None:
        self.pending = np.zeros((channels, PIECE), np.float32)
        self.highest = 0.0

    def feed(self, planes: Planes) -> None:
        """Add frames of shape (channels, frames)."""
        planes = np.concatenate([self.pending, planes], axis=1)
        count = planes.shape[1] // PIECE - 2  # each with a piece before and one after it
        if count > 0:
            self.look(planes[:, : (count + 2) * PIECE])
        self.pending = planes[:, max(0, count) * PIECE :]

    def flush(self) -> None:
        """Add the silence after the sound, so that its last frames count too."""
        self.feed(np.zeros((len(self.pending), 2 * PIECE), np.float32))

    def look(self, planes: Planes) -> None:
        """Interpolate the likeliest of the pieces, all but the first and the last."""
        pieces = planes.reshape(len(planes), -1, PIECE)
        levels = np.abs(pieces).max(axis=2).max(axis=0)[1:-1]
        self.highest = max(self.highest, float(levels.max()))
        chosen = np.argsort(-levels)[:MOST_PIECES]
        chosen = chosen[levels[chosen] > UNLIKELY * self.highest]
        around = np.concatenate([pieces[:, chosen + shift] for shift in range(3)], axis=2)
        self.highest = max(self.highest, true_peak(around))


def true_peak(excerpts: Planes) -> float:
    """Return the highest value between samples of short excerpts, by 8-fold interpolation.

    `excerpts` has shape (..., frames), an even number. Their ends are faded, so that cutting
    them out adds nothing.
    """
    n = excerpts.shape[-1]
    faded = np.fft.rfft(excerpts * fade(n), norm="forward")
    faded[..., -1] /= 2  # the longer transform counts the old Nyquist frequency twice
    dense = np.fft.irfft(faded, FINER * n, norm="forward")
    return float(np.abs(dense).max(initial=0.0))


@lru_cache(maxsize=8)
def fade(n: int) -> npt.NDArray[np.float32]:
    """Return a window of n samples whose first and last quarter are faded in and out."""
    edge = np.hanning(2 * (n // 4) + 2)[1:-1]
    window = np.ones(n, np.float32)  # keeps the transforms in single precision too
    window[: n // 4], window[n - n // 4 :] = edge[: n // 4], edge[n // 4 :]
    return window

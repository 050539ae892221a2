"""True peak (the highest value between samples), after ITU-R BS.1770-4, annex 2.

Interpolating the whole signal would cost more than all other measurements of the pass. The
signal is therefore divided into short pieces. For the pieces with the highest samples, a cubic
estimates the inter-sample peak, because after a limiter many pieces have equal samples. Only the
pieces with the highest estimates are interpolated, with their context. The signal is preceded and
followed by silence.
"""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Planes = npt.NDArray[np.float32]

PIECE_SAMPLES: Final = 64  # a piece is interpolated with one piece of context on either side
MAX_CANDIDATE_PIECES: Final = 48  # pieces per block for the cubic estimate
MAX_KEPT_PIECES: Final = 16  # pieces of the whole sound that are interpolated
MIN_PIECE_LEVEL: Final = 0.5  # of the highest sample: lower pieces cannot contain the true peak
OVERSAMPLING: Final = 8


class TruePeakMeter:
    """Keeps the pieces of a stream that may contain its true peak."""

    def __init__(self, channels: int) -> None:
        self.pending = np.zeros((channels, PIECE_SAMPLES), np.float32)
        self.tops = np.zeros(0, np.float32)
        self.excerpts = np.zeros((0, channels, 3 * PIECE_SAMPLES), np.float32)

    def feed(self, planes: Planes, level: npt.NDArray[np.float32]) -> None:
        """Add frames (channels, frames); `level` (frames,) is their highest magnitude per frame."""
        level = np.concatenate([np.abs(self.pending).max(axis=0), level])
        planes = np.concatenate([self.pending, planes], axis=1)
        count = len(level) // PIECE_SAMPLES - 2  # each needs one piece before and one after it
        if count > 0:
            self.keep_best(
                planes,
                level[PIECE_SAMPLES : (count + 1) * PIECE_SAMPLES]
                .reshape(count, PIECE_SAMPLES)
                .max(axis=1),
            )
        self.pending = planes[:, max(0, count) * PIECE_SAMPLES :]

    def keep_best(self, planes: Planes, tops: npt.NDArray[np.float32]) -> None:
        """Keep the best pieces by estimated peak; `tops` are the levels of all but the first."""
        threshold = MIN_PIECE_LEVEL * max(float(tops.max()), float(self.tops.max(initial=0.0)))
        chosen = np.flatnonzero(tops > threshold)
        if len(chosen) > MAX_CANDIDATE_PIECES:
            chosen = chosen[
                np.argpartition(-tops[chosen], MAX_CANDIDATE_PIECES)[:MAX_CANDIDATE_PIECES]
            ]
        if not len(chosen):
            return
        windows = np.lib.stride_tricks.sliding_window_view(planes, 3 * PIECE_SAMPLES, axis=1)
        excerpts = windows[:, PIECE_SAMPLES * chosen].transpose(1, 0, 2)
        tops = np.concatenate([self.tops, np.maximum(tops[chosen], cubic_peak_estimate(excerpts))])
        best = np.argsort(-tops)[:MAX_KEPT_PIECES]
        self.tops = tops[best]
        self.excerpts = np.concatenate([self.excerpts, excerpts])[best]

    def linear_peak(self) -> float:
        """Return the true peak of everything fed, as a linear amplitude."""
        silence = np.zeros((len(self.pending), 2 * PIECE_SAMPLES), np.float32)
        self.feed(silence, silence[0])
        return interpolated_peak(self.excerpts) if len(self.excerpts) else 0.0


def cubic_peak_estimate(excerpts: Planes) -> npt.NDArray[np.float32]:
    """Estimate the highest value halfway between samples of the middle piece, by cubics."""
    middle = excerpts[..., PIECE_SAMPLES - 2 : 2 * PIECE_SAMPLES + 2]
    near = middle[..., 1:-2] + middle[..., 2:-1]
    far = middle[..., :-3] + middle[..., 3:]
    return (np.abs(9 * near - far) / 16).max(axis=(1, 2))


def interpolated_peak(excerpts: Planes) -> float:
    """Return the true peak of short excerpts as a linear amplitude, by 8-fold interpolation.

    `excerpts` has shape (..., frames) with an even number of frames. Their ends are faded to
    avoid artefacts of the cut.
    """
    n = excerpts.shape[-1]
    faded = np.fft.rfft(excerpts * edge_fade_window(n), norm="forward")
    faded[..., -1] /= 2  # the longer transform counts the old Nyquist bin twice
    dense = np.fft.irfft(faded, OVERSAMPLING * n, norm="forward")
    return float(np.abs(dense).max(initial=0.0))


@lru_cache(maxsize=8)
def edge_fade_window(n: int) -> npt.NDArray[np.float32]:
    """Return a window of n samples that fades in over the first and out over the last quarter."""
    edge = np.hanning(2 * (n // 4) + 2)[1:-1]
    window = np.ones(n, np.float32)  # single precision keeps the FFT in single precision
    window[: n // 4], window[n - n // 4 :] = edge[: n // 4], edge[n // 4 :]
    return window

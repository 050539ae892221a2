"""The highest value between samples, after ITU-R BS.1770-4, annex 2: what a converter puts out.

Interpolating everything would cost more than the rest of the pass. The sound is divided into
short pieces. Of those with the highest samples a cubic guesses what is between them (a limiter
leaves many alike), and the most promising are interpolated, each with what is around it. Before
and after the sound there is silence.
"""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Planes = npt.NDArray[np.float32]

PIECE_SAMPLES: Final = 64  # samples; as many are looked at on either side
MAX_CANDIDATE_PIECES: Final = 48  # pieces of one block that the cubic looks at
MAX_KEPT_PIECES: Final = 16  # of the whole sound that are interpolated
MIN_PIECE_LEVEL: Final = (
    0.5  # of the highest value: pieces below it do not rise above it in between
)
OVERSAMPLING: Final = 8


class TruePeakMeter:
    """Keeps the pieces of a stream that may hold its highest value."""

    def __init__(self, channels: int) -> None:
        self.pending = np.zeros((channels, PIECE_SAMPLES), np.float32)
        self.tops = np.zeros(0, np.float32)
        self.excerpts = np.zeros((0, channels, 3 * PIECE_SAMPLES), np.float32)

    def feed(self, planes: Planes, level: npt.NDArray[np.float32]) -> None:
        """Add frames of shape (channels, frames), `level` their highest magnitudes (frames,)."""
        level = np.concatenate([np.abs(self.pending).max(axis=0), level])
        planes = np.concatenate([self.pending, planes], axis=1)
        count = len(level) // PIECE_SAMPLES - 2  # each with a piece before and one after it
        if count > 0:
            self.look(
                planes,
                level[PIECE_SAMPLES : (count + 1) * PIECE_SAMPLES]
                .reshape(count, PIECE_SAMPLES)
                .max(axis=1),
            )
        self.pending = planes[:, max(0, count) * PIECE_SAMPLES :]

    def look(self, planes: Planes, tops: npt.NDArray[np.float32]) -> None:
        """Keep the likeliest pieces; `tops` are the levels of all but the first."""
        least = MIN_PIECE_LEVEL * max(float(tops.max()), float(self.tops.max(initial=0.0)))
        chosen = np.flatnonzero(tops > least)
        if len(chosen) > MAX_CANDIDATE_PIECES:
            chosen = chosen[
                np.argpartition(-tops[chosen], MAX_CANDIDATE_PIECES)[:MAX_CANDIDATE_PIECES]
            ]
        if not len(chosen):
            return
        windows = np.lib.stride_tricks.sliding_window_view(planes, 3 * PIECE_SAMPLES, axis=1)
        around = windows[:, PIECE_SAMPLES * chosen].transpose(1, 0, 2)
        tops = np.concatenate([self.tops, np.maximum(tops[chosen], cubic_peak_estimate(around))])
        best = np.argsort(-tops)[:MAX_KEPT_PIECES]
        self.tops = tops[best]
        self.excerpts = np.concatenate([self.excerpts, around])[best]

    def highest(self) -> float:
        """Return the highest value between the samples of what was fed."""
        silence = np.zeros((len(self.pending), 2 * PIECE_SAMPLES), np.float32)
        self.feed(silence, silence[0])
        return interpolated_peak(self.excerpts) if len(self.excerpts) else 0.0


def cubic_peak_estimate(excerpts: Planes) -> npt.NDArray[np.float32]:
    """Return the highest value halfway between the middle samples, by cubics through four."""
    middle = excerpts[..., PIECE_SAMPLES - 2 : 2 * PIECE_SAMPLES + 2]
    near = middle[..., 1:-2] + middle[..., 2:-1]
    far = middle[..., :-3] + middle[..., 3:]
    return (np.abs(9 * near - far) / 16).max(axis=(1, 2))


def interpolated_peak(excerpts: Planes) -> float:
    """Return the highest value between samples of short excerpts, by 8-fold interpolation.

    `excerpts` has shape (..., frames), an even number. Their ends are faded, so that cutting
    them out adds nothing.
    """
    n = excerpts.shape[-1]
    faded = np.fft.rfft(excerpts * edge_fade_window(n), norm="forward")
    faded[..., -1] /= 2  # the longer transform counts the old Nyquist frequency twice
    dense = np.fft.irfft(faded, OVERSAMPLING * n, norm="forward")
    return float(np.abs(dense).max(initial=0.0))


@lru_cache(maxsize=8)
def edge_fade_window(n: int) -> npt.NDArray[np.float32]:
    """Return a window of n samples whose first and last quarter are faded in and out."""
    edge = np.hanning(2 * (n // 4) + 2)[1:-1]
    window = np.ones(n, np.float32)  # keeps the transforms in single precision too
    window[: n // 4], window[n - n // 4 :] = edge[: n // 4], edge[n // 4 :]
    return window

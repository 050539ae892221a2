"""Sound descriptors: spectral centroid and flatness, attack, decay, seam click."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.stft import windowed_rfft

Signal = npt.NDArray[np.float32]

FRAME_SIZE: Final = 2048
MAX_FRAMES: Final = 32  # spread over the sound; enough for a mean
STEP_S: Final = 0.002
DECAY_DB: Final = -20.0
SEAM_FACTOR: Final = 6.0


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Descriptors that are meaningful to musicians.

    `brightness` is the spectral centroid in Hz and `noisiness` the spectral flatness (0 tone,
    1 white noise), both 0 in silence; `attack` is the time in s from 10 % to 90 % of the first
    peak, `decay` from the peak until the level stays 20 dB below (None if it never does).
    `seam_click` means that the end does not meet the start, so that it clicks when looped.
    """

    brightness: float
    noisiness: float
    attack: float
    decay: float | None
    seam_click: bool


def compute_descriptors(y: Signal, sr: float) -> Descriptors:
    """Compute the descriptors of a mono signal at `sr` Hz."""
    brightness, noisiness = centroid_and_flatness(y, sr)
    attack, decay = attack_and_decay(y, sr)
    return Descriptors(brightness, noisiness, attack, decay, has_seam_click(y))


def centroid_and_flatness(y: Signal, sr: float) -> tuple[float, float]:
    """Return the centroid (Hz) and the flatness (0..1) of the mean magnitude spectrum."""
    if len(y) < FRAME_SIZE:
        y = np.pad(y, (0, FRAME_SIZE - len(y)))
    starts = np.linspace(0, len(y) - FRAME_SIZE, min(MAX_FRAMES, 1 + len(y) // FRAME_SIZE)).astype(
        np.int64
    )
    frames = np.lib.stride_tricks.sliding_window_view(y, FRAME_SIZE)[starts]
    mean = np.abs(windowed_rfft(frames)).mean(axis=0, dtype=np.float64)
    if not mean.any():
        return 0.0, 0.0
    mean += 1e-15
    hertz = np.arange(len(mean)) * sr / FRAME_SIZE
    audible = mean[(hertz > 20) & (hertz < 18_000)]
    flatness = np.exp(np.log(audible).mean()) / audible.mean()
    return float(np.average(hertz, weights=mean)), float(flatness)


def attack_and_decay(y: Signal, sr: float) -> tuple[float, float | None]:
    """Return attack and decay in seconds, from the peaks of every 2 ms."""
    if not np.any(y):
        return 0.0, None
    step = max(1, round(sr * STEP_S))
    padded = np.pad(np.abs(y), (0, -len(y) % step))
    level = padded.reshape(-1, step).max(axis=1)
    top = int(np.argmax(level >= 0.9 * level.max()))
    started = np.flatnonzero(level[: top + 1] >= 0.1 * level[top])
    attack = (top - int(started[0])) * step / sr
    loud = np.flatnonzero(level > level.max() * 10 ** (DECAY_DB / 20))
    last = int(loud[-1])
    decay = (last + 1 - top) * step / sr if last + 1 < len(level) else None
    return attack, decay


def has_seam_click(y: Signal) -> bool:
    """Return whether the step from the last sample to the first is far above its neighbours."""
    if len(y) < 64:
        return False
    steps = np.abs(np.diff(np.concatenate([y[-32:], y[:32]])))
    seam_step = steps[31]
    others = np.delete(steps, 31)
    return bool(seam_step > SEAM_FACTOR * others.max() and seam_step > 0.02 * np.abs(y).max())

"""Short-time spectra in single precision, and the lower rates they are taken at."""

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.onset import window

Signal = npt.NDArray[np.float32]


def windowed_rfft(frames: Signal) -> npt.NDArray[np.complex64]:
    """Return the transforms of windowed rows of samples, divided by their length.

    NumPy's default scaling casts its factor anew for every row, which takes several times as
    long as the transform; "forward" scaling does not.
    """
    spectra = np.fft.rfft(frames * window(frames.shape[-1]), norm="forward")
    return np.asarray(spectra, np.complex64)


def decimate_by_averaging(y: Signal, sr: float, rate: float) -> tuple[Signal, float]:
    """Return a signal at about `rate` Hz and the exact rate: the means of every few samples."""
    factor = max(1, round(sr / rate))
    if factor == 1:
        return y, sr
    weights = np.full(factor, 1 / factor, np.float32)
    return y[: len(y) // factor * factor].reshape(-1, factor) @ weights, sr / factor

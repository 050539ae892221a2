"""Short-time Fourier transform in single precision, and decimation by averaging."""

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.onset import hann_window

Signal = npt.NDArray[np.float32]


def windowed_rfft(frames: Signal) -> npt.NDArray[np.complex64]:
    """Return the spectra of Hann-windowed frames (n, size), divided by the frame size.

    NumPy's default scaling converts its factor for each row, which takes several times as long as
    the transform; "forward" scaling does not.
    """
    spectra = np.fft.rfft(frames * hann_window(frames.shape[-1]), norm="forward")
    return np.asarray(spectra, np.complex64)


def decimate_by_averaging(y: Signal, sr: float, rate: float) -> tuple[Signal, float]:
    """Decimate a signal to about `rate` Hz by block means; return it and its exact rate in Hz."""
    factor = max(1, round(sr / rate))
    if factor == 1:
        return y, sr
    weights = np.full(factor, 1 / factor, np.float32)
    return y[: len(y) // factor * factor].reshape(-1, factor) @ weights, sr / factor

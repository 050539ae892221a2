"""Spectra in single precision equal those in double precision."""

import numpy as np
import pytest

from sp404_app.audio.dsp.stft import decimate_by_averaging, windowed_rfft


def test_windowed_rfft_is_exact_and_in_single_precision() -> None:
    frames = np.random.default_rng(1).normal(0, 1, (300, 512)).astype(np.float32)
    found = windowed_rfft(frames)
    assert found.dtype == np.complex64
    wanted = np.fft.rfft(frames.astype(float) * np.hanning(512)) / 512
    assert np.abs(found - wanted).max() < 1e-6


def test_decimation_averages_and_returns_the_exact_rate() -> None:
    thin, rate = decimate_by_averaging(np.arange(10, dtype=np.float32), 44_100, 11_025)
    assert rate == 11_025
    assert thin.tolist() == pytest.approx([1.5, 5.5])
    same, rate = decimate_by_averaging(thin, 8000, 11_025)
    assert same is thin
    assert rate == 8000

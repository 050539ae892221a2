"""Shape features of the log-mel patch: sweep, decay and noise by region."""

import numpy as np
import numpy.typing as npt
import pytest

from sp404_app.audio.features.patch_shape import PATCH_SHAPE, patch_shape
from sp404_app.audio.similarity.embedding import mel_patch
from sp404_app.audio.synth import drums

RATE_HZ = 44_100


def shape_of(signal: npt.NDArray[np.floating]) -> dict[str, float]:
    values = patch_shape(mel_patch(np.asarray(signal, np.float32), RATE_HZ))
    assert np.isfinite(values).all()
    return dict(zip(PATCH_SHAPE, values.tolist(), strict=True))


def decaying(signal: npt.NDArray[np.floating], seconds: float) -> npt.NDArray[np.floating]:
    return signal * np.exp(-np.arange(len(signal)) / (seconds * RATE_HZ))


def tone(hertz: float) -> npt.NDArray[np.float64]:
    return np.sin(2 * np.pi * hertz * np.arange(RATE_HZ) / RATE_HZ)


def noise() -> npt.NDArray[np.float64]:
    return np.random.default_rng(0).standard_normal(RATE_HZ)


def test_a_falling_tone_sweeps_and_a_steady_one_does_not() -> None:
    seconds = np.arange(RATE_HZ) / RATE_HZ
    falling = np.sin(2 * np.pi * (60 * seconds + 240 / 25 * (1 - np.exp(-25 * seconds))))
    assert shape_of(decaying(falling, 0.2))["low sweep 0 to 4"] > 1
    assert abs(shape_of(decaying(tone(100), 0.2))["low sweep 0 to 4"]) < 0.5


def test_a_long_decay_is_longer_in_its_own_region_only() -> None:
    long = shape_of(decaying(noise(), 0.4))
    short = shape_of(decaying(noise(), 0.03))
    assert long["region 27-40 decay"] > short["region 27-40 decay"] + 1
    ringing = shape_of(decaying(tone(100), 0.4) + 0.5 * decaying(noise(), 0.01))
    assert ringing["region 0-5 decay"] > ringing["region 27-40 decay"] + 1


def test_noise_is_noisier_than_a_tone_and_has_no_peak() -> None:
    hiss, pure = shape_of(noise()), shape_of(tone(1000))
    assert hiss["region 10-18 noise 4"] > 0.5 > pure["region 10-18 noise 4"]
    assert hiss["peak 4"] < 0.5 < pure["peak 4"]


@pytest.mark.parametrize("hertz", [100, 1000, 8000])
def test_the_centre_rises_with_the_pitch(hertz: float) -> None:
    assert shape_of(tone(hertz))["centre 3"] < shape_of(tone(1.5 * hertz))["centre 3"]


def test_the_level_of_a_sound_does_not_matter() -> None:
    hit = drums.snare(np.random.default_rng(1), 200, 0.1, 1.0)
    loud, quiet = shape_of(hit), shape_of(0.01 * hit)
    assert all(loud[name] == pytest.approx(quiet[name], abs=1e-3) for name in PATCH_SHAPE)


def test_silence_has_a_shape() -> None:
    assert len(shape_of(np.zeros(100))) == len(PATCH_SHAPE)

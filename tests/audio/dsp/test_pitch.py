"""Pitch estimation of single notes in any octave and voice, and of unpitched sounds."""

from collections.abc import Callable

import numpy as np
import pytest

from sp404_app.audio.dsp.pitch import estimate_pitch
from sp404_app.audio.synth import tones
from tests.audio.conftest import RATE, sine

Voice = Callable[[float, float], np.ndarray]
VOICES = [tones.electric_piano, tones.bass, tones.organ, tones.pluck, tones.lead, tones.pad]


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.__name__)
def test_the_pitch_of_every_note_is_estimated_in_every_voice(
    voice: Callable[[float, float], np.ndarray],
) -> None:
    for note in range(24, 107, 5):
        found = estimate_pitch(voice(note, 0.5), RATE)
        assert found is not None
        assert found.note == note


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000])
def test_a_fundamental_is_exact_to_a_cent_at_any_rate(rate: int) -> None:
    for hertz in (30.0, 55.0, 261.63, 987.77, 2093.0, 3520.0):
        found = estimate_pitch(sine(hertz, 0.5, rate=rate), rate)
        assert found is not None
        assert 1200 * abs(np.log2(found.hertz / hertz)) < 1
        assert found.clarity > 0.95


def test_a_missing_fundamental_is_estimated() -> None:
    overtones = sum(sine(220 * number, 0.5, 0.2) for number in (2, 3, 4, 5))
    found = estimate_pitch(np.asarray(overtones, np.float32), RATE)
    assert found is not None
    assert found.hertz == pytest.approx(220, rel=1e-3)


@pytest.mark.parametrize("hertz", [1, 10, 5000, 8000, 10_000, 15_000, 18_000, 20_000])
def test_frequencies_outside_the_note_range_have_no_pitch(hertz: float) -> None:
    """After decimation, a tone of 20 kHz would alias to an audible note."""
    assert estimate_pitch(sine(hertz, 1.0), RATE) is None


def test_noise_silence_clicks_and_swells_have_no_pitch() -> None:
    noise = np.random.default_rng(1).normal(0, 0.2, RATE)
    swell = np.linspace(0, 1, RATE)
    for signal in (noise, swell, np.zeros(RATE), np.eye(1, RATE)[0], np.ones(3), np.zeros(0)):
        assert estimate_pitch(signal.astype(np.float32), RATE) is None

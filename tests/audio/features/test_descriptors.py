"""Descriptors of signals whose centroid, flatness, attack and decay are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sp404_app.audio.features.analysis import Analysis, analyse, analyse_file
from sp404_app.audio.features.descriptors import compute_descriptors
from sp404_app.audio.features.survey import survey_file
from sp404_app.audio.synth.demo_sounds import demo_sounds
from tests.audio.conftest import RATE, Write, sine

Signal = np.ndarray
SOUNDS = {sound.name: sound.signal for sound in demo_sounds() if sound.kind == "loop"}


def noise(seconds: float = 4.0, seed: int = 1) -> Signal:
    return np.random.default_rng(seed).normal(0, 0.2, round(seconds * RATE)).astype(np.float32)


def band(low: float, high: float) -> Signal:
    """Return band-limited noise."""
    spectrum = np.fft.rfft(noise())
    hertz = np.fft.rfftfreq(4 * RATE, 1 / RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    return np.fft.irfft(spectrum).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000])
def test_the_centroid_of_a_sine_is_its_frequency(rate: int) -> None:
    for hertz in (100, 440, 1000, 3300, 0.4 * rate):
        assert compute_descriptors(sine(hertz, 1.0, rate=rate), rate).brightness == pytest.approx(
            hertz, abs=1
        )


@settings(max_examples=20, deadline=None)
@given(st.floats(150, 5000), st.floats(6000, 15_000), st.floats(0.05, 0.95))
def test_the_centroid_of_two_sines_is_their_level_weighted_mean(
    low: float, high: float, share: float
) -> None:
    both = sine(low, 1.0, 0.5 * share) + sine(high, 1.0, 0.5 * (1 - share))
    expected = share * low + (1 - share) * high
    # A spectral line between two bins weighs 5 % more than one on a bin.
    room = 2 + 0.06 * share * (1 - share) * (high - low)
    assert compute_descriptors(both, RATE).brightness == pytest.approx(expected, abs=room)


@pytest.mark.parametrize(("low", "high"), [(200, 400), (1000, 2000), (4000, 12_000)])
def test_the_centroid_of_band_limited_noise_is_the_middle_of_the_band(
    low: float, high: float
) -> None:
    assert compute_descriptors(band(low, high), RATE).brightness == pytest.approx(
        (low + high) / 2, rel=0.02
    )


def test_the_centroid_of_white_noise_and_of_a_click_is_half_the_nyquist_frequency() -> None:
    for signal in (noise(), np.eye(1, 3000, 1500, dtype=np.float32)[0]):
        assert compute_descriptors(signal, RATE).brightness == pytest.approx(RATE / 4, rel=0.02)


def test_the_flatness_of_a_tone_is_near_0_and_of_noise_near_1() -> None:
    assert compute_descriptors(sine(1000, 4.0), RATE).noisiness < 1e-3
    assert compute_descriptors(noise(), RATE).noisiness > 0.99


def test_flatness_increases_with_the_share_of_noise() -> None:
    tone, hiss = sine(1000, 4.0, 0.3), noise()
    mixes = [(1 - share) * tone + share * hiss for share in (0, 0.01, 0.1, 0.3, 0.6, 0.8, 1)]
    found = [compute_descriptors(mix.astype(np.float32), RATE).noisiness for mix in mixes]
    assert found == sorted(found)
    assert np.diff(found).min() > 0.005


@pytest.mark.parametrize("gain", [0.5, 0.1, 0.01])
def test_flatness_is_the_geometric_mean_over_the_arithmetic_mean(gain: float) -> None:
    """White noise whose upper half of the measured band has gain g: sqrt(g) / ((1 + g) / 2)."""
    lines = np.fft.rfft(noise())
    lines[np.fft.rfftfreq(4 * RATE, 1 / RATE) > (20 + 18_000) / 2] *= gain
    shelved = np.fft.irfft(lines).astype(np.float32)
    expected = np.sqrt(gain) / ((1 + gain) / 2)
    assert compute_descriptors(shelved, RATE).noisiness == pytest.approx(expected, rel=0.02)


@settings(max_examples=15, deadline=None)
@given(st.floats(-60, 20), st.booleans())
def test_gain_and_polarity_change_no_descriptor(gain: float, upside_down: bool) -> None:
    signal = 0.1 * noise(0.5) * np.exp(-np.arange(RATE // 2) / 3000).astype(np.float32)
    factor = 10 ** (gain / 20) * (-1 if upside_down else 1)
    one, other = (
        compute_descriptors(signal, RATE),
        compute_descriptors((factor * signal).astype(np.float32), RATE),
    )
    assert other.brightness == pytest.approx(one.brightness, rel=1e-3)
    assert other.noisiness == pytest.approx(one.noisiness, rel=1e-3)
    assert (other.attack, other.decay) == (one.attack, one.decay)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
@pytest.mark.parametrize("fall", [0.01, 0.05, 0.2, 0.6])
def test_an_exponential_decay_takes_its_time_constant_times_the_log_of_ten(
    fall: float, rate: int
) -> None:
    time = np.arange(round(6 * fall * rate)) / rate
    found = compute_descriptors(sine(1000, 6 * fall, rate=rate) * np.exp(-time / fall), rate)
    assert found.decay == pytest.approx(fall * np.log(10), rel=0.01, abs=0.003)
    assert found.attack < 0.005


@pytest.mark.parametrize("before", [0.0, 0.3])
@pytest.mark.parametrize("rise", [0.005, 0.02, 0.1, 0.5])
def test_a_linear_attack_goes_from_a_tenth_to_nine_tenths(rise: float, before: float) -> None:
    shape = np.interp(np.arange(round((2 * rise + 0.1) * RATE)) / RATE, [0, rise], [0, 1])
    tone = sine(2000, len(shape) / RATE) * shape
    quiet = np.zeros(round(before * RATE))
    found = compute_descriptors(np.concatenate([quiet, tone]).astype(np.float32), RATE)
    assert found.attack == pytest.approx(0.8 * rise, rel=0.03, abs=0.003)
    assert found.decay is None  # the level never falls by 20 dB


def test_silence_has_no_descriptors() -> None:
    found = compute_descriptors(np.zeros(RATE, np.float32), RATE)
    assert (found.brightness, found.noisiness, found.attack) == (0, 0, 0)
    assert found.decay is None
    assert not found.seam_click


@settings(max_examples=30, deadline=None)
@given(st.floats(40, 400), st.integers(3, 40), st.floats(0, 1))
def test_whole_periods_of_a_sine_are_seamless_wherever_they_are_cut(
    hertz: float, periods: int, phase: float
) -> None:
    size = max(64, round(periods * RATE / hertz))
    tone = np.sin(2 * np.pi * (periods * np.arange(size) / size + phase)).astype(np.float32)
    assert not compute_descriptors(tone, RATE).seam_click


@settings(max_examples=30, deadline=None)
@given(st.floats(40, 200), st.integers(3, 40), st.floats(0.2, 0.3))
def test_a_sine_cut_at_its_maximum_has_a_seam_click(
    hertz: float, periods: int, over: float
) -> None:
    tone = sine(hertz, (periods + over) / hertz)
    assert compute_descriptors(tone, RATE).seam_click


def test_only_a_step_at_the_seam_is_a_seam_click() -> None:
    steady = sine(100, 1.0, 0.2)
    ramp = np.linspace(0, 0.5, RATE).astype(np.float32)
    assert compute_descriptors(steady + ramp, RATE).seam_click
    assert not compute_descriptors(np.roll(steady + ramp, RATE // 2), RATE).seam_click


def test_fewer_than_64_samples_have_no_seam_click() -> None:
    assert not compute_descriptors(np.linspace(0, 1, 63, dtype=np.float32), RATE).seam_click


def found_in(signal: Signal) -> Analysis:
    return analyse(signal, RATE, duration=len(signal) / RATE)


def test_a_rendered_loop_is_seamless_and_one_that_ends_on_a_step_is_not() -> None:
    for name in ("Sub Walk", "Sunday Keys", "Organ Steps"):
        loop = SOUNDS[name].mean(axis=1)
        assert not found_in(loop).seam_click
        spoilt = loop.copy()
        spoilt[-400:] += np.linspace(0, 0.5, 400, dtype=np.float32)
        assert found_in(spoilt).seam_click


def test_the_cut_of_an_excerpt_is_no_seam_click(write: Write) -> None:
    loop = SOUNDS["Sunday Keys"].mean(axis=1)
    long = np.tile(loop, -(-45 * RATE // len(loop)))
    excerpt = survey_file(write("a.wav", long)).window
    assert compute_descriptors(excerpt, RATE).seam_click  # the cut is within a chord
    assert not analyse_file(write("a.wav", long)).analysis.seam_click


@pytest.mark.parametrize("rate", [44_100, 96_000, 192_000])
def test_decimation_keeps_the_ends_of_a_loop_that_begins_at_a_maximum(
    write: Write, rate: int
) -> None:
    tone = 0.5 * np.cos(2 * np.pi * 100 * np.arange(rate) / rate)
    window = survey_file(write("a.wav", tone, rate)).window
    assert window[[0, 1, -2, -1]] == pytest.approx(0.5, abs=2e-3)
    assert not compute_descriptors(window, RATE).seam_click

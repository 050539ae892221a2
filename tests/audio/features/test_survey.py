"""One streaming pass measures levels as the standards define them."""

from itertools import pairwise

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import lfilter

from sp404_app.audio.dsp.fir import Decimator, FirFilter
from sp404_app.audio.dsp.iir import RecursiveFilter
from sp404_app.audio.dsp.loudness import LoudnessMeter, k_weighting
from sp404_app.audio.dsp.true_peak import interpolated_peak
from sp404_app.audio.features.survey import Survey, survey_file
from sp404_app.errors import BadAudio
from tests.audio.conftest import RATE, Write, encode_m4a, sine


def loudness(signal: np.ndarray, rate: int, block: int = 7000) -> float | None:
    frames = np.atleast_2d(signal.T).T.astype(np.float32)
    meter = LoudnessMeter(rate, frames.shape[1])
    for at in range(0, len(frames), block):
        meter.feed(np.ascontiguousarray(frames[at : at + block].T))
    return meter.integrated()


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 192_000, 22_050])
def test_a_full_scale_tone_has_the_loudness_of_the_standard(rate: int) -> None:
    """BS.1770-4: 0 dBFS at 997 Hz in one channel is -3.01 LUFS, in two 0.0."""
    tone = sine(997, 5.0, 1.0, rate)
    assert loudness(tone, rate) == pytest.approx(-3.01, abs=0.03)
    assert loudness(np.stack([tone, tone], 1), rate) == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_loudness_agrees_with_pyloudnorm(rate: int) -> None:
    rng = np.random.default_rng(1)
    music = rng.standard_normal((6 * rate, 2)).cumsum(axis=0) * 0.002
    music += 0.1 * rng.standard_normal((6 * rate, 2))
    music *= np.repeat([1.0, 0.01, 0.3], 2 * rate)[:, None]  # the gate excludes the quiet part
    theirs = pyloudnorm.Meter(rate).integrated_loudness(music)
    assert loudness(music, rate) == pytest.approx(theirs, abs=0.1)


def test_short_sounds_are_ungated_and_silence_has_no_loudness() -> None:
    assert loudness(sine(997, 0.1, 1.0), RATE) == pytest.approx(-3.0, abs=0.4)
    assert loudness(np.zeros(RATE), RATE) is None
    assert loudness(np.zeros(100), RATE) is None
    assert loudness(np.zeros(0), RATE) is None


def test_k_weighting_is_finite_at_any_rate() -> None:
    for rate in (1, 100, 3000, 8000, 384_000):
        filtered = RecursiveFilter(k_weighting(rate), 1).feed(np.ones((1, 3000), np.float32))
        assert np.isfinite(filtered).all()


def test_k_weighting_matches_the_standard_s_coefficients_for_any_block_sizes() -> None:
    """The coefficients of BS.1770-4, annex 1, tables 1 and 2, for 48 kHz."""
    noise = np.random.default_rng(1).normal(0.2, 1, (2, 20_000)).astype(np.float32)
    shelf = lfilter([1.53512485958697, -2.69169618940638, 1.19839281085285],
                    [1, -1.69065929318241, 0.73248077421585], noise.astype(float))  # fmt: skip
    wanted = lfilter([1, -2, 1], [1, -1.99004745483398, 0.99007225036621], shelf)
    weighting = RecursiveFilter(k_weighting(48_000), 2)
    cuts = (0, 1, 64, 65, 127, 128, 9000, 20_000)
    heard = [weighting.feed(noise[:, a:b]) for a, b in pairwise(cuts)]
    assert np.concatenate(heard, axis=1) == pytest.approx(wanted, abs=2e-5)


def test_the_true_peak_is_between_the_samples() -> None:
    """A sine at a quarter of the rate, sampled 45 degrees off, peaks 3 dB above its samples."""
    n = np.arange(400)
    tone = np.sin(np.pi / 2 * n + np.pi / 4)
    assert np.abs(tone).max() == pytest.approx(0.7071, abs=1e-3)
    assert interpolated_peak(tone) == pytest.approx(1.0, abs=0.02)


def test_a_streaming_fir_filter_equals_one_convolution() -> None:
    rng = np.random.default_rng(1)
    signal, taps = rng.standard_normal((30_000, 2)).astype(np.float32), rng.standard_normal(301)
    expected = np.stack([np.convolve(side, taps)[: len(signal)] for side in signal.T], axis=1)
    fir = FirFilter(taps, 2)
    parts = [fir.feed(signal[a:b]) for a, b in ((0, 1), (1, 5000), (5000, 5001), (5001, 30_000))]
    assert np.concatenate(parts) == pytest.approx(expected, abs=1e-3)


def test_decimation_keeps_the_pass_band_and_removes_aliases() -> None:
    low, high = sine(1000, 1.0, 0.5, 96_000), sine(40_000, 1.0, 0.5, 96_000)
    for tone, level in ((low, 0.5), (high, 0.0)):
        decimator = Decimator(2, 1)
        out = [decimator.feed(block[:, None]) for block in np.array_split(tone, 7)]
        thin = np.concatenate([*out, decimator.flush()])[:, 0]
        assert len(thin) == 48_000
        assert np.abs(thin[1000:-1000]).max() == pytest.approx(level, abs=0.003)


def measured(write: Write, signal: np.ndarray, rate: int = RATE, **options: str) -> Survey:
    return survey_file(write("a.wav", signal, rate, **options))


def test_levels_and_silence_are_measured(write: Write) -> None:
    signal = np.concatenate([np.zeros(RATE // 2), sine(440, 1.0, 0.25), np.zeros(RATE // 4)])
    found = measured(write, signal)
    assert found.duration == pytest.approx(1.75)
    assert found.peak_dbfs == pytest.approx(-12.04, abs=0.01)
    assert found.true_peak_dbtp == pytest.approx(-12.04, abs=0.1)
    assert found.silence_head == pytest.approx(0.5, abs=0.001)
    assert found.silence_tail == pytest.approx(0.25, abs=0.001)
    flags = (found.silent, found.clipped, found.truncated, found.dual_mono)
    assert flags == (False, False, False, False)
    assert found.whole
    assert found.window == pytest.approx(signal, abs=1e-4)


def test_a_silent_file_is_marked_silent(write: Write) -> None:
    found = measured(write, np.zeros((RATE, 2)))
    assert found.silent
    assert (found.peak_dbfs, found.true_peak_dbtp, found.loudness_lufs) == (None, None, None)
    assert (found.silence_head, found.silence_tail) == (1.0, 0.0)
    assert not found.dual_mono


def test_clipping_dc_offset_and_dual_mono_are_detected(write: Write) -> None:
    clipped = np.clip(sine(100, 1.0, 2.0), -1, 1)
    found = measured(write, np.stack([clipped, clipped], 1) * 1.0)
    assert found.clipped
    assert found.dual_mono
    offset = measured(write, sine(100, 1.0, 0.3) + 0.2)
    assert offset.dc_offset == pytest.approx(0.2, abs=1e-3)
    assert not offset.clipped


def test_the_window_of_channels_that_cancel_out_is_their_difference(write: Write) -> None:
    tone = sine(440, 1.0)
    window = measured(write, np.stack([tone, -tone], 1)).window
    assert np.abs(window).max() == pytest.approx(0.5, abs=0.01)


def test_high_rates_are_decimated_for_the_analysis(write: Write) -> None:
    found = measured(write, sine(440, 1.0, rate=384_000), 384_000)
    assert found.window_rate == 48_000
    assert len(found.window) == 48_000
    assert np.abs(found.window).max() == pytest.approx(0.5, abs=0.01)


def test_sixteen_channels_and_a_single_sample_are_measured(write: Write) -> None:
    assert len(measured(write, np.random.default_rng(1).uniform(-1, 1, (5000, 16))).window) == 5000
    one = measured(write, np.array([0.5]))
    assert one.frames == 1
    assert one.peak_dbfs == pytest.approx(-6.02, abs=0.01)


@pytest.mark.parametrize("kind", ["wav", "m4a"])
def test_the_window_of_a_long_sound_is_its_loudest_30_s(
    write: Write, tmp_path: object, kind: str
) -> None:
    loud = sine(440, 40.0, 0.5)
    signal = np.concatenate([sine(440, 50.0, 0.01), loud, sine(440, 20.0, 0.01)])
    stereo = np.stack([signal, signal], 1)
    if kind == "m4a":
        found = survey_file(encode_m4a(write("a.wav", signal[:10]).with_name("a.m4a"), stereo))
    else:
        found = measured(write, stereo)
    assert not found.whole
    assert 49 <= found.window_start <= 60.5
    assert len(found.window) == pytest.approx(30 * RATE, abs=50)
    assert np.abs(found.window).max() == pytest.approx(0.5, abs=0.02)
    assert found.duration == pytest.approx(110, abs=0.1)


@pytest.mark.parametrize("seconds", [29.9, 30.0, 30.05, 30.3])
def test_a_sound_of_just_over_30_s_has_a_window_of_30_s(write: Write, seconds: float) -> None:
    found = measured(write, sine(440, seconds, rate=8000), 8000)
    assert found.whole == (seconds <= 30)
    assert 0 <= found.window_start <= max(0, seconds - 30)
    assert len(found.window) == round(8000 * min(30, seconds))


def test_a_truncated_file_is_marked(write: Write) -> None:
    path = write("a.flac", np.random.default_rng(2).standard_normal(5 * RATE) * 0.1)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert survey_file(path).truncated


def test_a_file_that_is_not_audio_is_rejected(write: Write) -> None:
    path = write("a.wav", np.zeros(10))
    path.write_text("no sound")
    with pytest.raises(BadAudio):
        survey_file(path)

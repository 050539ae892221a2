"""Stretch, pitch and rate: exact pitch, hits in their places, seams of loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.audio.render import time_stretch
from sp404_app.audio.render.percussive import is_percussive
from sp404_app.audio.render.resample import loop_lead
from sp404_app.audio.render.stretch_clip import blend_frames
from tests.audio.conftest import growth
from tests.audio.render.conftest import Json, Renders, frequency_of, tone

BEAT = 24_000  # frames of half a second at 48 kHz


def cents(measured: float, expected: float) -> float:
    return abs(1200 * np.log2(measured / expected))


def hits(beats: int = 8, rate: int = 48_000) -> np.ndarray:
    """Return decaying noise on every half second."""
    rng = np.random.default_rng(5)
    time = np.arange(rate // 2) / rate
    return np.tile(rng.normal(0, 0.25, len(time)) * np.exp(-time / 0.03), beats)


def chord(seconds: int = 4, rate: int = 48_000) -> np.ndarray:
    """Return three tones with whole numbers of periods: it repeats without a seam."""
    return sum(tone(hertz, seconds, 0.2, rate) for hertz in (220, 277, 330))


def seam_roughness(samples: np.ndarray) -> float:
    """Return the sharpest bend at the seam, relative to the sharpest elsewhere, in dB."""
    bends = np.abs(np.diff(np.concatenate([samples, samples[:200]]), 3))
    seam = len(samples)
    at_seam = bends[seam - 10 : seam + 10].max()
    return 20 * np.log10(at_seam / bends[200 : seam - 200].max())


@pytest.mark.parametrize("semitones", [-12, -5, 0.5, 3, 12])
@pytest.mark.parametrize("hertz", [110, 440])
def test_pitch_moves_a_tone_by_less_than_a_cent_from_its_interval(
    renders: Renders, semitones: float, hertz: float
) -> None:
    result = renders.signal(tone(hertz, 4), {"pitch": semitones})
    assert result.rendered.frames == 4 * 48_000
    expected = hertz * 2 ** (semitones / 12)
    assert cents(frequency_of(result.samples[:, 0]), expected) < 1


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.25, 2])
def test_stretch_keeps_the_pitch(renders: Renders, ratio: float) -> None:
    result = renders.signal(tone(440, 4), {"stretch": ratio}, source_rate=48_000)
    assert cents(frequency_of(result.samples[:, 0]), 440) < 1


def test_the_resample_trick_changes_pitch_and_length_together(renders: Renders) -> None:
    result = renders.signal(tone(440, 4), {"resample_trick": 5})
    ratio = 2 ** (5 / 12)
    assert result.rendered.frames == round(4 * 48_000 / ratio)
    assert cents(frequency_of(result.samples[:, 0]), 440 * ratio) < 0.1


def test_pitch_and_resample_trick_can_cancel_each_other(renders: Renders) -> None:
    result = renders.signal(tone(440, 4), {"resample_trick": 7, "pitch": -7})
    assert result.rendered.frames == round(4 * 48_000 / 2 ** (7 / 12))
    assert cents(frequency_of(result.samples[:, 0]), 440) < 1


def test_resampling_is_clean(renders: Renders) -> None:
    samples = renders.signal(tone(997, 2, rate=44_100), source_rate=44_100, subtype="FLOAT").samples
    middle = slice(4_000, -4_000)
    error = samples[:, 0] - tone(997, 2)
    assert np.abs(error[middle]).max() < 1.6 / 32_768


@pytest.mark.parametrize("ratio", [0.8, 1.25])
@pytest.mark.parametrize("loop", [False, True])
def test_hits_are_where_they_belong_after_a_stretch(
    renders: Renders, ratio: float, loop: bool
) -> None:
    samples = renders.signal(hits(), {"stretch": ratio}, loop=loop).samples[:, 0]
    level = np.convolve(samples**2, np.ones(96) / 96, "same")
    for beat in range(1, 8):
        centre = round(beat * BEAT * ratio)
        near = level[centre - 2_400 : centre + 2_400]
        onset = centre - 2_400 + int(np.argmax(near > near.max() / 2))
        assert abs(onset - centre) < 0.005 * 48_000


@pytest.mark.parametrize("frames", [44_100, 44_099, 30_000, 700])
def test_a_resampled_loop_has_no_seam(renders: Renders, frames: int) -> None:
    periods = round(frames / 100)
    loop = 0.5 * np.sin(2 * np.pi * periods * np.arange(frames) / frames)
    result = renders.signal(loop, source_rate=44_100, subtype="FLOAT", loop=True)
    out = round(frames * 48_000 / 44_100)
    lead, drop = loop_lead(frames, out)
    shift = drop - lead * out / frames
    ideal = 0.5 * np.sin(2 * np.pi * periods * (np.arange(out) + shift) / out)
    assert np.abs(result.samples[:out, 0] - ideal).max() < 1.6 / 32_768


@given(st.integers(1, 50_000_000), st.floats(0.05, 20))
def test_a_resampled_loop_is_shifted_by_half_a_frame_at_most(frames: int, ratio: float) -> None:
    out_frames = max(1, round(frames * ratio))
    lead, drop = loop_lead(frames, out_frames)
    assert 2 * abs(lead * out_frames - drop * frames) <= frames


@pytest.mark.parametrize(("frames", "out_frames"), [(44_100, 48_000), (147_000, 160_000), (9, 6)])
def test_a_loop_of_whole_frames_is_not_shifted(frames: int, out_frames: int) -> None:
    lead, drop = loop_lead(frames, out_frames)
    assert lead * out_frames == drop * frames


def test_a_resampled_one_shot_is_surrounded_by_silence(renders: Renders) -> None:
    loop = tone(441, rate=44_100) + 0.3
    result = renders.signal(loop, source_rate=44_100, loop=False)
    assert np.abs(result.samples[0, 0] - 0.3) > 0.01


@pytest.mark.parametrize("edit", [{"stretch": 0.8}, {"stretch": 1.3}, {"pitch": 3}, {"pitch": -4}])
def test_a_stretched_loop_keeps_its_seam(renders: Renders, edit: Json) -> None:
    as_loop = renders.signal(chord(), edit, loop=True).samples[:, 0]
    as_sound = renders.signal(chord(), edit, loop=False).samples[:, 0]
    assert seam_roughness(as_loop) < 6
    assert seam_roughness(as_sound) > 20


def test_a_stretched_loop_has_its_level_at_the_seam(renders: Renders) -> None:
    samples = renders.signal(chord(), {"stretch": 1.3}, loop=True).samples[:, 0]
    usual = np.sqrt(np.mean(samples**2))
    assert np.sqrt(np.mean(samples[-480:] ** 2)) == pytest.approx(usual, rel=0.6)


def test_a_loop_shorter_than_a_block_is_stretched(renders: Renders) -> None:
    samples = renders.signal(tone(240, 0.05), {"stretch": 2}, loop=True).samples
    assert len(samples) == 4_800
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() > 0.2


@pytest.mark.parametrize("sign", [1, -1])
def test_a_blend_of_correlated_signals_keeps_the_level(sign: int) -> None:
    signal = tone(480, 0.01)[:, None].astype(np.float32)
    blended = blend_frames(signal, sign * signal)
    assert np.isfinite(blended).all()
    assert blended[-1, 0] == pytest.approx(sign * signal[-1, 0], abs=1e-6)
    if sign == 1:
        assert np.allclose(blended, signal, atol=1e-6)


def test_a_blend_with_silence_is_finite() -> None:
    silence = np.zeros((480, 2), np.float32)
    assert not blend_frames(silence, silence).any()
    assert blend_frames(silence[:0], silence[:0]).shape == (0, 2)


def test_a_silent_channel_stays_silent(renders: Renders) -> None:
    signal = np.stack([tone(300), np.zeros(48_000)], axis=1)
    samples = renders.signal(signal, {"stretch": 1.4}).samples
    assert not samples[:, 1].any()


def test_a_changed_module_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    time_stretch.compile_module.cache_clear()
    monkeypatch.setattr(time_stretch, "MODULE_SHA256", "0" * 64)
    with pytest.raises(time_stretch.DamagedModule):
        time_stretch.compile_module()
    time_stretch.compile_module.cache_clear()


def test_an_abort_of_the_library_is_an_error() -> None:
    with (
        time_stretch.Stretcher(1, 48_000, percussive=False) as stretcher,
        pytest.raises(RuntimeError, match="aborted"),
    ):
        stretcher.import_d()


IMPORTS = """
import numpy as np
from sp404_app.audio.render.time_stretch import Stretcher
def go(times):
    for _ in range(times):
        with Stretcher(2, 48_000, percussive=False) as stretcher:
            stretcher.set_buffers(20_000)
            stretcher.process(np.zeros((16_384, 2), np.float32), 16_384)
go(3)
"""


def test_a_closed_stretcher_frees_its_memory() -> None:
    assert growth(IMPORTS, "go(60)") < 20 << 20


@pytest.mark.parametrize("rate", [22_050, 48_000, 96_000])
def test_drums_are_percussive_and_chords_are_not(rate: int) -> None:
    drums, tones = hits(rate=rate), chord(rate=rate)
    assert is_percussive(drums[:, None].astype(np.float32), rate)
    assert not is_percussive(tones[:, None].astype(np.float32), rate)


def test_silence_and_very_low_rates_are_not_percussive() -> None:
    assert not is_percussive(np.zeros((100, 2), np.float32), 48_000)
    assert not is_percussive(hits()[:, None].astype(np.float32), 50)


def test_percussive_sounds_are_stretched_in_shorter_blocks() -> None:
    with (
        time_stretch.Stretcher(1, 48_000, percussive=True) as short,
        time_stretch.Stretcher(1, 48_000, percussive=False) as long,
    ):
        assert short.input_latency == 1_024
        assert long.input_latency == 2_880

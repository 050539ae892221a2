"""The demo sounds are in tune, normalised, seamless and reproducible."""

from collections.abc import Callable

import numpy as np
import pytest

from sp404_app.audio.dsp.pitch import estimate_pitch
from sp404_app.audio.features.descriptors import compute_descriptors
from sp404_app.audio.synth import drums, tones
from sp404_app.audio.synth.demo_sounds import demo_sounds
from sp404_app.audio.synth.sequencer import Loop, normalise_peak, scale_notes, stack_triad
from tests.audio.conftest import RATE

Signal = np.ndarray
Voice = Callable[[float, float], Signal]
VOICES = [tones.electric_piano, tones.bass, tones.organ, tones.pluck, tones.lead, tones.pad]
SOUNDS = list(demo_sounds())
by_voice = pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.__name__)


def spectrum(signal: Signal) -> tuple[Signal, Signal]:
    """Return frequencies and their levels relative to the maximum."""
    size = 1 << 17
    magnitudes = np.abs(np.fft.rfft(signal * np.hanning(len(signal)), size))
    return np.fft.rfftfreq(size, 1 / RATE), magnitudes / magnitudes.max()


@by_voice
def test_a_voice_is_in_tune_within_6_cents(voice: Voice) -> None:
    for note in (45.0, 57.25, 69.0):
        found = estimate_pitch(voice(note, 0.8), RATE)
        assert found is not None
        assert 1200 * np.log2(found.hertz / tones.midi_to_hz(note)) == pytest.approx(
            0, abs=6
        )  # the lead's vibrato


@pytest.mark.parametrize("voice", [tones.organ, tones.pluck, tones.lead])
@pytest.mark.parametrize("note", [84, 96, 108])
def test_high_notes_of_additive_voices_do_not_alias(voice: Voice, note: int) -> None:
    """Partials above half the rate would alias to below the fundamental."""
    hertz, levels = spectrum(voice(note, 0.5))
    assert levels[(hertz > 50) & (hertz < 0.9 * tones.midi_to_hz(note))].max() < 0.01


def test_drums_have_the_requested_pitch() -> None:
    rng = np.random.default_rng(1)
    hits = ((drums.conga(rng, 210), 210), (drums.cowbell(540), 540), (drums.tom(rng, 110), 110))
    for hit, asked in hits:
        hertz, levels = spectrum(hit)
        assert levels[np.abs(hertz / asked - 1) < 0.06].max() > 0.7
        assert levels[hertz < 0.8 * asked].max() < 0.3


def test_a_longer_decay_rings_longer() -> None:
    for make in (drums.hat, drums.cymbal):
        times = [
            compute_descriptors(make(np.random.default_rng(1), d), RATE).decay for d in (0.1, 0.3)
        ]
        assert times[0] is not None
        assert times[1] is not None
        assert times[1] > 2 * times[0]


def test_every_demo_sound_peaks_at_minus_1_dbfs_and_is_reproducible() -> None:
    for sound, again in zip(SOUNDS, demo_sounds(), strict=True):
        assert np.abs(sound.signal).max() == pytest.approx(10 ** (-1 / 20), rel=1e-3)
        assert sound.signal.dtype == np.float32
        assert np.array_equal(sound.signal, again.signal)


def test_every_demo_loop_lasts_whole_bars_and_is_seamless() -> None:
    for sound in SOUNDS:
        if sound.bpm:
            bars = len(sound.signal) / RATE * sound.bpm / 240
            assert abs(bars - round(bars)) * 240 / sound.bpm * RATE <= 0.5
            assert not compute_descriptors(sound.signal.mean(axis=1), RATE).seam_click


def test_tails_wrap_around_to_the_start_of_a_loop() -> None:
    loop, voice = Loop(120, 4), np.ones(RATE, np.float32)
    loop.hit(voice, 3.5, pan=-1)
    assert loop.frames[:, 0].sum() == RATE
    assert loop.frames[RATE // 2, 0] == 1
    assert loop.frames[RATE, 0] == 0
    assert not loop.frames[:, 1].any()


def test_scales_and_triads_are_correct() -> None:
    assert scale_notes(60, "major", range(8)) == [60, 62, 64, 65, 67, 69, 71, 72]
    assert scale_notes(57, "minor", (-1, 0, 2)) == [55, 57, 60]
    assert stack_triad(60, "major", 4, (6,)) == [67, 71, 74, 77]
    assert not normalise_peak(np.zeros(10, np.float32)).any()

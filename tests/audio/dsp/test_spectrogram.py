"""Pictures of sounds whose spectrum, pulse and notes are known."""

import librosa
import numpy as np
import numpy.typing as npt
import pytest

from sp404_app.audio.dsp import spectrogram
from sp404_app.audio.dsp.spectrogram import COLUMNS, View

RATE = 44_100
Signal = npt.NDArray[np.float32]


def sine(hertz: float, seconds: float = 2.0, rate: int = RATE) -> Signal:
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def clicks(bpm: float, seconds: float = 12.0) -> Signal:
    signal = np.zeros(round(seconds * RATE), np.float32)
    burst = np.random.default_rng(1).normal(0, 0.3, 800).astype(np.float32)
    for at in np.arange(0.05, seconds - 0.1, 60 / bpm):
        start = round(at * RATE)
        signal[start : start + 800] = burst * np.linspace(1, 0, 800, dtype=np.float32)
    return signal


@pytest.mark.parametrize("hertz", [110, 440, 1000, 5000, 12_000])
def test_a_tone_is_brightest_in_its_own_band(hertz: float) -> None:
    rows, pixels = spectrogram.spectrum(sine(hertz), RATE)
    brightest = rows[pixels[:, COLUMNS // 2].argmax()]
    assert brightest == pytest.approx(hertz, rel=0.08, abs=25)


def test_the_spectrum_agrees_with_librosa() -> None:
    rng = np.random.default_rng(404)
    noise = (rng.normal(0, 0.1, RATE) * np.linspace(0, 1, RATE)).astype(np.float32)
    signal = noise + sine(880, 1.0)
    weights = spectrogram.mel_weights(2048, RATE)
    mine = spectrogram.columns(signal, 2048, weights, pool=1).mean(axis=1)
    theirs = librosa.feature.melspectrogram(
        y=signal, sr=RATE, n_fft=2048, hop_length=128, n_mels=128, fmin=30, fmax=18_000, htk=True
    ).mean(axis=1)
    apart = 10 * np.abs(np.log10(mine) - np.log10(np.maximum(theirs, 1e-9)))
    wide = theirs > 1e-6  # librosa leaves bands that are narrower than a bin empty
    assert np.median(apart[wide]) < 1.0


def test_loudness_is_a_matter_of_decibels() -> None:
    signal = np.concatenate([sine(1000, 1.0), 0.01 * sine(1000, 1.0)])
    _, pixels = spectrogram.spectrum(signal, RATE)
    loud, soft = int(pixels[:, 100].max()), int(pixels[:, 400].max())
    assert (loud - soft) / 255 * 80 == pytest.approx(40, abs=2)


def test_a_hit_between_two_columns_of_a_long_sound_is_not_lost() -> None:
    signal = np.zeros(60 * RATE, np.float32)
    signal[30 * RATE : 30 * RATE + 3000] = sine(2000, 1.0)[:3000]
    _, pixels = spectrogram.spectrum(signal, RATE)
    assert pixels.shape == (128, COLUMNS)
    assert pixels[:, 254:258].max() > 240
    assert pixels[:, :200].max() == 0


@pytest.mark.parametrize(("hertz", "pitch"), [(261.63, 0), (440.0, 9), (466.16, 10), (880.0, 9)])
def test_a_note_lights_its_own_row_in_any_octave(hertz: float, pitch: int) -> None:
    _, pixels = spectrogram.notes(sine(hertz), RATE)
    assert (pixels[:, 50:-50].argmax(axis=0) == pitch).all()
    assert pixels[(pitch + 6) % 12, COLUMNS // 2] < 40


@pytest.mark.parametrize("bpm", [70, 96, 120, 174])
def test_a_click_track_has_a_band_at_its_tempo(bpm: float) -> None:
    rows, pixels = spectrogram.pulse(clicks(bpm), RATE)
    middle = pixels[:, pixels.shape[1] // 2].astype(int)
    near = np.abs(np.log2(rows / bpm)) < 0.03
    between = np.abs(np.log2(rows / (bpm * 1.3))) < 0.03
    assert middle[near].max() > 120
    assert middle[between].max() < middle[near].max() / 2


@pytest.mark.parametrize("view", list(View))
@pytest.mark.parametrize("frames", [1, 2, 31, 500, 5000])
@pytest.mark.parametrize("rate", [8000, 44_100, 384_000])
def test_the_shortest_and_the_silent_can_be_drawn(view: View, frames: int, rate: int) -> None:
    for signal in (np.zeros(frames, np.float32), np.ones(frames, np.float32)):
        drawn = spectrogram.picture(view, signal, rate, 3.0)
        assert drawn.pixels.dtype == np.uint8
        assert len(drawn.rows) == len(drawn.pixels)
        assert 1 <= drawn.pixels.shape[1] <= COLUMNS
        assert (drawn.start, drawn.end) == (3.0, 3.0 + frames / rate)


def test_silence_is_dark() -> None:
    for view in View:
        assert spectrogram.picture(view, np.zeros(RATE, np.float32), RATE, 0).pixels.max() == 0

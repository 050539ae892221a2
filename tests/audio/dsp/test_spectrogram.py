"""Pictures of files whose frequencies, tempo and notes are known."""

from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt
import pytest

from sp404_app.audio.dsp import spectrogram
from sp404_app.audio.dsp.spectrogram import COLUMNS, draw_picture
from sp404_app.audio.picture import Picture, View
from sp404_app.errors import BadAudio
from tests.sounds import bad_files, good_files, write

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


def drawn(folder: Path, view: View, signal: Signal, rate: int = RATE) -> Picture:
    path = write(folder / "drawn.wav", signal, rate, subtype="FLOAT")
    return draw_picture(path, view, 0.0, len(signal) / rate)


def middle(picture: Picture) -> npt.NDArray[np.int64]:
    return picture.pixels[:, picture.pixels.shape[1] // 2].astype(np.int64)


@pytest.mark.parametrize("hertz", [110, 440, 1000, 5000, 12_000])
def test_a_sine_is_brightest_in_its_own_band(tmp_path: Path, hertz: float) -> None:
    picture = drawn(tmp_path, View.SPECTRUM, sine(hertz))
    assert picture.rows[middle(picture).argmax()] == pytest.approx(hertz, rel=0.08, abs=25)


def test_the_spectrum_is_the_mel_spectrogram_of_librosa_in_decibels(tmp_path: Path) -> None:
    rng = np.random.default_rng(404)
    signal = (rng.normal(0, 0.1, RATE) * np.linspace(0.1, 1, RATE)).astype(np.float32)
    picture = drawn(tmp_path, View.SPECTRUM, signal)
    power = librosa.feature.melspectrogram(
        y=signal, sr=RATE, n_fft=4096, win_length=2048, hop_length=86, n_mels=128,
        fmin=30, fmax=18_000, htk=True,
    )  # fmt: skip
    decibels = librosa.power_to_db(power, ref=np.max)[:, :300]  # 512 columns hold 513 frames
    assert picture.pixels.shape[1] == 512
    assert np.abs(255 * (1 + decibels / 80) - picture.pixels[:, :300]).max() <= 1.0


def test_loudness_is_in_decibels(tmp_path: Path) -> None:
    signal = np.concatenate([sine(1000, 1.0), 0.01 * sine(1000, 1.0)])
    pixels = drawn(tmp_path, View.SPECTRUM, signal).pixels
    quarter = pixels.shape[1] // 4
    loud, soft = int(pixels[:, quarter].max()), int(pixels[:, 3 * quarter].max())
    assert (loud - soft) / 255 * 80 == pytest.approx(40, abs=2)


def test_a_short_hit_in_a_long_file_stays_visible_where_it_is(tmp_path: Path) -> None:
    signal = np.zeros(130 * RATE, np.float32)
    at = 65  # in the second chunk
    signal[at * RATE : at * RATE + 3000] = sine(2000, 1.0)[:3000]
    pixels = drawn(tmp_path, View.SPECTRUM, signal).pixels
    assert pixels.shape == (128, COLUMNS)
    brightest = int(pixels.max(axis=0).argmax())
    assert brightest / COLUMNS * 130 == pytest.approx(at + 0.03, abs=0.06)
    assert pixels[:, : COLUMNS // 4].max() == 0


@pytest.mark.parametrize("view", list(View))
def test_chunks_join_without_a_seam(
    tmp_path: Path, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = np.tile(clicks(120, 4.0) + 0.1 * sine(440, 4.0), 8)
    whole = drawn(tmp_path, view, signal).pixels.astype(int)
    monkeypatch.setattr(spectrogram, "CHUNK_SECONDS", 8.0)
    chunked = drawn(tmp_path, view, signal).pixels.astype(int)
    assert np.median(np.abs(whole - chunked)) <= 1
    assert np.quantile(np.abs(whole - chunked), 0.95) <= (30 if view is View.PULSE else 4)
    assert (chunked.max(axis=0) > 0).all()  # no column is left empty


def test_a_part_shows_the_frequencies_of_its_time_range(tmp_path: Path) -> None:
    path = write(tmp_path / "sweep.wav", np.concatenate([sine(300, 4.0), sine(3000, 4.0)]), RATE)
    part = draw_picture(path, View.SPECTRUM, 5.0, 7.0)
    assert (part.start, part.end) == (5.0, 7.0)
    assert part.rows[middle(part).argmax()] == pytest.approx(3000, rel=0.08)


@pytest.mark.parametrize(("hertz", "pitch"), [(261.63, 0), (440.0, 9), (466.16, 10), (880.0, 9)])
def test_a_note_is_brightest_in_its_own_row_in_any_octave(
    tmp_path: Path, hertz: float, pitch: int
) -> None:
    pixels = drawn(tmp_path, View.NOTES, sine(hertz)).pixels
    assert (pixels[:, 50:-50].argmax(axis=0) == pitch).all()
    assert pixels[(pitch + 6) % 12, pixels.shape[1] // 2] < 40


@pytest.mark.parametrize("bpm", [70, 96, 120, 174])
def test_a_click_track_has_a_band_at_its_tempo(tmp_path: Path, bpm: float) -> None:
    picture = drawn(tmp_path, View.PULSE, clicks(bpm))
    near = np.abs(np.log2(picture.rows / bpm)) < 0.03
    between = np.abs(np.log2(picture.rows / (bpm * 1.3))) < 0.03
    assert middle(picture)[near].max() > 120
    assert middle(picture)[between].max() < middle(picture)[near].max() / 2


@pytest.mark.parametrize("view", list(View))
@pytest.mark.parametrize("length", [1, 2, 500, 5000])
@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
def test_the_shortest_files_can_be_drawn(
    tmp_path: Path, view: View, length: int, rate: int
) -> None:
    picture = drawn(tmp_path, view, np.ones(length, np.float32), rate)
    assert picture.pixels.dtype == np.uint8
    assert len(picture.rows) == len(picture.pixels)
    assert 1 <= picture.pixels.shape[1] <= COLUMNS
    assert (picture.start, picture.end) == (0.0, length / rate)


def test_silence_is_dark(tmp_path: Path) -> None:
    for view in View:
        assert drawn(tmp_path, view, np.zeros(RATE, np.float32)).pixels.max() == 0


def test_every_kind_of_file_can_be_drawn(tmp_path: Path) -> None:
    for kind, path in good_files(tmp_path).items():
        assert draw_picture(path, View.SPECTRUM, 0.0, 0.2).pixels.size, kind


def test_files_without_audio_are_refused_with_a_message(tmp_path: Path) -> None:
    for kind, (path, _) in bad_files(tmp_path).items():
        with pytest.raises(BadAudio, match=r"\."):
            draw_picture(path, View.SPECTRUM, 0.0, 0.2)
        assert path.exists(), kind


def test_a_part_beyond_the_end_is_refused_with_a_message(tmp_path: Path) -> None:
    path = write(tmp_path / "short.wav", sine(440, 1.0), RATE)
    with pytest.raises(BadAudio, match="no audio in this part"):
        draw_picture(path, View.NOTES, 5.0, 6.0)

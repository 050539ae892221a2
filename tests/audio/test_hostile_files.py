"""Files that nobody expects: endless, shrill, upside down, backwards; all end in bounded memory."""

import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest

from sp404_app.audio import peaks
from sp404_app.audio.analysis import analyse_file
from sp404_app.audio.decode import blocks
from sp404_app.audio.survey import survey
from sp404_app.audio.synth import DemoSound, demo_sounds
from tests.audio.conftest import RATE, Write, sine

HOURS = 3


@pytest.fixture(scope="module")
def loop() -> DemoSound:
    return next(sound for sound in demo_sounds() if sound.name == "Four Doors Down")


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """Write three hours of a clicking telephone, minute by minute."""
    path = tmp_path / "endless.wav"
    minute = np.full(60 * 8000, 128, np.uint8)
    minute[::4000] = 255
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", "NONE"))
        for _ in range(60 * HOURS):
            file.writeframesraw(minute.tobytes())
    return path


def test_three_hours_are_surveyed_in_35_megabytes(endless: Path) -> None:
    tracemalloc.start()
    try:
        found = survey(endless)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.duration == HOURS * 3600
    assert len(found.window) == 30 * 8000
    assert not found.whole
    assert most < 35e6


def test_waveforms_of_any_length_take_a_few_megabytes(endless: Path) -> None:
    builder = peaks.PeaksBuilder(8000)
    tracemalloc.start()
    try:
        for block in blocks(endless):
            builder.feed(block)
        found = builder.done()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.frames == HOURS * 3600 * 8000
    assert most < 35e6


def test_one_channel_upside_down_leaves_tempo_and_key_alone(write: Write, loop: DemoSound) -> None:
    side = loop.signal.mean(axis=1)
    plain = analyse_file(write("a.wav", side)).analysis
    found = analyse_file(write("b.wav", np.stack([side, -side], axis=1))).analysis
    assert (found.bpm, found.key, found.kind) == (plain.bpm, plain.key, plain.kind)


def test_a_loop_played_backwards_keeps_its_length_in_beats(write: Write, loop: DemoSound) -> None:
    assert loop.bpm is not None
    found = analyse_file(write("a.wav", loop.signal[::-1])).analysis
    octaves = [bpm / loop.bpm for bpm, _ in found.bpm_candidates]
    assert min(abs(octave - 1) for octave in octaves) < 0.01


def test_384_kilohertz_are_brought_down_and_are_still_a_loop(write: Write, loop: DemoSound) -> None:
    short = np.repeat(loop.signal[: 4 * RATE], 8, axis=0)
    found = analyse_file(write("a.wav", short, 384_000))
    assert found.survey.window_rate == 48_000
    assert found.analysis.kind.value == "loop"


def test_what_is_no_number_is_analysed_as_silence(write: Write) -> None:
    signal = np.full(RATE, np.nan, np.float32)
    signal[::7] = np.inf
    found = analyse_file(write("a.wav", signal, subtype="FLOAT"))
    assert found.survey.silent
    assert found.analysis.bpm is None
    assert found.analysis.key is None
    assert np.isfinite(found.analysis.likeness).all()


def test_sixteen_channels_are_one_sound(write: Write) -> None:
    signal = np.stack([sine(220 * (channel + 1), 1.0, 0.05) for channel in range(16)], axis=1)
    found = analyse_file(write("a.wav", signal))
    assert found.survey.header.channels == 16
    assert np.abs(found.survey.window).max() > 0.01

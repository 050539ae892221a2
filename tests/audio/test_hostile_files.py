"""Extreme files: endless, inverted, reversed, with invalid samples. Time and memory are bounded."""

import struct
import time
import tracemalloc
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soxr

from sp404_app.audio.features.analysis import Analysis, Kind, analyse, analyse_file
from sp404_app.audio.features.survey import survey_file
from sp404_app.audio.io import ffmpeg, peaks, source
from sp404_app.audio.io.decode import decode_blocks
from sp404_app.audio.synth import drums
from sp404_app.audio.synth.demo_sounds import DemoSound, demo_sounds
from sp404_app.errors import BadAudio
from tests.audio import material
from tests.audio.conftest import RATE, Write, growth, sine

HOURS = 3


@pytest.fixture(scope="module")
def loop() -> DemoSound:
    return next(sound for sound in demo_sounds() if sound.name == "Four Doors Down")


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """Write three hours of 8 kHz audio with clicks, minute by minute."""
    path = tmp_path / "endless.wav"
    minute = np.full(60 * 8000, 128, np.uint8)
    minute[::4000] = 255
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", "NONE"))
        for _ in range(60 * HOURS):
            file.writeframesraw(minute.tobytes())
    return path


def test_a_survey_of_three_hours_takes_less_than_35_mb(endless: Path) -> None:
    tracemalloc.start()
    try:
        found = survey_file(endless)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.duration == HOURS * 3600
    assert len(found.window) == 30 * 8000
    assert not found.whole
    assert most < 35e6


def test_peaks_of_three_hours_take_less_than_35_mb(endless: Path) -> None:
    builder = peaks.PeaksBuilder(8000)
    tracemalloc.start()
    try:
        for block in decode_blocks(endless):
            builder.feed(block)
        found = builder.done()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.frames == HOURS * 3600 * 8000
    assert most < 35e6


def test_one_inverted_channel_keeps_tempo_and_key(write: Write, loop: DemoSound) -> None:
    side = loop.signal.mean(axis=1)
    plain = analyse_file(write("a.wav", side)).analysis
    found = analyse_file(write("b.wav", np.stack([side, -side], axis=1))).analysis
    assert (found.bpm, found.key, found.kind) == (plain.bpm, plain.key, plain.kind)


def test_a_reversed_loop_keeps_its_tempo(write: Write, loop: DemoSound) -> None:
    assert loop.bpm is not None
    found = analyse_file(write("a.wav", loop.signal[::-1])).analysis
    octaves = [bpm / loop.bpm for bpm, _ in found.bpm_candidates]
    assert min(abs(octave - 1) for octave in octaves) < 0.01


def test_a_loop_at_384_khz_is_decimated_and_classified_as_a_loop(
    write: Write, loop: DemoSound
) -> None:
    short = np.repeat(loop.signal[: 4 * RATE], 8, axis=0)
    found = analyse_file(write("a.wav", short, 384_000))
    assert found.survey.window_rate == 48_000
    assert found.analysis.kind.value == "loop"


def test_nan_is_analysed_as_silence(write: Write) -> None:
    signal = np.full(RATE, np.nan, np.float32)
    signal[::7] = np.inf
    found = analyse_file(write("a.wav", signal, subtype="FLOAT"))
    assert found.survey.silent
    assert found.analysis.bpm is None
    assert found.analysis.key is None
    assert np.isfinite(found.analysis.likeness).all()


def test_sixteen_channels_are_analysed(write: Write) -> None:
    signal = np.stack([sine(220 * (channel + 1), 1.0, 0.05) for channel in range(16)], axis=1)
    found = analyse_file(write("a.wav", signal))
    assert found.survey.header.channels == 16
    assert np.abs(found.survey.window).max() > 0.01


def analysed(signal: np.ndarray, rate: int = RATE) -> Analysis:
    return analyse(signal.astype(np.float32), rate, duration=len(signal) / rate)


def test_an_analysis_of_three_hours_takes_less_than_60_mb(endless: Path) -> None:
    """Measured in a new process, including the memory of libraries."""
    grown = growth(
        "from pathlib import Path\n"
        "import sp404_app.audio.features.analysis\n"
        "sp404_app.audio.features.analysis.warm_up_engine()",
        "sp404_app.audio.features.analysis.analyse_file(Path(sys.argv[1]))",
        endless,
    )
    assert grown < 60e6


def test_a_header_that_states_hours_costs_only_the_existing_audio(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 48_000, 0, "NONE", "NONE"))
        file.writeframesraw(bytes(48_000 * 4))
    bytes_ = bytearray(path.read_bytes())
    bytes_[40:44] = (3 * 3600 * 48_000 * 4).to_bytes(4, "little")
    path.write_bytes(bytes_)
    started = time.process_time()
    found = survey_file(path)
    assert time.process_time() - started < 1
    assert found.duration == 1


@pytest.mark.parametrize("container", ["WAV", "W64", "CAF", "AIFF"])
def test_24_channels_are_rejected_with_a_message(write: Write, container: str) -> None:
    path = write("a", np.zeros((100, 24)), format=container, subtype="PCM_16")
    with pytest.raises(BadAudio, match=r"24 channels\. The limit is 16"):
        analyse_file(path)


@pytest.mark.parametrize("bpm", [180, 200, 240, 300])
def test_gabber_is_a_loop_at_its_tempo_or_half_of_it(bpm: int) -> None:
    found = analysed(material.gabber(bpm))
    assert found.kind is Kind.LOOP
    assert found.bpm in (pytest.approx(bpm, rel=1e-3), pytest.approx(bpm / 2, rel=1e-3))


def test_a_band_limited_loop_keeps_its_tempo(loop: DemoSound) -> None:
    narrow = drums.band_pass(loop.signal.mean(axis=1), 300, 3400)
    found = analysed(soxr.resample(narrow, RATE, 8000), 8000)
    assert found.kind is Kind.LOOP
    assert found.bpm == pytest.approx(loop.bpm)


def test_a_few_invalid_samples_keep_the_tempo(write: Write, loop: DemoSound) -> None:
    broken = loop.signal.copy()
    for at, value in ((100, np.nan), (50_000, np.inf), (90_000, -np.inf)):
        broken[at] = value
    found = analyse_file(write("a.wav", broken, subtype="FLOAT"))
    assert found.analysis.bpm == pytest.approx(loop.bpm)
    assert found.survey.peak_dbfs == pytest.approx(-1, abs=0.1)


@pytest.mark.parametrize("milliseconds", [1, 5, 10, 30])
def test_a_hit_of_a_few_milliseconds_is_a_one_shot(milliseconds: int) -> None:
    hit = drums.snare(np.random.default_rng(1))[: RATE * milliseconds // 1000]
    found = analysed(hit)
    assert found.kind is Kind.ONE_SHOT
    assert found.bpm is None
    assert found.onsets == [] or found.onsets[0] < 0.006


PULSELESS = [material.speech, material.rubato_piano, material.field_recording, material.drone]


@pytest.mark.parametrize("make", PULSELESS, ids=lambda make: make.__name__)
def test_sounds_without_a_pulse_have_no_confident_tempo(
    make: Callable[[int], np.ndarray],
) -> None:
    """A tempo that is reported all the same is shown as a guess."""
    started = time.process_time()
    found = [analysed(make(seed)) for seed in range(4)]
    assert time.process_time() - started < 6
    for each in found:
        assert each.bpm_confidence < 0.9
        assert (each.bpm is None) == (each.beats == [])
    assert np.mean([each.bpm_confidence for each in found]) < 0.7


def test_an_unlikely_tempo_is_only_a_candidate() -> None:
    found = [analysed(material.speech(seed)) for seed in range(8, 20)]
    quiet = [each for each in found if each.kind is Kind.LOOP and each.bpm is None]
    assert quiet
    for each in quiet:
        assert each.bpm_confidence == 0
        assert each.bpm_candidates
        assert max(chance for _, chance in each.bpm_candidates) < 0.6
        assert not each.beats


def test_field_recordings_have_no_key() -> None:
    assert [analysed(material.field_recording(seed)).key for seed in range(3)] == [None] * 3


def caf(bytes_per_packet: int, frames_per_packet: int, chunk: bytes) -> bytes:
    """Return a Core Audio file, 16-bit mono, optionally with a wrong header."""
    lpcm = struct.pack(">d4s5I", 44_100.0, b"lpcm", 0, bytes_per_packet, frames_per_packet, 1, 16)
    return b"caff" + struct.pack(">HH4sq", 1, 0, b"desc", 32) + lpcm + chunk


def test_an_invalid_chunk_offset_is_rejected_with_a_message(tmp_path: Path) -> None:
    path = tmp_path / "a.caf"
    path.write_bytes(caf(2, 1, struct.pack(">4sQ", b"free", 0x7F00000000000FB0) + bytes(9000)))
    with pytest.raises(BadAudio, match="CAF file is damaged"):
        analyse_file(path, "")


def test_packets_of_one_frame_are_decoded_in_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "a.caf"
    data = struct.pack(">4sqI", b"data", 4 + 120_000, 0) + bytes(120_000)
    path.write_bytes(caf(2, 0x800001, data))
    started = time.process_time()
    with source.open_source(path) as file:
        assert sum(map(len, ffmpeg.ffmpeg_blocks(file))) == 60_000
    assert time.process_time() - started < 8

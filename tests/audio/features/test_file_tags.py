"""Metadata that programs write into files, and when it is used."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sp404_app.audio.features.analysis import analyse_file
from sp404_app.audio.features.file_tags import read_file_tags
from sp404_app.audio.features.filename_hints import StatedMetadata
from sp404_app.audio.io import decode
from sp404_app.audio.synth.drums import RATE, hat, kick
from sp404_app.audio.synth.sequencer import Loop
from sp404_app.audio.synth.tones import pluck
from tests.audio.files import chunk


def riff(chunk: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WAVE" + chunk


def acid(bpm: float, flags: int = 0, beats: int = 8, root: int = 60) -> bytes:
    return b"acid" + struct.pack("<IIHHfIHHf", 24, flags, root, 0, 0.0, beats, 4, 4, bpm)


def smpl(root: int) -> bytes:
    return b"smpl" + struct.pack("<I9I", 36, 0, 0, 22_675, root, 0, 0, 0, 0, 0)


def basc(beats: int, note: int = 48, scale: int = 3) -> bytes:
    body = struct.pack(">IIHHHHH", 1, beats, note, scale, 4, 4, 0) + bytes(66)
    return b"basc" + struct.pack(">I", len(body)) + body


def form(chunk: bytes) -> bytes:
    return b"FORM" + struct.pack(">I", 4 + len(chunk)) + b"AIFF" + chunk


@pytest.mark.parametrize(
    ("bytes_", "bpm", "key"),
    [
        (riff(acid(93.5)), 93.5, None),
        (riff(acid(93.5, flags=1)), None, None),
        (riff(acid(93.5, beats=0)), None, None),
        (riff(acid(9000.0)), None, None),
        (riff(b"acid\x18\0\0\0short"), None, None),
        (riff(chunk(b"LIST", b"acid" + bytes(400_000)) + acid(93.5)), 93.5, None),
        (form(basc(8, 57, 1)), None, "A minor"),
        (form(basc(8, 60, 2)), None, "C major"),
        (form(basc(8, 60, 3)), None, None),
        (form(b"basc"), None, None),
        (b"caff..info\0tempo\x00120\0key signature\0Dm\0", 120, "D minor"),
        (b"caff..\0key signature\0Eb\0tempo\x001\0", None, "D# major"),
        (
            riff(chunk(b"junk", bytes(100_000)) + acid(120.0) + chunk(b"bext", bytes(9999))),
            120,
            None,
        ),
        (riff(chunk(b"LIST", b"odd", pad=False) + acid(120.0)), 120, None),
        (b"", None, None),
    ],
)
def test_tempo_and_key_tags_are_parsed(
    tmp_path: Path, bytes_: bytes, bpm: float | None, key: str | None
) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes_)
    found = read_file_tags(path)
    assert found.bpm == (None if bpm is None else pytest.approx(bpm, abs=0.01))
    assert found.key == key


@pytest.mark.parametrize(
    ("bytes_", "root"),
    [
        (riff(smpl(45)), 45),
        (riff(smpl(45) + acid(0, flags=3, root=52)), 52),
        (riff(acid(90, flags=0, root=52)), None),
        (riff(smpl(400)), None),
        (riff(smpl(2**31 - 1)), None),
        (form(basc(4)), None),
    ],
)
def test_root_notes_are_parsed(tmp_path: Path, bytes_: bytes, root: int | None) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes_)
    assert read_file_tags(path).root == root


def test_a_number_of_beats_and_the_length_give_a_tempo() -> None:
    assert StatedMetadata(beats=8).tempo(4.0) == pytest.approx(120)
    assert StatedMetadata(bpm=90, beats=8).tempo(4.0) == 90
    assert StatedMetadata(beats=8).tempo(0.0) is None
    assert StatedMetadata(beats=4096).tempo(1.0) is None
    assert StatedMetadata().tempo(4.0) is None


def groove(bpm: float, beats: int) -> np.ndarray:
    loop = Loop(bpm, beats)
    rng = np.random.default_rng(3)
    loop.row("X---X---X---X---", [kick(rng)], 0.9, 0)
    loop.row("--x---x---x---x-", [hat(rng)], 0.4, 0)
    return loop.frames.mean(axis=1)


def with_chunk(path: Path, chunk: bytes, order: str) -> Path:
    """Append a chunk to a real file and increase its outer size."""
    bytes_ = path.read_bytes() + chunk
    size = struct.pack(order + "I", len(bytes_) - 8)
    path.write_bytes(bytes_[:4] + size + bytes_[8:])
    assert decode.probe_header(path).frames > 0
    return path


def test_the_beats_of_an_apple_loop_set_the_tempo(tmp_path: Path) -> None:
    path = tmp_path / "loop.aiff"
    for beats in (8, 4, 16):  # the estimate is 8; the stated number takes precedence
        soundfile.write(path, groove(124, 8), RATE, format="AIFF")
        found = analyse_file(with_chunk(path, basc(beats, 57, 1), ">"), "").analysis
        assert (found.bpm_source, found.bpm_conflict) == ("file", False)
        assert (found.bpm, found.stated_bpm) == pytest.approx((124 * beats / 8,) * 2, abs=0.1)


def test_a_tempo_that_the_length_contradicts_is_a_conflict(tmp_path: Path) -> None:
    path = tmp_path / "loop.wav"
    soundfile.write(path, groove(124, 8), RATE, subtype="PCM_16")
    found = analyse_file(with_chunk(path, acid(101.0), "<"), "").analysis
    assert (found.bpm_source, found.bpm_conflict, found.stated_bpm) == ("analysis", True, 101.0)
    assert found.bpm == pytest.approx(124, abs=0.1)


@pytest.mark.parametrize(
    ("played", "written", "bpm"),
    [(124, 124, 124), (124, 125, 125), (124, 124.6, 124), (97.37, 97.37, 97.37)],
)
def test_a_fractional_tempo_is_used_only_if_the_length_matches_it_exactly(
    tmp_path: Path, played: float, written: float, bpm: float
) -> None:
    path = tmp_path / "loop.wav"
    soundfile.write(path, groove(played, 8), RATE, subtype="PCM_16")
    found = analyse_file(with_chunk(path, acid(written), "<"), "").analysis
    assert (found.bpm, found.bpm_source) == (pytest.approx(bpm, abs=0.01), "file")


def test_a_stated_root_sets_the_octave_but_not_the_pitch_class(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    for stated, root in ((57, 57), (69, 69), (60, 57)):
        soundfile.write(path, pluck(57, 1.2), RATE, subtype="PCM_16")
        found = analyse_file(with_chunk(path, smpl(stated), "<"), "").analysis
        assert found.root_note == root
    assert found.root_name == "A3"


def test_a_stated_root_is_ignored_for_unpitched_sounds(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, hat(np.random.default_rng(1)), RATE, subtype="PCM_16")
    assert analyse_file(with_chunk(path, smpl(60), "<"), "").analysis.root_note is None

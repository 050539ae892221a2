"""What people write into names and tags, and what they do not mean."""

import struct
from pathlib import Path

import pytest

from sp404_app.audio import hints
from sp404_app.audio.hints import Stated, fits, from_name, from_tags


@pytest.mark.parametrize(
    ("name", "bpm", "key"),
    [
        ("Break_95bpm_F#m.wav", 95, "F# minor"),
        ("95 BPM/break.wav", 95, None),
        ("LOOP - Ab minor - 124 BPM - Ooh.wav", 124, "G# minor"),
        ("bass_bpm120_Cmaj.wav", 120, "C major"),
        ("Pad D minor.aif", None, "D minor"),
        ("chords_Bbmin_88.5bpm.flac", 88.5, "A# minor"),
        ("keys 8A 90bpm.wav", 90, "A minor"),
        ("Am_loop.wav", None, "A minor"),
        ("i am here.wav", None, None),
        ("a major disaster 2.wav", None, "A major"),
        ("kick 01.wav", None, None),
        ("909beat.wav", None, None),
        ("loop 999bpm.wav", None, None),
        ("Gsharp minor riff.wav", None, "G# minor"),
        ("Fb minor.wav", None, "E minor"),
        ("", None, None),
    ],
)
def test_names_are_read(name: str, bpm: float | None, key: str | None) -> None:
    found = from_name(name)
    assert (found.bpm, found.key) == (bpm, key)


def test_a_bare_number_may_be_a_tempo_but_is_not_sure() -> None:
    assert from_name("groove_120_dry.wav") == Stated(120, None, sure=False)
    assert from_name("groove 120bpm.wav") == Stated(120, None, sure=True)


def riff(chunk: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WAVE" + chunk


def acid(bpm: float, flags: int = 0, beats: int = 8) -> bytes:
    return b"acid" + struct.pack("<IIHHfIHHf", 24, flags, 60, 0, 0.0, beats, 4, 4, bpm)


def id3(frame: bytes, text: bytes) -> bytes:
    return b"ID3\x03\0\0\0\0\0\x40" + frame + struct.pack(">I", len(text)) + b"\0\0" + text


@pytest.mark.parametrize(
    ("bytes_", "bpm", "key"),
    [
        (riff(acid(93.5)), 93.5, None),
        (riff(acid(93.5, flags=1)), None, None),
        (riff(acid(93.5, beats=0)), None, None),
        (riff(acid(9000.0)), None, None),
        (riff(b"acid\x18\0\0\0short"), None, None),
        (riff(bytes(100_000) + acid(120.0)), 120, None),
        (id3(b"TBPM", b"\x00128\x00"), 128, None),
        (id3(b"TBPM", b"\x01" + "87".encode("utf-16")), 87, None),
        (id3(b"TKEY", b"\x00F#m"), None, "F# minor"),
        (id3(b"TBPM", b"\x00fast"), None, None),
        (b"fLaC..bpm=174\x05\0\0\0initialkey=Am\x01", 174, "A minor"),
        (b"OggS..TEMPO=66.6", 66.6, None),
        (b"", None, None),
    ],
)
def test_tags_are_read(tmp_path: Path, bytes_: bytes, bpm: float | None, key: str | None) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes_)
    found = from_tags(path)
    assert found.bpm == (None if bpm is None else pytest.approx(bpm, abs=0.01))
    assert found.key == key


def test_a_tempo_fits_a_length_of_whole_bars() -> None:
    assert fits(120, 8.0)
    assert fits(120, 8.05)
    assert not fits(120, 8.6)
    assert fits(90, 2.0)
    assert not fits(100, 0.2)
    assert hints.MIN_BPM < hints.MAX_BPM

"""Tempo and key in text tags: ID3 at any position, Vorbis comments, APE, M4A."""

import struct
from pathlib import Path

import numpy as np
import pytest

from sp404_app.audio.features.file_tags import read_file_tags
from sp404_app.audio.features.filename_hints import StatedMetadata
from tests.audio import files
from tests.audio.conftest import encode_m4a, sine

TONE = sine(440, 0.5)
CODINGS = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}


def text(name: bytes, value: str, coding: int = 0, version: int = 3) -> bytes:
    return files.id3_frame(name, bytes([coding]) + value.encode(CODINGS[coding]), version)


def read(path: Path, content: bytes) -> StatedMetadata:
    path.write_bytes(content)
    return read_file_tags(path)


def in_wav(tag: bytes, name: bytes = b"id3 ", *, pad: bool = True) -> bytes:
    data = files.chunk(b"data", files.pcm(TONE))
    return files.riff(files.fmt(), data, files.chunk(name, tag, pad=pad))


def in_aiff(tag: bytes) -> bytes:
    return files.aiff(files.comm(len(TONE)), files.ssnd(TONE), files.chunk(b"ID3 ", tag, ">"))


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("pictured", [0, 300_000])
def test_id3_tags_are_parsed_in_every_container(
    tmp_path: Path, version: int, coding: int, pictured: int
) -> None:
    frames = [text(b"TBPM", "128", coding, version), text(b"TKEY", "F#m", coding, version)]
    if pictured:
        frames.insert(0, files.picture(pictured, version))
    tag = files.id3(*frames, version=version)
    adts = encode_m4a(tmp_path / "a.aac", TONE[:, None], "aac", "adts").read_bytes()
    contents = [
        in_wav(tag),
        in_wav(tag, b"ID3 "),
        in_wav(tag, pad=False),
        files.riff(files.chunk(b"id3 ", tag), files.fmt(), files.chunk(b"data", b"")),
        in_aiff(tag),
        tag + files.mp3(TONE),
        bytes(99) + tag + files.mp3(TONE),
        files.ape() + tag + files.mp3(TONE),
        tag + adts,
        tag + files.packed(TONE, format="FLAC"),
    ]
    for content in contents:
        found = read(tmp_path / "x", content)
        assert (found.bpm, found.key) == (128, "F# minor")


@pytest.mark.parametrize(
    ("name", "value", "bpm", "key"),
    [
        (b"TBPM", "fast", None, None),
        (b"TBPM", "92,5", 92.5, None),
        (b"TBPM", " 174.00 BPM", 174, None),
        (b"TBPM", "9000", None, None),
        (b"TKEY", "8A", None, "A minor"),
        (b"TKEY", "o", None, None),
    ],
)
def test_tag_values_are_parsed_leniently(
    tmp_path: Path, name: bytes, value: str, bpm: float | None, key: str | None
) -> None:
    found = read(tmp_path / "x", files.id3(text(name, value)) + files.mp3(TONE))
    assert (found.bpm, found.key) == (bpm, key)


def test_binary_tempo_fields_precede_text_tags(tmp_path: Path) -> None:
    acid = struct.pack("<IHHfIHHf", 0, 60, 0, 0.0, 8, 4, 4, 93.5)
    data = files.chunk(b"data", files.pcm(TONE))
    tag = files.chunk(b"id3 ", files.id3(text(b"TBPM", "184"), text(b"TKEY", "Am")))
    content = files.riff(files.fmt(), files.chunk(b"acid", acid), data, tag)
    found = read(tmp_path / "x", content)
    assert (found.bpm, found.key) == (93.5, "A minor")


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 40])
def test_a_truncated_tag_is_ignored(tmp_path: Path, size: int) -> None:
    tag = files.id3(text(b"TIT2", "a name of some length"), text(b"TBPM", "128"))[:size]
    for content in (in_wav(tag), in_aiff(tag), tag + files.mp3(TONE), tag):
        assert read(tmp_path / "x", content) == StatedMetadata()


def test_vorbis_comments_are_parsed_after_pictures(tmp_path: Path) -> None:
    flac = files.packed(TONE, format="FLAC")
    vendor = struct.pack("<I", 1) + b"x" + struct.pack("<I", 2)
    said = b"".join(struct.pack("<I", len(s)) + s for s in (b"BPM=174", b"initialkey=Am"))
    picture = struct.pack(">IIII4xI", 3, 0, 0, 32, 0) + bytes(8) + bytes(300_000)
    blocks = b"".join(
        bytes([kind]) + len(body).to_bytes(3, "big") + body
        for kind, body in ((6, picture), (4, vendor + said))
    )
    found = read(tmp_path / "x", flac[:4] + b"\0" + flac[5:42] + blocks + flac[42:])
    assert (found.bpm, found.key) == (174, "A minor")


def atom(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def test_m4a_tempo_and_key_are_parsed(tmp_path: Path) -> None:
    path = encode_m4a(tmp_path / "x.m4a", np.stack([TONE, TONE], axis=1))
    whole = path.read_bytes()
    at = whole.index(b"moov") - 4
    moov = whole[at : at + int.from_bytes(whole[at : at + 4], "big")]
    inside = moov[8 : moov.index(b"udta") - 4] if b"udta" in moov else moov[8:]
    tmpo = atom(b"tmpo", atom(b"data", struct.pack(">IIH", 21, 0, 92)))
    free = atom(b"mean", bytes(4) + b"com.apple.iTunes") + atom(b"name", bytes(4) + b"initialkey")
    key = atom(b"----", free + atom(b"data", struct.pack(">II", 1, 0) + b"Am"))
    hdlr = atom(b"hdlr", bytes(8) + b"mdirappl" + bytes(10))
    for ilst, bpm in ((tmpo + key, 92), (key + tmpo, 92), (key, None)):
        meta = atom(b"meta", bytes(4) + hdlr + atom(b"ilst", ilst))
        content = whole[:at] + atom(b"moov", inside + atom(b"udta", meta))
        found = read(path, content)
        assert (found.bpm, found.key) == (bpm, "A minor")
    for end in range(at, len(content), 50):  # truncation at any position is no error
        read(path, content[:end])

"""Headers of WAV files on the card of a SP-404SX."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.sample_file import SampleFile
from sp404_app.devices.sx.wave import (
    build_wave_header,
    change_wave_index,
    parse_wave_header,
    read_wave_index,
)
from tests.devices.real_files import needs_real_files, real_file

PCM_BYTES = 384_876
SIZE = 385_388


def header(index: int = 0, fmt: bytes | None = None, pcm_bytes: int = PCM_BYTES) -> bytes:
    fmt = fmt or bytes.fromhex("0100 0200 44AC0000 10B10200 0400 1000 0000")
    riff = b"RIFF" + pack("<I", SIZE - 8) + b"WAVEfmt " + pack("<I", len(fmt)) + fmt
    mark = b"RLND" + pack("<I", 500 - len(riff) - 4) + b"roifspsx\4\0\0\0"
    roland = (riff + mark + bytes([index, 0, 0, 0])).ljust(504, b"\0")
    return roland + b"data" + pack("<I", pcm_bytes)


def test_a_header_has_the_bytes_of_the_table() -> None:
    assert build_wave_header(0, 2, PCM_BYTES // 4) == header()
    assert header()[42:46] == pack("<I", 458)
    mono = build_wave_header(119, 1, PCM_BYTES // 2)
    fmt = bytes.fromhex("0100 0100 44AC0000 88580100 0200 1000 0000")
    assert mono == header(119, fmt)


@needs_real_files
def test_a_header_of_rolands_converter_is_read_and_built() -> None:
    real = real_file("sx/A0000001.header512.bin")
    assert build_wave_header(0, 2, PCM_BYTES // 4) == real == header()
    assert real[12:38] == real_file("sx/fmt_chunk.bin")
    assert real[38:504] == real_file("sx/rldn_chunk.bin")


def test_a_header_says_where_the_audio_is() -> None:
    assert parse_wave_header(header(), SIZE) == SampleFile(2, 44_100, "little", PCM_BYTES, 512)
    assert parse_wave_header(header(pcm_bytes=1003), SIZE).frames == 250


def test_the_index_of_the_pad_can_be_changed() -> None:
    assert read_wave_index(header(7)) == 7
    assert change_wave_index(header(7), 119) == header(119)


def test_a_header_of_another_program_is_read_and_has_no_index() -> None:
    other = b"RIFF" + pack("<I", SIZE - 8) + b"WAVEfmt \x10\0\0\0" + header()[20:36]
    other += b"RLND" + pack("<I", 460)
    other = other.ljust(504, b"\0") + header()[504:]
    assert parse_wave_header(other, SIZE).pcm_bytes == PCM_BYTES
    assert read_wave_index(other) is None
    assert change_wave_index(other, 5) == other


def with_format(number: int, offset: int, form: str = "<H") -> bytes:
    data = bytearray(header())
    patch = pack(form, number)
    data[20 + offset : 20 + offset + len(patch)] = patch
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "size", "words"),
    [
        (b"", 0, "not a WAV"),
        (header()[:511], SIZE, "not a WAV"),
        (b"FORM" + header()[4:], SIZE, "not a WAV"),
        (header()[:8] + b"AVI " + header()[12:], SIZE, "not a WAV"),
        (header()[:12] + b"junk" + header()[16:], SIZE, "does not begin"),
        (header()[:504] + b"LIST" + header()[508:], SIZE, "does not begin"),
        (header()[:42] + b"\xff\xff\xff\xff" + header()[46:], SIZE, "does not begin"),
        (with_format(3, 0), SIZE, "plain PCM"),
        (with_format(3, 2), SIZE, "3 channels"),
        (with_format(48_000, 4, "<I"), SIZE, "48000 Hz"),
        (with_format(24, 14), SIZE, "24 bits"),
        (header(), SIZE - 1, "cut off: 1 bytes"),
    ],
)
def test_other_and_damaged_files_are_refused(data: bytes, size: int, words: str) -> None:
    with pytest.raises(InvalidDeviceFile, match=words):
        parse_wave_header(data, size)


def test_a_sample_above_4_gb_is_refused() -> None:
    with pytest.raises(InvalidDeviceFile, match="too long"):
        build_wave_header(0, 2, 2**30)


@given(st.integers(0, 119), st.sampled_from([1, 2]), st.integers(0, 2**30 - 129))
def test_every_length_comes_back(index: int, channels: int, frames: int) -> None:
    built = build_wave_header(index, channels, frames)
    audio = parse_wave_header(built, 512 + frames * channels * 2)
    assert (audio.channels, audio.frames, read_wave_index(built)) == (channels, frames, index)


@given(st.binary(max_size=40), st.integers(0, 511), st.integers(0, SIZE))
def test_any_change_of_a_header_is_read_or_refused(patch: bytes, at: int, size: int) -> None:
    data = header()[:at] + patch + header()[at + len(patch) :]
    try:
        audio = parse_wave_header(data, size)
    except InvalidDeviceFile:
        return
    assert 0 <= audio.pcm_bytes <= size - 512

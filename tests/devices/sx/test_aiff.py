"""Headers of the AIFF files that a SP-404SX records."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.sample_file import SampleFile
from sp404_app.devices.sx.aiff import (
    change_aiff_index,
    declared_pcm_bytes,
    parse_aiff_header,
    read_aiff_index,
)

FRAMES = 1000
SIZE = 512 + FRAMES * 4
RATE_44100 = bytes.fromhex("400E AC44 0000 0000 0000")


def header(
    index: int = 0, rate: bytes = RATE_44100, bits: int = 16, channels: int = 2, data: int = 4008
) -> bytes:
    comm = b"COMM" + pack(">IHIH", 18, channels, FRAMES, bits) + rate
    mark = b"APPL" + pack(">I", 450) + b"RLNDroifspsx" + pack(">II", 4, index)
    start = b"FORM" + pack(">I", SIZE - 8) + b"AIFF" + comm + mark
    return start.ljust(496, b"\0") + b"SSND" + pack(">III", data, 0, 0)


def test_a_header_says_where_the_audio_is() -> None:
    assert len(header()) == 512
    assert parse_aiff_header(header(), SIZE) == SampleFile(2, 44_100, "big", 4000, 512)
    assert parse_aiff_header(header(channels=1), SIZE).pcm_bytes == 2000


def test_the_declared_audio_may_end_within_a_frame() -> None:
    assert declared_pcm_bytes(header()) == 4000
    assert declared_pcm_bytes(header(data=4011)) == 4003


def test_the_index_of_the_pad_can_be_changed() -> None:
    assert header(7)[62:66] == b"\0\0\0\7"
    assert read_aiff_index(header(7)) == 7
    assert change_aiff_index(header(7), 119) == header(119)


@pytest.mark.parametrize(
    ("data", "size", "words"),
    [
        (b"", 0, "not an AIFF"),
        (header()[:511], SIZE, "not an AIFF"),
        (b"RIFF" + header()[4:], SIZE, "not an AIFF"),
        (header()[:8] + b"AIFC" + header()[12:], SIZE, "not an AIFF"),
        (header()[:12] + b"INST" + header()[16:], SIZE, "laid out"),
        (header()[:496] + b"ANNO" + header()[500:], SIZE, "laid out"),
        (header()[:504] + b"\0\0\0\1" + header()[508:], SIZE, "laid out"),
        (header(rate=bytes.fromhex("400E BB80 0000 0000 0000")), SIZE, "48000 Hz"),
        (header(rate=b"\xff" * 10), SIZE, " 0 Hz"),
        (header(rate=bytes(10)), SIZE, " 0 Hz"),
        (header(bits=8), SIZE, "8 bits"),
        (header(channels=9), SIZE, "9 channels"),
        (header(data=4007), SIZE, "damaged"),
        (header(), SIZE - 1, "cut off: 1 bytes"),
    ],
)
def test_other_and_damaged_files_are_refused(data: bytes, size: int, words: str) -> None:
    with pytest.raises(InvalidDeviceFile, match=words):
        parse_aiff_header(data, size)


@given(st.binary(max_size=40), st.integers(0, 511), st.integers(0, SIZE))
def test_any_change_of_a_header_is_read_or_refused(patch: bytes, at: int, size: int) -> None:
    data = header()[:at] + patch + header()[at + len(patch) :]
    try:
        audio = parse_aiff_header(data, size)
    except InvalidDeviceFile:
        return
    assert 0 <= audio.pcm_bytes <= size - 512

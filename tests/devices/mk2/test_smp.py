"""Headers of SMP files."""

import hashlib
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2.smp import build_smp_header, is_hash_right, parse_smp_header
from sp404_app.devices.sample_file import SampleFile
from tests.devices.real_files import needs_real_files, real_file

# 576,000 bytes of stereo PCM.
WORDS = bytes.fromhex("0008CBF8 0000BB80 00000002 00000010")
MD5 = hashlib.md5(WORDS).digest()  # noqa: S324 - the format uses it
HEADER = b"RFWV" + WORDS + bytes(12) + MD5 + b"f" * 464


def header(**words: int) -> bytes:
    values = {"size": 576_504, "rate": 48_000, "channels": 2, "bits": 16} | words
    return b"RFWV" + pack(">4I", *values.values()) + HEADER[20:]


def test_a_header_has_the_bytes_of_the_table() -> None:
    built = build_smp_header(2, 144_000)
    assert len(built) == 512
    assert built[:0x30] == HEADER[:0x30]
    assert MD5[:4] == bytes.fromhex("2974FF85")
    assert len(set(built[0x30:])) > 200  # the filler looks random


def test_a_header_is_the_same_each_time() -> None:
    assert build_smp_header(1, 7) == build_smp_header(1, 7)
    assert hashlib.sha256(build_smp_header(1, 7)[0x30:]).hexdigest().startswith("a1d8b069b91ba155")


def test_a_header_says_where_the_audio_is() -> None:
    assert parse_smp_header(HEADER, 576_512) == SampleFile(2, 48_000, "big", 576_000, 512)
    assert parse_smp_header(HEADER, 576_512).frames == 144_000
    mono = parse_smp_header(header(channels=1), 576_512)
    assert (mono.channels, mono.frames) == (1, 288_000)


@needs_real_files
def test_a_header_of_a_device_is_read_and_built() -> None:
    real = real_file("mk2/BANK1-01.header512.bin")
    assert is_hash_right(real)
    audio = parse_smp_header(real, 308_716)
    assert (audio.channels, audio.frames) == (2, 77_051)
    assert build_smp_header(2, 77_051)[:0x30] == real[:0x30]


def test_a_wrong_hash_is_named_and_not_refused() -> None:
    assert is_hash_right(HEADER)
    wrong = HEADER[:0x20] + bytes(16) + HEADER[0x30:]
    assert not is_hash_right(wrong)
    assert parse_smp_header(wrong, 576_512).frames == 144_000


def test_trailing_bytes_and_half_frames_are_no_audio() -> None:
    assert parse_smp_header(HEADER, 600_000).pcm_bytes == 576_000
    assert parse_smp_header(header(size=576_507), 576_515).pcm_bytes == 576_000


@pytest.mark.parametrize(
    ("data", "size", "words"),
    [
        (b"", 0, "not an SMP"),
        (HEADER[:511], 576_512, "not an SMP"),
        (b"RIFF" + HEADER[4:], 576_512, "not an SMP"),
        (HEADER, 576_511, "cut off: 1 bytes"),
        (header(rate=44_100), 576_512, "44100 Hz"),
        (header(bits=24), 576_512, "24 bits"),
        (header(channels=0), 576_512, "0 channels"),
        (header(channels=3), 576_512, "3 channels"),
        (header(size=503), 576_512, "damaged"),
        (header(size=0xFFFFFFFF), 576_512, "cut off"),
    ],
)
def test_other_and_damaged_files_are_refused(data: bytes, size: int, words: str) -> None:
    with pytest.raises(InvalidDeviceFile, match=words):
        parse_smp_header(data, size)


def test_a_sample_above_4_gb_is_refused() -> None:
    with pytest.raises(InvalidDeviceFile, match="too long"):
        build_smp_header(2, 2**30)


@given(st.sampled_from([1, 2]), st.integers(0, 2**30 - 129))
def test_every_length_comes_back(channels: int, frames: int) -> None:
    built = build_smp_header(channels, frames)
    audio = parse_smp_header(built, 512 + frames * channels * 2)
    assert (audio.channels, audio.frames) == (channels, frames)
    assert is_hash_right(built)


@given(st.binary(max_size=40), st.integers(0, 511), st.integers(0, 600_000))
def test_any_change_of_a_header_is_read_or_refused(patch: bytes, at: int, size: int) -> None:
    data = HEADER[:at] + patch + HEADER[at + len(patch) :]
    try:
        audio = parse_smp_header(data, size)
    except InvalidDeviceFile:
        return
    assert 0 <= audio.pcm_bytes <= size - 512

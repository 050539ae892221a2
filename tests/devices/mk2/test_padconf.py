"""PADCONF.BIN as raw bytes: parts, versions, damage."""

from dataclasses import replace
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2.padconf import (
    EMPTY_PAD,
    RawPad,
    create_padconf,
    decode_padconf,
    encode_padconf,
    replace_pads,
    upgrade,
)
from sp404_app.devices.mk2.project_settings import read_project, write_project
from tests.devices.real_files import needs_real_files, real_file, real_padconfs

V2 = b"RFPD" + bytes.fromhex("000000A0 02000000 00007A80")
V3 = b"RFPD" + bytes.fromhex("000000A0 03000000 00007A80")
# Words 0 to 42 of the record of an empty pad.
EMPTY_WORDS = (
    *(0, 0, 0, 127, 1, 0, 1, 0, 0, 9000, 0, 0, 0, 0, 0, 0, 10_000, 1, 64, 0, 1, 2, 0, 100, 0),
    *[0] * 18,
)
EMPTY_RECORD = pack(">43I", *EMPTY_WORDS)
EMPTY_NAME = b"                       \0"
EMPTY_CHOPS = b"\xff\xff\xff\xff" * 16 + bytes(64)
SETTINGS = pack(
    ">28I",
    *(9000, 0, 0, 64, 64, 64, 0, 32, 32, 32, 32, 32),
    *[18_000] * 10,
    *[0] * 6,
)
NEW_PROJECT = (
    V3
    + SETTINGS
    + b"PROJECT_10".ljust(32, b"\0")
    + EMPTY_RECORD * 160
    + EMPTY_NAME * 160
    + EMPTY_CHOPS * 160
)
numbered = [RawPad(bytes([i]) * 172, bytes([i]) * 24, bytes([i]) * 128) for i in range(160)]


def old_file() -> bytes:
    records = b"".join(raw.record for raw in numbered)
    return V2 + SETTINGS + records + b"".join(raw.name for raw in numbered)


def test_a_new_project_has_the_bytes_of_the_tables() -> None:
    assert len(NEW_PROJECT) == 52_000
    assert encode_padconf(create_padconf("PROJECT_10")) == NEW_PROJECT


@needs_real_files
def test_a_new_project_differs_from_a_real_one_only_in_its_pad() -> None:
    real = decode_padconf(real_file("mk2/PADCONF-no-chops.BIN"))
    new = replace_pads(create_padconf("PROJECT_10"), {0: real.pads[0]})
    assert encode_padconf(new) == real_file("mk2/PADCONF-no-chops.BIN")


@needs_real_files
@pytest.mark.parametrize("path", real_padconfs())
def test_a_real_file_gives_its_bytes_back(path: str) -> None:
    assert encode_padconf(decode_padconf(real_file(path))) == real_file(path)


def test_parts_lie_at_their_offsets() -> None:
    data = bytearray(NEW_PROJECT)
    data[0x10:0x80] = bytes(range(112))
    data[0x80:0xA0] = b"n" * 32
    data[0x6C20 - 172 : 0x6C20] = b"r" * 172  # the record of J16
    data[0x7B20 - 24 : 0x7B20] = b"l" * 24
    data[0x7B20 + 159 * 128 : 52_000] = b"c" * 128
    padconf = decode_padconf(bytes(data))
    assert padconf.settings == bytes(range(112))
    assert padconf.name == b"n" * 32
    assert padconf.pads[159] == RawPad(b"r" * 172, b"l" * 24, b"c" * 128)
    assert padconf.pads[0] == EMPTY_PAD == RawPad(EMPTY_RECORD, EMPTY_NAME, EMPTY_CHOPS)


def test_version_2_is_read_and_upgraded_with_a_name_and_without_chops() -> None:
    data = old_file()
    assert len(data) == 31_488
    old = decode_padconf(data)
    assert encode_padconf(old) == data
    assert (old.version, old.name, old.pads[7].chops) == (2, b"", b"")
    new = encode_padconf(upgrade(old, "Dust"))
    records, names = data[0x80 : 0x80 + 160 * 172], data[-160 * 24 :]
    expected = V3 + SETTINGS + b"Dust".ljust(32, b"\0") + records + names + EMPTY_CHOPS * 160
    assert new == expected
    assert upgrade(decode_padconf(new), "other") == decode_padconf(new)


def test_a_project_of_version_2_is_written_as_version_3() -> None:
    old = decode_padconf(old_file())
    changed = encode_padconf(replace_pads(old, {0: EMPTY_PAD}))
    assert len(changed) == 52_000
    named = write_project(replace(read_project(old), name="Dust"), old)
    assert encode_padconf(named) == encode_padconf(upgrade(old, "Dust"))


def test_trailing_bytes_are_kept() -> None:
    padconf = decode_padconf(NEW_PROJECT + b"later firmware")
    assert padconf.trailing == b"later firmware"
    assert encode_padconf(padconf) == NEW_PROJECT + b"later firmware"
    assert len(decode_padconf(NEW_PROJECT + bytes(65_536)).trailing) == 65_536


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a PADCONF.BIN"),
        (b"RFPD", "not a PADCONF.BIN"),
        (b"RFWV" + NEW_PROJECT[4:], "not a PADCONF.BIN"),
        (NEW_PROJECT[:-1], "cut off: 1 bytes"),
        (old_file()[:-100], "cut off: 100 bytes"),
        (NEW_PROJECT[:8] + b"\4\0\0\0" + NEW_PROJECT[12:], "version"),
        (NEW_PROJECT[:8] + b"\3\0\0\1" + NEW_PROJECT[12:], "version"),
        (NEW_PROJECT[:4] + b"\0\0\0\x80" + NEW_PROJECT[8:], "damaged"),
        (NEW_PROJECT[:12] + b"\0\0\x7a\x81" + NEW_PROJECT[16:], "damaged"),
        (NEW_PROJECT + bytes(65_537), "too long"),
    ],
)
def test_other_and_damaged_files_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(InvalidDeviceFile, match=words):
        decode_padconf(data)


@given(st.binary(max_size=64), st.integers(0, 52_000), st.integers(0, 52_100))
def test_any_change_of_a_file_is_read_or_refused(patch: bytes, at: int, end: int) -> None:
    data = (NEW_PROJECT[:at] + patch + NEW_PROJECT[at + len(patch) :] + bytes(100))[:end]
    try:
        padconf = decode_padconf(data)
    except InvalidDeviceFile:
        return
    assert encode_padconf(padconf) == data


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidDeviceFile):
        decode_padconf(data)

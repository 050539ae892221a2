"""PAD_INFO.BIN as raw bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.sx.pad_info import (
    EMPTY_RECORD,
    PadInfo,
    decode_pad_info,
    encode_pad_info,
    replace_records,
)
from tests.devices.real_files import needs_real_files, real_file

EMPTY = bytes.fromhex(
    "00000200 00000200 00000200 00000200 7F 00 00 01 00 01 02 00 000004B0 000004B0"
)
NUMBERED = b"".join(bytes([index]) * 32 for index in range(120))


def test_a_new_file_has_120_empty_records() -> None:
    assert encode_pad_info(PadInfo()) == EMPTY * 120
    assert len(EMPTY * 120) == 3840


@needs_real_files
def test_the_empty_record_is_that_of_the_device() -> None:
    assert real_file("sx/PAD_DEFAULTS.BIN") == EMPTY == EMPTY_RECORD


@needs_real_files
def test_a_real_file_gives_its_bytes_back() -> None:
    data = real_file("sx/PAD_INFO.BIN")
    pad_info = decode_pad_info(data)
    assert encode_pad_info(pad_info) == data
    assert pad_info.records[0] == real_file("sx/PAD_A1.BIN")
    assert pad_info.records[119] == real_file("sx/PAD_J12.BIN")
    assert pad_info.records.count(EMPTY) == 102


def test_records_lie_one_after_the_other_and_can_be_replaced() -> None:
    pad_info = decode_pad_info(NUMBERED)
    assert pad_info.records[119] == bytes([119]) * 32
    changed = encode_pad_info(replace_records(pad_info, {1: EMPTY}))
    assert changed == NUMBERED[:32] + EMPTY + NUMBERED[64:]


def test_trailing_bytes_are_kept() -> None:
    assert decode_pad_info(NUMBERED + b"more").trailing == b"more"
    assert encode_pad_info(decode_pad_info(NUMBERED + b"more")) == NUMBERED + b"more"


def test_short_and_endless_files_are_refused() -> None:
    with pytest.raises(InvalidDeviceFile, match="cut off: 1 bytes"):
        decode_pad_info(NUMBERED[:-1])
    with pytest.raises(InvalidDeviceFile, match="too long"):
        decode_pad_info(NUMBERED + bytes(65_537))


@given(st.binary(min_size=3830, max_size=3860))
def test_any_bytes_are_given_back_or_refused(data: bytes) -> None:
    try:
        pad_info = decode_pad_info(data)
    except InvalidDeviceFile:
        assert len(data) < 3840
        return
    assert encode_pad_info(pad_info) == data

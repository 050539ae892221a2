"""Pictures of a SP-404MKII project."""

import hashlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2.pictures import (
    check_picture,
    draw_picture,
    draw_screen_savers,
    draw_start_images,
)

# The header by the description of BMP files: 14 bytes, then 40, then two colours.
HEADER = bytes.fromhex(
    "424D 3E040000 0000 0000 3E000000"
    "28000000 80000000 40000000 0100 0100 00000000 00040000 00000000 00000000 02000000 00000000"
    "00000000 FFFFFF00"
)
PICTURES = [*draw_start_images(), *draw_screen_savers()]


def test_a_picture_has_the_bytes_of_the_format() -> None:
    corner = draw_picture(lambda x, y: (x, y) == (0, 0) or (y == 63 and x == 127))
    assert len(corner) == 1086
    lowest = bytes(15) + b"\x01"
    highest = b"\x80" + bytes(15)
    assert corner == HEADER + lowest + bytes(16 * 62) + highest


def test_there_are_two_start_images_and_four_screen_savers() -> None:
    assert (len(draw_start_images()), len(draw_screen_savers())) == (2, 4)
    assert len(set(PICTURES)) == 6


@pytest.mark.parametrize("picture", PICTURES)
def test_each_picture_is_loadable_and_shows_something(picture: bytes) -> None:
    check_picture(picture)
    image = Image.open(BytesIO(picture))
    assert (image.size, image.mode) == ((128, 64), "1")
    white = sum(byte.bit_count() for byte in picture[62:]) / (128 * 64)
    assert 0.05 < white < 0.7


def test_pictures_are_the_same_on_every_machine() -> None:
    digest = hashlib.sha256(b"".join(PICTURES)).hexdigest()
    assert digest.startswith("e84211376698a224")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a picture"),
        (PICTURES[0][:-1], "not a picture"),
        (b"PK" + PICTURES[0][2:], "not a picture"),
        (PICTURES[0][:10] + b"\x36" + PICTURES[0][11:], "128 × 64"),
        (PICTURES[0][:14] + b"\x7c" + PICTURES[0][15:], "128 × 64"),
        (PICTURES[0][:18] + b"\x40" + PICTURES[0][19:], "128 × 64"),
        (PICTURES[0][:28] + b"\x18" + PICTURES[0][29:], "128 × 64"),
        (PICTURES[0][:30] + b"\x01" + PICTURES[0][31:], "128 × 64"),
    ],
)
def test_other_pictures_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(InvalidDeviceFile, match=words):
        check_picture(data)


@given(st.binary(max_size=40), st.integers(0, 1086))
def test_any_change_is_accepted_or_refused(patch: bytes, at: int) -> None:
    data = PICTURES[0][:at] + patch + PICTURES[0][at + len(patch) :]
    try:
        check_picture(data)
    except InvalidDeviceFile:
        assert at < 62

"""Profile pictures: small, square, without metadata."""

import io
import struct
import uuid
import zlib

import pytest
from PIL import Image, PngImagePlugin

from sp404_app.db import transaction
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.services.account import avatars
from sp404_app.services.auth import users
from sp404_app.services.infra import storage
from tests.accounts import sign_up_user


def picture(size: tuple[int, int] = (600, 300), kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def decompression_bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few hundred bytes that claims huge dimensions."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("size", [(600, 300), (1, 1), (1, 3000)])
def test_every_format_becomes_a_small_square_webp(kind: str, size: tuple[int, int]) -> None:
    made = opened(avatars.make_avatar(io.BytesIO(picture(size, kind))))
    assert (made.size, made.format) == ((256, 256), "WEBP")


def test_metadata_is_removed() -> None:
    exif = Image.Exif()
    exif[0x010E] = "at home"
    comment = PngImagePlugin.PngInfo()
    comment.add_text("place", "at home")
    for content in (
        picture(kind="JPEG", exif=exif, comment=b"at home"),
        picture(kind="PNG", pnginfo=comment, icc_profile=b"at home"),
        picture(kind="WEBP", exif=exif),
    ):
        small = avatars.make_avatar(io.BytesIO(content))
        assert b"at home" not in small
        assert not opened(small).getexif()


def test_exif_orientation_is_applied() -> None:
    sideways = Image.new("RGB", (400, 200), "black")
    sideways.paste("white", (0, 0, 400, 100))  # the upper half, before it is turned
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    sideways.save(file, "JPEG", exif=exif)
    made = opened(avatars.make_avatar(io.BytesIO(file.getvalue()))).convert("L")
    assert made.getpixel((240, 128)) > 200
    assert made.getpixel((15, 128)) < 50


@pytest.mark.parametrize("size", [(5000, 5000), (60_000, 60_000), (2**31 - 1, 1)])
def test_a_decompression_bomb_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValidationFailed):
        avatars.make_avatar(io.BytesIO(decompression_bomb(*size)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x" * 1000,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        picture()[:200],
        picture(kind="TIFF"),
        picture(kind="BMP"),
        decompression_bomb(100, 100),
        decompression_bomb(0, 0),
    ],
)
def test_a_file_that_is_no_image_is_refused(content: bytes) -> None:
    with pytest.raises(ValidationFailed):
        avatars.make_avatar(io.BytesIO(content))


@pytest.mark.usefixtures("services")
def test_a_new_avatar_replaces_the_old_file() -> None:
    ada, bob = sign_up_user(), sign_up_user()
    small = avatars.make_avatar(io.BytesIO(picture()))
    with transaction() as session:
        first = avatars.save_avatar(session, ada.id, small)
    name = uuid.UUID(first.rpartition("/")[2])
    with transaction() as session:
        old = avatars.find_avatar_key(session, ada.id, name)
        with pytest.raises(NotFound):
            avatars.find_avatar_key(session, bob.id, name)
        assert storage.object_size(old) == len(small)
        second = avatars.save_avatar(session, ada.id, small)
    assert second != first
    with transaction() as session:
        with pytest.raises(NotFound):
            avatars.find_avatar_key(session, ada.id, name)
        assert users.get_profile(session, ada.id).avatar_url == second
    with pytest.raises(NotFound):
        storage.object_size(old)
    with transaction() as session:
        avatars.remove_avatar(session, ada.id)
        avatars.remove_avatar(session, ada.id)
    with transaction() as session:
        assert users.get_profile(session, ada.id).avatar_url is None

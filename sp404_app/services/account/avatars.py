"""Profile pictures: any accepted upload becomes a small square WebP without metadata."""

import threading
import uuid
import warnings
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlmodel import Session

from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import User
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.infra import object_deletions, storage
from sp404_app.services.infra.byte_size import format_size

SIDE_PX = 256
ACCEPTED_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
# 4 bytes each, so 96 MB. `_decode_slot` lets one picture be decoded at a time.
MAX_PIXELS = 24_000_000
MAX_AVATAR_BYTES = 10 << 20
URL_PREFIX = "/api/avatars/"
UNREADABLE = "This image can't be read. Upload a PNG, JPEG, WebP or GIF."
TOO_MANY_PIXELS = (
    f"This image is too large. Upload one of up to {MAX_PIXELS // 1_000_000} megapixels."
)
FILE_TOO_LARGE = f"This file is too large. Upload one of up to {format_size(MAX_AVATAR_BYTES)}."

_decode_slot = threading.Semaphore(1)


def make_avatar(file: BinaryIO) -> bytes:
    """Return a picture as 256 × 256 WebP: the first frame, without metadata.

    The size is checked before decoding, so that a decompression bomb cannot exhaust the memory.

    Raises:
        ValidationFailed: If the format is not accepted, or the picture has too many pixels.
    """
    try:
        with _decode_slot, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=ACCEPTED_FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise ValidationFailed(TOO_MANY_PIXELS, {"picture": [TOO_MANY_PIXELS]})
                picture.draft("RGB", (2 * SIDE_PX, 2 * SIDE_PX))  # JPEG can be decoded smaller
                upright = ImageOps.exif_transpose(picture)
                return _encode_webp(ImageOps.fit(upright.convert("RGBA"), (SIDE_PX, SIDE_PX)))
    except Image.DecompressionBombError as error:
        raise ValidationFailed(TOO_MANY_PIXELS, {"picture": [TOO_MANY_PIXELS]}) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise ValidationFailed(UNREADABLE, {"picture": [UNREADABLE]}) from error


def _encode_webp(picture: Image.Image) -> bytes:
    clean = Image.new("RGBA", picture.size)
    clean.paste(picture)  # copies pixels only: no profile, comment or location
    target = BytesIO()
    clean.save(target, "WEBP", quality=85)
    return target.getvalue()


def save_avatar(session: Session, user_id: uuid.UUID, picture: bytes) -> str:
    """Store a picture made by `make_avatar` as the user's, and return its URL.

    Raises:
        Unauthenticated: If the account is gone.
    """
    name = uuid.uuid4().hex
    object_deletions.announce_object(_avatar_key(name), session)
    user = lock_account(session, user_id)
    _delete_stored_avatar(session, user)
    with NamedTemporaryFile(suffix=".webp") as file:
        file.write(picture)
        file.flush()
        storage.save(Path(file.name), _avatar_key(name))
    user.avatar_url = f"{URL_PREFIX}{name}"
    session.flush()
    object_deletions.keep_object(session, _avatar_key(name))
    return user.avatar_url


def remove_avatar(session: Session, user_id: uuid.UUID) -> None:
    """Remove the user's picture, if there is one.

    Raises:
        Unauthenticated: If the account is gone.
    """
    user = lock_account(session, user_id)
    _delete_stored_avatar(session, user)
    user.avatar_url = None


def find_avatar_key(session: Session, user_id: uuid.UUID, name: uuid.UUID) -> str:
    """Return the storage key of the user's own picture.

    Raises:
        NotFound: If the user has no picture of this name (any more).
    """
    user = session.get(User, user_id)
    if user is None or user.avatar_url != f"{URL_PREFIX}{name.hex}":
        raise NotFound("Photo not found.")
    return _avatar_key(name.hex)


def avatar_keys(user: User) -> list[str]:
    """Return the storage keys of the user's picture: one or none."""
    return [_avatar_key(user.avatar_url.removeprefix(URL_PREFIX))] if user.avatar_url else []


def _delete_stored_avatar(session: Session, user: User) -> None:
    object_deletions.delete_objects_later(session, avatar_keys(user))


def _avatar_key(name: str) -> str:
    return f"avatars/{name}.webp"

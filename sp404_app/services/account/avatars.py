"""Profile pictures: whatever somebody sends becomes a small square picture and nothing else."""

import threading
import uuid
import warnings
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlmodel import Session

from sp404_app.db import after_commit, if_undone
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import User
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.infra import storage
from sp404_app.services.infra.byte_size import format_size

SIDE = 256
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_PIXELS = 24_000_000  # decoded one at a time, at 4 bytes each
MOST_BYTES = 10 << 20
ADDRESS = "/api/avatars/"
UNREADABLE = "We cannot read this picture. Send a PNG, JPEG, WebP or GIF."
TOO_MANY = f"This picture is too large. Send one of at most {MOST_PIXELS // 1_000_000} megapixels."
TOO_HEAVY = f"This file is too large. Send one of at most {format_size(MOST_BYTES)}."

_one_at_a_time = threading.Semaphore(1)


def squared(file: BinaryIO) -> bytes:
    """Return a picture as 256 × 256 WebP: pixels only, no metadata, the first frame.

    Its size is looked at before anything is decoded, so that a small file cannot fill the memory.

    Raises:
        ValidationFailed: If it is no picture we take, or a huge one.
    """
    try:
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise ValidationFailed(TOO_MANY, {"picture": [TOO_MANY]})
                picture.draft("RGB", (2 * SIDE, 2 * SIDE))  # JPEG can be decoded smaller
                upright = ImageOps.exif_transpose(picture)
                return _written(ImageOps.fit(upright.convert("RGBA"), (SIDE, SIDE)))
    except Image.DecompressionBombError as error:
        raise ValidationFailed(TOO_MANY, {"picture": [TOO_MANY]}) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise ValidationFailed(UNREADABLE, {"picture": [UNREADABLE]}) from error


def _written(picture: Image.Image) -> bytes:
    clean = Image.new("RGBA", picture.size)
    clean.paste(picture)  # pixels alone: no profile, no comment, no place it was taken at
    target = BytesIO()
    clean.save(target, "WEBP", quality=85)
    return target.getvalue()


def put(session: Session, user_id: uuid.UUID, picture: bytes) -> str:
    """Make a picture, as `squared` gives it, a person's, and return its address.

    Raises:
        Unauthenticated: If the account is gone.
    """
    user = lock_account(session, user_id)
    _forget(session, user)
    name = uuid.uuid4().hex
    if_undone(session, partial(storage.delete, _key(name)))
    with NamedTemporaryFile(suffix=".webp") as draft:
        draft.write(picture)
        draft.flush()
        storage.save(Path(draft.name), _key(name))
    user.avatar_url = f"{ADDRESS}{name}"
    session.flush()
    return user.avatar_url


def remove(session: Session, user_id: uuid.UUID) -> None:
    """Take a person's picture away, if they have one.

    Raises:
        Unauthenticated: If the account is gone.
    """
    user = lock_account(session, user_id)
    _forget(session, user)
    user.avatar_url = None


def key_for(session: Session, user_id: uuid.UUID, name: uuid.UUID) -> str:
    """Return where a person's own picture lies.

    Raises:
        NotFound: If it is not theirs, or not theirs any more.
    """
    user = session.get(User, user_id)
    if user is None or user.avatar_url != f"{ADDRESS}{name.hex}":
        raise NotFound("There is no such picture.")
    return _key(name.hex)


def keys_of(user: User) -> list[str]:
    """Return the keys of what is stored of a person's picture."""
    return [_key(user.avatar_url.removeprefix(ADDRESS))] if user.avatar_url else []


def _forget(session: Session, user: User) -> None:
    for key in keys_of(user):
        after_commit(session, partial(storage.delete, key))


def _key(name: str) -> str:
    return f"avatars/{name}.webp"

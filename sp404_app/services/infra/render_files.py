"""Storage keys of rendered pad audio, and how these files are deleted.

Each user has a folder. The files are a cache: a missing one is rendered again.
"""

import datetime as dt
import uuid
from collections.abc import Iterator

from sp404_app.services.infra import storage
from sp404_app.services.infra.storage import StoredObject

FOLDER = "renders"


def render_file_key(user_id: uuid.UUID, render_key: str) -> str:
    """Return the storage key of a render."""
    return f"{FOLDER}/{user_id.hex}/{render_key}.wav"


def parse_render_file_key(key: str) -> tuple[uuid.UUID, str] | None:
    """Return the user and the render's key of a storage key, or None if it is no render's."""
    folder, _, rest = key.partition("/")
    owner, _, name = rest.partition("/")
    try:
        user_id = uuid.UUID(owner)
    except ValueError:
        return None
    return (user_id, name.removesuffix(".wav")) if folder == FOLDER else None


def list_render_files(before: dt.datetime) -> Iterator[StoredObject]:
    """Yield the files of all users' renders that were written before a time."""
    return (stored for stored in storage.list_folder(FOLDER) if stored.modified < before)


def delete_all_render_files(user_id: uuid.UUID) -> None:
    """Delete the files of all renders of a user."""
    for stored in storage.list_folder(f"{FOLDER}/{user_id.hex}"):
        storage.delete_object(stored.key)


def delete_every_render_file() -> None:
    """Delete the files of all users' renders."""
    for stored in storage.list_folder(FOLDER):
        storage.delete_object(stored.key)

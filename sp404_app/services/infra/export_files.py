"""Storage keys of exported projects, and how these files are deleted.

Each user has a folder. The files are a cache: a missing one is made again.
"""

import datetime as dt
import uuid
from collections.abc import Iterator

from sp404_app.services.infra import storage
from sp404_app.services.infra.storage import StoredObject

FOLDER = "project-exports"


def export_file_key(user_id: uuid.UUID, export_id: uuid.UUID) -> str:
    """Return the storage key of an export."""
    return f"{FOLDER}/{user_id.hex}/{export_id.hex}.zip"


def parse_export_file_key(key: str) -> uuid.UUID | None:
    """Return the id of the export that a storage key names, or None if it is no export's."""
    folder, _, rest = key.partition("/")
    name = rest.rpartition("/")[2].removesuffix(".zip")
    try:
        export_id = uuid.UUID(name)
    except ValueError:
        return None
    return export_id if folder == FOLDER else None


def list_export_files(before: dt.datetime) -> Iterator[StoredObject]:
    """Yield the files of all users' exports that were written before a time."""
    return (stored for stored in storage.list_folder(FOLDER) if stored.modified < before)


def delete_all_export_files(user_id: uuid.UUID) -> None:
    """Delete the files of all project exports of a user."""
    for stored in storage.list_folder(f"{FOLDER}/{user_id.hex}"):
        storage.delete_object(stored.key)


def delete_every_export_file() -> None:
    """Delete the files of all users' project exports."""
    for stored in storage.list_folder(FOLDER):
        storage.delete_object(stored.key)

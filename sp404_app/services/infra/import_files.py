"""Storage keys of uploaded files of cards, and how they are deleted.

Each user has a folder, with one for each upload. The files are deleted when the upload was read, or
after a day.
"""

import datetime as dt
import uuid
from collections.abc import Iterator

from sp404_app.services.infra import storage
from sp404_app.services.infra.storage import StoredObject

FOLDER = "imports"


def new_import_key(user_id: uuid.UUID, import_id: uuid.UUID) -> str:
    """Return a new storage key for a file of an upload."""
    return f"{FOLDER}/{user_id.hex}/{import_id.hex}/{uuid.uuid4().hex}"


def list_import_files(before: dt.datetime) -> Iterator[StoredObject]:
    """Yield the files of all uploads that were written before a time."""
    return (stored for stored in storage.list_folder(FOLDER) if stored.modified < before)


def delete_all_import_files(user_id: uuid.UUID) -> None:
    """Delete the files of all uploads of a user."""
    for stored in storage.list_folder(f"{FOLDER}/{user_id.hex}"):
        storage.delete_object(stored.key)

"""Storage keys of drawn spectrograms, and how the pictures are deleted.

Each user has a folder, and the names of a sample's pictures begin with its id. There is no table of
pictures: a missing one is drawn again.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from contextlib import suppress

from sp404_app.services.infra import storage

FOLDER = "pictures"


def picture_key(user_id: uuid.UUID, sample_id: uuid.UUID, name: str) -> str:
    """Return the key of a sample's picture."""
    return f"{_folder(user_id)}/{sample_id.hex}-{name}"


def delete_pictures(user_id: uuid.UUID, sample_ids: Collection[uuid.UUID]) -> None:
    """Delete all pictures of some samples of one user."""
    beginnings = {sample_id.hex for sample_id in sample_ids}
    for stored in storage.list_folder(_folder(user_id)):
        if stored.key.rpartition("/")[2].partition("-")[0] in beginnings:
            storage.delete_object(stored.key)


def delete_all_pictures(user_id: uuid.UUID) -> None:
    """Delete all pictures of a user."""
    for stored in storage.list_folder(_folder(user_id)):
        storage.delete_object(stored.key)


def list_pictures(before: dt.datetime) -> dict[str, uuid.UUID]:
    """Return the keys of all pictures written before a time, with the id that each begins with."""
    found: dict[str, uuid.UUID] = {}
    for stored in storage.list_folder(FOLDER):
        if stored.modified < before:
            with suppress(ValueError):
                found[stored.key] = uuid.UUID(stored.key.rpartition("/")[2].partition("-")[0])
    return found


def delete_every_picture() -> None:
    """Delete the pictures of all users."""
    for stored in storage.list_folder(FOLDER):
        storage.delete_object(stored.key)


def delete_oldest_pictures(user_id: uuid.UUID, sample_id: uuid.UUID, keep: int) -> None:
    """Delete a sample's pictures except the `keep` newest."""
    beginning = picture_key(user_id, sample_id, "")
    listed = storage.list_folder(_folder(user_id))
    found = [stored for stored in listed if stored.key.startswith(beginning)]
    for stored in sorted(found, key=lambda stored: stored.modified, reverse=True)[keep:]:
        storage.delete_object(stored.key)


def _folder(user_id: uuid.UUID) -> str:
    return f"{FOLDER}/{user_id.hex}"

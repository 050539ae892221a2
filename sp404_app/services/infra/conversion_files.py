"""Storage keys of converted sounds and of archives of them, and how these files are deleted.

Each user has a folder. The files are a cache: a missing one is made again.
"""

import uuid

from sp404_app.services.infra import storage

FOLDER = "conversions"


def converted_file_key(user_id: uuid.UUID, name: str, extension: str) -> str:
    """Return the storage key of a converted sound, named by what determines its bytes."""
    return f"{FOLDER}/{user_id.hex}/{name}{extension.lower()}"


def archive_key(user_id: uuid.UUID, job_id: uuid.UUID) -> str:
    """Return the storage key of the archive that a job makes."""
    return f"{FOLDER}/{user_id.hex}/{job_id.hex}.zip"


def plan_key(user_id: uuid.UUID, job_id: uuid.UUID) -> str:
    """Return the storage key of the list of files that a job puts into its archive."""
    return f"{FOLDER}/{user_id.hex}/{job_id.hex}.json"


def playlist_key(user_id: uuid.UUID, job_id: uuid.UUID) -> str:
    """Return the storage key of the playlist that a job puts into its archive."""
    return f"{FOLDER}/{user_id.hex}/{job_id.hex}.playlist.json"


def delete_all_converted_files(user_id: uuid.UUID) -> None:
    """Delete all converted files of a user."""
    for stored in storage.list_folder(f"{FOLDER}/{user_id.hex}"):
        storage.delete_object(stored.key)


def delete_every_converted_file() -> None:
    """Delete the converted files of all users."""
    for stored in storage.list_folder(FOLDER):
        storage.delete_object(stored.key)

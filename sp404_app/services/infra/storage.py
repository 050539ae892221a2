"""Object storage for audio files, previews and exports: a local folder or an S3 bucket."""

import datetime as dt
import logging
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlparse

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from sp404_app.errors import NotFound, Unavailable
from sp404_app.settings import settings
from sp404_app.telemetry import metrics

CHUNK_BYTES = 1 << 20

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The key of an object, when it was written, and its size in bytes."""

    key: str
    modified: dt.datetime
    size: int = 0


def store() -> ObjectStore:
    """Return the object store, opened on first use."""
    return _opened(settings().storage)


@lru_cache
def _opened(url: str) -> ObjectStore:
    folder = _folder()
    return LocalStore(prefix=folder, mkdir=True) if folder else from_url(url)


def new_key(suffix: str = "") -> str:
    """Return a random key; it contains nothing that a user typed."""
    name = uuid.uuid4().hex
    return f"{name[:2]}/{name}{suffix}"


def save(path: Path, key: str) -> None:
    """Copy a local file into the store, in chunks.

    Raises:
        Unavailable: If the store is full or does not answer.
    """
    try:
        with metrics.STORE_SECONDS.time():
            obstore.put(store(), key, path, chunk_size=4 * CHUNK_BYTES, max_concurrency=2)
    except (BaseError, OSError) as error:
        metrics.STORE_ERRORS.inc()
        log.exception("cannot store a file")
        raise Unavailable("We can't store files right now. Try again in a few minutes.") from error


def move_in(path: Path, key: str) -> None:
    """Move a local file into the store. In a local store on the same disk, nothing is copied.

    Raises:
        Unavailable: If the store is full or does not answer.
    """
    folder = _folder()
    if folder:
        target = folder / key
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        except OSError:  # another disk, or no room: the copy tells
            log.debug("cannot move %s, it is copied", path)
        else:
            return
    save(path, key)
    path.unlink()


def work_folder() -> Path:
    """Return the folder for files that are made here and then moved into the store."""
    folder = settings().home / "work"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def save_bytes(content: bytes, key: str) -> None:
    """Put a few bytes into the store.

    Raises:
        Unavailable: If the store is full or does not answer.
    """
    try:
        obstore.put(store(), key, content)
    except (BaseError, OSError) as error:
        metrics.STORE_ERRORS.inc()
        log.exception("cannot store a file")
        raise Unavailable("We can't store files right now. Try again in a few minutes.") from error


def read_bytes(key: str) -> bytes:
    """Return the content of a small object.

    Raises:
        NotFound: If the store does not have it.
    """
    return b"".join(stream_object(key, 0, object_size(key)))


def delete_object(key: str) -> None:
    """Delete an object; do nothing if it does not exist."""
    try:
        obstore.delete(store(), key)
    except (NotFoundError, FileNotFoundError):
        return


def object_size(key: str) -> int:
    """Return the size of an object in bytes.

    Raises:
        NotFound: If the store does not have it.
    """
    try:
        return obstore.head(store(), key)["size"]
    except (NotFoundError, FileNotFoundError) as error:
        raise NotFound("The file of this sound is missing.") from error


def stream_object(key: str, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes `start` to `end` (exclusive) of an object in chunks of 1 MB."""
    for position in range(start, end, CHUNK_BYTES):
        stop = min(position + CHUNK_BYTES, end)
        yield bytes(obstore.get_range(store(), key, start=position, end=stop))


@contextmanager
def local_copy(key: str) -> Iterator[Path]:
    """Yield a path that decoders can seek in: the stored file, or a temporary copy of it.

    Raises:
        NotFound: If the store does not have it.
    """
    folder = _folder()
    if folder:
        path = folder / key
        if not path.is_file():
            raise NotFound("The file of this sound is missing.")
        yield path
        return
    with tempfile.NamedTemporaryFile(suffix=Path(key).suffix) as target:
        for chunk in stream_object(key, 0, object_size(key)):
            target.write(chunk)
        target.flush()
        yield Path(target.name)


def list_folder(folder: str) -> list[StoredObject]:
    """List the objects in a folder; there are none in one that does not exist."""
    return [
        StoredObject(found["path"], found["last_modified"], found["size"])
        for page in obstore.list(store(), prefix=folder)
        for found in page
    ]


def is_reachable() -> bool:
    """Return True if the store can be listed.

    Raises:
        BaseError: If it does not answer.
    """
    next(iter(obstore.list(store(), chunk_size=1)), None)
    return True


def local_folder() -> Path | None:
    """Return the folder of a store on this machine; None for a bucket."""
    return _folder()


def _folder() -> Path | None:
    url = urlparse(settings().storage)
    return Path(unquote(url.path)) if url.scheme == "file" else None

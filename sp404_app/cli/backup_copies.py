"""`copy-backup`, `fetch-backup`: copies of backups in an object store elsewhere.

backups/NAME/…   a backup without its sounds; `manifest.json` is written last
sounds/KEY       the sounds of all backups, each once: the library never changes a stored file

So a copy of tonight uploads only the sounds that are new since the last one.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlparse

import obstore
from obstore.exceptions import (
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, ObjectStore, from_url

from sp404_app import setting_formats
from sp404_app.cli import backup_manifest, database_access
from sp404_app.cli.backup_manifest import MANIFEST, SOUNDS, BackupManifest
from sp404_app.cli.store_causes import cause_of
from sp404_app.services.infra import backup_log
from sp404_app.settings import Settings
from sp404_app.supervisor.errors import Failure, explain_os_errors

BACKUPS = "backups"
# What a copy that is not complete yet consists of, so that nobody deletes its sounds.
DRAFT = f"{MANIFEST}.new"
CHUNK_BYTES = 8 << 20
BATCH_KEYS = 1000  # S3 deletes as many at once


def copy_backup(settings: Settings, folder: Path, url: str, keep_days: int | None = None) -> str:
    """Copy a backup, or the newest one in a folder, to an object store; return a summary.

    A copy that was interrupted goes on where it was. Copy to one address from one host at a time.

    Args:
        settings: The settings of the library, whose database records the copy.
        folder: A backup, or a folder with backups.
        url: `s3://BUCKET/PATH` with the standard AWS variables, or `file:///FOLDER`.
        keep_days: Then delete copies that are older than this, and sounds that no copy has.

    Raises:
        Failure: If there is no complete backup, or a file or the store cannot be used.
    """
    source = _newest_backup(folder)
    manifest = backup_manifest.read_manifest(source)
    with _explained(url) as store:
        draft = f"{BACKUPS}/{source.name}/{DRAFT}"
        _put(store, draft, source / MANIFEST)
        present = _sizes(store, f"{SOUNDS}/")
        copied = 0
        for entry in manifest.entries:
            key = _key_of(source.name, entry.path)
            if present.get(key) != entry.size:
                _put(store, key, source / entry.path)
                copied += key.startswith(SOUNDS)
        _put(store, f"{BACKUPS}/{source.name}/{MANIFEST}", source / MANIFEST)
        obstore.delete(store, draft)
        deleted = 0
        if keep_days is not None:
            before = dt.datetime.now(dt.UTC) - dt.timedelta(days=keep_days)
            deleted = _delete_old(store, source.name, before)
    sounds = len(manifest.under(SOUNDS))
    note = "" if keep_days is None else f" {deleted} copies older than {keep_days} days are gone."
    note += database_access.record(settings, backup_log.record_copy, "copies")
    return f"Copied {source.name}: {copied} of its {sounds} sounds were new.{note}"


def fetch_backup(url: str, target: Path, name: str = "") -> str:
    """Download a copy into an empty or new folder and verify it; return a summary.

    Args:
        url: Where `copy-backup` wrote.
        target: The folder of the backup.
        name: The name of the backup; the newest one by default.

    Raises:
        Failure: If there is no such copy, it is damaged, or the folder is not empty.
    """
    with explain_os_errors(target):
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(target.iterdir()):
            raise Failure(f"{target} is not empty: choose a new folder for the backup.")
        target.chmod(0o700)
    with _explained(url) as store:
        complete = {
            found: manifest
            for found in _names(store)
            if (manifest := _read_manifest(store, f"{BACKUPS}/{found}/{MANIFEST}"))
        }
        if not complete or (name and name not in complete):
            raise Failure(f"There is no complete copy{f' named {name}' if name else ''}.")
        name = name or max(complete, key=lambda found: complete[found].created_at)
        for entry in complete[name].entries:
            path = backup_manifest.path_inside(target, entry.path)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _get(store, _key_of(name, entry.path), path)
    with explain_os_errors(target):
        backup_manifest.verify_backup(target, complete[name])
        backup_manifest.write_manifest(target, complete[name])
    return f"Fetched {name} into {target}; every file has its SHA-256."


@contextmanager
def _explained(url: str) -> Iterator[ObjectStore]:
    """Yield the store of an address; its errors become one sentence without address and keys.

    Raises:
        Failure: If it cannot be used.
    """
    try:
        setting_formats.storage_address(url)
    except ValueError as error:
        raise Failure(f"The store of the copies cannot be used: {error}.") from error
    try:
        parts = urlparse(url)
        if parts.scheme == "file":
            yield LocalStore(prefix=Path(unquote(parts.path)), mkdir=True)
        else:
            yield from_url(url)
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise Failure("The store of the copies refuses the credentials.") from error
    except (NotFoundError, FileNotFoundError) as error:
        raise Failure("The store of the copies, or a file in it, does not exist.") from error
    except (BaseError, OSError, ValueError) as error:
        raise Failure(f"The store of the copies cannot be used: {cause_of(error)}.") from error


def _newest_backup(folder: Path) -> Path:
    """Return a folder that is a complete backup, or the newest one in it.

    Raises:
        Failure: If there is none.
    """
    folder = folder.resolve()
    with explain_os_errors(folder):
        inside = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    found: dict[str, Path] = {}
    for path in (folder, *inside):
        if (path / MANIFEST).exists():
            found[backup_manifest.read_manifest(path).created_at] = path
    if not found:
        raise Failure(f"{folder} has no complete backup: run `python -m sp404_app backup DIR`.")
    return found[max(found)]


def _delete_old(store: ObjectStore, newest: str, before: dt.datetime) -> int:
    """Delete copies made before a moment, except the newest, and sounds that no other copy has."""
    needed: set[str] = set()
    deleted = 0
    for name in _names(store):
        place = f"{BACKUPS}/{name}"
        manifest = _read_manifest(store, f"{place}/{MANIFEST}")
        any_state = manifest or _read_manifest(store, f"{place}/{DRAFT}")
        if any_state and name != newest and _created_at(any_state) < before:
            if manifest:  # first, so that a deletion that is interrupted leaves no complete copy
                obstore.delete(store, f"{place}/{MANIFEST}")
            _delete(store, _sizes(store, f"{place}/"))
            deleted += 1
        elif any_state:
            needed |= {_key_of(name, entry.path) for entry in any_state.entries}
    _delete(store, [key for key in _sizes(store, f"{SOUNDS}/") if key not in needed])
    return deleted


def _key_of(name: str, path: str) -> str:
    """Return where a file of a backup is stored; sounds are shared by all backups."""
    return path if path.startswith(f"{SOUNDS}/") else f"{BACKUPS}/{name}/{path}"


def _names(store: ObjectStore) -> list[str]:
    folders = obstore.list_with_delimiter(store, BACKUPS)["common_prefixes"]
    return sorted(each.rstrip("/").rpartition("/")[2] for each in folders)


def _sizes(store: ObjectStore, prefix: str) -> dict[str, int]:
    """Return all keys below a prefix with their sizes in bytes."""
    pages = obstore.list(store, prefix)
    return {found["path"]: found["size"] for page in pages for found in page}


def _read_manifest(store: ObjectStore, key: str) -> BackupManifest | None:
    """Return a manifest; None if there is none.

    Raises:
        Failure: If it is damaged, or of a newer version.
    """
    try:
        content = bytes(obstore.get(store, key).bytes())
    except (NotFoundError, FileNotFoundError):
        return None
    return backup_manifest.parse_manifest(content, key)


def _created_at(manifest: BackupManifest) -> dt.datetime:
    return dt.datetime.fromisoformat(manifest.created_at)


def _put(store: ObjectStore, key: str, path: Path) -> None:
    obstore.put(store, key, path, chunk_size=CHUNK_BYTES, max_concurrency=2)


def _get(store: ObjectStore, key: str, path: Path) -> None:
    with path.open("xb") as file:
        path.chmod(0o600)
        for chunk in obstore.get(store, key).stream(min_chunk_size=CHUNK_BYTES):
            file.write(chunk)


def _delete(store: ObjectStore, keys: Iterable[str]) -> None:
    all_keys = list(keys)
    for start in range(0, len(all_keys), BATCH_KEYS):
        obstore.delete(store, all_keys[start : start + BATCH_KEYS])

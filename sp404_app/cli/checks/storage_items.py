"""Items about what is kept on disks: sounds, secrets, free space, backups."""

import datetime as dt
import os
import secrets
import shutil
import stat
from pathlib import Path

import obstore
from obstore.exceptions import (
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from sp404_app.cli import backup_manifest
from sp404_app.cli.checks.item import Finding, Item, Scope, missing, ok, warning
from sp404_app.cli.store_causes import cause_of
from sp404_app.models.columns import now
from sp404_app.services.infra import peppers, storage
from sp404_app.supervisor import production_checks
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import MIN_FREE_MB

PROBE_FOLDER = "check"
ADVISED_FREE_MB = 5_000
MAX_BACKUP_AGE = dt.timedelta(hours=26)  # a day, and the time that a backup takes
MIN_PEPPER_VALUES = 8  # different bytes; 32 random ones have about 30


def _storage(scope: Scope) -> Finding:
    """Write, read and delete one object."""
    content = secrets.token_bytes(64)
    key = f"{PROBE_FOLDER}/{secrets.token_hex(8)}"
    try:
        store = storage.store()
        obstore.put(store, key, content)
        read = bytes(obstore.get(store, key).bytes())
        obstore.delete(store, key)
    except (PermissionDeniedError, UnauthenticatedError):
        return missing("The bucket of SP404_STORAGE_URL refuses the credentials.")
    except (NotFoundError, FileNotFoundError):
        return missing("The bucket or folder of SP404_STORAGE_URL does not exist.")
    except (BaseError, OSError, ValueError) as error:
        return missing(f"SP404_STORAGE_URL cannot be used: {cause_of(error)}.")
    if read != content:
        return missing("SP404_STORAGE_URL returns other bytes than were written.")
    if found := next(production_checks.find_advised(scope.settings, "SP404_STORAGE_URL"), ""):
        return warning(found)
    return ok("An object was written, read and deleted.")


def _secrets(scope: Scope) -> Finding:
    folder = scope.settings.secrets
    try:
        files = [path for path in folder.iterdir() if path.is_file()]
        opened = [path for path in (folder, *files) if _is_open(path)]
        pepper = _read(folder / "pepper")
    except OSError as error:
        is_absent = isinstance(error, FileNotFoundError)
        advice = "start the library once" if is_absent else "run this as the user of the library"
        return missing(f"{folder} cannot be read ({error.strerror}): {advice}.")
    if opened:
        return missing(f"{opened[0]} can be read by others: run `chmod go= {opened[0]}`.")
    if not any(path.suffix == ".pem" for path in files):
        return missing(f"{folder} has no signing key: start the library once.")
    if pepper is None:
        return missing(f"{folder} has no pepper: start the library once, or restore a backup.")
    if len(pepper) < peppers.PEPPER_BYTES or len(set(pepper)) < MIN_PEPPER_VALUES:
        return missing(f"{folder / 'pepper'} is no random secret: no password is safe with it.")
    return ok(f"Only this user can read {folder}.")


def _is_open(path: Path) -> bool:
    """Return whether others can read a path; files that a platform mounts reach us by our group."""
    found = path.stat()
    if found.st_uid == os.geteuid():
        return bool(stat.S_IMODE(found.st_mode) & 0o077)
    return path.is_file() and bool(stat.S_IMODE(found.st_mode) & 0o007)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _disk(scope: Scope) -> Finding:
    home = scope.settings.home
    existing = next(path for path in (home, *home.parents) if path.exists())
    free_mb = shutil.disk_usage(existing).free >> 20
    told = f"{free_mb:,} MB are free on the disk of SP404_HOME"
    if free_mb < MIN_FREE_MB:
        return missing(f"{told}: the library does not start with less than {MIN_FREE_MB} MB.")
    if free_mb < ADVISED_FREE_MB:
        return warning(f"{told}: uploads and exports need more.")
    return ok(f"{told}.")


def _backup(scope: Scope) -> Finding:
    """Return the age of the newest complete backup in the named folder."""
    if scope.backups is None:
        return warning("The age of the newest backup is unknown: add `--backups DIR`.")
    times = [
        dt.datetime.fromisoformat(manifest.created_at)
        for manifest in map(_manifest, (scope.backups, *_folders(scope.backups)))
        if manifest
    ]
    if not times:
        return missing(f"{scope.backups} has no backup: run `python -m sp404_app backup DIR`.")
    age = now() - max(times)
    told = f"The newest backup is {age.total_seconds() / 3600:.0f} hours old"
    if age > MAX_BACKUP_AGE:
        return missing(f"{told}: make one every day.")
    return ok(f"{told}.")


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _manifest(folder: Path) -> backup_manifest.BackupManifest | None:
    try:
        return backup_manifest.read_manifest(folder)
    except Failure:
        return None


STORAGE_ITEMS = (
    Item("storage", _storage),
    Item("secrets", _secrets),
    Item("disk", _disk),
    Item("backup", _backup),
)

"""`backup DIR`: write database, stored files and secrets of one moment to a folder."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import obstore
import psycopg

from sp404_app import __version__
from sp404_app.cli import backup_manifest, database_access, old_backups
from sp404_app.errors import NotFound
from sp404_app.services.infra import backup_log, export_files, import_files, pictures, storage
from sp404_app.settings import Settings
from sp404_app.supervisor import postgres_clients
from sp404_app.supervisor.errors import Failure, explain_os_errors

# Spectrograms and exports are made again on request; uploads of cards are deleted after a day.
SKIPPED_FOLDERS = tuple(f"{module.FOLDER}/" for module in (pictures, export_files, import_files))


def create_backup(settings: Settings, target: Path, keep_days: int | None = None) -> str:
    """Write a backup to an empty or new folder; return a summary.

    The library may be running. The folder contains secrets, so only its owner may read it.

    Args:
        settings: The settings of the library.
        target: The folder of the backup.
        keep_days: After the backup is complete, delete those beside it that are older than this.

    Raises:
        Failure: If the folder is not empty, or something cannot be read or written.
    """
    with explain_os_errors(target):
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(target.iterdir()):
            raise Failure(f"{target} is not empty: choose a new folder for the backup.")
        target.chmod(0o700)
        with database_access.library_database(settings) as url:
            missing = _dump_database_and_files(url, target)
        _copy_secrets(settings.secrets, target / backup_manifest.SECRETS)
        files = sorted(path for path in target.rglob("*") if path.is_file())
        entries = tuple(backup_manifest.describe_file(target, path) for path in files)
        created = dt.datetime.now(dt.UTC).isoformat()
        manifest = backup_manifest.BackupManifest(
            backup_manifest.FORMAT, __version__, created, entries
        )
        backup_manifest.write_manifest(target, manifest)
        recorded = database_access.record(settings, backup_log.record_backup, "backups")
    sounds = len(manifest.under(backup_manifest.SOUNDS))
    note = f" {missing} samples have no file in the store." if missing else ""
    note += recorded
    if keep_days is not None:
        before = dt.datetime.now(dt.UTC) - dt.timedelta(days=keep_days)
        deleted = old_backups.delete_old_backups(target, before)
        note += f" {deleted} backups older than {keep_days} days were deleted."
    return f"Backed up the database and {sounds} audio files to {target}.{note}"


def _dump_database_and_files(url: str, target: Path) -> int:
    """Dump one snapshot of the database, then copy all files; return how many are missing."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        snapshot = connection.execute("select pg_export_snapshot()").fetchone()
        keys = {key for (key,) in connection.execute("select storage_key from samples")}
        assert snapshot
        postgres_clients.run_pg_dump(
            postgres_clients.find_pg_dump(connection.info.server_version // 10_000),
            url,
            "--schema=public",  # hosts keep schemas of their own, which our role may not read
            "--no-owner",
            "--no-privileges",
            "--no-comments",
            f"--snapshot={snapshot[0]}",
            f"--file={target / backup_manifest.DATABASE}",
        )
    return len(keys - _copy_files(target / backup_manifest.SOUNDS))


def _copy_files(folder: Path) -> set[str]:
    copied = set()
    for key in list_stored_keys():
        if key.startswith(SKIPPED_FOLDERS):
            continue
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with storage.local_copy(key) as source:
                shutil.copyfile(source, path)
        except NotFound:  # deleted after it was listed
            continue
        copied.add(key)
    return copied


def list_stored_keys() -> Iterator[str]:
    """Yield the key of every object in the store."""
    for page in obstore.list(storage.store()):
        for found in page:
            yield found["path"]


def _copy_secrets(source: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for path in source.iterdir() if source.exists() else ():
        if path.is_file() and not path.name.startswith("."):
            shutil.copyfile(path, folder / path.name)
            (folder / path.name).chmod(0o600)

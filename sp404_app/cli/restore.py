"""`restore DIR`: replace database, stored files and secrets by a backup, all or nothing."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import Connection

from sp404_app.cli import backup_manifest, database_access, dump_file
from sp404_app.cli.backup_manifest import BackupEntry, BackupManifest
from sp404_app.errors import NotFound
from sp404_app.services.infra import (
    conversion_files,
    export_files,
    library_use,
    pictures,
    render_files,
    storage,
)
from sp404_app.services.infra.library_use import LibraryInUse
from sp404_app.settings import Settings
from sp404_app.supervisor import database_checks, migrations, restore_recovery
from sp404_app.supervisor.errors import Failure


def restore_backup(settings: Settings, source: Path, *, replace: bool = False) -> str:
    """Restore a backup; return a summary.

    Files are copied first, under keys that no other file has; then the database is replaced and
    migrated in one transaction; then the secrets, by renaming. If anything fails before the commit,
    the old library remains. A restore that was killed is finished or undone by the next one, or by
    the next start.

    Raises:
        Failure: If a process of the library runs on any host, the library has accounts and
            `replace` is off, or the backup is damaged.
    """
    manifest = backup_manifest.read_manifest(source)
    backup_manifest.verify_backup(source, manifest)
    check_dump(source / backup_manifest.DATABASE)
    with database_access.database_url(settings, exclusive=True) as url:
        database_checks.ensure_database(url)
        with _alone(url):
            restore_recovery.ensure_recovered(settings, url)
            old = _existing_keys(url)
            if old is not None and not replace:
                raise Failure(
                    "There is already a library here: use --replace to delete it, "
                    "or choose another SP404_HOME, and another SP404_DATABASE_URL if it is set."
                )
            _restore(settings, url, source, manifest, old or set())
    if old is not None:
        pictures.delete_every_picture()
        render_files.delete_every_render_file()
        export_files.delete_every_export_file()
        conversion_files.delete_every_converted_file()
    sounds = len(manifest.under(backup_manifest.SOUNDS))
    return f"Restored the database and {sounds} audio files from {source}."


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """Let no process of the library run during the block.

    Raises:
        Failure: If one runs, on this host or another.
    """
    try:
        with library_use.exclusive_use(url):
            yield
    except LibraryInUse as problem:
        raise Failure(
            f"The library is in use by {problem}: stop every `serve`, `web`, `worker` and "
            "`scheduler` on all hosts first."
        ) from problem


def check_dump(dump: Path) -> dump_file.DumpSummary:
    """Return what a dump contains, if this version can restore it.

    Raises:
        Failure: If it is incomplete, not ours, or of a newer version.
    """
    summary = dump_file.summarise_dump(dump)
    if not migrations.is_known_revision(summary.revision):
        raise Failure("The backup is from a newer version of the program: update the program.")
    return summary


def _restore(
    settings: Settings, url: str, source: Path, manifest: BackupManifest, old: set[str]
) -> None:
    sounds = {
        entry.path.removeprefix(f"{backup_manifest.SOUNDS}/"): entry
        for entry in manifest.entries
        if entry.path.startswith(f"{backup_manifest.SOUNDS}/")
    }
    added = [key for key in sounds if not _exists(key)]
    journal = restore_recovery.Journal(tuple(added), tuple(old - sounds.keys()))
    folder = source / backup_manifest.SECRETS
    secrets = [folder / name for name in manifest.under(backup_manifest.SECRETS)]
    try:
        restore_recovery.write_journal(settings, journal, secrets)
        for key in added:
            storage.save(source / backup_manifest.SOUNDS / key, key)
        migrations.migrate_after(url, lambda connection: _replace(connection, source, journal))
    finally:
        # Also after an error: what is done depends on whether the transaction was committed.
        restore_recovery.ensure_recovered(settings, url)
    for key in sounds.keys() - set(added):
        if not _is_intact(key, sounds[key]):
            storage.save(source / backup_manifest.SOUNDS / key, key)


def _replace(connection: Connection, source: Path, journal: restore_recovery.Journal) -> None:
    driver = replace_database(connection, source / backup_manifest.DATABASE)
    restore_recovery.mark_database(driver, journal)


def replace_database(connection: Connection, dump: Path) -> psycopg.Connection:
    """Replace the database by a dump in the transaction of the caller; return its connection.

    Raises:
        Failure: If the database rejects a statement of the dump.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    restore_recovery.lock_database(driver)
    try:
        driver.execute("create extension if not exists vector")
        dump_file.execute_dump(driver, dump)
    except psycopg.OperationalError:
        raise  # the same message as for every database that cannot be used
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise Failure(f"The backup cannot be restored into this database: {reason}.") from error
    return driver


def _existing_keys(url: str) -> set[str] | None:
    """Return the keys of the stored files, or None if there is no account yet."""
    with psycopg.connect(url) as connection:
        if not _is_true(connection, "select to_regclass('public.users') is not null"):
            return None
        if not _is_true(connection, "select exists (select from users)"):
            return None
        query = "select storage_key, preview_key from samples"
        return {key for row in connection.execute(query) for key in row if key}


def _is_true(connection: psycopg.Connection, query: str) -> bool:
    row = connection.execute(query.encode()).fetchone()
    return bool(row and row[0])


def _exists(key: str) -> bool:
    try:
        storage.object_size(key)
    except NotFound:
        return False
    return True


def _is_intact(key: str, entry: BackupEntry) -> bool:
    with storage.local_copy(key) as path, path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256

"""`restore DIR`: replace database, stored files and secrets by a backup, all or nothing."""

import secrets
import shutil
from pathlib import Path

import psycopg

from sp404_app.cli import backup_manifest, database_access
from sp404_app.cli.backup import run_postgres_client
from sp404_app.services.infra import (
    conversion_files,
    export_files,
    pictures,
    render_files,
    storage,
)
from sp404_app.settings import Settings
from sp404_app.supervisor import migrations
from sp404_app.supervisor.errors import Failure, explain_os_errors

# Runs in one transaction with the dump: the old data is there until the new data is complete.
DROP_EVERYTHING = "drop schema public cascade; create schema public authorization pg_database_owner"


def restore_backup(settings: Settings, source: Path, *, replace: bool = False) -> str:
    """Restore a backup; return a summary.

    Files are copied first, under keys that no other file has; then the database is replaced in
    one transaction; then the secrets, by renaming. If copying or the transaction fails, the old
    library remains.

    Raises:
        Failure: If the library is running, has accounts and `replace` is off, or the backup is
            damaged.
    """
    manifest = backup_manifest.read_manifest(source)
    backup_manifest.verify_backup(source, manifest)
    with database_access.database_url(settings, exclusive=True) as url:
        old = _existing_keys(url)
        if old is not None and not replace:
            raise Failure(
                "There is already a library here: use --replace to delete it, "
                "or choose another SP404_HOME."
            )
        keys = manifest.under(backup_manifest.SOUNDS)
        for key in keys:
            storage.save(source / backup_manifest.SOUNDS / key, key)
        staged = _stage_secrets(settings.secrets, source, manifest)
        _replace_database(url, source / backup_manifest.DATABASE)
        for draft, final in staged:
            draft.replace(final)
        migrations.run_migrations(url)
    for key in (old or set()) - set(keys):
        storage.delete_object(key)
    if old is not None:
        pictures.delete_every_picture()
        render_files.delete_every_render_file()
        export_files.delete_every_export_file()
        conversion_files.delete_every_converted_file()
    return f"Restored the database and {len(keys)} audio files from {source}."


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


def _stage_secrets(
    folder: Path, source: Path, manifest: backup_manifest.BackupManifest
) -> list[tuple[Path, Path]]:
    """Copy the secrets next to their final names, with mode 0600 from the first byte."""
    staged = []
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in manifest.under(backup_manifest.SECRETS):
            draft = folder / f".{name}.{secrets.token_hex(4)}"
            draft.touch(mode=0o600)
            shutil.copyfile(source / backup_manifest.SECRETS / name, draft)
            staged.append((draft, folder / name))
    return staged


def _replace_database(url: str, dump: Path) -> None:
    options = ["-qX", "-1", "-v", "ON_ERROR_STOP=1", "-c", DROP_EVERYTHING, "-f", str(dump)]
    run_postgres_client("psql", url, *options)

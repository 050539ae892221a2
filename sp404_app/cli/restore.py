"""Bring back what `backup` carried away, all of it or nothing."""

import secrets
import shutil
from pathlib import Path

import psycopg

from sp404_app.cli import backup_manifest, database_access
from sp404_app.cli.backup import client
from sp404_app.services.infra import pictures, storage
from sp404_app.settings import Settings
from sp404_app.supervisor import migrations
from sp404_app.supervisor.errors import Failure, explained

# In one transaction with the dump: the old library is there until the new one is complete.
EMPTY = "drop schema public cascade; create schema public authorization pg_database_owner"


def restore(settings: Settings, source: Path, *, replace: bool = False) -> str:
    """Read a backup into this library and say what came back.

    Sounds are copied first, under keys nobody else has; then the database changes over in one
    transaction; then the secrets, by renaming. A failure before that leaves everything as it was.

    Raises:
        Failure: when the library is open, holds people and `replace` is off, or the backup is
            damaged.
    """
    manifest = backup_manifest.read(source)
    backup_manifest.verify(source, manifest)
    with database_access.database(settings, exclusive=True) as url:
        old = _present(url)
        if old is not None and not replace:
            raise Failure(
                "There is a library here already: restore with --replace to throw it away, "
                "or choose another SP404_HOME."
            )
        keys = manifest.under(backup_manifest.SOUNDS)
        for key in keys:
            storage.save(source / backup_manifest.SOUNDS / key, key)
        staged = _stage_secrets(settings.secrets, source, manifest)
        _change_over(url, source / backup_manifest.DATABASE)
        for draft, final in staged:
            draft.replace(final)
        migrations.upgrade(url)
    for key in (old or set()) - set(keys):
        storage.delete(key)
    if old is not None:
        pictures.delete_every_picture()
    return f"Restored the database and {len(keys)} files of sounds from {source}."


def _present(url: str) -> set[str] | None:
    """Return the keys of the sounds here, or None when nobody has an account yet."""
    with psycopg.connect(url) as connection:
        if not _one(connection, "select to_regclass('public.users') is not null"):
            return None
        if not _one(connection, "select exists (select from users)"):
            return None
        query = "select storage_key, preview_key from samples"
        return {key for row in connection.execute(query) for key in row if key}


def _one(connection: psycopg.Connection, query: str) -> bool:
    row = connection.execute(query.encode()).fetchone()
    return bool(row and row[0])


def _stage_secrets(
    folder: Path, source: Path, manifest: backup_manifest.Manifest
) -> list[tuple[Path, Path]]:
    """Write the secrets beside their final names, private from the first byte."""
    staged = []
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in manifest.under(backup_manifest.SECRETS):
            draft = folder / f".{name}.{secrets.token_hex(4)}"
            draft.touch(mode=0o600)
            shutil.copyfile(source / backup_manifest.SECRETS / name, draft)
            staged.append((draft, folder / name))
    return staged


def _change_over(url: str, dump: Path) -> None:
    client("psql", url, "-qX", "-1", "-v", "ON_ERROR_STOP=1", "-c", EMPTY, "-f", str(dump))

"""`rehearse-restore DIR`: restore a backup into a temporary database, and check that it works.

The library is not touched and may be running. The result is kept in `SP404_HOME`, and recorded in
the library's database, where monitoring reads when a backup was last shown to work.
"""

import datetime as dt
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from sp404_app.cli import backup_manifest, database_access, restore
from sp404_app.cli.backup_manifest import BackupManifest
from sp404_app.services.infra import backup_log
from sp404_app.settings import Settings
from sp404_app.supervisor import migrations
from sp404_app.supervisor.errors import Failure, explain_os_errors
from sp404_app.supervisor.home import Home, lock_home

RESULT = "restore-rehearsal.json"
PEPPER = "pepper"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The result of the last rehearsal; times are ISO 8601 in UTC."""

    finished_at: str
    backup_created_at: str
    succeeded: bool
    message: str


def rehearse_restore(settings: Settings, source: Path) -> str:
    """Restore a backup into a temporary database; return a summary, and keep the result.

    Raises:
        Failure: If the backup is damaged, incomplete, or cannot be restored.
    """
    created_at = ""
    try:
        manifest = backup_manifest.read_manifest(source)
        created_at = manifest.created_at
        message = _rehearse(settings, source, manifest)
    except Failure as failure:
        _keep_result(settings, created_at, str(failure), succeeded=False)
        raise
    return message + _keep_result(settings, created_at, message, succeeded=True)


def _rehearse(settings: Settings, source: Path, manifest: BackupManifest) -> str:
    backup_manifest.verify_backup(source, manifest)
    expected = restore.check_dump(source / backup_manifest.DATABASE).rows
    if PEPPER not in manifest.under(backup_manifest.SECRETS) and expected["users"]:
        raise Failure("The backup has no pepper: no password could be verified.")
    folder = Path(tempfile.mkdtemp(prefix="sp404r-"))  # short: the path of a socket
    try:
        home = Home(folder)
        home.prepare(room_mb=0)
        with lock_home(home), database_access.started_server(settings, home) as url:
            missing = _restore(url, source, manifest, expected)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sounds = len(manifest.under(backup_manifest.SOUNDS))
    note = f" {missing} samples have no file in it." if missing else ""
    return (
        f"The backup of {manifest.created_at} can be restored: {sum(expected.values())} rows in "
        f"{len(expected)} tables, and {sounds} audio files.{note}"
    )


def _restore(url: str, source: Path, manifest: BackupManifest, expected: dict[str, int]) -> int:
    """Restore and migrate the database, and count its rows; return how many files are missing."""

    def replace(connection: Connection) -> None:
        driver = restore.replace_database(connection, source / backup_manifest.DATABASE)
        for table, rows in expected.items():
            if (found := _count_rows(driver, table)) != rows:
                raise Failure(f"The table {table} has {found} rows instead of {rows}.")

    migrations.migrate_after(url, replace)
    with psycopg.connect(url) as connection:
        keys = {key for (key,) in connection.execute("select storage_key from samples")}
    return len(keys - set(manifest.under(backup_manifest.SOUNDS)))


def _count_rows(connection: psycopg.Connection, table: str) -> int:
    query = sql.SQL("select count(*) from public.{}").format(sql.Identifier(table))
    row = connection.execute(query).fetchone()
    return row[0] if row else 0


def _keep_result(settings: Settings, created_at: str, message: str, *, succeeded: bool) -> str:
    """Keep the result in the home and in the database; return a note if that fails."""
    finished_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    path = settings.home / RESULT
    with explain_os_errors(path):
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(Rehearsal(finished_at, created_at, succeeded, message))))
        draft.replace(path)
    return _record(settings, created_at, succeeded=succeeded)


def _record(settings: Settings, created_at: str, *, succeeded: bool) -> str:
    if not settings.database_url and not Home(settings.home).postgres.exists():
        return ""  # there is no library here, only backups

    def write(url: str) -> None:
        backup_log.record_rehearsal(url, created_at, succeeded=succeeded)

    return database_access.record(settings, write, "rehearsals")

"""What a restore changes outside the database, so that one that was killed is finished or undone.

A restore replaces the database in one transaction, which also writes the id of the restore into a
comment. Before it, the backup's secrets and the keys of the files that are added are noted in
`secrets/.restore`. If that folder exists at a start, the comment tells whether the transaction was
committed: then the secrets are moved into place, otherwise the added files are deleted.
"""

import json
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from sp404_app.services.infra import storage
from sp404_app.settings import Settings
from sp404_app.supervisor.errors import Failure, explain_os_errors
from sp404_app.supervisor.home import Home, lock_home

FOLDER = ".restore"
JOURNAL = "journal.json"
MIGRATION_LOCK = 404  # the same as in alembic/env.py


@dataclass(frozen=True, slots=True)
class Journal:
    """One restore: its id, the keys of files that it adds, and of those that it makes obsolete."""

    added: tuple[str, ...]
    obsolete: tuple[str, ...]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


def write_journal(settings: Settings, journal: Journal, secrets: Iterable[Path]) -> None:
    """Copy the secrets of a backup beside the present ones, and note what the restore will change.

    Raises:
        Failure: If they cannot be written.
    """
    folder = settings.secrets / FOLDER
    with explain_os_errors(folder):
        settings.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)  # not of `parents` alone
        folder.mkdir(mode=0o700)
        for path in secrets:
            copy = folder / path.name
            copy.touch(mode=0o600)
            shutil.copyfile(path, copy)
        (folder / JOURNAL).write_text(json.dumps(asdict(journal)))


def lock_database(connection: psycopg.Connection) -> None:
    """Wait until no restore or migration runs, and let none start before the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])


def mark_database(connection: psycopg.Connection, journal: Journal) -> None:
    """Write the id of the restore, as part of its transaction."""
    comment = sql.SQL("comment on table public.alembic_version is {}")
    connection.execute(comment.format(sql.Literal(journal.id)))


def recover(settings: Settings, url: str) -> bool:
    """Finish or undo the restore that was interrupted; return whether one was finished.

    Raises:
        Failure: If a file cannot be moved or deleted.
        psycopg.Error: If the database does not answer; the next call tries again.
    """
    folder = settings.secrets / FOLDER
    if not folder.exists():
        return False
    with explain_os_errors(folder):
        journal = _read_journal(folder)
        finished = journal is not None and _is_committed(url, journal)
        if journal and finished:
            for path in folder.iterdir():
                if path.name != JOURNAL:
                    path.replace(settings.secrets / path.name)
        for key in (journal.obsolete if finished else journal.added) if journal else ():
            storage.delete_object(key)
        shutil.rmtree(folder)
    return finished


def _read_journal(folder: Path) -> Journal | None:
    """Return the journal; None if the restore was killed before it had changed anything."""
    try:
        found = json.loads((folder / JOURNAL).read_text())
        return Journal(tuple(found["added"]), tuple(found["obsolete"]), found["id"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _is_committed(url: str, journal: Journal) -> bool:
    query = "select obj_description(to_regclass('public.alembic_version'), 'pg_class')"
    with psycopg.connect(url) as connection:
        lock_database(connection)
        row = connection.execute(query).fetchone()
    return bool(row and row[0] == journal.id)


def ensure_recovered(settings: Settings, url: str) -> None:
    """Do the same as `recover`, for callers that show errors as one sentence.

    Raises:
        Failure: If a file cannot be moved or deleted, or the database does not answer.
    """
    try:
        recover(settings, url)
    except psycopg.Error as error:
        raise Failure(
            "A restore was interrupted, and the database does not answer: start it first."
        ) from error


def recover_before_start(settings: Settings, url: str) -> None:
    """Do the same for a process that starts alone, unless a restore is running now.

    Raises:
        Failure: If one is running, the folder of secrets cannot be read, or for the reasons of
            `ensure_recovered`.
    """
    folder = settings.secrets / FOLDER
    with explain_os_errors(folder):
        if not folder.exists():
            return
    home = Home(settings.home)
    home.prepare(room_mb=0)
    with lock_home(home):
        ensure_recovered(settings, url)

"""When the last backup was completed, rehearsed and copied elsewhere, as rows of the audit log.

They are in the database because a backup may run in a container of its own, whose files nobody
sees.
"""

import datetime as dt
from dataclasses import dataclass

import psycopg
from psycopg.types.json import Jsonb
from sqlmodel import Session, col, select

from sp404_app.models import AuditEntry
from sp404_app.models.columns import now, uuid7

ACTION = "backup_completed"
REHEARSAL_ACTION = "restore_rehearsed"
COPY_ACTION = "backup_copied"
INSERT = (
    "insert into audit_log (id, at, action, ip, request_id, details)"
    " values (%s, %s, %s, '', '', %s)"
)


@dataclass(frozen=True, slots=True)
class LastRehearsal:
    """When a restore was last rehearsed, and whether it worked."""

    at: dt.datetime
    succeeded: bool


def record_backup(url: str) -> None:
    """Record that a backup is complete, in the database at a URL.

    Raises:
        psycopg.Error: If the database does not take it.
    """
    _record(url, ACTION, {})


def record_copy(url: str) -> None:
    """Record that a backup was copied to another place, in the database at a URL.

    Raises:
        psycopg.Error: If the database does not take it.
    """
    _record(url, COPY_ACTION, {})


def record_rehearsal(url: str, backup_created_at: str, *, succeeded: bool) -> None:
    """Record the result of a rehearsal, in the database at a URL.

    Raises:
        psycopg.Error: If the database does not take it.
    """
    details = {"succeeded": succeeded, "backup_created_at": backup_created_at}
    _record(url, REHEARSAL_ACTION, details)


def _record(url: str, action: str, details: dict[str, object]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(INSERT, (uuid7(), now(), action, Jsonb(details)))


def last_backup_at(session: Session) -> dt.datetime | None:
    """Return when the last backup was completed; None if there was none."""
    entry = _last_entry(session, ACTION)
    return entry.at if entry else None


def last_copy_at(session: Session) -> dt.datetime | None:
    """Return when a backup was last copied to another place; None if never."""
    entry = _last_entry(session, COPY_ACTION)
    return entry.at if entry else None


def last_rehearsal(session: Session) -> LastRehearsal | None:
    """Return the result of the last rehearsal of a restore; None if there was none."""
    entry = _last_entry(session, REHEARSAL_ACTION)
    return LastRehearsal(entry.at, entry.details.get("succeeded") is True) if entry else None


def _last_entry(session: Session, action: str) -> AuditEntry | None:
    query = select(AuditEntry).where(col(AuditEntry.user_id).is_(None), AuditEntry.action == action)
    return session.exec(query.order_by(col(AuditEntry.id).desc()).limit(1)).first()

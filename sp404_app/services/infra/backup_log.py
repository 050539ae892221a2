"""When the last backup was completed, as a row of the audit log.

It is in the database because a backup may run in a container of its own, whose files nobody sees.
"""

import datetime as dt

import psycopg
from psycopg.types.json import Jsonb
from sqlmodel import Session, col, select

from sp404_app.models import AuditEntry
from sp404_app.models.columns import now, uuid7

ACTION = "backup_completed"
INSERT = (
    "insert into audit_log (id, at, action, ip, request_id, details)"
    " values (%s, %s, %s, '', '', %s)"
)


def record_backup(url: str) -> None:
    """Record that a backup is complete, in the database at a URL.

    Raises:
        psycopg.Error: If the database does not take it.
    """
    with psycopg.connect(url) as connection:
        connection.execute(INSERT, (uuid7(), now(), ACTION, Jsonb({})))


def last_backup_at(session: Session) -> dt.datetime | None:
    """Return when the last backup was completed; None if there was none."""
    query = select(AuditEntry.at).where(
        col(AuditEntry.user_id).is_(None), AuditEntry.action == ACTION
    )
    return session.exec(query.order_by(col(AuditEntry.id).desc()).limit(1)).first()

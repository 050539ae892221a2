"""Append-only audit log of account and security events; it holds no secrets."""

import uuid
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select
from structlog.contextvars import get_contextvars

from sp404_app.models import AuditEntry
from sp404_app.services.infra.client_info import Client

MAX_DETAIL_LENGTH = 200


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One audit event; `at` is RFC 3339 in UTC."""

    id: uuid.UUID
    at: str
    action: str
    ip: str
    details: dict[str, str]


def record_audit_event(
    session: Session, user_id: uuid.UUID | None, action: str, client: Client, **details: str
) -> None:
    """Write one audit event; `details` must not contain a token, a password or an e-mail."""
    session.add(
        AuditEntry(
            user_id=user_id,
            action=action,
            ip=client.ip[:45],
            request_id=str(get_contextvars().get("request_id", "")),
            details={name: text[:MAX_DETAIL_LENGTH] for name, text in details.items()},
        )
    )


def list_audit_events(
    session: Session, user_id: uuid.UUID | None, after: uuid.UUID | None, limit: int
) -> tuple[list[AuditEvent], int]:
    """Return a user's audit events older than `after`, newest first, and their total number.

    With `user_id` None: the events that belong to no account.
    """
    total = session.exec(select(func.count()).where(AuditEntry.user_id == user_id)).one()
    query = select(AuditEntry).where(AuditEntry.user_id == user_id)
    if after:
        query = query.where(col(AuditEntry.id) < after)
    rows = session.exec(query.order_by(col(AuditEntry.id).desc()).limit(limit))
    return [_to_event(row) for row in rows], total


def _to_event(row: AuditEntry) -> AuditEvent:
    details = {name: str(value) for name, value in row.details.items()}
    return AuditEvent(row.id, row.at.isoformat(), row.action, row.ip, details)

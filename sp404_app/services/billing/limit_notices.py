"""Emails at 80 % and 100 % of a limit, for storage and for the analyses of a month.

An email is a row of the caller's transaction, so it is sent only if what was added is kept. Its key
in `mail_log` names the limit: after an upgrade the new limit has emails of its own.
"""

import datetime as dt
import uuid
from functools import partial

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete

from sp404_app.db import after_commit, if_undone, transaction
from sp404_app.models import MailLog, User
from sp404_app.services.billing import limit_templates
from sp404_app.services.infra import email
from sp404_app.services.infra.email_templates import EmailContent
from sp404_app.services.plans import Plan

MonthSpan = tuple[dt.datetime, dt.datetime]  # when it starts, and when analyses reset

LEVELS = (80, 100)  # percent of a limit
REARM_PERCENT = 70  # storage: below this, the next crossing is told again


def note_analyses(
    session: Session, user_id: uuid.UUID, plan: Plan, used: int, added: int, month: MonthSpan
) -> None:
    """Email the user if `added` analyses, which make `used`, reach a level of the monthly limit."""
    limit = plan.analyses_per_month
    level = _reached_level(used - added, used, limit)
    if not level or not limit:
        return
    content = limit_templates.analyses_reached(plan, level, used, month[1])
    key = f"limit:analysis:{user_id}:{month[0]:%Y%m%d}:{limit}:{level}"
    _send_once(session, user_id, key, content)


def note_storage(session: Session, user_id: uuid.UUID, plan: Plan, before: int, after: int) -> None:
    """Email the user if the storage in use reaches a level of the limit; all in bytes.

    Once a level was told, it is told again only after less than 70 % was used.
    """
    limit = plan.storage_bytes
    if limit is None:
        return
    if before * 100 < limit * REARM_PERCENT:
        keys = [_storage_key(user_id, limit, level) for level in LEVELS]
        session.exec(delete(MailLog).where(col(MailLog.dedupe_key).in_(keys)))
    if level := _reached_level(before, after, limit):
        content = limit_templates.storage_reached(plan, level, after)
        _send_once(session, user_id, _storage_key(user_id, limit, level), content)


def note_refusal(session: Session, user_id: uuid.UUID, plan: Plan, used: int) -> None:
    """Email the user that the storage is full, after a sound was refused for lack of room.

    A sound that is too large for a storage with much room is no full storage. The refusal may undo
    the transaction, so the email has one of its own.
    """
    if plan.storage_bytes is None or used * 100 < plan.storage_bytes * LEVELS[0]:
        return
    action = partial(_send_full, user_id, plan, used)
    after_commit(session, action)
    if_undone(session, action)


def _send_full(user_id: uuid.UUID, plan: Plan, used: int) -> None:
    content = limit_templates.storage_reached(plan, LEVELS[-1], used)
    with transaction() as session:
        key = _storage_key(user_id, plan.storage_bytes or 0, LEVELS[-1])
        _send_once(session, user_id, key, content)


def _reached_level(before: int, after: int, limit: int | None) -> int:
    """Return the highest level that an addition reached, or 0."""
    if not limit:
        return 0
    reached = [level for level in LEVELS if before * 100 < limit * level <= after * 100]
    return max(reached, default=0)


def _storage_key(user_id: uuid.UUID, limit: int, level: int) -> str:
    return f"limit:storage:{user_id}:{limit}:{level}"


def _send_once(session: Session, user_id: uuid.UUID, key: str, content: EmailContent) -> None:
    user = session.get(User, user_id)
    if user is None or user.is_demo:
        return
    row = insert(MailLog).values(dedupe_key=key, user_id=user_id)
    inserted = session.execute(row.on_conflict_do_nothing().returning(col(MailLog.dedupe_key)))
    if inserted.scalar() is not None:
        email.send_email_to_address(session, user.email, content)

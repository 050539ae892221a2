"""Mails that did not leave: a row says so until the mail server has taken the mail.

The row is written with what the mail tells, and deleted once the mail is sent. So a mail that was
refused, and one whose process ended before it was sent, are both seen: by the operator, and by
its recipient where they are signed in. The text of a mail is never kept here.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, or_, update
from sqlmodel import Session, col, select

from sp404_app.models import OneTimeToken, Purpose, UnsentMail, User
from sp404_app.models.columns import now

LOST_AFTER = dt.timedelta(minutes=15)
KEPT, SHOWN_TO_PERSON = dt.timedelta(days=30), dt.timedelta(days=7)
MOST = 50
LOST = "The process that should have sent it ended."


@dataclass(frozen=True, slots=True)
class Unsent:
    """One mail that did not leave."""

    recipient: str
    subject: str
    reason: str
    at: dt.datetime


def note(session: Session, recipient: str, subject: str) -> uuid.UUID:
    """Write down that a mail is to be sent; return the id of its row."""
    row = UnsentMail(recipient=recipient, subject=subject)
    session.add(row)
    session.flush()
    return row.id


def is_sent(session: Session, mail_id: uuid.UUID) -> None:
    """Forget a mail that the mail server has taken."""
    session.exec(delete(UnsentMail).where(col(UnsentMail.id) == mail_id))


def is_refused(session: Session, mail_id: uuid.UUID, reason: str) -> None:
    """Write down why a mail could not be sent."""
    mine = update(UnsentMail).where(col(UnsentMail.id) == mail_id)
    session.exec(mine.values(failed_at=now(), reason=reason))


def newest(session: Session) -> list[Unsent]:
    """List the mails that did not leave, the newest first; for operators."""
    rows = select(UnsentMail).where(_not_sent()).order_by(col(UnsentMail.id).desc())
    return [_view(row) for row in session.exec(rows.limit(MOST))]


def for_person(session: Session, user_id: uuid.UUID) -> list[Unsent]:
    """List the mails of the last week that did not reach a person.

    To their address, and to one that they asked to change to and have not confirmed yet.
    """
    user = session.get_one(User, user_id)
    wished = select(OneTimeToken.new_email).where(
        OneTimeToken.user_id == user_id,
        OneTimeToken.purpose == Purpose.CHANGE_EMAIL,
        col(OneTimeToken.used_at).is_(None),
        col(OneTimeToken.expires_at) > now(),
    )
    addresses = [user.email, *filter(None, session.exec(wished))]
    rows = (
        select(UnsentMail)
        .where(
            col(UnsentMail.recipient).in_(addresses),
            col(UnsentMail.created_at) > now() - SHOWN_TO_PERSON,
            _not_sent(),
        )
        .order_by(col(UnsentMail.id).desc())
    )
    return [_view(row) for row in session.exec(rows.limit(5))]


def was_refused(session: Session, recipient: str, since: dt.datetime) -> bool:
    """Return whether a mail to an address failed since a time, and none is on its way."""
    rows = select(UnsentMail).where(
        UnsentMail.recipient == recipient, col(UnsentMail.created_at) >= since
    )
    found = session.exec(rows).all()
    return bool(found) and all(row.failed_at is not None for row in found)


def count(session: Session) -> int:
    """Return how many mails did not leave."""
    return session.exec(select(func.count()).select_from(UnsentMail).where(_not_sent())).one()


def forget_recipient(session: Session, recipient: str) -> None:
    """Forget the mails to an address whose account is deleted."""
    session.exec(delete(UnsentMail).where(col(UnsentMail.recipient) == recipient))


def purge_old(session: Session, at: dt.datetime) -> int:
    """Delete what is older than a month; return how many."""
    old = delete(UnsentMail).where(col(UnsentMail.created_at) < at - KEPT)
    return session.exec(old).rowcount


def _not_sent() -> ColumnElement[bool]:
    lost = col(UnsentMail.created_at) < now() - LOST_AFTER
    return or_(col(UnsentMail.failed_at).is_not(None), lost)


def _view(row: UnsentMail) -> Unsent:
    return Unsent(row.recipient, row.subject, row.reason or LOST, row.created_at)

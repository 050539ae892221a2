"""Outgoing e-mails as database rows: queued, claimed, retried, given up, listed.

A row is written in the transaction of the change it reports, and deleted once the mail server has
accepted the e-mail. The body is encrypted, because it may contain a link that signs in. Delivery
is at least once: if the process dies between sending and deleting the row, the e-mail is sent
again, with the same Message-ID.
"""

import datetime as dt
import json
import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass
from functools import partial

from cryptography.exceptions import InvalidTag
from sqlalchemy import ColumnElement, and_, delete, func, or_, update
from sqlmodel import Session, col, select

from sp404_app.db import after_commit
from sp404_app.models import OneTimeToken, Purpose, UnsentMail, User
from sp404_app.models.columns import now
from sp404_app.services.infra import encryption, queue
from sp404_app.services.infra.smtp import DeliveryFailure

# The last pause repeats until the e-mail is a day old.
RETRY_PAUSES_S = (2, 4, 10, 60, 300, 900, 3600)
RETRY_FOR = dt.timedelta(days=1)
# Longer than the job may take, so that no second worker sends an e-mail that is being sent.
LEASE = dt.timedelta(seconds=queue.EMAIL_TIMEOUT_S + 30)
LISTED_AFTER_ATTEMPTS = 4
LISTED_AFTER = dt.timedelta(minutes=15)
KEPT, SHOWN_TO_USER = dt.timedelta(days=30), dt.timedelta(days=7)
LISTED_MAX = 50
REQUEUED_MAX = 200
NOT_TRIED = "It has not been sent yet."


@dataclass(frozen=True, slots=True)
class UnsentEmail:
    """One e-mail that was not delivered, as shown to its recipient and to operators."""

    recipient: str
    subject: str
    reason: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class EmailBody:
    """The body of an e-mail in both formats."""

    text: str
    html: str


@dataclass(frozen=True, slots=True)
class ClaimedEmail:
    """An e-mail that this worker may send now; `attempt` counts from 1."""

    id: uuid.UUID
    recipient: str
    subject: str
    encrypted_body: bytes
    created_at: dt.datetime
    attempt: int

    @property
    def is_too_old(self) -> bool:
        """Return whether the e-mail is older than the retry period, as in a restored backup."""
        return self.created_at < now() - RETRY_FOR - LEASE

    def body(self) -> EmailBody:
        """Decrypt the body.

        Raises:
            InvalidTag: If the server's secret is not the one it was encrypted with.
        """
        return EmailBody(**json.loads(encryption.decrypt(self.encrypted_body, _context(self.id))))


def add_email(session: Session, recipient: str, subject: str, body: EmailBody) -> uuid.UUID:
    """Write the row of an e-mail and queue its job after the commit; return the id of the row.

    If Redis is not available then, `requeue_due` queues the job later.
    """
    row = UnsentMail(recipient=recipient, subject=subject, due_at=now())
    plaintext = json.dumps(asdict(body)).encode()
    row.encrypted_body = encryption.encrypt(plaintext, _context(row.id))
    session.add(row)
    session.flush()
    after_commit(session, partial(queue.enqueue_email, row.id, 0))
    return row.id


def reencrypt_bodies(session: Session) -> int:
    """Encrypt all bodies with the present pepper; return how many no pepper can decrypt."""
    lost = 0
    for row in session.exec(select(UnsentMail).with_for_update()):
        try:
            if row.encrypted_body:
                row.encrypted_body = encryption.reencrypt(row.encrypted_body, _context(row.id))
        except InvalidTag:
            lost += 1
    return lost


def _context(email_id: uuid.UUID) -> bytes:
    return b"email\0" + email_id.bytes


def claim_email(session: Session, email_id: uuid.UUID) -> ClaimedEmail | None:
    """Take an e-mail for one attempt; None if it is not due, was sent, or is claimed by another.

    The claim expires after `LEASE`, so an e-mail whose worker died is sent by another one.
    """
    row = session.exec(
        select(UnsentMail)
        .where(UnsentMail.id == email_id, col(UnsentMail.due_at) <= now())
        .with_for_update(skip_locked=True)
    ).first()
    if row is None or row.encrypted_body is None:
        return None
    row.attempts += 1
    row.due_at = now() + LEASE
    session.add(row)
    return ClaimedEmail(
        row.id, row.recipient, row.subject, row.encrypted_body, row.created_at, row.attempts
    )


def delete_sent(session: Session, email_id: uuid.UUID) -> None:
    """Delete the row of an e-mail that the mail server has accepted."""
    session.exec(delete(UnsentMail).where(col(UnsentMail.id) == email_id))


def record_failure(session: Session, email: ClaimedEmail, failure: DeliveryFailure) -> bool:
    """Schedule the next attempt, or give the e-mail up; return whether it was given up.

    A given-up e-mail keeps recipient, subject and reason, but not its body.
    """
    pause_s = RETRY_PAUSES_S[min(email.attempt, len(RETRY_PAUSES_S)) - 1]
    retry_at = now() + dt.timedelta(seconds=pause_s)
    given_up = failure.permanent or retry_at > email.created_at + RETRY_FOR
    values = {"reason": failure.reason, "due_at": retry_at}
    if given_up:
        values |= {"failed_at": now(), "due_at": None, "encrypted_body": None}
    # An attempt whose lease expired must not overwrite what a later attempt recorded.
    same_attempt = (
        col(UnsentMail.id) == email.id,
        col(UnsentMail.attempts) == email.attempt,
    )
    session.exec(update(UnsentMail).where(*same_attempt).values(**values))
    return given_up


def requeue_due(session: Session, at: dt.datetime) -> int:
    """Queue a job for each due e-mail that has none; return how many were queued.

    This starts retries, and replaces jobs that were lost with a worker or with Redis.
    """
    due = (
        select(UnsentMail.id, UnsentMail.attempts)
        .where(col(UnsentMail.due_at) <= at)
        .order_by(col(UnsentMail.due_at))
        .limit(REQUEUED_MAX)
    )
    rows = session.exec(due).all()
    queued = queue.queued_ids() if rows else frozenset()
    lost = [row for row in rows if queue.rq_job_id(*row) not in queued]
    for email_id, attempts in lost:
        after_commit(session, partial(queue.enqueue_email, email_id, attempts))
    return len(lost)


def next_due(session: Session, before: dt.datetime) -> uuid.UUID | None:
    """Return the e-mail that has been due for longest, if it was due before a time."""
    due = select(UnsentMail.id).where(col(UnsentMail.due_at) < before)
    return session.exec(due.order_by(col(UnsentMail.due_at)).limit(1)).first()


def is_email_on_its_way(session: Session) -> bool:
    """Return whether an e-mail is queued or being sent, and no attempt has failed yet."""
    first_attempt = (col(UnsentMail.encrypted_body).is_not(None), UnsentMail.reason == "")
    return session.exec(select(UnsentMail.id).where(*first_attempt).limit(1)).first() is not None


def list_unsent_emails(session: Session) -> list[UnsentEmail]:
    """List e-mails that were not delivered, newest first; for operators."""
    rows = select(UnsentMail).where(_not_delivered()).order_by(col(UnsentMail.id).desc())
    return [_to_unsent(row) for row in session.exec(rows.limit(LISTED_MAX))]


def list_unsent_emails_of_user(session: Session, user_id: uuid.UUID) -> list[UnsentEmail]:
    """List the e-mails of the last week that did not reach a user.

    It includes e-mails to a new address that they have requested and not confirmed yet.
    """
    user = session.get_one(User, user_id)
    requested = select(OneTimeToken.new_email).where(
        OneTimeToken.user_id == user_id,
        OneTimeToken.purpose == Purpose.CHANGE_EMAIL,
        col(OneTimeToken.used_at).is_(None),
        col(OneTimeToken.expires_at) > now(),
    )
    addresses = [user.email, *filter(None, session.exec(requested))]
    rows = (
        select(UnsentMail)
        .where(
            col(UnsentMail.recipient).in_(addresses),
            col(UnsentMail.created_at) > now() - SHOWN_TO_USER,
            _not_delivered(),
        )
        .order_by(col(UnsentMail.id).desc())
    )
    return [_to_unsent(row) for row in session.exec(rows.limit(5))]


def is_email_undelivered(session: Session, recipient: str, since: dt.datetime) -> bool:
    """Return whether an e-mail to this address failed since then, and none is on its way."""
    rows = select(UnsentMail).where(
        UnsentMail.recipient == recipient, col(UnsentMail.created_at) >= since
    )
    found = session.exec(rows).all()
    return bool(found) and all(
        row.failed_at is not None or row.attempts >= LISTED_AFTER_ATTEMPTS for row in found
    )


def count_unsent_emails(session: Session) -> int:
    """Return how many e-mails were not delivered."""
    query = select(func.count()).select_from(UnsentMail).where(_not_delivered())
    return session.exec(query).one()


def delete_emails_to(session: Session, recipients: Collection[str]) -> None:
    """Delete all e-mails to the addresses of an account that is deleted, sent or not."""
    session.exec(delete(UnsentMail).where(col(UnsentMail.recipient).in_(recipients)))


def purge_old_emails(session: Session, at: dt.datetime) -> int:
    """Delete rows older than 30 days; return how many."""
    old = delete(UnsentMail).where(col(UnsentMail.created_at) < at - KEPT)
    return session.exec(old).rowcount


def _not_delivered() -> ColumnElement[bool]:
    """Select e-mails that were given up, keep failing, or have waited for too long."""
    return or_(
        col(UnsentMail.failed_at).is_not(None),
        col(UnsentMail.created_at) < now() - LISTED_AFTER,
        and_(col(UnsentMail.attempts) >= LISTED_AFTER_ATTEMPTS, col(UnsentMail.reason) != ""),
    )


def _to_unsent(row: UnsentMail) -> UnsentEmail:
    return UnsentEmail(row.recipient, row.subject, row.reason or NOT_TRIED, row.created_at)

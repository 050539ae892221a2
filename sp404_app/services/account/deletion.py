"""Deleting an account: the subscription first, then everything, files included."""

import uuid
from contextlib import suppress
from functools import partial

from sqlalchemy import delete
from sqlmodel import Session, col, select, update

from sp404_app.db import after_commit, in_transaction
from sp404_app.errors import NotFound
from sp404_app.models import AuditEntry, JobKind, ProcessingJob, Sample, User
from sp404_app.services.account import avatars, data_export
from sp404_app.services.auth import sessions
from sp404_app.services.billing import quotas, subscriptions
from sp404_app.services.infra import (
    audit_log,
    email,
    email_templates,
    pictures,
    storage,
    unsent_emails,
)
from sp404_app.services.infra.client_info import Client


async def delete_account(user_id: uuid.UUID) -> None:
    """End a person's subscription, and then delete everything about them.

    Raises:
        AppError: If the subscription cannot be ended; nothing is deleted then.
    """
    await in_transaction(subscriptions.close_account, user_id)
    await in_transaction(erase, user_id)


def erase(session: Session, user_id: uuid.UUID) -> None:
    """Delete a person, their rows and their files; of the log stays what happened, not where from.

    A worker that is busy with a sound of theirs finds its row gone and stops.
    """
    # Whoever changes the library holds the person, then jobs. Workers lock their job, and then
    # refer to the person: that waits for the stronger lock only, which comes last.
    with suppress(NotFound):
        quotas.hold(session, user_id)
    jobs = select(ProcessingJob.id).where(ProcessingJob.user_id == user_id)
    session.exec(jobs.order_by(col(ProcessingJob.id)).with_for_update()).all()
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        return
    keys = _keys(session, user)
    sessions.revoke_all(session, user_id)
    unsent_emails.forget_recipient(session, user.email)
    email.send_to_address(session, user.email, email_templates.account_deleted())
    session.exec(delete(User).where(col(User.id) == user_id))  # the rest goes by its foreign keys
    _blur(session, user_id)
    audit_log.record(session, user_id, "account_deleted", Client())
    for key in keys:
        after_commit(session, partial(storage.delete, key))
    after_commit(session, partial(pictures.delete_all_pictures, user_id))


def _keys(session: Session, user: User) -> list[str]:
    """Return the keys of all files of a person."""
    sounds = select(Sample.storage_key, Sample.preview_key).where(Sample.user_id == user.id)
    exports = select(ProcessingJob.id).where(
        ProcessingJob.user_id == user.id, ProcessingJob.kind == JobKind.ACCOUNT_EXPORT
    )
    found = [key for pair in session.exec(sounds) for key in pair if key]
    found += [data_export.key_of(job_id) for job_id in session.exec(exports)]
    return found + avatars.keys_of(user)


def _blur(session: Session, user_id: uuid.UUID) -> None:
    """Take out of the log where somebody was and what they called things.

    The database lets nobody change the log in any other way, nor while there is such a person.
    """
    mine = col(AuditEntry.user_id) == user_id
    session.exec(update(AuditEntry).where(mine).values(ip="", details={}))

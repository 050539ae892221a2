"""Account deletion: end the subscription, then delete all rows and files."""

import uuid
from contextlib import suppress
from functools import partial

from sqlalchemy import delete
from sqlmodel import Session, col, select, update

from sp404_app.db import after_commit, in_transaction
from sp404_app.errors import NotFound
from sp404_app.models import (
    AuditEntry,
    CardImport,
    Collection,
    JobKind,
    OneTimeToken,
    ProcessingJob,
    Project,
    Sample,
    User,
)
from sp404_app.services.account import avatars, data_export
from sp404_app.services.auth import sessions
from sp404_app.services.billing import account_end, quotas
from sp404_app.services.infra import (
    audit_log,
    conversion_files,
    email,
    email_templates,
    export_files,
    import_files,
    object_deletions,
    pictures,
    render_files,
    unsent_emails,
)
from sp404_app.services.infra.client_info import Client


async def delete_account(user_id: uuid.UUID) -> None:
    """End the user's subscription, then delete all their data.

    Raises:
        AppError: If the subscription cannot be ended; nothing is deleted then.
    """
    await in_transaction(account_end.end_billing, user_id)
    await in_transaction(erase_account, user_id)


def erase_account(session: Session, user_id: uuid.UUID) -> None:
    """Delete the user, their rows and their files; keep the audit log without personal data.

    A worker that analyses one of the samples finds its row gone and stops.
    """
    # Lock order: changes to the library lock the user (NO KEY UPDATE), then jobs. A worker locks
    # its job, a change of pads its project, a change of a collection the collection; then they
    # insert rows that refer to the user. These inserts wait only for the lock that precedes a
    # deletion (UPDATE), so it is taken last.
    with suppress(NotFound):
        quotas.lock_library(session, user_id)
    jobs = select(ProcessingJob.id).where(ProcessingJob.user_id == user_id)
    session.exec(jobs.order_by(col(ProcessingJob.id)).with_for_update()).all()
    projects = select(Project.id).where(Project.user_id == user_id)
    session.exec(projects.order_by(col(Project.id)).with_for_update()).all()
    collections = select(Collection.id).where(Collection.user_id == user_id)
    session.exec(collections.order_by(col(Collection.id)).with_for_update()).all()
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        return
    keys = _storage_keys(session, user)
    sessions.revoke_all_sessions(session, user_id)
    unsent_emails.delete_emails_to(session, _addresses(session, user))
    account_end.delete_billing_records(session, user_id)
    email.send_email_to_address(session, user.email, email_templates.account_deleted())
    session.exec(delete(User).where(col(User.id) == user_id))  # foreign keys cascade to the rest
    _anonymize_audit_log(session, user_id)
    audit_log.record_audit_event(session, user_id, "account_deleted", Client())
    object_deletions.delete_objects_later(session, keys)
    after_commit(session, partial(pictures.delete_all_pictures, user_id))
    after_commit(session, partial(render_files.delete_all_render_files, user_id))
    after_commit(session, partial(export_files.delete_all_export_files, user_id))
    after_commit(session, partial(conversion_files.delete_all_converted_files, user_id))
    after_commit(session, partial(import_files.delete_all_import_files, user_id))


def _addresses(session: Session, user: User) -> set[str]:
    """Return the addresses that e-mails about this account went to: also former and wished ones."""
    others = select(OneTimeToken.new_email).where(OneTimeToken.user_id == user.id)
    return {user.email, *filter(None, session.exec(others))}


def _storage_keys(session: Session, user: User) -> list[str]:
    """Return the storage keys of all files of the user."""
    sounds = select(Sample.storage_key, Sample.preview_key).where(Sample.user_id == user.id)
    exports = select(ProcessingJob.id).where(
        ProcessingJob.user_id == user.id, ProcessingJob.kind == JobKind.ACCOUNT_EXPORT
    )
    found = [key for pair in session.exec(sounds) for key in pair if key]
    for stored in session.exec(select(CardImport.sample_keys).where(CardImport.user_id == user.id)):
        found += stored
    found += [data_export.export_key(job_id) for job_id in session.exec(exports)]
    return found + avatars.avatar_keys(user)


def _anonymize_audit_log(session: Session, user_id: uuid.UUID) -> None:
    """Remove IP addresses and details from the user's audit log.

    The database permits no other change of the log, and this one only once the user is deleted.
    """
    mine = col(AuditEntry.user_id) == user_id
    session.exec(update(AuditEntry).where(mine).values(ip="", details={}))

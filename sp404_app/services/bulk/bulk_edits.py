"""Request, list and undo bulk edits. The work itself is done by a job."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, delete, func, or_, select

from sp404_app.db import after_commit
from sp404_app.errors import Conflict, NotFound, TooLarge, ValidationFailed
from sp404_app.models import BulkEdit, BulkEditItem, JobKind, JobStatus, ProcessingJob, Sample
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.billing import quotas
from sp404_app.services.bulk.edits import (
    ADD_TO_COLLECTION,
    BulkChange,
    CollectEdit,
    NormaliseEdit,
    describe_edit,
    edit_to_json,
    parse_edit,
)
from sp404_app.services.collections import collection_samples
from sp404_app.services.infra import queue
from sp404_app.services.library.samples import has_id_in
from sp404_app.services.processing import jobs

MAX_SOUNDS: Final = 100_000
MAX_ACTIVE_EDITS: Final = 4  # per user
MAX_LISTED: Final = 50
KEPT_FOR: Final = dt.timedelta(days=30)
ACTIVE: Final = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class BulkEditView:
    """A bulk edit; `progress` is 0 to 1, `total` the number of sounds that it was asked for.

    `status` is that of its job, or of the job that undoes it, if `is_undo`.
    """

    id: uuid.UUID
    action: str
    title: str
    total: int
    changed: int
    skipped: int
    failed: int
    problem: str
    status: str
    progress: float
    is_undo: bool
    can_undo: bool
    job_id: uuid.UUID | None
    created_at: dt.datetime
    undone_at: dt.datetime | None


def request_edit(
    session: Session, user_id: uuid.UUID, edit: BulkChange, ids: Sequence[uuid.UUID]
) -> ProcessingJob:
    """Queue an edit of samples, which `{n}` numbers in this order; return its job.

    Raises:
        Conflict: If too many edits of the user are not finished, or if the collection is smart, in
            the trash or full.
        NotFound: If a sample or the collection does not exist or belongs to another user.
        QuotaExceeded: If the copies of a normalisation do not fit into the storage quota.
        TooLarge: If there are too many samples.
        ValidationFailed: If there are none.
    """
    wanted = list(dict.fromkeys(ids))
    ensure_count(wanted)
    lock_account(session, user_id)  # simultaneous requests count each other
    _ensure_owned(session, user_id, wanted, edit)
    _ensure_few_active(session, user_id)
    if isinstance(edit, CollectEdit):
        name = collection_samples.ensure_addable(session, user_id, edit.collection, wanted)
        edit = replace(edit, name=name)
    job = _add_job(session, user_id)
    row = BulkEdit(
        user_id=user_id,
        job_id=job.id,
        action=edit.action,
        parameters=edit_to_json(edit),
        sample_ids=wanted,
    )
    session.add(row)
    session.flush()
    counts = {"changed": 0, "skipped": 0, "failed": 0}
    job.result = {"bulk_edit_id": str(row.id)} | counts | _target(row)
    _enqueue(session, job)
    return job


def request_undo(session: Session, user_id: uuid.UUID, bulk_edit_id: uuid.UUID) -> ProcessingJob:
    """Queue the undoing of an edit; return its job. An edit that still runs is cancelled first.

    If it has changed nothing until then, its own cancelled job is returned. A second request while
    the first is not finished returns the same job.

    Raises:
        Conflict: If nothing of the edit is left to undo.
        NotFound: If the edit does not exist or belongs to another user.
    """
    lock_account(session, user_id)  # simultaneous requests create one job
    row = get_edit(session, user_id, bulk_edit_id)
    if row.undo_job_id:
        undoing = session.get_one(ProcessingJob, row.undo_job_id)
        if undoing.status in ACTIVE:
            return undoing
    edited = session.get(ProcessingJob, row.job_id) if row.job_id else None
    was_active = edited is not None and edited.status in ACTIVE
    if edited:
        edited = jobs.cancel_job(session, user_id, edited.id)
    total = count_items(session, row.id)
    if edited and was_active and not total:
        return edited  # an error would take back that it was cancelled
    if not total:
        raise Conflict("There is nothing left to undo.")
    job = _add_job(session, user_id)
    job.result = {
        "bulk_edit_id": str(row.id),
        "is_undo": True,
        "total": total,
        "restored": 0,
        "changed_since": 0,
        "failed": 0,
    } | _target(row)
    row.undo_job_id = job.id
    session.add(row)
    _enqueue(session, job)
    return job


def get_edit(session: Session, user_id: uuid.UUID, bulk_edit_id: uuid.UUID) -> BulkEdit:
    """Return a user's bulk edit.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    row = session.get(BulkEdit, bulk_edit_id)
    if row is None or row.user_id != user_id:
        raise NotFound("There is no such bulk edit.")
    return row


def list_edits(session: Session, user_id: uuid.UUID, limit: int = MAX_LISTED) -> list[BulkEditView]:
    """Return a user's newest bulk edits, newest first."""
    job, undo_job = aliased(ProcessingJob), aliased(ProcessingJob)
    has_items = select(BulkEditItem.sample_id).where(BulkEditItem.bulk_edit_id == BulkEdit.id)
    total = func.cardinality(BulkEdit.sample_ids)
    columns = (
        BulkEdit.id, BulkEdit.action, BulkEdit.parameters, BulkEdit.changed, BulkEdit.skipped,
        BulkEdit.failed, BulkEdit.problem, BulkEdit.created_at, BulkEdit.undone_at,
    )  # fmt: skip
    query = (
        select(*columns, total.label("total"), has_items.exists().label("has_items"), job, undo_job)  # type: ignore[call-overload]
        .join(job, job.id == BulkEdit.job_id, isouter=True)
        .join(undo_job, undo_job.id == BulkEdit.undo_job_id, isouter=True)
        .where(BulkEdit.user_id == user_id)
        .order_by(col(BulkEdit.id).desc())
        .limit(limit)
    )
    return [_view(row, row[-2], row[-1]) for row in session.execute(query)]


def count_items(session: Session, bulk_edit_id: uuid.UUID) -> int:
    """Return how many samples an edit can still be undone for."""
    found = select(func.count()).where(BulkEditItem.bulk_edit_id == bulk_edit_id)
    return session.scalar(found) or 0


def purge_old_edits(session: Session, at: dt.datetime) -> int:
    """Delete bulk edits that are older than `KEPT_FOR` and not active; return their number."""
    active = select(ProcessingJob.id).where(col(ProcessingJob.status).in_(ACTIVE))
    is_active = or_(col(BulkEdit.job_id).in_(active), col(BulkEdit.undo_job_id).in_(active))
    old = col(BulkEdit.created_at) < at - KEPT_FOR
    idle = select(BulkEdit.id).where(old).where(~func.coalesce(is_active, False))
    return session.exec(delete(BulkEdit).where(col(BulkEdit.id).in_(idle))).rowcount


def ensure_count(ids: Sequence[uuid.UUID]) -> None:
    """Check that a number of samples is possible for one edit.

    Raises:
        TooLarge: If there are too many.
        ValidationFailed: If there are none.
    """
    if not ids:
        raise ValidationFailed("There are no sounds to change.", {"ids": ["Choose a sound."]})
    if len(ids) > MAX_SOUNDS:
        raise TooLarge(f"Choose at most {MAX_SOUNDS:,} sounds.")


def _ensure_owned(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID], edit: BulkChange
) -> None:
    owned = (col(Sample.user_id) == user_id) & has_id_in(ids)
    sums = select(func.count(), func.coalesce(func.sum(Sample.size), 0)).where(owned)
    count, size = session.exec(sums).one()
    if count < len(ids):
        raise NotFound("There is no such sample.")
    if isinstance(edit, NormaliseEdit):
        quotas.ensure_storage(session, user_id, int(size))


def _ensure_few_active(session: Session, user_id: uuid.UUID) -> None:
    active = select(func.count()).where(
        ProcessingJob.user_id == user_id,
        ProcessingJob.kind == JobKind.BULK,
        col(ProcessingJob.status).in_(ACTIVE),
    )
    if (session.scalar(active) or 0) >= MAX_ACTIVE_EDITS:
        raise Conflict("Other changes are not finished. Wait until one of them is done.")


def _add_job(session: Session, user_id: uuid.UUID) -> ProcessingJob:
    tier = quotas.get_plan(session, user_id).tier
    job = ProcessingJob(user_id=user_id, kind=JobKind.BULK, queue=tier)
    session.add(job)
    session.flush()
    return job


def _enqueue(session: Session, job: ProcessingJob) -> None:
    session.add(job)
    session.flush()
    jobs.publish_job(session, job)
    after_commit(session, partial(queue.enqueue_job, job.id, job.queue, 0, slow=True))


def _target(row: BulkEdit) -> dict[str, Any]:
    """Return the action of an edit and the collection it adds to, for the result of its jobs."""
    names = {"collection": "collection_id", "name": "collection_name"}
    if row.action != ADD_TO_COLLECTION:
        return {"action": row.action}
    found = {names[key]: value for key, value in row.parameters.items() if key in names}
    return {"action": row.action} | found


def _title(row: Any) -> str:
    """Return what an edit did; one of an earlier version may no longer be valid."""
    try:
        return describe_edit(parse_edit(row.parameters))
    except ValidationFailed:
        return str(row.action).capitalize()


def _view(row: Any, job: ProcessingJob | None, undo_job: ProcessingJob | None) -> BulkEditView:
    shown = undo_job or job
    is_undoing = undo_job is not None and undo_job.status in ACTIVE
    return BulkEditView(
        id=row.id,
        action=row.action,
        title=_title(row),
        total=row.total,
        changed=row.changed,
        skipped=row.skipped,
        failed=row.failed,
        problem=row.problem or (shown.error if shown and shown.status == JobStatus.FAILED else ""),
        status=shown.status if shown else JobStatus.DONE,
        progress=shown.progress if shown else 1.0,
        is_undo=undo_job is not None,
        can_undo=row.has_items and not is_undoing,
        job_id=shown.id if shown else None,
        created_at=row.created_at,
        undone_at=row.undone_at,
    )

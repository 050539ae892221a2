"""Undo a bulk edit in batches. Only values that nobody has changed since are restored."""

import datetime as dt
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam
from sqlmodel import Session, col, delete, select, update

from sp404_app.errors import NotFound
from sp404_app.models import BulkEdit, BulkEditItem, JobStatus, ProcessingJob, Sample
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.bulk.batches import BATCH_SOUNDS, COLLECTION, deletion_value
from sp404_app.services.bulk.sound_values import (
    SOURCE_SUFFIX,
    SoundValues,
    Values,
    read_sounds,
    write_sounds,
)
from sp404_app.services.collections import collection_samples
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs

CREATED: Final = "created"  # in `after`: the edit has added this sample


@dataclass(slots=True)
class _UndoResult:
    """What became of the samples of a batch."""

    restored: set[uuid.UUID]
    changed_since: set[uuid.UUID]
    failed: set[uuid.UUID]


def run_next_undo_batch(session: Session, job: ProcessingJob) -> bool:
    """Undo the next batch of an edit; return whether another follows. The last finishes the job.

    Raises:
        NotFound: If the edit was deleted.
    """
    quotas.lock_library(session, job.user_id)  # before the job: a deletion may be undone
    if not jobs.lock_current_attempt(session, job):
        return False
    current = session.get_one(ProcessingJob, job.id)
    progress: dict[str, Any] = dict(current.result or {})
    items = _next_items(session, uuid.UUID(progress["bulk_edit_id"]), progress.get("after_id"))
    if items:
        result = _undo_items(session, job.user_id, items)
        progress["after_id"] = str(items[-1].sample_id)
        progress["restored"] += len(result.restored)
        progress["changed_since"] += len(result.changed_since)
        progress["failed"] += len(result.failed)
        samples.publish_sample(session, job.user_id)
    done = progress["restored"] + progress["changed_since"] + progress["failed"]
    current.result, current.progress = progress, min(1.0, done / max(1, progress["total"]))
    current.heartbeat_at = now()
    session.add(current)
    if len(items) < BATCH_SOUNDS:
        return _finish(session, job, progress)
    jobs.publish_job(session, current)
    return True


def _finish(session: Session, job: ProcessingJob, progress: dict[str, Any]) -> bool:
    row = session.get(BulkEdit, uuid.UUID(progress["bulk_edit_id"]))
    if row:
        row.undone_at = now()
        session.add(row)
    jobs.finish_job(session, job.id, JobStatus.DONE)
    return False


def _next_items(
    session: Session, bulk_edit_id: uuid.UUID, after_id: str | None
) -> Sequence[BulkEditItem]:
    found = select(BulkEditItem).where(BulkEditItem.bulk_edit_id == bulk_edit_id)
    if after_id:
        found = found.where(col(BulkEditItem.sample_id) > uuid.UUID(after_id))
    return session.exec(found.order_by(col(BulkEditItem.sample_id)).limit(BATCH_SOUNDS)).all()


def _undo_items(session: Session, user_id: uuid.UUID, items: Sequence[BulkEditItem]) -> _UndoResult:
    if any(COLLECTION in item.after for item in items):
        return _remove_from_collection(session, user_id, items)
    # A deletion or restoration locks jobs before samples. The user's lock protects its values.
    lock = not any({"deleted_at", CREATED} & item.after.keys() for item in items)
    sounds = read_sounds(session, user_id, [item.sample_id for item in items], lock=lock)
    items = [item for item in items if item.sample_id in sounds]
    changes: dict[uuid.UUID, Values] = {}
    for item in items:
        own = _own_fields(sounds[item.sample_id], item)
        changes[item.sample_id] = {name: item.before[name] for name in own}
    failed = _undo_deletions(session, user_id, items, changes)
    written = {
        sample_id: fields
        for sample_id, values in changes.items()
        if (fields := {k: v for k, v in values.items() if k not in {"deleted_at", CREATED}})
    }
    write_sounds(session, user_id, written, sounds)
    return _settle_items(session, items, changes, failed)


def _remove_from_collection(
    session: Session, user_id: uuid.UUID, items: Sequence[BulkEditItem]
) -> _UndoResult:
    """Remove samples from the collection that they were added to.

    Those that were removed since, also if they were added again, are left as they are.
    """
    ids = [item.sample_id for item in items]
    (collection_id,) = {item.after[COLLECTION] for item in items}
    removed: set[uuid.UUID] = set()
    with suppress(NotFound):  # permanently deleted with all its rows
        found = collection_samples.remove_samples(
            session,
            user_id,
            uuid.UUID(collection_id),
            ids,
            added_until=_ended_at(session, items[0].bulk_edit_id),
        )
        removed = {each.sample_id for each in found}
    read_sounds(session, user_id, ids, lock=True)  # in the order in which deletions lock them
    _delete_items(session, items, set(ids))
    return _UndoResult(restored=removed, changed_since=set(ids) - removed, failed=set())


def _ended_at(session: Session, bulk_edit_id: uuid.UUID) -> dt.datetime | None:
    row = session.get(BulkEdit, bulk_edit_id)
    job = session.get(ProcessingJob, row.job_id) if row and row.job_id else None
    return job.finished_at if job else None


def _own_fields(sound: SoundValues, item: BulkEditItem) -> list[str]:
    """Return the fields that still have the value that the edit has set.

    A value and its source count only together: else the value of somebody who has changed it since
    would get the former source, and the next analysis would overwrite it.
    """
    values: Values = {name: getattr(sound, name, None) for name in item.after}
    if "deleted_at" in item.after:
        values |= deletion_value(sound)
    if CREATED in item.after:
        values[CREATED] = item.after[CREATED] if sound.deleted_at is None else None
    others = {name for name, value in item.after.items() if values[name] != value}
    bases = {name.removesuffix(SOURCE_SUFFIX) for name in others}
    return [name for name in item.after if name.removesuffix(SOURCE_SUFFIX) not in bases]


def _undo_deletions(
    session: Session,
    user_id: uuid.UUID,
    items: Sequence[BulkEditItem],
    changes: dict[uuid.UUID, Values],
) -> set[uuid.UUID]:
    """Restore what was deleted, and delete what was restored or added; return what was refused."""
    wanted = {
        item.sample_id: changes[item.sample_id]
        for item in items
        if {"deleted_at", CREATED} & changes[item.sample_id].keys()
    }
    restored = [i for i, v in wanted.items() if "deleted_at" in v and v["deleted_at"] is None]
    trashed = [i for i in wanted if i not in restored]
    failed: set[uuid.UUID] = set()
    if restored:
        results = samples.restore_each_sample(session, user_id, restored)
        failed = {sample_id for sample_id, refusal in results.items() if refusal}
    if trashed:
        samples.move_to_trash(session, user_id, trashed, purge=False)
        _set_deletion_times(session, {i: v for i, v in wanted.items() if v.get("deleted_at")})
    return failed


def _set_deletion_times(session: Session, wanted: dict[uuid.UUID, Values]) -> None:
    """Give samples that are in the trash again the time of their first deletion."""
    if not wanted:
        return
    rows = [
        {"sample_id": sample_id, "at": dt.datetime.fromisoformat(values["deleted_at"])}
        for sample_id, values in wanted.items()
    ]
    table = Sample.__table__  # type: ignore[attr-defined]
    session.connection().execute(
        update(table)
        .where(table.c.id == bindparam("sample_id"))
        .values(deleted_at=bindparam("at")),
        rows,
    )


def _settle_items(
    session: Session,
    items: Sequence[BulkEditItem],
    changes: dict[uuid.UUID, Values],
    failed: set[uuid.UUID],
) -> _UndoResult:
    """Delete the items that are undone; of others, keep what is not, so it can be undone later."""
    result = _UndoResult(set(), set(), failed)
    for item in items:
        if item.sample_id in failed:
            continue
        left = {name: v for name, v in item.after.items() if name not in changes[item.sample_id]}
        if left:
            item.after, item.before = left, {name: item.before[name] for name in left}
            session.add(item)
            result.changed_since.add(item.sample_id)
        else:
            result.restored.add(item.sample_id)
    session.flush()
    _delete_items(session, items, result.restored)
    return result


def _delete_items(
    session: Session, items: Sequence[BulkEditItem], sample_ids: set[uuid.UUID]
) -> None:
    done = col(BulkEditItem.sample_id).in_(sample_ids)
    owner = col(BulkEditItem.bulk_edit_id).in_({item.bulk_edit_id for item in items})
    session.exec(delete(BulkEditItem).where(owner, done))

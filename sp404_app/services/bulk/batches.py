"""Do a bulk edit in batches: each is one transaction with its changes and their former values.

A job that is killed continues after its last batch. Locks are taken in the order used everywhere:
user, job, collection, samples in the order of their ids, tags.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import defer
from sqlmodel import Session, select

from sp404_app.errors import NotFound
from sp404_app.models import BulkEdit, BulkEditItem, JobStatus, ProcessingJob
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.bulk.changes import CannotChange, compile_edit
from sp404_app.services.bulk.edits import (
    BulkChange,
    CollectEdit,
    NormaliseEdit,
    RestoreEdit,
    SetEdit,
    TrashEdit,
    ValueEdit,
    parse_edit,
)
from sp404_app.services.bulk.sound_values import SoundValues, Values, read_sounds, write_sounds
from sp404_app.services.collections import collection_samples
from sp404_app.services.library import samples, tags
from sp404_app.services.processing import jobs

BATCH_SOUNDS: Final = 1000
COLLECTION: Final = "collection"  # in `after`: the id of the collection that a sample was added to
DELETED: Final = "It was deleted."
DELETED_FOR_GOOD: Final = "It was permanently deleted."

Numbered = tuple[uuid.UUID, int]  # a sample and its index in the person's list


@dataclass(frozen=True, slots=True)
class BulkTask:
    """What a job does: the edit, and its samples in the order of the work.

    That is the order of their ids, but the person's order when they are added to a collection.
    """

    edit_id: uuid.UUID
    edit: BulkChange
    sounds: list[Numbered]


@dataclass(slots=True)
class BatchResult:
    """What became of the samples of a batch: their changes, and why others have none."""

    before: dict[uuid.UUID, Values] = field(default_factory=dict)
    after: dict[uuid.UUID, Values] = field(default_factory=dict)
    skipped: int = 0
    problems: list[str] = field(default_factory=list)
    purged: int = 0  # other samples, deleted for good because the trash was full


def load_task(session: Session, job: ProcessingJob) -> BulkTask:
    """Return what a job of a bulk edit does.

    Raises:
        NotFound: If the edit was deleted.
    """
    row = session.get(BulkEdit, uuid.UUID((job.result or {})["bulk_edit_id"]))
    if row is None:
        raise NotFound("This bulk edit was deleted.")
    edit = parse_edit(row.parameters)
    sounds = [(sample_id, index) for index, sample_id in enumerate(row.sample_ids)]
    return BulkTask(row.id, edit, sounds if isinstance(edit, CollectEdit) else sorted(sounds))


def run_next_batch(session: Session, job: ProcessingJob, task: BulkTask) -> bool:
    """Do the next batch of a task; return whether another follows.

    The last one finishes the job. A job that was cancelled or given to another worker does nothing.
    """
    row = begin_batch(session, job, task)
    if row is None:
        return False
    batch = task.sounds[row.position : row.position + BATCH_SOUNDS]
    result = _change(session, row, task.edit, batch)
    return end_batch(session, job, task, row, result, len(batch))


def begin_batch(session: Session, job: ProcessingJob, task: BulkTask) -> BulkEdit | None:
    """Lock what a batch needs; return the edit, or None if this attempt may not go on."""
    if isinstance(task.edit, TrashEdit | RestoreEdit | NormaliseEdit):
        quotas.lock_library(session, job.user_id)
    if not jobs.lock_current_attempt(session, job):
        return None
    found = select(BulkEdit).where(BulkEdit.id == task.edit_id)
    return session.exec(found.options(defer(BulkEdit.sample_ids))).first()  # type: ignore[arg-type]


def end_batch(
    session: Session,
    job: ProcessingJob,
    task: BulkTask,
    row: BulkEdit,
    result: BatchResult,
    count: int,
) -> bool:
    """Record the result of a batch of `count` samples; return whether another follows."""
    _add_items(session, row, result)
    row.position += count
    row.changed += len(result.after)
    row.skipped += result.skipped
    row.failed += len(result.problems)
    row.problem = row.problem or next(iter(result.problems), "")
    session.add(row)
    current = session.get_one(ProcessingJob, job.id)
    current.progress, current.heartbeat_at = min(1.0, row.position / len(task.sounds)), now()
    current.result = (current.result or {}) | {
        "bulk_edit_id": str(row.id),
        "changed": row.changed,
        "skipped": row.skipped,
        "failed": row.failed,
    }
    if result.purged:
        purged = current.result.get("purged", 0) + result.purged
        current.result = current.result | {"purged": purged}
    session.add(current)
    samples.publish_sample(session, job.user_id)
    if row.position >= len(task.sounds):
        jobs.finish_job(session, job.id, JobStatus.DONE)
        return False
    jobs.publish_job(session, current)
    return True


def _change(
    session: Session, row: BulkEdit, edit: BulkChange, batch: Sequence[Numbered]
) -> BatchResult:
    if isinstance(edit, TrashEdit):
        return _trash(session, row, [sample_id for sample_id, _ in batch])
    if isinstance(edit, RestoreEdit):
        return _restore(session, row.user_id, [sample_id for sample_id, _ in batch])
    if isinstance(edit, CollectEdit):
        return _collect(session, row.user_id, edit, [sample_id for sample_id, _ in batch])
    assert not isinstance(edit, NormaliseEdit)  # `services.bulk.normalisation` does it
    return _change_values(session, row.user_id, edit, batch)


def _change_values(
    session: Session, user_id: uuid.UUID, edit: ValueEdit, batch: Sequence[Numbered]
) -> BatchResult:
    # Samples are locked before tags, as everywhere.
    sounds = read_sounds(session, user_id, [sample_id for sample_id, _ in batch], lock=True)
    added = edit.add_tags if isinstance(edit, SetEdit) else ()
    change = compile_edit(edit, tag_names=tags.get_or_create_tags(session, user_id, added))
    result = BatchResult()
    for sample_id, index in batch:
        sound = sounds.get(sample_id)
        if sound is None:
            result.problems.append(DELETED_FOR_GOOD)
            continue
        try:
            values = change(sound, index)
        except CannotChange as error:
            result.problems.append(f"“{sound.name[:60]}”: {error}")
            continue
        if values:
            result.after[sample_id] = values
            result.before[sample_id] = {name: getattr(sound, name) for name in values}
        else:
            result.skipped += 1
    write_sounds(session, user_id, result.after, sounds)
    return result


def _trash(session: Session, row: BulkEdit, ids: Sequence[uuid.UUID]) -> BatchResult:
    earlier = session.exec(
        select(BulkEditItem.sample_id).where(BulkEditItem.bulk_edit_id == row.id)
    ).all()
    trashed = samples.move_to_trash(session, row.user_id, ids, kept=earlier)
    sounds = read_sounds(session, row.user_id, ids)
    result = _deletion_result(sounds, trashed.moved, ids)
    result.purged = trashed.purged
    return result


def _restore(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> BatchResult:
    before = read_sounds(session, user_id, ids)
    results = samples.restore_each_sample(session, user_id, ids)
    restored = [sample_id for sample_id, refusal in results.items() if not refusal]
    result = _deletion_result(before, restored, ids)
    result.before = {each: deletion_value(before[each]) for each in restored}
    result.after = {each: {"deleted_at": None} for each in restored}
    refusals = [refusal for refusal in results.values() if refusal]
    result.problems += [str(refusal) for refusal in refusals]
    result.skipped -= len(refusals)
    return result


def _collect(
    session: Session, user_id: uuid.UUID, edit: CollectEdit, ids: Sequence[uuid.UUID]
) -> BatchResult:
    done = collection_samples.add_samples(session, user_id, edit.collection, ids, skip_missing=True)
    return BatchResult(
        before={sample_id: {COLLECTION: None} for sample_id in done.added},
        after={sample_id: {COLLECTION: str(edit.collection)} for sample_id in done.added},
        skipped=len(done.already),
        problems=[DELETED] * len(done.missing),
    )


def _deletion_result(
    sounds: Mapping[uuid.UUID, SoundValues],
    done: Sequence[uuid.UUID],
    ids: Sequence[uuid.UUID],
) -> BatchResult:
    """Return the result of a deletion: the others were in the trash, or are gone."""
    gone = len(set(ids) - sounds.keys())
    return BatchResult(
        before={sample_id: {"deleted_at": None} for sample_id in done},
        after={sample_id: deletion_value(sounds[sample_id]) for sample_id in done},
        skipped=len(sounds) - len(done),
        problems=[DELETED_FOR_GOOD] * gone,
    )


def deletion_value(sound: SoundValues) -> Values:
    """Return when a sample was deleted, as JSON."""
    return {"deleted_at": sound.deleted_at.isoformat() if sound.deleted_at else None}


def _add_items(session: Session, row: BulkEdit, result: BatchResult) -> None:
    items: list[dict[str, Any]] = [
        {
            "bulk_edit_id": row.id,
            "sample_id": sample_id,
            "user_id": row.user_id,
            "before": result.before[sample_id],
            "after": values,
        }
        for sample_id, values in result.after.items()
    ]
    if items:
        session.execute(insert(BulkEditItem), items)


def is_undo(job: ProcessingJob) -> bool:
    """Return whether a job undoes an edit."""
    return bool((job.result or {}).get("is_undo"))

"""The trash: its size limit, and permanent deletion of what is in it.

Trashed samples do not count as storage. The trash holds as much as the plan's storage.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlmodel import Session, col, delete, func, select

from sp404_app.db import after_commit
from sp404_app.models import Collection, CollectionSample, PadRender, ProcessingJob, Sample
from sp404_app.services.billing import quotas
from sp404_app.services.infra import events, object_deletions, pictures, render_files
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.library import duplicate_groups


@dataclass(frozen=True, slots=True)
class TrashResult:
    """The samples moved to the trash, and how many older ones were deleted to make room."""

    moved: list[uuid.UUID] = field(default_factory=list)
    purged: int = 0


@dataclass(frozen=True, slots=True)
class TrashUsage:
    """Size and limit of the trash in bytes; a limit of None means unlimited."""

    used: int
    limit: int | None


def get_trash_usage(session: Session, user_id: uuid.UUID) -> TrashUsage:
    """Return how full a user's trash is."""
    total = select(func.coalesce(func.sum(Sample.size), 0)).where(*_trash_conditions(user_id))
    limit = quotas.get_plan(session, user_id).storage_bytes
    return TrashUsage(int(session.exec(total).one()), limit)


def has_samples(session: Session, user_id: uuid.UUID) -> bool:
    """Return whether a user's trash has any sample, also one that counts for no quota."""
    trashed = select(Sample.id).where(
        Sample.user_id == user_id, col(Sample.deleted_at).is_not(None)
    )
    return session.exec(trashed.limit(1)).first() is not None


def purge_beyond_limit(
    session: Session, user_id: uuid.UUID, just_moved: Sequence[uuid.UUID]
) -> int:
    """Permanently delete the oldest samples until the trash fits; return how many.

    Samples in `just_moved` stay whatever their size, so that deleting them can be undone. Call it
    only after a deletion, with the user locked: a downgrade alone deletes nothing.
    """
    limit = quotas.get_plan(session, user_id).storage_bytes
    if limit is None or not just_moved:
        return 0
    newest_first = (col(Sample.deleted_at).desc(), col(Sample.id).desc())
    filled = func.sum(Sample.size).over(order_by=newest_first)
    ranked = select(Sample.id, filled.label("filled")).where(*_trash_conditions(user_id)).subquery()
    beyond = select(ranked.c.id).where(ranked.c.filled > limit)
    old = col(Sample.id).not_in(just_moved)
    return len(
        purge_samples(session, (col(Sample.user_id) == user_id) & col(Sample.id).in_(beyond) & old)
    )


def purge_samples(session: Session, condition: Any) -> list[uuid.UUID]:
    """Permanently delete trashed samples that match a condition, with their files."""
    trashed = condition & col(Sample.deleted_at).is_not(None)
    # Jobs are deleted by cascade; everywhere they are locked before samples.
    dependent = select(ProcessingJob.id).join(Sample).where(trashed).order_by(col(ProcessingJob.id))
    session.exec(dependent.with_for_update(of=ProcessingJob)).all()
    # Whoever changes the samples of a collection locks it, then samples.
    containing = select(CollectionSample.collection_id).join(Sample).where(trashed)
    affected = select(Collection.id).where(col(Collection.id).in_(containing))
    session.exec(affected.order_by(col(Collection.id)).with_for_update()).all()
    # The deletion clears pads. A change of pads locks their samples in the same order.
    session.exec(select(Sample.id).where(trashed).order_by(col(Sample.id)).with_for_update()).all()
    columns = (
        Sample.id,
        Sample.user_id,
        Sample.storage_key,
        Sample.preview_key,
        Sample.duplicate_group_id,
    )
    renders = session.exec(
        select(PadRender.user_id, PadRender.render_key).join(Sample).where(trashed)
    ).all()
    deleted = session.exec(
        delete(Sample).where(trashed).returning(*(col(column) for column in columns))
    ).all()
    duplicate_groups.dissolve_single_groups(session, {row.duplicate_group_id for row in deleted})
    _delete_files_later(session, deleted, renders)
    return [row.id for row in deleted]


def _delete_files_later(
    session: Session, deleted: Sequence[Any], renders: Sequence[tuple[uuid.UUID, str]]
) -> None:
    """Delete the files of samples and of their renders after the commit."""
    # Publish first, because deleting many files can take seconds.
    for owner in dict.fromkeys(row.user_id for row in deleted):
        changes = (Event(Topic.LIBRARY), Event(Topic.QUOTA))
        after_commit(session, partial(events.publish, owner, *changes))
    stored = [key for row in deleted for key in (row.storage_key, row.preview_key) if key]
    stored += [render_files.render_file_key(owner, key) for owner, key in renders]
    object_deletions.delete_objects_later(session, stored)
    for owner in {row.user_id for row in deleted}:
        sample_ids = [row.id for row in deleted if row.user_id == owner]
        after_commit(session, partial(pictures.delete_pictures, owner, sample_ids))


def _trash_conditions(user_id: uuid.UUID) -> tuple[Any, ...]:
    """Return the conditions for samples in the trash that do not count as storage."""
    return (
        Sample.user_id == user_id,
        ~quotas.counts_as_storage(user_id),
    )

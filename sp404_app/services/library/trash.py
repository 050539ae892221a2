"""The trash: what it holds without counting, and what leaves it for good."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlmodel import Session, col, delete, func, select

from sp404_app.db import after_commit
from sp404_app.models import ProcessingJob, Sample
from sp404_app.services.billing import quotas
from sp404_app.services.infra import events, storage
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.library import duplicate_groups


@dataclass(frozen=True, slots=True)
class Thrown:
    """What was moved to the trash, and how many older sounds left it for good to make room."""

    moved: list[uuid.UUID] = field(default_factory=list)
    purged: int = 0


@dataclass(frozen=True, slots=True)
class Trash:
    """How full the trash is, in bytes; a limit of None means unlimited."""

    used: int
    limit: int | None


def of(session: Session, user_id: uuid.UUID) -> Trash:
    """Return how full a person's trash is; it holds once the plan's storage."""
    total = select(func.coalesce(func.sum(Sample.size), 0)).where(*_uncounted(user_id))
    limit = quotas.plan_of(session, user_id).storage_bytes
    return Trash(int(session.exec(total).one()), limit)


def make_room(session: Session, user_id: uuid.UUID, just_moved: Sequence[uuid.UUID]) -> int:
    """Delete the oldest for good until the trash fits the plan's storage; return how many.

    What was moved a moment ago stays, however large: it can be undone. Call it only when something
    was deleted, with the person held: a change of plan alone takes nothing.
    """
    limit = quotas.plan_of(session, user_id).storage_bytes
    if limit is None or not just_moved:
        return 0
    newest_first = (col(Sample.deleted_at).desc(), col(Sample.id).desc())
    filled = func.sum(Sample.size).over(order_by=newest_first)
    ranked = select(Sample.id, filled.label("filled")).where(*_uncounted(user_id)).subquery()
    beyond = select(ranked.c.id).where(ranked.c.filled > limit)
    old = col(Sample.id).not_in(just_moved)
    return len(purge(session, (col(Sample.user_id) == user_id) & col(Sample.id).in_(beyond) & old))


def purge(session: Session, condition: Any) -> list[uuid.UUID]:
    """Delete samples that are in the trash and fit a condition, with their files."""
    trashed = condition & col(Sample.deleted_at).is_not(None)
    # They go with their samples, and everybody locks jobs first.
    theirs = select(ProcessingJob.id).join(Sample).where(trashed).order_by(col(ProcessingJob.id))
    session.exec(theirs.with_for_update(of=ProcessingJob)).all()
    columns = (
        Sample.id,
        Sample.user_id,
        Sample.storage_key,
        Sample.preview_key,
        Sample.duplicate_group_id,
    )
    gone = session.exec(
        delete(Sample).where(trashed).returning(*(col(column) for column in columns))
    ).all()
    duplicate_groups.settle(session, {row.duplicate_group_id for row in gone})
    for owner in dict.fromkeys(row.user_id for row in gone):  # first: to delete files takes a while
        news = (Event(Topic.LIBRARY), Event(Topic.QUOTA))
        after_commit(session, partial(events.publish, owner, *news))
    for row in gone:
        for key in filter(None, (row.storage_key, row.preview_key)):
            after_commit(session, partial(storage.delete, key))
    return [row.id for row in gone]


def _uncounted(user_id: uuid.UUID) -> tuple[Any, ...]:
    """Return the conditions of what is in the trash and not counted as storage."""
    return (Sample.user_id == user_id, col(Sample.is_demo).is_(False), ~quotas.counts())

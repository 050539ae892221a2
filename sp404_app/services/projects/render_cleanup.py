"""Bound the cache of renders: by age, by size, and to what the table knows."""

import datetime as dt
import uuid
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from sqlalchemy import tuple_
from sqlmodel import Session, col, delete, func, select

from sp404_app.db import after_commit
from sp404_app.models import JobKind, JobStatus, PadRender, ProcessingJob
from sp404_app.services.infra import render_files, storage
from sp404_app.settings import settings

UNUSED_TIME: Final = dt.timedelta(days=30)
UNFINISHED_TIME: Final = dt.timedelta(days=1)  # of a render whose job has ended
JOB_TIME: Final = dt.timedelta(days=1)  # that an ended job of a render can be read
# A file is stored before its row says so; renders take minutes at most.
UPLOAD_TIME: Final = dt.timedelta(hours=2)
MAX_USER_SHARE: Final = 0.5  # of the whole cache
ACTIVE: Final = (JobStatus.QUEUED, JobStatus.RUNNING)


def clean_up_renders(session: Session, at: dt.datetime) -> int:
    """Drop old renders, those beyond the bounds, ended jobs, and files without a row.

    Returns the number of dropped renders and files.
    """
    dropped = _drop(session, _is_old(at))
    limit = settings().render_cache_bytes
    users = _users_beyond(session, int(limit * MAX_USER_SHARE))
    for user_id in users:
        mine = col(PadRender.user_id) == user_id
        dropped += _drop_beyond(session, mine, int(limit * MAX_USER_SHARE))
    dropped += _drop_beyond(session, col(PadRender.size_bytes).is_not(None), limit)
    session.exec(
        delete(ProcessingJob).where(
            col(ProcessingJob.kind) == JobKind.RENDER,
            col(ProcessingJob.finished_at) < at - JOB_TIME,
        )
    )
    return dropped + _delete_files_without_rows(session, at)


def _is_old(at: dt.datetime) -> Any:
    """Return the condition for renders that nobody used, or that were never finished."""
    active = (
        select(ProcessingJob.id)
        .where(
            col(ProcessingJob.id) == col(PadRender.job_id),
            col(ProcessingJob.status).in_(ACTIVE),
        )
        .exists()
    )
    unfinished = col(PadRender.size_bytes).is_(None) & ~active
    return (col(PadRender.last_used_at) < at - UNUSED_TIME) & ~active | (
        unfinished & (col(PadRender.created_at) < at - UNFINISHED_TIME)
    )


def _users_beyond(session: Session, limit: int) -> list[uuid.UUID]:
    """Return the users whose renders have more bytes than `limit`."""
    total = func.sum(PadRender.size_bytes)
    query = select(PadRender.user_id).group_by(col(PadRender.user_id)).having(total > limit)
    return list(session.exec(query))


def _drop_beyond(session: Session, condition: Any, limit: int) -> int:
    """Drop the renders that were not used for longest until the others fit."""
    newest_first = (col(PadRender.last_used_at).desc(), col(PadRender.render_key))
    filled = func.sum(PadRender.size_bytes).over(order_by=newest_first)
    finished = condition & col(PadRender.size_bytes).is_not(None)
    ranked = (
        select(PadRender.user_id, PadRender.render_key, filled.label("filled"))
        .where(finished)
        .subquery()
    )
    beyond = select(ranked.c.user_id, ranked.c.render_key).where(ranked.c.filled > limit)
    return _drop(session, _primary_key().in_(beyond))


def _drop(session: Session, condition: Any) -> int:
    """Delete rows, and their files after the commit; return how many."""
    columns = (col(PadRender.user_id), col(PadRender.render_key))
    rows = session.exec(delete(PadRender).where(condition).returning(*columns)).all()
    _delete_files_later(
        session, (render_files.render_file_key(user_id, key) for user_id, key in rows)
    )
    return len(rows)


def _delete_files_without_rows(session: Session, at: dt.datetime) -> int:
    """Delete files that no row names: their sample was deleted, or a worker was killed."""
    found = {
        stored.key: render_files.parse_render_file_key(stored.key)
        for stored in render_files.list_render_files(at - UPLOAD_TIME)
    }
    named = [each for each in found.values() if each]
    known: set[tuple[uuid.UUID, str]] = set()
    for start in range(0, len(named), 1_000):
        part = named[start : start + 1_000]
        query = select(PadRender.user_id, PadRender.render_key).where(_primary_key().in_(part))
        known.update((user_id, key) for user_id, key in session.exec(query))
    orphans = [key for key, name in found.items() if name not in known]
    _delete_files_later(session, orphans)
    return len(orphans)


def _delete_files_later(session: Session, keys: Iterable[str]) -> None:
    for key in keys:
        after_commit(session, partial(storage.delete_object, key))


def _primary_key() -> Any:
    return tuple_(col(PadRender.user_id), col(PadRender.render_key))

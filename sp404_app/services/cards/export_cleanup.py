"""Bound the cache of exports: by age, by size, and to what the table knows."""

import datetime as dt
import uuid
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from sqlmodel import Session, col, delete, func, select

from sp404_app.db import after_commit
from sp404_app.models import JobStatus, ProcessingJob, ProjectExport
from sp404_app.services.infra import export_files, storage
from sp404_app.settings import settings

UNUSED_TIME: Final = dt.timedelta(days=7)
UNFINISHED_TIME: Final = dt.timedelta(days=1)  # of an export whose job has ended
IN_USE_TIME: Final = dt.timedelta(hours=1)  # after its last use an export is kept at any size
UPLOAD_TIME: Final = dt.timedelta(hours=2)  # a file is stored before its row says so
MAX_USER_SHARE: Final = 0.5  # of the whole cache
ACTIVE: Final = (JobStatus.QUEUED, JobStatus.RUNNING)


def clean_up_exports(session: Session, at: dt.datetime) -> int:
    """Drop old exports, those beyond the bounds, and files without a row; return how many."""
    dropped = _drop(session, _is_old(at))
    limit = settings().export_cache_bytes
    users = session.exec(
        select(ProjectExport.user_id)
        .group_by(col(ProjectExport.user_id))
        .having(func.sum(ProjectExport.size_bytes) > limit * MAX_USER_SHARE)
    )
    for user_id in list(users):
        dropped += drop_beyond_user_limit(session, user_id)
    in_use = col(ProjectExport.last_used_at) > at - IN_USE_TIME
    dropped += _drop_beyond(session, col(ProjectExport.id).is_not(None), limit, ~in_use)
    return dropped + _delete_files_without_rows(session, at)


def drop_beyond_user_limit(
    session: Session, user_id: uuid.UUID, keep: uuid.UUID | None = None
) -> int:
    """Drop the exports of a user that were not used for longest until the others fit.

    `keep` stays, whatever its size.
    """
    limit = int(settings().export_cache_bytes * MAX_USER_SHARE)
    mine = col(ProjectExport.user_id) == user_id
    may_go = col(ProjectExport.id) != keep if keep else col(ProjectExport.id).is_not(None)
    return _drop_beyond(session, mine, limit, may_go)


def _is_old(at: dt.datetime) -> Any:
    """Return the condition for exports that nobody used, or that were never finished."""
    active = (
        select(ProcessingJob.id)
        .where(
            col(ProcessingJob.id) == col(ProjectExport.job_id),
            col(ProcessingJob.status).in_(ACTIVE),
        )
        .exists()
    )
    unused = col(ProjectExport.last_used_at) < at - UNUSED_TIME
    unfinished = col(ProjectExport.size_bytes).is_(None)
    started = col(ProjectExport.last_used_at) < at - UNFINISHED_TIME
    return ~active & (unused | (unfinished & started))


def _drop_beyond(session: Session, condition: Any, limit: int, may_go: Any) -> int:
    newest_first = (col(ProjectExport.last_used_at).desc(), col(ProjectExport.id))
    filled = func.sum(ProjectExport.size_bytes).over(order_by=newest_first)
    finished = condition & col(ProjectExport.size_bytes).is_not(None)
    ranked = select(ProjectExport.id, filled.label("filled")).where(finished).subquery()
    beyond = select(ranked.c.id).where(ranked.c.filled > limit)
    return _drop(session, col(ProjectExport.id).in_(beyond) & may_go)


def _drop(session: Session, condition: Any) -> int:
    """Delete rows, and their files after the commit; return how many."""
    columns = (col(ProjectExport.user_id), col(ProjectExport.id))
    rows = session.exec(delete(ProjectExport).where(condition).returning(*columns)).all()
    _delete_files_later(session, (export_files.export_file_key(*row) for row in rows))
    return len(rows)


def _delete_files_without_rows(session: Session, at: dt.datetime) -> int:
    """Delete files that no row names: their project was deleted, or a worker was killed."""
    found = {
        stored.key: export_files.parse_export_file_key(stored.key)
        for stored in export_files.list_export_files(at - UPLOAD_TIME)
    }
    named = [each for each in found.values() if each]
    query = select(ProjectExport.id).where(
        col(ProjectExport.id).in_(named), col(ProjectExport.size_bytes).is_not(None)
    )
    known = set(session.exec(query)) if named else set()
    orphans = [key for key, name in found.items() if name not in known]
    _delete_files_later(session, orphans)
    return len(orphans)


def _delete_files_later(session: Session, keys: Iterable[str]) -> None:
    for key in keys:
        after_commit(session, partial(storage.delete_object, key))

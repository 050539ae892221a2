"""Bound the files of conversions: by age, by the bytes of a user, and by the bytes of all users."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from sqlalchemy import null
from sqlmodel import Session, col, update

from sp404_app.db import after_commit
from sp404_app.models import JobKind, ProcessingJob
from sp404_app.services.cards.conversions import ACTIVE, KEPT_FOR
from sp404_app.services.infra import conversion_files, storage
from sp404_app.services.infra.storage import StoredObject

MAX_USER_BYTES: Final = 16 << 30
MAX_TOTAL_BYTES: Final = 64 << 30


def clean_up_conversions(session: Session, at: dt.datetime) -> int:
    """Delete files that are old or beyond the bounds, and forget the results of old jobs.

    Returns the number of deleted files.
    """
    stored = storage.list_folder(conversion_files.FOLDER)
    old = [each for each in stored if each.modified < at - KEPT_FOR]
    kept = [each for each in stored if each.modified >= at - KEPT_FOR]
    beyond = {each.key for each in _beyond_bounds(kept)}
    for key in sorted({each.key for each in old} | beyond):
        after_commit(session, partial(storage.delete_object, key))
    session.exec(
        update(ProcessingJob)
        .where(
            col(ProcessingJob.kind) == JobKind.CONVERT,
            col(ProcessingJob.status).not_in(ACTIVE),
            col(ProcessingJob.finished_at) < at - KEPT_FOR,
            col(ProcessingJob.result).is_not(None),
        )
        .values(result=null())
    )
    return len(old) + len(beyond)


def _beyond_bounds(stored: Iterable[StoredObject]) -> Iterator[StoredObject]:
    """Yield the oldest files that do not fit beside the newer ones."""
    users: dict[str, int] = defaultdict(int)
    total = 0
    for each in sorted(stored, key=lambda one: (one.modified, one.key), reverse=True):
        user = each.key.rpartition("/")[0]
        users[user] += each.size
        total += each.size
        if users[user] > MAX_USER_BYTES or total > MAX_TOTAL_BYTES:
            yield each

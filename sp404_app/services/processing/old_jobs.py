"""Delete the rows of jobs that ended long ago."""

import datetime as dt
from typing import Final

from sqlmodel import Session, col, delete, select

from sp404_app.models import ProcessingJob

KEPT_FOR: Final = dt.timedelta(days=30)
BATCH: Final = 20_000


def purge_old_jobs(session: Session, at: dt.datetime) -> int:
    """Delete jobs that ended over 30 days ago, some thousand at a time; return how many.

    What a job has made has its own row and its own time.
    """
    old = (
        select(ProcessingJob.id)
        .where(col(ProcessingJob.finished_at) < at - KEPT_FOR)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    ids = list(session.exec(old))
    statement = delete(ProcessingJob).where(col(ProcessingJob.id).in_(ids))
    return session.exec(statement).rowcount if ids else 0

"""Number and age of jobs that have not ended, for the operator's metrics.

Ended jobs are never purged, so counting them would read more with every day. Their number is the
counter `sp404_jobs_finished_total`.
"""

import datetime as dt
from collections.abc import Iterable

from sqlmodel import Session, col, func, select

from sp404_app.models import JobStatus, ProcessingJob

ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


def count_active_jobs(session: Session) -> Iterable[tuple[str, str, int]]:
    """Return (kind, status, number of jobs) of the jobs that wait or run."""
    return session.exec(
        select(ProcessingJob.kind, ProcessingJob.status, func.count())
        .where(col(ProcessingJob.status).in_(ACTIVE))
        .group_by(col(ProcessingJob.kind), col(ProcessingJob.status))
    ).all()


def oldest_queued_jobs(session: Session, at: dt.datetime) -> dict[str, float]:
    """Return the age, in seconds, of the oldest waiting job of each queue that has one."""
    rows = session.exec(
        select(ProcessingJob.queue, func.min(ProcessingJob.created_at))
        .where(ProcessingJob.status == JobStatus.QUEUED)
        .group_by(col(ProcessingJob.queue))
    )
    return {name: max(0.0, (at - created).total_seconds()) for name, created in rows}

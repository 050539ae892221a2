"""Number of jobs by kind and status, for the operator's metrics."""

from collections.abc import Iterable

from sqlmodel import Session, col, func, select

from sp404_app.models import ProcessingJob


def count_jobs_by_status(session: Session) -> Iterable[tuple[str, str, int]]:
    """Return (kind, status, number of jobs)."""
    return session.exec(
        select(ProcessingJob.kind, ProcessingJob.status, func.count()).group_by(
            col(ProcessingJob.kind), col(ProcessingJob.status)
        )
    ).all()

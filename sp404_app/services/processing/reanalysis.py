"""Automatic reanalysis of samples that only an older version of the engine has analysed.

It runs in the lowest queue, does not count against the analysis quota, does not change the status
that users see, and keeps the values that users corrected.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.models import Analysis, JobKind, JobStatus, ProcessingJob, Sample, SampleStatus
from sp404_app.services.infra import queue
from sp404_app.services.processing import jobs

MAX_ACTIVE_JOBS = 100  # keeps two workers busy between two runs of the scheduler


@dataclass(frozen=True, slots=True)
class ReanalysisProgress:
    """How many of a user's analysed samples the current engine has analysed."""

    current: int
    total: int


def enqueue_outdated_samples(session: Session) -> int:
    """Enqueue outdated samples, up to `MAX_ACTIVE_JOBS`; return the number of active jobs.

    Zero means that no outdated sample is left. Callers may then pause, because the query scans all
    samples.
    """
    active = select(func.count()).where(
        ProcessingJob.queue == queue.LOW,
        col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
    )
    active_count = session.exec(active).one()
    room = MAX_ACTIVE_JOBS - active_count
    if room <= 0:
        return active_count
    outdated = (
        select(Sample)
        .where(*_is_analysed(), ~_has_current_analysis(), ~_has_active_job())
        .order_by(col(Sample.id))
        .limit(room)
        .with_for_update(skip_locked=True)
    )
    found = session.exec(outdated).all()
    for sample in found:
        jobs.enqueue_analysis(session, sample.user_id, sample.id, queue.LOW)
    return active_count + len(found)


def get_reanalysis_progress(session: Session, user_id: uuid.UUID) -> ReanalysisProgress:
    """Return how far the reanalysis of a user's library is."""
    owned = select(func.count()).where(*_is_analysed(), Sample.user_id == user_id)
    return ReanalysisProgress(
        current=session.exec(owned.where(_has_current_analysis())).one(),
        total=session.exec(owned).one(),
    )


def _is_analysed() -> tuple[ColumnElement[bool], ...]:
    return (col(Sample.status) == SampleStatus.READY, col(Sample.deleted_at).is_(None))


def _has_current_analysis() -> ColumnElement[bool]:
    return (
        select(Analysis.id)
        .where(Analysis.sample_id == Sample.id, Analysis.engine_version == ENGINE_VERSION)
        .exists()
    )


def _has_active_job() -> ColumnElement[bool]:
    return (
        select(ProcessingJob.id)
        .where(
            ProcessingJob.sample_id == Sample.id,
            ProcessingJob.kind == JobKind.ANALYSE,
            col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
        )
        .exists()
    )

"""The record of background work. The row is the truth; the queue is only the bell."""

import datetime as dt
import logging
import uuid
from collections import Counter
from collections.abc import Sequence
from functools import partial

from sqlalchemy import ARRAY, Uuid, any_, literal
from sqlmodel import Session, col, func, select, update

from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.db import after_commit
from sp404_app.errors import NotFound
from sp404_app.models import (
    Analysis,
    JobKind,
    JobStatus,
    ProcessingJob,
    Sample,
    SampleStatus,
)
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.infra import events, queue
from sp404_app.services.infra.events import Event, Topic

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 2
LOST_AFTER = dt.timedelta(seconds=12)
STOPPED_TWICE = "This was stopped twice, so we left it alone. You can try it again."
FAILED_TWICE = "This file stopped the analysis twice, so we left it alone. You can try it again."


def add_analysis(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, queue_name: str = ""
) -> ProcessingJob:
    """Ask for the analysis of a sample; while one is under way, return that one.

    It goes into the queue of the person's plan, unless another is named.
    """
    job = session.exec(
        select(ProcessingJob).where(
            ProcessingJob.sample_id == sample_id,
            ProcessingJob.kind == JobKind.ANALYSE,
            col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
        )
    ).first()
    if job is None:
        job = ProcessingJob(
            user_id=user_id,
            sample_id=sample_id,
            kind=JobKind.ANALYSE,
            queue=queue_name or quotas.plan_of(session, user_id).tier,
        )
        session.add(job)
        session.flush()
        after_commit(session, partial(queue.enqueue, job.id, job.queue, 0))
    return job


def page(
    session: Session, user_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> tuple[list[ProcessingJob], int]:
    """Return a person's jobs older than `after`, the newest first, and how many there are."""
    mine = select(ProcessingJob).where(ProcessingJob.user_id == user_id)
    total = session.scalar(mine.with_only_columns(func.count()))
    if after:
        mine = mine.where(col(ProcessingJob.id) < after)
    return list(session.exec(mine.order_by(col(ProcessingJob.id).desc()).limit(limit))), total or 0


def get(session: Session, user_id: uuid.UUID, job_id: uuid.UUID) -> ProcessingJob:
    """Return one of the person's jobs.

    Raises:
        NotFound: If it does not exist or belongs to someone else.
    """
    job = session.get(ProcessingJob, job_id)
    if job is None or job.user_id != user_id:
        raise NotFound("There is no such job.")
    return job


def cancel(session: Session, user_id: uuid.UUID, job_id: uuid.UUID) -> ProcessingJob:
    """Stop a job that has not ended; its sample keeps what it has.

    Raises:
        NotFound: If it does not exist or belongs to someone else.
    """
    job = session.exec(
        select(ProcessingJob)
        .where(ProcessingJob.id == job_id, ProcessingJob.user_id == user_id)
        .with_for_update()
    ).first()
    if job is None:
        raise NotFound("There is no such job.")
    if job.status in {JobStatus.QUEUED, JobStatus.RUNNING}:
        _end(session, [job], JobStatus.CANCELLED, "Cancelled.")
    return job


def cancel_analyses(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> list[uuid.UUID]:
    """Stop the analyses of a person's samples; return which samples had one under way."""
    under_way = (
        select(ProcessingJob)
        .where(
            ProcessingJob.user_id == user_id,
            ProcessingJob.kind == JobKind.ANALYSE,
            col(ProcessingJob.sample_id) == any_(literal(list(ids), ARRAY(Uuid))),
            col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
        )
        .order_by(col(ProcessingJob.id))
        .with_for_update()
    )
    stopped = session.exec(under_way).all()
    _end(session, stopped, JobStatus.CANCELLED, "The analysis was cancelled.")
    return [job.sample_id for job in stopped if job.sample_id]


def cancel_of_samples(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> list[dt.datetime]:
    """Stop the jobs of samples that go to the trash, leaving their status as it is.

    Call it before the samples are locked: a worker locks the job first, then its sample. Returns
    the months of the analyses to give back, which is done after the samples are locked.
    """
    mine = (
        select(ProcessingJob.id)
        .where(
            ProcessingJob.user_id == user_id,
            col(ProcessingJob.sample_id) == any_(literal(list(ids), ARRAY(Uuid))),
            col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
        )
        .order_by(col(ProcessingJob.id))
        .with_for_update()
    )
    stopped = session.exec(
        update(ProcessingJob)
        .where(col(ProcessingJob.id).in_(mine))
        .values(status=JobStatus.CANCELLED, finished_at=now(), error="Moved to the trash.")
        .returning(col(ProcessingJob.id), col(ProcessingJob.usage_period_start))
    ).all()
    if stopped:
        news = [Event(Topic.JOB, str(row.id)) for row in stopped]
        after_commit(session, partial(events.publish, user_id, *news))
    return [row.usage_period_start for row in stopped if row.usage_period_start]


def claim(session: Session, job_id: uuid.UUID) -> ProcessingJob | None:
    """Take a queued job for this worker; None when another has it or nobody wants it any more.

    A bell may ring twice. The row changes hands once.
    """
    taken = session.exec(
        update(ProcessingJob)
        .where(col(ProcessingJob.id) == job_id, col(ProcessingJob.status) == JobStatus.QUEUED)
        .values(
            status=JobStatus.RUNNING,
            attempts=ProcessingJob.attempts + 1,
            started_at=now(),
            heartbeat_at=now(),
        )
        .returning(ProcessingJob)  # type: ignore[call-overload]
    )
    job = taken.scalars().first()
    if job:
        publish_job(session, job)
    return job


def claim_small(session: Session, job_id: uuid.UUID, below: int) -> ProcessingJob | None:
    """Take a queued analysis of a file of fewer than `below` bytes; None if it is not one."""
    small = (
        select(ProcessingJob.id)
        .join(Sample)
        .where(
            ProcessingJob.id == job_id,
            ProcessingJob.kind == JobKind.ANALYSE,
            Sample.size < below,
        )
    )
    return claim(session, job_id) if session.exec(small).first() else None


def still_mine(session: Session, job: ProcessingJob) -> bool:
    """Say whether this attempt may write its result, and hold the row until the commit."""
    current = session.exec(
        select(ProcessingJob)
        .where(ProcessingJob.id == job.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    return bool(
        current and current.status == JobStatus.RUNNING and current.attempts == job.attempts
    )


def beat(session: Session, job_id: uuid.UUID, attempts: int) -> bool:
    """Show that an attempt lives; False when it was cancelled or given to another."""
    touched = session.exec(
        update(ProcessingJob)
        .where(
            col(ProcessingJob.id) == job_id,
            col(ProcessingJob.status) == JobStatus.RUNNING,
            col(ProcessingJob.attempts) == attempts,
        )
        .values(heartbeat_at=now())
    )
    return touched.rowcount == 1


def finish(session: Session, job_id: uuid.UUID, status: JobStatus, error: str = "") -> None:
    """Close a job that `still_mine` holds."""
    job = session.get_one(ProcessingJob, job_id)
    job.status, job.error, job.finished_at = status, error, now()
    job.progress = 1.0 if status is JobStatus.DONE else job.progress
    if status is not JobStatus.DONE:
        _give_back(session, job)
    session.add(job)
    publish_job(session, job)


def take_up_lost(session: Session, at: dt.datetime) -> int:
    """Queue again what a killed worker left, and ring again where the bell was lost.

    Called every few seconds by every web process; a row is handled by one of them.
    Returns how many jobs were rung for.
    """
    silent = session.exec(
        select(ProcessingJob)
        .where(
            col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
            col(ProcessingJob.heartbeat_at) < at - LOST_AFTER,
        )
        .order_by(col(ProcessingJob.heartbeat_at))
        .limit(200)
        .with_for_update(skip_locked=True)
    ).all()
    hanging = queue.queued_ids() if silent else frozenset()
    killers = [
        job for job in silent if job.status == JobStatus.RUNNING and job.attempts >= MAX_ATTEMPTS
    ]
    for job in killers:
        log.error("job %s stopped its worker %d times", job.id, job.attempts)
    _end(session, [job for job in killers if job.sample_id], JobStatus.FAILED, FAILED_TWICE)
    _end(session, [job for job in killers if not job.sample_id], JobStatus.FAILED, STOPPED_TWICE)
    return sum(_take_up(session, job, hanging) for job in silent if job not in killers)


def _take_up(session: Session, job: ProcessingJob, hanging: frozenset[str]) -> bool:
    job.heartbeat_at = now()
    session.add(job)
    if job.status == JobStatus.QUEUED:
        if queue.rq_job_id(job.id, job.attempts) in hanging:
            return False
    else:
        log.warning("job %s lost its worker and is queued again", job.id)
        job.status = JobStatus.QUEUED
    slow = job.kind != JobKind.ANALYSE
    after_commit(session, partial(queue.enqueue, job.id, job.queue, job.attempts, slow=slow))
    return True


def _end(session: Session, ended: Sequence[ProcessingJob], status: JobStatus, reason: str) -> None:
    """End locked jobs. Samples are locked before anything is given back, as workers do it."""
    ids = [job.sample_id for job in ended if job.sample_id]
    locked = select(Sample).where(col(Sample.id) == any_(literal(ids, ARRAY(Uuid))))
    locked = locked.order_by(col(Sample.id)).with_for_update(key_share=True)
    rows = session.exec(locked.execution_options(populate_existing=True)) if ids else ()
    samples = {sample.id: sample for sample in rows}
    for job in ended:
        job.status, job.error, job.finished_at = status, reason, now()
        session.add(job)
        if job.sample_id and (sample := samples.get(job.sample_id)):
            _leave(session, job, sample, reason)
        publish_job(session, job)
    session.flush()
    for job in sorted(ended, key=lambda job: job.user_id):
        _give_back(session, job)


def _leave(session: Session, job: ProcessingJob, sample: Sample, reason: str) -> None:
    """Show on a sample that its job ended; what an earlier analysis found stays visible."""
    if job.queue == queue.LOW:
        if job.status == JobStatus.FAILED:
            note_failure(session, job, reason)
        return
    kept = job.status == JobStatus.CANCELLED and was_analysed(session, sample.id)
    sample.status = SampleStatus.READY if kept else SampleStatus.FAILED
    sample.error = "" if kept else reason
    session.add(sample)


def note_failure(session: Session, job: ProcessingJob, reason: str) -> None:
    """Remember that the present engine cannot hear a sound, so that it is not tried for ever.

    For jobs nobody asked for: the sample keeps what an older engine heard.
    """
    assert job.sample_id
    session.add(
        Analysis(
            user_id=job.user_id,
            sample_id=job.sample_id,
            engine_version=ENGINE_VERSION,
            status=SampleStatus.FAILED,
            error=reason,
        )
    )


def was_analysed(session: Session, sample_id: uuid.UUID) -> bool:
    """Say whether an earlier analysis stands: a second one that does not run hides nothing."""
    ready = select(Analysis.id).where(
        Analysis.sample_id == sample_id, Analysis.status == SampleStatus.READY
    )
    return session.exec(ready).first() is not None


def give_back(session: Session, user_id: uuid.UUID, months: Sequence[dt.datetime]) -> None:
    """Count no longer what was counted in these months; call it after samples are locked."""
    for month, count in sorted(Counter(months).items()):
        quotas.give_back_analyses(session, user_id, month, count)


def _give_back(session: Session, job: ProcessingJob) -> None:
    """Count nothing for work that led to nothing."""
    if job.usage_period_start:
        quotas.give_back_analyses(session, job.user_id, job.usage_period_start, 1)
        job.usage_period_start = None


def publish_job(session: Session, job: ProcessingJob) -> None:
    """Tell the open pages of its owner that a job changed, and its sample with it."""
    news = [Event(Topic.JOB, str(job.id))]
    if job.sample_id:
        news.append(Event(Topic.SAMPLE, str(job.sample_id)))
    after_commit(session, partial(events.publish, job.user_id, *news))

"""Background jobs: enqueue, claim, cancel, finish, and recover after lost workers.

The `ProcessingJob` row is authoritative. The RQ queue only tells workers that there is a row to
claim: a duplicate or lost queue entry does no harm.
"""

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
    PadRender,
    ProcessingJob,
    Sample,
    SampleStatus,
)
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.infra import attempt_connections, events, queue
from sp404_app.services.infra.events import Event, Topic

log = logging.getLogger(__name__)

# Spectrograms are drawn for one open page, which waits for them: no list shows their jobs.
_IS_LISTED = col(ProcessingJob.kind) != JobKind.SPECTROGRAM
MAX_ATTEMPTS = 2
HEARTBEAT_TIMEOUT = dt.timedelta(seconds=12)  # e.g. the machine of the worker is gone
SILENT = HEARTBEAT_TIMEOUT + dt.timedelta(seconds=1)
SUSPECT_AFTER = dt.timedelta(seconds=3)  # then Redis is asked whether the process still runs
STOPPED_TWICE = "This failed twice, so we stopped trying. You can start it again."
FAILED_TWICE = "The analysis of this file crashed twice, so we stopped trying. You can try again."


def enqueue_analysis(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, queue_name: str = ""
) -> ProcessingJob:
    """Enqueue the analysis of a sample; return the active job if there is one.

    It goes into the queue of the user's plan, unless `queue_name` is given. The analysis quota is
    checked elsewhere: in `analysis_requests`, or by the worker.
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
            queue=queue_name or quotas.get_plan(session, user_id).tier,
        )
        session.add(job)
        session.flush()
        after_commit(session, partial(queue.enqueue_job, job.id, job.queue, 0))
    return job


def enqueue_first_analyses(
    session: Session, user_id: uuid.UUID, sample_ids: Sequence[uuid.UUID]
) -> None:
    """Enqueue the analyses of samples that were just inserted, in this order."""
    tier = quotas.get_plan(session, user_id).tier
    rows = [
        ProcessingJob(user_id=user_id, sample_id=each, kind=JobKind.ANALYSE, queue=tier)
        for each in sample_ids
    ]
    session.add_all(rows)
    session.flush()
    for job in rows:
        after_commit(session, partial(queue.enqueue_job, job.id, job.queue, 0))


def list_jobs(
    session: Session, user_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> tuple[list[ProcessingJob], int]:
    """Return a user's jobs older than `after`, newest first, and the number of all of them."""
    owned = select(ProcessingJob).where(ProcessingJob.user_id == user_id, _IS_LISTED)
    total = session.scalar(owned.with_only_columns(func.count()))
    if after:
        owned = owned.where(col(ProcessingJob.id) < after)
    newest = owned.order_by(col(ProcessingJob.id).desc()).limit(limit)
    return list(session.exec(newest)), total or 0


def get_job(session: Session, user_id: uuid.UUID, job_id: uuid.UUID) -> ProcessingJob:
    """Return a user's job.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    job = session.get(ProcessingJob, job_id)
    if job is None or job.user_id != user_id or job.kind == JobKind.SPECTROGRAM:
        raise NotFound("There is no such job.")
    return job


def cancel_job(session: Session, user_id: uuid.UUID, job_id: uuid.UUID) -> ProcessingJob:
    """Cancel a job that has not ended. Its sample keeps the results of earlier analyses.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    job = session.exec(
        select(ProcessingJob)
        .where(ProcessingJob.id == job_id, ProcessingJob.user_id == user_id, _IS_LISTED)
        .with_for_update()
    ).first()
    if job is None:
        raise NotFound("There is no such job.")
    if job.status in {JobStatus.QUEUED, JobStatus.RUNNING}:
        _end_jobs(session, [job], JobStatus.CANCELLED, "Cancelled.")
    return job


def cancel_analyses(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> list[uuid.UUID]:
    """Cancel the active analyses of a user's samples; return the ids of these samples."""
    active = (
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
    cancelled = session.exec(active).all()
    _end_jobs(session, cancelled, JobStatus.CANCELLED, "The analysis was cancelled.")
    return [job.sample_id for job in cancelled if job.sample_id]


def cancel_jobs_of_samples(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> list[dt.datetime]:
    """Cancel the jobs of samples that move to the trash, without changing the samples' status.

    Call it before the samples are locked: workers lock the job first, then its sample. Returns the
    usage periods to pass to `refund_analyses` once the samples are locked.
    """
    active = (
        select(ProcessingJob.id)
        .where(
            ProcessingJob.user_id == user_id,
            _IS_LISTED,
            col(ProcessingJob.sample_id) == any_(literal(list(ids), ARRAY(Uuid))),
            col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
        )
        .order_by(col(ProcessingJob.id))
        .with_for_update()
    )
    cancelled = session.exec(
        update(ProcessingJob)
        .where(col(ProcessingJob.id).in_(active))
        .values(status=JobStatus.CANCELLED, finished_at=now(), error="Moved to the trash.")
        .returning(col(ProcessingJob.id), col(ProcessingJob.usage_period_start))
    ).all()
    if cancelled:
        changes = [Event(Topic.JOB, str(row.id)) for row in cancelled]
        after_commit(session, partial(events.publish, user_id, *changes))
    return [row.usage_period_start for row in cancelled if row.usage_period_start]


def claim_job(session: Session, job_id: uuid.UUID) -> ProcessingJob | None:
    """Claim a queued job for this worker; return None if it is no longer queued.

    A job may be in the RQ queue twice, but only one worker can claim its row.
    """
    claimed = session.exec(
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
    job = claimed.scalars().first()
    if job:
        publish_job(session, job)
    return job


def claim_small_job(session: Session, job_id: uuid.UUID, below: int) -> ProcessingJob | None:
    """Claim a queued analysis or render if its file has fewer than `below` bytes; else None."""
    sample_id = func.coalesce(ProcessingJob.sample_id, PadRender.sample_id)
    small = (
        select(ProcessingJob.id)
        .join(PadRender, col(PadRender.job_id) == ProcessingJob.id, isouter=True)
        .join(Sample, col(Sample.id) == sample_id)
        .where(
            ProcessingJob.id == job_id,
            col(ProcessingJob.kind).in_([JobKind.ANALYSE, JobKind.RENDER]),
            Sample.size < below,
        )
    )
    return claim_job(session, job_id) if session.exec(small).first() else None


def lock_current_attempt(session: Session, job: ProcessingJob) -> bool:
    """Lock a job until the commit; return whether this attempt may still write its result."""
    current = session.exec(
        select(ProcessingJob)
        .where(ProcessingJob.id == job.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    return bool(
        current and current.status == JobStatus.RUNNING and current.attempts == job.attempts
    )


def record_heartbeat(
    session: Session, job_id: uuid.UUID, attempts: int, progress: float | None = None
) -> bool:
    """Record that an attempt is alive; return False if it was cancelled or superseded."""
    reached = {} if progress is None else {"progress": progress}
    updated = session.exec(
        update(ProcessingJob)
        .where(
            col(ProcessingJob.id) == job_id,
            col(ProcessingJob.status) == JobStatus.RUNNING,
            col(ProcessingJob.attempts) == attempts,
        )
        .values(heartbeat_at=now(), **reached)
    )
    return updated.rowcount == 1


def finish_job(session: Session, job_id: uuid.UUID, status: JobStatus, error: str = "") -> None:
    """Set the final status of a job whose row this transaction has locked."""
    job = session.get_one(ProcessingJob, job_id)
    job.status, job.error, job.finished_at = status, error, now()
    job.progress = 1.0 if status is JobStatus.DONE else job.progress
    if status is not JobStatus.DONE:
        _refund_analysis(session, job)
    session.add(job)
    publish_job(session, job)


def requeue_lost_jobs(session: Session, at: dt.datetime) -> int:
    """Requeue jobs whose worker died, and queued jobs whose RQ entry was lost; return how many.

    A job that lost its worker `MAX_ATTEMPTS` times fails. The scheduler calls this every second.
    """
    is_silent = col(ProcessingJob.heartbeat_at) < at - HEARTBEAT_TIMEOUT
    is_suspect = (col(ProcessingJob.status) == JobStatus.RUNNING) & (
        col(ProcessingJob.heartbeat_at) < at - SUSPECT_AFTER
    )
    found = session.exec(
        select(ProcessingJob)
        .where(
            col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
            is_silent | is_suspect,
        )
        # Those in progress come first: their users have waited, and they are few.
        .order_by(col(ProcessingJob.status) != JobStatus.RUNNING, col(ProcessingJob.heartbeat_at))
        .limit(200)
        .with_for_update(skip_locked=True)
    ).all()
    stale = _without_running(found, at - HEARTBEAT_TIMEOUT)
    rq_job_ids = queue.queued_ids() if stale else frozenset()
    failed = [
        job for job in stale if job.status == JobStatus.RUNNING and job.attempts >= MAX_ATTEMPTS
    ]
    for job in failed:
        log.error("job %s lost its worker %d times: given up", job.id, job.attempts)
    analyses = [job for job in failed if job.kind == JobKind.ANALYSE]
    _end_jobs(session, analyses, JobStatus.FAILED, FAILED_TWICE)
    others = [job for job in failed if job.kind != JobKind.ANALYSE]
    _end_jobs(session, others, JobStatus.FAILED, STOPPED_TWICE)
    return sum(_requeue(session, job, rq_job_ids) for job in stale if job not in failed)


def suspect_queued_jobs(session: Session) -> int:
    """Make all queued jobs count as silent if Redis has lost its queues; return how many.

    `requeue_lost_jobs` then looks them up at once, instead of after `HEARTBEAT_TIMEOUT`, and keeps
    their order. The
    scheduler calls this every second: one small request to Redis.
    """
    if queue.are_kept():
        return 0
    queued = (
        select(ProcessingJob.id)
        .where(ProcessingJob.status == JobStatus.QUEUED)
        .with_for_update(skip_locked=True)  # another transaction claims or cancels those
    )
    suspected = session.exec(
        update(ProcessingJob)
        .where(col(ProcessingJob.id).in_(queued))
        .values(heartbeat_at=col(ProcessingJob.heartbeat_at) - SILENT)
    ).rowcount
    if suspected:
        log.warning("Redis has lost its queues: %d queued jobs are looked up", suspected)
    after_commit(session, queue.note_kept)
    return suspected


def _without_running(
    found: Sequence[ProcessingJob], silent_since: dt.datetime
) -> list[ProcessingJob]:
    """Leave out the attempts that are silent for a short time, but whose process still runs."""
    if all(job.heartbeat_at < silent_since for job in found):
        return list(found)
    running = attempt_connections.running_attempts()
    return [
        job
        for job in found
        if job.heartbeat_at < silent_since
        or (running is not None and queue.rq_job_id(job.id, job.attempts) not in running)
    ]


def _requeue(session: Session, job: ProcessingJob, rq_job_ids: frozenset[str]) -> bool:
    job.heartbeat_at = now()
    session.add(job)
    if job.status == JobStatus.QUEUED:
        if queue.rq_job_id(job.id, job.attempts) in rq_job_ids:
            return False
    else:
        log.warning("job %s lost its worker: requeued", job.id)
        job.status = JobStatus.QUEUED
    slow = job.kind != JobKind.ANALYSE
    after_commit(session, partial(queue.enqueue_job, job.id, job.queue, job.attempts, slow=slow))
    return True


def _end_jobs(
    session: Session, ended: Sequence[ProcessingJob], status: JobStatus, reason: str
) -> None:
    """End locked jobs. Samples are locked before the usage counter, as workers do it."""
    ids = [job.sample_id for job in ended if job.sample_id]
    locked = select(Sample).where(col(Sample.id) == any_(literal(ids, ARRAY(Uuid))))
    locked = locked.order_by(col(Sample.id)).with_for_update(key_share=True)
    rows = session.exec(locked.execution_options(populate_existing=True)) if ids else ()
    samples = {sample.id: sample for sample in rows}
    for job in ended:
        job.status, job.error, job.finished_at = status, reason, now()
        session.add(job)
        sample = samples.get(job.sample_id) if job.sample_id else None
        if sample and job.kind == JobKind.ANALYSE:
            _update_sample_after(session, job, sample, reason)
        publish_job(session, job)
    session.flush()
    for job in sorted(ended, key=lambda job: job.user_id):
        _refund_analysis(session, job)


def _update_sample_after(session: Session, job: ProcessingJob, sample: Sample, reason: str) -> None:
    """Set the status of a sample whose job ended; results of an earlier analysis stay."""
    if job.queue == queue.LOW:
        if job.status == JobStatus.FAILED:
            record_engine_failure(session, job, reason)
        return
    is_ready = job.status == JobStatus.CANCELLED and has_finished_analysis(session, sample.id)
    sample.status = SampleStatus.READY if is_ready else SampleStatus.FAILED
    sample.error = "" if is_ready else reason
    session.add(sample)


def record_engine_failure(session: Session, job: ProcessingJob, reason: str) -> None:
    """Record that the current engine cannot analyse a sample, so that reanalysis skips it.

    For automatic reanalysis: the sample keeps the results of the older engine.
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


def has_finished_analysis(session: Session, sample_id: uuid.UUID) -> bool:
    """Return whether an earlier analysis of a sample succeeded."""
    ready = select(Analysis.id).where(
        Analysis.sample_id == sample_id, Analysis.status == SampleStatus.READY
    )
    return session.exec(ready).first() is not None


def refund_analyses(
    session: Session, user_id: uuid.UUID, usage_periods: Sequence[dt.datetime]
) -> None:
    """Give analyses back to the quota of these periods. Call it after the samples are locked."""
    for period_start, count in sorted(Counter(usage_periods).items()):
        quotas.release_analyses(session, user_id, period_start, count)


def _refund_analysis(session: Session, job: ProcessingJob) -> None:
    """Give back the analysis that an unsuccessful job was counted for."""
    if job.usage_period_start:
        quotas.release_analyses(session, job.user_id, job.usage_period_start, 1)
        job.usage_period_start = None


def publish_job(session: Session, job: ProcessingJob) -> None:
    """Publish, after the commit, that a job and its sample changed."""
    if job.kind == JobKind.SPECTROGRAM:  # changes nothing that pages or cached lists show
        return
    changes = [Event(Topic.JOB, str(job.id))]
    if job.sample_id:
        changes.append(Event(Topic.SAMPLE, str(job.sample_id)))
    after_commit(session, partial(events.publish, job.user_id, *changes))

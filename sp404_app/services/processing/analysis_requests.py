"""Analyses that a user requests again: counted against the analysis quota at the request.

The first analysis after an upload is counted by the worker instead, in
`services/sample/analysis_results.py` with `quotas.reserve_analysis`. Requests here use
`quotas.reserve_analyses`.
"""

import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, literal
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from sp404_app.db import after_commit
from sp404_app.errors import AppError, Conflict, NotFound, QuotaExceeded
from sp404_app.models import JobKind, JobStatus, ProcessingJob, Sample, SampleStatus
from sp404_app.services.billing import quotas
from sp404_app.services.infra import queue
from sp404_app.services.processing import jobs

RequestResult = ProcessingJob | AppError


def request_analysis(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> ProcessingJob:
    """Enqueue another analysis of a sample; return the active job if there is one.

    Raises:
        NotFound: If the sample does not exist or belongs to another user.
        Conflict: If it is in the trash.
        QuotaExceeded: If the analysis quota is used up, or a payment is missing.
    """
    result = request_analyses(session, user_id, [sample_id])[sample_id]
    if isinstance(result, AppError):
        raise result
    return result


def request_analyses(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, RequestResult]:
    """Enqueue another analysis of samples, in this order, as many as the analysis quota allows.

    Returns a job or an error for each sample. Locks are taken in the order that workers use: jobs,
    samples, usage counter.
    """
    active_jobs = _active_jobs(session, user_id, ids, lock=True)
    samples = {
        sample.id: sample
        for sample in session.exec(
            select(Sample)
            .where(Sample.user_id == user_id, _is_any_of(col(Sample.id), ids))
            .order_by(col(Sample.id))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    active_jobs = _active_jobs(session, user_id, ids, lock=False) | active_jobs
    results: dict[uuid.UUID, RequestResult] = {}
    to_enqueue: list[Sample] = []
    for sample_id in dict.fromkeys(ids):
        sample, job = samples.get(sample_id), active_jobs.get(sample_id)
        if sample is None:
            results[sample_id] = NotFound("There is no such sample.")
        elif sample.deleted_at:
            results[sample_id] = Conflict("This sample is in the trash. Restore it first.")
        elif job and not _is_queued_reanalysis(job):
            results[sample_id] = job
        else:
            to_enqueue.append(sample)
    return results | _enqueue_within_quota(session, user_id, to_enqueue, active_jobs)


def _enqueue_within_quota(
    session: Session,
    user_id: uuid.UUID,
    samples: Sequence[Sample],
    active_jobs: dict[uuid.UUID, ProcessingJob],
) -> dict[uuid.UUID, RequestResult]:
    """Enqueue as many samples as the analysis quota allows."""
    results: dict[uuid.UUID, RequestResult] = {}
    try:
        reserved = quotas.reserve_analyses(session, user_id, len(samples))
    except QuotaExceeded as refusal:
        reserved = quotas.AnalysisReservation(None, 0, refusal)
    left, tier = reserved.count, quotas.get_plan(session, user_id).tier
    for sample in samples:
        if not left and reserved.refusal:
            results[sample.id] = reserved.refusal
            continue
        job = active_jobs.get(sample.id)
        if job:  # an automatic reanalysis moves to the queue of the user's plan
            job.queue = tier
            after_commit(session, partial(queue.enqueue_job, job.id, tier, job.attempts))
        else:
            job = jobs.enqueue_analysis(session, user_id, sample.id, tier)
        job.usage_period_start, left = reserved.month, left - 1
        sample.status, sample.error = SampleStatus.QUEUED, ""
        session.add_all((job, sample))
        jobs.publish_job(session, job)
        results[sample.id] = job
    return results


def _is_queued_reanalysis(job: ProcessingJob) -> bool:
    return job.queue == queue.LOW and job.status == JobStatus.QUEUED


def _active_jobs(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID], *, lock: bool
) -> dict[uuid.UUID, ProcessingJob]:
    found = (
        select(ProcessingJob)
        .where(
            ProcessingJob.user_id == user_id,
            ProcessingJob.kind == JobKind.ANALYSE,
            _is_any_of(col(ProcessingJob.sample_id), ids),
            col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
        )
        .order_by(col(ProcessingJob.id))
    )
    rows = session.exec(found.with_for_update() if lock else found)
    return {job.sample_id: job for job in rows if job.sample_id}


def _is_any_of(column: Mapped[Any], ids: Sequence[uuid.UUID]) -> ColumnElement[bool]:
    return column == any_(literal(list(ids), ARRAY(Uuid)))

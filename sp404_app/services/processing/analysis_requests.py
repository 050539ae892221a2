"""Analyses that a person asks for: counted before anything changes, or refused."""

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

Answer = ProcessingJob | AppError


def again(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> ProcessingJob:
    """Queue a sample once more; while its analysis is under way, return that job.

    Raises:
        NotFound: If the sample does not exist or belongs to someone else.
        Conflict: If it lies in the trash.
        QuotaExceeded: If this month's analyses are used up, or a payment is missing.
    """
    answer = again_for_each(session, user_id, [sample_id])[sample_id]
    if isinstance(answer, AppError):
        raise answer
    return answer


def again_for_each(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, Answer]:
    """Queue samples once more, as many as the quota allows, in this order; say for each why not.

    Jobs are locked before samples, and both before the counter, as workers do it.
    """
    under_way = _under_way(session, user_id, ids, lock=True)
    samples = {
        sample.id: sample
        for sample in session.exec(
            select(Sample)
            .where(Sample.user_id == user_id, _among(col(Sample.id), ids))
            .order_by(col(Sample.id))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    under_way = _under_way(session, user_id, ids, lock=False) | under_way
    answers: dict[uuid.UUID, Answer] = {}
    wanted: list[Sample] = []
    for sample_id in dict.fromkeys(ids):
        sample, job = samples.get(sample_id), under_way.get(sample_id)
        if sample is None:
            answers[sample_id] = NotFound("There is no such sample.")
        elif sample.deleted_at:
            answers[sample_id] = Conflict("This sample is in the trash. Restore it first.")
        elif job and not _is_waiting_renewal(job):
            answers[sample_id] = job
        else:
            wanted.append(sample)
    return answers | _start(session, user_id, wanted, under_way)


def _start(
    session: Session,
    user_id: uuid.UUID,
    wanted: Sequence[Sample],
    under_way: dict[uuid.UUID, ProcessingJob],
) -> dict[uuid.UUID, Answer]:
    answers: dict[uuid.UUID, Answer] = {}
    count = sum(not sample.is_demo for sample in wanted)
    try:
        given = quotas.reserve_analyses(session, user_id, count)
    except QuotaExceeded as refusal:
        given = quotas.Reserved(None, 0, refusal)
    left, tier = given.count, quotas.plan_of(session, user_id).tier
    for sample in wanted:
        if not sample.is_demo and not left and given.refusal:
            answers[sample.id] = given.refusal
            continue
        job = under_way.get(sample.id)
        if job:  # a renewal that nobody asked for becomes a job that somebody waits for
            job.queue = tier
            after_commit(session, partial(queue.enqueue, job.id, tier, job.attempts))
        else:
            job = jobs.add_analysis(session, user_id, sample.id, tier)
        if not sample.is_demo:
            job.usage_period_start, left = given.month, left - 1
        sample.status, sample.error = SampleStatus.QUEUED, ""
        session.add_all((job, sample))
        jobs.publish_job(session, job)
        answers[sample.id] = job
    return answers


def _is_waiting_renewal(job: ProcessingJob) -> bool:
    return job.queue == queue.LOW and job.status == JobStatus.QUEUED


def _under_way(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID], *, lock: bool
) -> dict[uuid.UUID, ProcessingJob]:
    found = (
        select(ProcessingJob)
        .where(
            ProcessingJob.user_id == user_id,
            ProcessingJob.kind == JobKind.ANALYSE,
            _among(col(ProcessingJob.sample_id), ids),
            col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
        )
        .order_by(col(ProcessingJob.id))
    )
    rows = session.exec(found.with_for_update() if lock else found)
    return {job.sample_id: job for job in rows if job.sample_id}


def _among(column: Mapped[Any], ids: Sequence[uuid.UUID]) -> ColumnElement[bool]:
    return column == any_(literal(list(ids), ARRAY(Uuid)))

"""Automatic reanalysis of samples that an older engine analysed."""

import uuid
from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.jobs import scheduler
from sp404_app.models import Analysis, JobStatus, ProcessingJob, Sample, SampleStatus, User
from sp404_app.models.columns import now
from sp404_app.services.infra import queue
from sp404_app.services.processing import analysis_requests, jobs, reanalysis


@pytest.fixture
def analysed_by(session: Session, user: User) -> Callable[..., Sample]:
    """Add a sample that a version of the engine has analysed."""

    def keep(version: str, **fields: object) -> Sample:
        name = uuid.uuid4().hex
        sample = Sample(
            user_id=user.id,
            name=name,
            filename=name,
            storage_key=name,
            size=1,
            digest=name,
            format="WAV",
            status=fields.pop("status", SampleStatus.READY),
            **fields,
        )
        session.add(sample)
        session.flush()
        session.add(
            Analysis(
                user_id=user.id,
                sample_id=sample.id,
                engine_version=version,
                status=SampleStatus.READY,
            )
        )
        session.flush()
        return sample

    return keep


def all_jobs(session: Session) -> list[ProcessingJob]:
    return list(session.exec(select(ProcessingJob).order_by(ProcessingJob.id)))  # type: ignore[arg-type]


def test_only_outdated_samples_are_enqueued(
    session: Session, analysed_by: Callable[..., Sample]
) -> None:
    old = analysed_by("0")
    analysed_by(ENGINE_VERSION)
    analysed_by("0", deleted_at=now())
    analysed_by("0", status=SampleStatus.WAITING_FOR_QUOTA)
    assert reanalysis.enqueue_outdated_samples(session) == 1
    (job,) = all_jobs(session)
    assert (job.sample_id, job.queue) == (old.id, queue.LOW)
    assert reanalysis.enqueue_outdated_samples(session) == 1  # still active
    assert len(all_jobs(session)) == 1


def test_a_batch_keeps_two_workers_busy_for_half_the_interval() -> None:
    """A small sample takes a worker about 50 ms."""
    assert reanalysis.MAX_ACTIVE_JOBS * 0.05 / 2 >= 0.5 * scheduler.INTERVAL_S


def test_the_number_of_active_jobs_is_limited(
    session: Session, analysed_by: Callable[..., Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reanalysis, "MAX_ACTIVE_JOBS", 2)
    for _ in range(3):
        analysed_by("0")
    assert reanalysis.enqueue_outdated_samples(session) == 2
    assert reanalysis.enqueue_outdated_samples(session) == 2
    assert len(all_jobs(session)) == 2
    jobs.finish_job(session, all_jobs(session)[0].id, JobStatus.DONE)
    assert reanalysis.enqueue_outdated_samples(session) == 2
    assert len(all_jobs(session)) == 3


def test_a_failed_reanalysis_keeps_old_results_and_is_not_retried(
    session: Session, user: User, analysed_by: Callable[..., Sample]
) -> None:
    sample = analysed_by("0", bpm=90)
    reanalysis.enqueue_outdated_samples(session)
    (job,) = all_jobs(session)
    jobs.record_engine_failure(session, job, "No.")
    jobs.finish_job(session, job.id, JobStatus.FAILED, "No.")
    assert reanalysis.enqueue_outdated_samples(session) == 0
    assert (sample.status, sample.bpm) == (SampleStatus.READY, 90)
    assert reanalysis.get_reanalysis_progress(session, user.id) == reanalysis.ReanalysisProgress(
        1, 1
    )


def test_progress_counts_only_analysed_samples(
    session: Session, user: User, analysed_by: Callable[..., Sample]
) -> None:
    analysed_by("0")
    analysed_by(ENGINE_VERSION)
    analysed_by("0", status=SampleStatus.FAILED)
    assert reanalysis.get_reanalysis_progress(session, user.id) == reanalysis.ReanalysisProgress(
        1, 2
    )


def test_a_requested_reanalysis_moves_to_the_users_queue(
    session: Session, user: User, analysed_by: Callable[..., Sample]
) -> None:
    sample = analysed_by("0")
    reanalysis.enqueue_outdated_samples(session)
    analysis_requests.request_analysis(session, user.id, sample.id)
    (job,) = all_jobs(session)
    session.refresh(job)
    assert job.queue != queue.LOW
    jobs.cancel_job(session, user.id, job.id)
    assert sample.status == SampleStatus.READY  # not stuck in the queue

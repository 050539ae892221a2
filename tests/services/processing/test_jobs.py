"""Jobs: claim, cancel, finish, lost workers, and refunds. RQ entries may be lost or doubled."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import Session, col, select, update

from sp404_app.db import transaction
from sp404_app.errors import Conflict, NotFound
from sp404_app.models import Analysis, JobStatus, ProcessingJob, Sample, SampleStatus, User
from sp404_app.models.columns import now
from sp404_app.services import plans
from sp404_app.services.billing import quotas
from sp404_app.services.infra import attempt_connections, events, queue
from sp404_app.services.infra.attempt_connections import AttemptConnection
from sp404_app.services.library import samples
from sp404_app.services.processing import analysis_requests, jobs, quota_backlog
from tests.sounds import Keep

pytestmark = pytest.mark.usefixtures("services")

LATER = dt.timedelta(seconds=13)


def job_of(sample_id: uuid.UUID) -> ProcessingJob:
    newest = select(ProcessingJob).where(ProcessingJob.sample_id == sample_id)
    with transaction() as session:
        return max(session.exec(newest), key=lambda job: job.id)


def kept(sample_id: uuid.UUID) -> Sample:
    with transaction() as session:
        return session.get_one(Sample, sample_id)


def claimed(sample_id: uuid.UUID) -> ProcessingJob:
    with transaction() as session:
        job = jobs.claim_job(session, job_of(sample_id).id)
    assert job
    return job


def requeue_lost(seconds: float = 13) -> int:
    with transaction() as session:
        return jobs.requeue_lost_jobs(session, now() + dt.timedelta(seconds=seconds))


def test_adding_a_sample_enqueues_its_job(keep: Keep) -> None:
    job = job_of(keep())
    assert job.status == JobStatus.QUEUED
    assert queue.queued_ids() == {queue.rq_job_id(job.id, 0)}


def test_only_one_worker_can_claim_a_job(keep: Keep) -> None:
    job_id = job_of(keep()).id

    def claim(_: int) -> bool:
        with transaction() as session:
            return jobs.claim_job(session, job_id) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1


def test_a_second_analysis_request_returns_the_active_job(
    session: Session, user: User, keep: Keep
) -> None:
    sample_id = keep()
    first = analysis_requests.request_analysis(session, user.id, sample_id)
    assert analysis_requests.request_analysis(session, user.id, sample_id).id == first.id


def test_a_trashed_sample_is_not_analysed(session: Session, user: User, keep: Keep) -> None:
    sample_id = keep()
    samples.delete_samples(session, user.id, [sample_id])
    with pytest.raises(Conflict):
        analysis_requests.request_analysis(session, user.id, sample_id)


def test_another_user_cannot_see_cancel_or_start_a_job(
    session: Session, keep: Keep, person: Callable[..., User]
) -> None:
    sample_id, stranger = keep(), person().id
    job_id = job_of(sample_id).id
    for attempt in (
        lambda: jobs.get_job(session, stranger, job_id),
        lambda: jobs.cancel_job(session, stranger, job_id),
        lambda: analysis_requests.request_analysis(session, stranger, sample_id),
        lambda: jobs.get_job(session, stranger, uuid.uuid4()),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert jobs.list_jobs(session, stranger, None, 10) == ([], 0)


def test_jobs_are_listed_newest_first(session: Session, user: User, keep: Keep) -> None:
    ids = [job_of(keep()).id for _ in range(3)]
    first, total = jobs.list_jobs(session, user.id, None, 2)
    assert ([job.id for job in first], total) == (ids[:0:-1], 3)
    rest, _ = jobs.list_jobs(session, user.id, first[-1].id, 2)
    assert [job.id for job in rest] == ids[:1]


def test_a_cancelled_job_cannot_write_or_be_claimed(user: User, keep: Keep) -> None:
    running, queued = keep(), keep()
    job = claimed(running)
    with transaction() as session:
        jobs.cancel_job(session, user.id, job.id)
        jobs.cancel_job(session, user.id, job_of(queued).id)
    with transaction() as session:
        assert not jobs.lock_current_attempt(session, job)
        assert not jobs.record_heartbeat(session, job.id, job.attempts)
        assert jobs.claim_job(session, job_of(queued).id) is None
    assert kept(running).status == SampleStatus.FAILED
    assert kept(running).error == "Cancelled."


def test_cancelling_a_second_analysis_keeps_the_first_results(user: User, keep: Keep) -> None:
    sample_id = keep()
    with transaction() as session:
        jobs.finish_job(session, job_of(sample_id).id, JobStatus.DONE)
        session.add(
            Analysis(
                user_id=user.id,
                sample_id=sample_id,
                engine_version="0",
                status=SampleStatus.READY,
            )
        )
        again = analysis_requests.request_analysis(session, user.id, sample_id)
    with transaction() as session:
        jobs.cancel_job(session, user.id, again.id)
    assert (kept(sample_id).status, kept(sample_id).error) == (SampleStatus.READY, "")


def test_an_ended_job_cannot_be_cancelled(user: User, keep: Keep) -> None:
    job = job_of(keep())
    with transaction() as session:
        jobs.finish_job(session, job.id, JobStatus.DONE)
    with transaction() as session:
        assert jobs.cancel_job(session, user.id, job.id).status == JobStatus.DONE


def test_a_lost_attempt_is_requeued_once_and_can_no_longer_write(keep: Keep) -> None:
    sample_id = keep()
    old = claimed(sample_id)
    assert requeue_lost(seconds=2) == 0
    assert requeue_lost() == 1
    new = claimed(sample_id)
    assert new.attempts == 2
    with transaction() as session:
        assert not jobs.lock_current_attempt(session, old)
        assert not jobs.record_heartbeat(session, old.id, old.attempts)
        assert jobs.lock_current_attempt(session, new)


def test_a_job_that_lost_its_worker_twice_fails(keep: Keep) -> None:
    sample_id = keep()
    claimed(sample_id)
    requeue_lost()
    claimed(sample_id)
    assert requeue_lost() == 0
    assert job_of(sample_id).status == JobStatus.FAILED
    assert (kept(sample_id).status, kept(sample_id).error) == (
        SampleStatus.FAILED,
        jobs.FAILED_TWICE,
    )


def test_a_heartbeat_keeps_the_job_running(keep: Keep) -> None:
    job = claimed(keep())
    with transaction() as session:
        assert jobs.record_heartbeat(session, job.id, job.attempts)
    assert requeue_lost(seconds=2) == 0


def test_a_late_heartbeat_is_no_loss_while_the_process_runs(keep: Keep) -> None:
    job = claimed(keep())
    attempt = AttemptConnection(job.id, job.attempts)
    assert requeue_lost(seconds=11) == 0
    attempt.end()


def test_an_attempt_whose_process_is_gone_is_requeued_after_three_seconds(keep: Keep) -> None:
    claimed(keep())
    assert requeue_lost(seconds=2) == 0
    assert requeue_lost(seconds=4) == 1


def test_an_attempt_without_a_heartbeat_is_lost_even_if_its_connection_is_open(keep: Keep) -> None:
    job = claimed(keep())
    attempt = AttemptConnection(job.id, job.attempts)
    assert requeue_lost(seconds=13) == 1
    attempt.end()


def test_without_redis_only_the_heartbeat_counts(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed(keep())
    monkeypatch.setattr(attempt_connections, "running_attempts", lambda: None)
    assert requeue_lost(seconds=11) == 0
    assert requeue_lost(seconds=13) == 1


def suspect_queued() -> int:
    with transaction() as session:
        return jobs.suspect_queued_jobs(session)


def test_an_emptied_redis_gets_the_queued_jobs_back_at_once(keep: Keep) -> None:
    queued, running = keep(), keep()
    suspect_queued()  # of the first start
    claimed(running)
    for _ in range(2):
        events.connection().flushdb()
        assert suspect_queued() == 1
        assert requeue_lost(seconds=0) == 1
        assert queue.queued_ids() == {queue.rq_job_id(job_of(queued).id, 0)}
        assert suspect_queued() == 0
        assert requeue_lost(seconds=0) == 0
    assert job_of(running).status == JobStatus.RUNNING


def test_after_redis_was_emptied_the_jobs_keep_their_order(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspect_queued()
    kept = [keep() for _ in range(8)]
    with transaction() as session:
        for number, sample_id in enumerate(reversed(kept)):
            session.exec(
                update(ProcessingJob)
                .where(col(ProcessingJob.sample_id) == sample_id)
                .values(heartbeat_at=now() - dt.timedelta(seconds=2, milliseconds=10 * number))
            )
    events.connection().flushdb()
    requeued: list[uuid.UUID] = []
    requeue = jobs._requeue

    def note(session: Session, job: ProcessingJob, ids: frozenset[str]) -> bool:
        requeued.append(job.sample_id)
        return requeue(session, job, ids)

    monkeypatch.setattr(jobs, "_requeue", note)
    assert suspect_queued() == len(kept) == requeue_lost(seconds=0)
    assert requeued == kept


def test_a_first_start_enqueues_no_job_twice(keep: Keep) -> None:
    keep()
    assert suspect_queued() == 1
    assert requeue_lost(seconds=0) == 0
    assert len(queue.queued_ids()) == 1


def test_a_queued_job_is_enqueued_again_only_if_its_rq_entry_is_lost(keep: Keep) -> None:
    job = job_of(keep())
    assert requeue_lost() == 0
    events.connection().flushdb()
    assert requeue_lost(26) == 1
    assert queue.queued_ids() == {queue.rq_job_id(job.id, 0)}


def test_a_job_popped_by_a_dead_worker_is_enqueued_again(keep: Keep) -> None:
    job = job_of(keep())
    rq_queue = queue.rq_queue(job.queue)
    events.connection().lpop(rq_queue.key)
    assert requeue_lost() == 1


def test_lost_jobs_are_found_behind_hundreds_of_queued_ones(user: User, keep: Keep) -> None:
    lost = claimed(keep())
    with transaction() as session:
        session.get_one(ProcessingJob, lost.id).heartbeat_at -= LATER
        session.add_all(
            ProcessingJob(user_id=user.id, kind="export", queue="low") for _ in range(300)
        )
    requeue_lost()
    assert job_of(lost.sample_id or lost.id).status == JobStatus.QUEUED


def used(user: User) -> int:
    with transaction() as session:
        return quotas.get_quota_usage(session, user.id).analyses_used


def claim_counted(sample_id: uuid.UUID, user: User) -> ProcessingJob:
    job = claimed(sample_id)
    with transaction() as session:
        month = quotas.reserve_analysis(session, user.id)
        session.get_one(ProcessingJob, job.id).usage_period_start = month
    return job


def test_an_unsuccessful_analysis_is_refunded_once(user: User, keep: Keep) -> None:
    failed, cancelled, trashed, done = (claim_counted(keep(), user) for _ in range(4))
    assert used(user) == 4
    with transaction() as session:
        jobs.finish_job(session, failed.id, JobStatus.FAILED, "Damaged.")
        jobs.cancel_job(session, user.id, cancelled.id)
        samples.delete_samples(session, user.id, [trashed.sample_id or failed.id])
        jobs.finish_job(session, done.id, JobStatus.DONE)
    with transaction() as session:
        jobs.cancel_job(session, user.id, cancelled.id)
    assert used(user) == 1


def test_waiting_samples_are_enqueued_up_to_the_analysis_quota(
    user: User, keep: Keep, environment: pytest.MonkeyPatch
) -> None:
    ids = [keep() for _ in range(3)]
    with transaction() as session:
        for sample_id in ids:
            jobs.finish_job(session, job_of(sample_id).id, JobStatus.DONE)
            session.get_one(Sample, sample_id).status = SampleStatus.WAITING_FOR_QUOTA
        quotas.reserve_analysis(session, user.id)
    small = plans.Plan(plans.Tier.FREE, "Free", 0, None, 3, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, small)
    with transaction() as session:
        assert quota_backlog.enqueue_waiting_samples(session) == 2
    statuses = [kept(sample_id).status for sample_id in ids]
    assert statuses == [
        SampleStatus.QUEUED,
        SampleStatus.QUEUED,
        SampleStatus.WAITING_FOR_QUOTA,
    ]

"""Small samples of one queue are analysed in one process, without delaying other queues."""

import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rq import Worker
from sqlmodel import col, select

from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import JobKind, JobStatus, ProcessingJob, User
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.infra import events, queue
from sp404_app.services.library import samples
from sp404_app.services.plans import Tier
from sp404_app.services.processing import analysis_requests, jobs
from sp404_app.settings import Settings, settings
from tests.jobs.test_worker import (
    Start,
    forked_processes,
    kill_processes,
    ready,
    requeue_lost,
    running,
    start_worker,
    until,
)
from tests.services.processing.test_jobs import job_of, kept
from tests.sounds import RATE, Keep, silent_flac, write

__all__ = ["start_worker"]
pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture(autouse=True)
def ample_quota(user: User) -> None:
    """Give the user a quota that the test does not exhaust."""
    with transaction() as session:
        session.get_one(User, user.id).is_demo = True  # demo accounts have the Pro plan


def statuses(ids: list[uuid.UUID]) -> list[str]:
    return [job_of(sample_id).status for sample_id in ids]


def run_job(sample_id: uuid.UUID) -> None:
    runner.run(str(job_of(sample_id).id))


@pytest.fixture
def large(user: User, tmp_path: Path) -> uuid.UUID:
    """A sample too large to batch."""
    noise = np.random.default_rng(4).uniform(-0.5, 0.5, (60 * RATE, 2)).astype(np.float32)
    path = write(tmp_path / "large.wav", noise, subtype="PCM_16")
    assert path.stat().st_size > runner.MAX_BATCH_FILE_BYTES
    with transaction() as session:
        return samples.add_sample(session, user.id, samples.inspect_file(path, "large.wav"))


def test_one_rq_job_analyses_several_small_samples(user: User, keep: Keep) -> None:
    ids = [keep() for _ in range(5)]
    events.connection().lpop(queue.rq_queue("pro").key)
    run_job(ids[0])
    assert statuses(ids) == [JobStatus.DONE] * 5
    assert [job_of(each).attempts for each in ids] == [1] * 5
    assert queue.queued_ids() == frozenset()
    assert len(events.connection().keys("rq:job:*")) == 1  # of the running job
    with transaction() as session:
        assert quotas.get_quota_usage(session, user.id).analyses_used == 5


@pytest.mark.parametrize(("name", "value"), [("BATCH_FILES", 2), ("MAX_BATCH_S", -1.0)])
def test_a_batch_ends_after_its_limits(
    keep: Keep, monkeypatch: pytest.MonkeyPatch, name: str, value: float
) -> None:
    monkeypatch.setattr(runner, name, value)
    ids = [keep() for _ in range(4)]
    events.connection().lpop(queue.rq_queue("pro").key)
    run_job(ids[0])
    done = 2 if name == "BATCH_FILES" else 1
    assert statuses(ids) == [JobStatus.DONE] * done + [JobStatus.QUEUED] * (4 - done)
    assert queue.queued_ids() == {queue.rq_job_id(job_of(each).id, 0) for each in ids[done:]}


def test_large_files_and_exports_are_left_for_their_own_process(
    user: User, keep: Keep, large: uuid.UUID
) -> None:
    small = keep()
    events.connection().rpoplpush(queue.rq_queue("pro").key, queue.rq_queue("pro").key)
    before = queue.rq_queue("pro").get_job_ids()
    events.connection().lpop(queue.rq_queue("pro").key)
    run_job(small)
    assert statuses([small, large]) == [JobStatus.DONE, JobStatus.QUEUED]
    assert queue.rq_queue("pro").get_job_ids() == before[1:]
    queue.enqueue_function("sp404_app.jobs.billing.handle_due_events", "x", slow=True)
    with transaction() as session:
        jobs.enqueue_analysis(session, user.id, small, queue.LOW)
    hanging = queue.rq_queue(queue.LOW).get_job_ids()
    events.connection().ltrim(queue.rq_queue("pro").key, 1, 0)
    run_job(small)
    assert queue.rq_queue(queue.LOW).get_job_ids() == hanging


def test_a_job_of_a_higher_queue_ends_the_batch(
    user: User, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, urgent, last = keep(), keep(), keep()
    original = runner.JOB_FUNCTIONS[JobKind.ANALYSE]

    def meanwhile(job: ProcessingJob) -> None:
        queue.enqueue_job(job_of(urgent).id, Tier.ENTERPRISE, 7)
        original(job)

    events.connection().lpop(queue.rq_queue("pro").key)
    monkeypatch.setitem(runner.JOB_FUNCTIONS, JobKind.ANALYSE, meanwhile)
    run_job(first)
    assert statuses([first, urgent, last]) == [JobStatus.DONE, JobStatus.QUEUED, JobStatus.QUEUED]


def test_cancelled_and_failed_jobs_do_not_affect_the_rest_of_a_batch(
    user: User, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [keep() for _ in range(3)]
    original = runner.JOB_FUNCTIONS[JobKind.ANALYSE]

    def sometimes(job: ProcessingJob) -> None:
        if job.sample_id == ids[1]:
            raise RuntimeError
        original(job)

    monkeypatch.setitem(runner.JOB_FUNCTIONS, JobKind.ANALYSE, sometimes)
    events.connection().lpop(queue.rq_queue("pro").key)
    run_job(ids[0])
    assert statuses(ids) == [JobStatus.DONE, JobStatus.FAILED, JobStatus.DONE]
    with transaction() as session:
        assert quotas.get_quota_usage(session, user.id).analyses_used == 2
    gone, other = keep(), keep()
    with transaction() as session:
        jobs.cancel_job(session, user.id, job_of(gone).id)
        again = analysis_requests.request_analysis(session, user.id, ids[0])
    runner.run(str(again.id))
    assert statuses([gone, ids[0]]) == [JobStatus.CANCELLED, JobStatus.DONE]
    assert queue.rq_job_id(job_of(other).id, 0) in queue.queued_ids()


def test_a_batch_ends_without_error_while_redis_is_not_available(
    services: Settings, keep: Keep, environment: pytest.MonkeyPatch
) -> None:
    ids = [keep(), keep()]
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1")
    clear()
    run_job(ids[0])
    environment.setenv("SP404_REDIS_URL", services.redis_url)
    clear()
    assert statuses(ids) == [JobStatus.DONE, JobStatus.QUEUED]


def clear() -> None:
    settings.cache_clear()
    events.connection.cache_clear()
    queue.rq_queue.cache_clear()


def processes() -> int:
    """Return how many processes the workers have forked."""
    return sum(worker.successful_job_count for worker in Worker.all(events.connection()))


async def test_a_worker_forks_fewer_processes_than_there_are_samples(
    user: User, keep: Keep, start_worker: Start
) -> None:
    ids = [keep() for _ in range(12)]
    start_worker()
    await until(user, lambda: all(ready(each)() for each in ids))
    assert processes() < 4


async def test_a_crash_during_a_batch_fails_only_one_sample(
    user: User, keep: Keep, tmp_path: Path, start_worker: Start
) -> None:
    before = keep()
    path = silent_flac(tmp_path / "slow.flac", 3 * 3600)
    assert path.stat().st_size < runner.MAX_BATCH_FILE_BYTES
    with transaction() as session:
        slow = samples.add_sample(session, user.id, samples.inspect_file(path, "slow.flac"))
    after = [keep() for _ in range(3)]
    worker = start_worker()
    for attempt in (1, 2):
        await until(user, lambda n=attempt: running(slow)() and job_of(slow).attempts == n)
        kill_processes(forked_processes(worker))
        await until(user, lambda: all(ready(each)() for each in [before, *after]))
        assert await requeue_lost() == 2 - attempt
    assert kept(slow).error == jobs.FAILED_TWICE
    assert [job_of(each).attempts for each in [before, *after]] == [1] * 4


async def test_a_higher_queue_is_served_during_a_batch(
    user: User, person: Callable[..., User], keep: Keep, start_worker: Start
) -> None:
    ids = [keep() for _ in range(30)]
    start_worker()
    await until(user, ready(ids[0]))
    paid = keep(owner=person().id)
    queue.enqueue_job(job_of(paid).id, Tier.ENTERPRISE, 7)
    asked = now()
    await until(user, lambda: all(ready(each)() for each in ids))
    with transaction() as session:
        mine = select(ProcessingJob).where(
            ProcessingJob.user_id == user.id, col(ProcessingJob.started_at) > asked
        )
        begun = [job.started_at for job in session.exec(mine) if job.started_at]
    started = job_of(paid).started_at
    assert started
    assert sum(moment < started for moment in begun) <= 2
    assert len(begun) > 5


async def test_a_stopping_worker_starts_no_further_sample(
    user: User, keep: Keep, tmp_path: Path, start_worker: Start
) -> None:
    path = silent_flac(tmp_path / "slow.flac", 1800)
    with transaction() as session:
        slow = samples.add_sample(session, user.id, samples.inspect_file(path, "slow.flac"))
    after = [keep() for _ in range(3)]
    worker = start_worker()
    await until(user, running(slow))
    worker.terminate()
    worker.wait(30)
    assert statuses([slow, *after]) == [JobStatus.DONE] + [JobStatus.QUEUED] * 3

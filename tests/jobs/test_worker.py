"""Real worker processes: killed workers, cancelled jobs, duplicate and lost RQ jobs."""

import asyncio
import datetime as dt
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from sqlmodel import col, select

from sp404_app.db import in_transaction, transaction
from sp404_app.models import JobStatus, ProcessingJob, SampleStatus, User
from sp404_app.models.columns import now
from sp404_app.services.infra import events, queue
from sp404_app.services.library import samples
from sp404_app.services.processing import analysis_requests, jobs
from tests.services.processing.test_jobs import job_of, kept
from tests.sounds import RATE, Keep, write

pytestmark = pytest.mark.usefixtures("services")

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Start]:
    """Start workers as the supervisor does; none outlives its test."""
    started: list[subprocess.Popen[bytes]] = []
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "sp404_app", "worker"]
            started.append(
                subprocess.Popen(
                    command, env=environment, stdout=log, stderr=log, start_new_session=True
                )
            )
        return started[-1]

    yield start
    for process in started:
        kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a worker and its forked processes, as a power cut would."""
    if process.poll() is None:
        process.send_signal(signal.SIGSTOP)  # it must not fork while its processes are listed
        family = forked_processes(process)
        process.kill()
        kill_processes(family)
        process.wait(10)


def kill_processes(family: list[psutil.Process]) -> None:
    """Kill processes, some of which may have ended already."""
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def forked_processes(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """Return the processes that a worker has forked for jobs."""
    return psutil.Process(process.pid).children(recursive=True)


async def until(user: User, true: Callable[[], bool]) -> None:
    """Wait for events until a condition is true."""
    async with asyncio.timeout(60):
        async for _ in events.listen(user.id, gather=0.0, patience=1.0):
            if await asyncio.to_thread(true):
                return


@pytest.fixture
def long_sample(user: User, tmp_path: Path) -> uuid.UUID:
    """A sample whose analysis takes several seconds."""
    noise = np.random.default_rng(4).uniform(-0.5, 0.5, 16 * 60 * RATE).astype(np.float32)
    path = write(tmp_path / "long.wav", noise, subtype="PCM_16")
    with transaction() as session:
        return samples.add_sample(session, user.id, samples.inspect_file(path, "long.wav"))


def running(sample_id: uuid.UUID) -> Callable[[], bool]:
    return lambda: kept(sample_id).status == SampleStatus.ANALYSING


def ready(sample_id: uuid.UUID) -> Callable[[], bool]:
    return lambda: kept(sample_id).status == SampleStatus.READY


def wait_for_locks() -> None:
    """Wait until PostgreSQL has released the row locks of killed processes."""
    with transaction() as session:
        every = select(ProcessingJob).order_by(col(ProcessingJob.id))
        session.exec(every.with_for_update()).all()


async def requeue_lost() -> int:
    await asyncio.to_thread(wait_for_locks)  # jobs that are locked are left out
    return await in_transaction(jobs.requeue_lost_jobs, now() + dt.timedelta(seconds=13))


async def test_a_killed_worker_loses_no_job(
    user: User, keep: Keep, long_sample: uuid.UUID, start_worker: Start
) -> None:
    first = start_worker()
    await until(user, running(long_sample))
    kill(first)
    small = keep()
    assert job_of(long_sample).status == JobStatus.RUNNING
    assert await requeue_lost() == 1
    start_worker()
    await until(user, lambda: ready(long_sample)() and ready(small)())
    assert (job_of(long_sample).attempts, job_of(small).attempts) == (2, 1)


async def test_a_file_that_kills_its_worker_twice_fails_and_the_worker_continues(
    user: User, keep: Keep, long_sample: uuid.UUID, start_worker: Start
) -> None:
    worker = start_worker()
    for attempt in (1, 2):
        await until(
            user,
            lambda wanted=attempt: (
                job_of(long_sample).attempts == wanted and running(long_sample)()
            ),
        )
        kill_processes(forked_processes(worker))
        assert await requeue_lost() == (1 if attempt == 1 else 0)
        if attempt == 1:
            assert job_of(long_sample).status in {JobStatus.QUEUED, JobStatus.RUNNING}
    assert kept(long_sample).error == jobs.FAILED_TWICE
    small = keep()
    await until(user, ready(small))
    again = await in_transaction(analysis_requests.request_analysis, user.id, long_sample)
    assert again.status == JobStatus.QUEUED
    await until(user, ready(long_sample))


async def test_a_worker_is_known_again_after_redis_was_emptied(
    user: User, start_worker: Start
) -> None:
    client = events.connection()
    worker = start_worker()
    await until(user, lambda: queue.count_live_workers(client) == 1)
    client.flushdb()
    assert queue.count_live_workers(client) == 0
    await until(user, lambda: queue.count_live_workers(client) == 1)
    worker.terminate()
    await asyncio.to_thread(worker.wait)
    assert queue.count_live_workers(client) == 0  # it has not registered again at its end


async def test_a_cancelled_job_writes_nothing_and_lost_rq_jobs_are_queued_again(
    user: User, keep: Keep, long_sample: uuid.UUID, start_worker: Start
) -> None:
    lost = keep()
    events.connection().flushdb()
    job = job_of(long_sample)
    queue.enqueue_job(job.id, job.queue, 0)
    queue.enqueue_job(job.id, job.queue, 0)
    start_worker()
    await until(user, running(long_sample))
    await in_transaction(jobs.cancel_job, user.id, job.id)
    assert await requeue_lost() == 1
    await until(user, ready(lost))
    assert (kept(long_sample).status, kept(long_sample).error) == (
        SampleStatus.FAILED,
        "Cancelled.",
    )
    assert (kept(long_sample).thumbnail, job_of(long_sample).attempts) == ("", 1)


async def test_duplicates_analysed_by_two_workers_at_once_form_one_group(
    user: User, tmp_path: Path, start_worker: Start
) -> None:
    noise = np.random.default_rng(7).uniform(-0.5, 0.5, RATE).astype(np.float32)
    ids = []
    for number in range(6):
        path = write(tmp_path / f"{number}.wav", noise / (number + 1), subtype="PCM_24")
        with transaction() as session:
            ids.append(samples.add_sample(session, user.id, samples.inspect_file(path, path.name)))
    for _ in range(2):
        start_worker()
    await until(user, lambda: all(ready(each)() for each in ids))
    groups = {kept(each).duplicate_group_id for each in ids}
    assert len(groups) == 1
    assert None not in groups

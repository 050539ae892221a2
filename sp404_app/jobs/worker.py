"""The worker process: it imports and warms up once, then forks a process for each job."""

import logging
import os
import signal
from types import FrameType
from typing import Any, NoReturn

from redis.exceptions import RedisError
from rq import Worker
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue

from sp404_app import db
from sp404_app.audio.features.analysis import warm_up_engine
from sp404_app.jobs import billing, billing_contact, email, runner
from sp404_app.models import JobKind
from sp404_app.services.infra import queue as queues
from sp404_app.telemetry import metrics, processes, sentry

log = logging.getLogger(__name__)

# RQ finds the jobs by name; importing them here saves each forked process the time.
__all__ = ["billing", "billing_contact", "email", "main", "runner"]


class ForkingWorker(Worker):
    """RQ's forking worker, with all imports done before the first job.

    If a file crashes the decoder or stops its progress, only the process of that job ends.
    """

    def main_work_horse(self, job: Job, queue: Queue) -> NoReturn:
        """Run a job in the forked process, with database connections of its own."""
        db.engine().dispose(close=False)
        sentry.start()  # with a connection of its own
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Run a job and send its errors: this process ends at once, without any cleanup."""
        try:
            return super().perform_job(job, queue, execution)
        finally:
            sentry.flush()

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log an error that a job's function did not handle; RQ logs its message only."""
        log.error("unexpected error in a job", exc_info=exc_info)
        super().handle_exception(job, *exc_info)

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        """Count a job's process that crashed or was killed."""
        metrics.JOBS_KILLED.inc()
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)


class WarmWorker(ForkingWorker):
    """The worker of the analysis queues; it serves starved queues first."""

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Take the next job; starved queues are served first (`queue.queues_in_order`)."""
        try:
            self._ordered_queues = queues.queues_in_order()
        except RedisError:  # RQ waits until Redis is back
            log.warning("cannot read the order of the queues")
        return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)

    def reorder_queues(self, reference_queue: Queue) -> None:
        """Count the job that was taken; the order is computed before the next one."""
        queues.count_taken_job(reference_queue.name)


def main() -> None:
    """Run jobs until a signal stops the process."""
    signal.signal(signal.SIGTERM, _exit)  # while warming up; RQ installs its own handler
    warm_up_engine()
    metrics.start_process(processes.WORKER)
    metrics.create_job_series(JobKind, (*queues.QUEUES, queues.PICTURES))
    sentry.start()
    served = [queues.rq_queue(name) for name in queues.QUEUES]
    worker = WarmWorker(served, connection=served[0].connection, default_worker_ttl=60)
    log.info("worker %d is ready", os.getpid())
    worker.work(with_scheduler=False, logging_level="WARNING")


def _exit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)

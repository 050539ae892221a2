"""The worker process: it imports and warms up once, then forks a process for each job."""

import logging
import os
import signal
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn

from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Worker, worker_registration
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue

from sp404_app import db
from sp404_app.audio.features.analysis import warm_up_engine
from sp404_app.jobs import billing, billing_contact, email, runner
from sp404_app.jobs.job_log import log_job, write_line
from sp404_app.models import JobKind
from sp404_app.models.columns import now
from sp404_app.services.infra import library_use
from sp404_app.services.infra import queue as queues
from sp404_app.telemetry import metrics, processes, sentry, tracing

log = logging.getLogger(__name__)

# On a host that also serves the pages, a request gets three times the CPU share of an analysis.
NICENESS = 5
# RQ finds the jobs by name; importing them here saves each forked process the time.
RUNNER_NAMES = ("sp404_app.jobs.runner.run", "sp404_app.jobs.run.run")

__all__ = ["billing", "billing_contact", "email", "main", "runner"]


class ForkingWorker(Worker):
    """RQ's forking worker, with all imports done before the first job.

    If a file crashes the decoder or stops its progress, only the process of that job ends.
    """

    max_connection_wait_time = 2.0  # s; RQ would wait up to a minute after Redis is back

    def __init__(self, names: Sequence[str]) -> None:
        """Serve these queues, with a heartbeat that `/api/health` can rely on."""
        served = [queues.rq_queue(name) for name in names]
        super().__init__(
            served,
            connection=served[0].connection,
            # RQ waits for a job for 15 s less than this, then writes its heartbeat.
            worker_ttl=queues.WORKER_HEARTBEAT_S + 15,
            job_monitoring_interval=queues.WORKER_HEARTBEAT_S,
        )

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Send a heartbeat; register again first, if Redis was emptied since the last one."""
        is_known = self.connection.sismember(self.redis_workers_keys, self.key)
        if self.birth_date is not None and not is_known:
            with self.connection.pipeline() as again:
                again.hset(self.key, mapping=self.serialize())
                worker_registration.register(self, again)
                again.execute()
        super().heartbeat(timeout, pipeline)

    def main_work_horse(self, job: Job, queue: Queue) -> NoReturn:
        """Run a job in the forked process, with database connections of its own."""
        db.engine().dispose(close=False)
        sentry.start()  # with a connection of its own
        tracing.start()  # with a thread of its own
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Run a job and send its errors and spans: this process ends at once, without any cleanup.

        One without a row is logged here, the others by `runner`.
        """
        try:
            if job.func_name in RUNNER_NAMES:
                return super().perform_job(job, queue, execution)
            with log_job(queue.name, kind_of(job), queues.origin_of(job)) as ending:
                done = super().perform_job(job, queue, execution)
                ending.outcome = "done" if done else "failed"
            return done
        finally:
            sentry.flush()
            tracing.stop()

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log an error that a job's function did not handle; RQ logs its message only."""
        log.error("unexpected error in a job", exc_info=exc_info)
        super().handle_exception(job, *exc_info)

    def handle_work_horse_killed(
        self,
        job: Job,
        retpid: object,  # noqa: ARG002 - RQ passes it
        ret_val: object,  # noqa: ARG002
        rusage: object,  # noqa: ARG002
    ) -> None:
        """Log and count a job whose process crashed or was killed."""
        metrics.JOBS_KILLED.inc()
        seconds = (now() - job.started_at).total_seconds() if job.started_at else 0.0
        write_line(job.origin, kind_of(job), seconds, "killed", queues.origin_of(job))


def kind_of(job: Job) -> str:
    """Return the name of a job's function."""
    return (job.func_name or "").rpartition(".")[2]


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
    os.nice(NICENESS)
    warm_up_engine()
    metrics.start_process(processes.WORKER)
    metrics.create_job_series(JobKind, (*queues.QUEUES, queues.PICTURES))
    sentry.start()
    library_use.show_use("worker")
    tracing.prepare()
    worker = WarmWorker(queues.QUEUES)
    log.info("worker %d is ready", os.getpid())
    worker.work(with_scheduler=False, logging_level="WARNING")


def _exit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)

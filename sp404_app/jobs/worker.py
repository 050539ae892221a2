"""The worker process: imports and warms up once, then forks a short-lived child per job."""

import logging
import os
import signal
from types import FrameType
from typing import NoReturn

from redis.exceptions import RedisError
from rq import Worker
from rq.job import Job
from rq.queue import Queue

from sp404_app import db
from sp404_app.audio.features.analysis import warm_up
from sp404_app.jobs import billing, billing_contact, email
from sp404_app.jobs import runner as entry
from sp404_app.services.infra import queue as queues

log = logging.getLogger(__name__)

__all__ = ["billing", "billing_contact", "email", "entry", "main"]


class WarmWorker(Worker):
    """RQ's forking worker, whose parent has paid for the imports before the first job.

    A file that crashes or hangs the decoder takes only its own child with it.
    """

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Take the next job; a queue that waited for long has its turn (`queue.order`)."""
        try:
            self._ordered_queues = queues.order()
        except RedisError:  # RQ waits until it is back
            log.warning("the queues keep their order")
        return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)

    def reorder_queues(self, reference_queue: Queue) -> None:
        """Count the job that was taken; the order is made anew before the next."""
        queues.took(reference_queue.name)

    def main_work_horse(self, job: Job, queue: Queue) -> NoReturn:
        """Give the child connections of its own."""
        db.engine().dispose(close=False)
        super().main_work_horse(job, queue)


def main() -> None:
    """Work until told to stop."""
    signal.signal(signal.SIGTERM, _quit)  # until RQ installs its own, a stop is a stop
    warm_up()
    served = [queues.queue(name) for name in queues.QUEUES]
    worker = WarmWorker(served, connection=served[0].connection, default_worker_ttl=60)
    log.info("worker %d is warm", os.getpid())
    worker.work(with_scheduler=False, logging_level="WARNING")


def _quit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)

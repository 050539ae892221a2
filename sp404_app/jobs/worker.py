"""The worker process: imports and warms up once, then forks a short-lived child per job."""

import logging
import os
import signal
from types import FrameType
from typing import NoReturn

from rq import Worker
from rq.job import Job
from rq.queue import Queue

from sp404_app import db
from sp404_app.audio.analysis import warm_up
from sp404_app.jobs import billing, billing_contact
from sp404_app.jobs import run as entry
from sp404_app.services import queue

log = logging.getLogger(__name__)

__all__ = ["billing", "billing_contact", "entry", "main"]


class WarmWorker(Worker):
    """RQ's forking worker, whose parent has paid for the imports before the first job.

    A file that crashes or hangs the decoder takes only its own child with it.
    """

    def main_work_horse(self, job: Job, queue: Queue) -> NoReturn:
        """Give the child connections of its own."""
        db.engine().dispose(close=False)
        super().main_work_horse(job, queue)


def main() -> None:
    """Work until told to stop."""
    signal.signal(signal.SIGTERM, _quit)  # until RQ installs its own, a stop is a stop
    warm_up()
    queues = [queue.queue(name) for name in queue.QUEUES]
    worker = WarmWorker(queues, connection=queues[0].connection, default_worker_ttl=60)
    log.info("worker %d is warm", os.getpid())
    worker.work(with_scheduler=False, logging_level="WARNING")


def _quit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)

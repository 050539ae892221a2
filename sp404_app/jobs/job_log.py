"""One log line for each job that ended, with the request that enqueued it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import structlog

Outcome = Literal["done", "refused", "timeout", "failed", "no_database", "killed"]

log = structlog.get_logger("sp404_app.jobs")


@dataclass(slots=True)
class Ending:
    """How a job ended.

    "refused" has a reason that its owner reads. "no_database" and "killed" will run again.
    """

    outcome: Outcome = "done"


@contextmanager
def log_job(queue: str, kind: str, request_id: str) -> Iterator[Ending]:
    """Write the line when the block ends; an exception is a failure."""
    started, ending = time.perf_counter(), Ending("failed")
    try:
        yield ending
    finally:
        write_line(queue, kind, time.perf_counter() - started, ending.outcome, request_id)


def write_line(queue: str, kind: str, seconds: float, outcome: Outcome, request_id: str) -> None:
    """Write the line of one job."""
    of_request = {"request_id": request_id} if request_id else {}
    log.info(
        "job", queue=queue, kind=kind, seconds=round(seconds, 3), outcome=outcome, **of_request
    )

"""One log line and one span for each job, with the request and the trace that enqueued it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import structlog

from sp404_app.services.infra.queue import Origin
from sp404_app.telemetry import tracing

Outcome = Literal["done", "refused", "timeout", "failed", "no_database", "killed"]

log = structlog.get_logger("sp404_app.jobs")


@dataclass(slots=True)
class Ending:
    """How a job ended.

    "refused" has a reason that its owner reads. "no_database" and "killed" will run again.
    """

    outcome: Outcome = "done"


@contextmanager
def log_job(queue: str, kind: str, origin: Origin) -> Iterator[Ending]:
    """Write the line when the block ends; an exception is a failure."""
    started, ending = time.perf_counter(), Ending("failed")
    attributes = {"job.queue": queue, "job.kind": kind, "request_id": origin.request_id}
    with tracing.span(f"job {kind}", "CONSUMER", attributes, origin.traceparent) as span:
        try:
            yield ending
        finally:
            write_line(queue, kind, time.perf_counter() - started, ending.outcome, origin)
            if span:
                span.set_attribute("job.outcome", ending.outcome)


def write_line(queue: str, kind: str, seconds: float, outcome: Outcome, origin: Origin) -> None:
    """Write the line of one job."""
    of_request = {"request_id": origin.request_id} if origin.request_id else {}
    log.info(
        "job",
        queue=queue,
        kind=kind,
        seconds=round(seconds, 3),
        outcome=outcome,
        **of_request,
        **tracing.log_fields(origin.traceparent),
    )

"""The only door to RQ: a bell that tells a worker which row to look at."""

import uuid
from functools import lru_cache

from rq import Queue

from sp404_app.services.live import connection
from sp404_app.services.plans import Tier

# News of payments is short and goes first; paying people wait less; nobody waits for `low`.
MONEY, LOW = "money", "low"
QUEUES = (MONEY, Tier.ENTERPRISE, Tier.PRO, Tier.FREE, LOW)
TIMEOUT, LONG = 120, 3600


@lru_cache
def queue(name: str) -> Queue:
    """Return a queue, connected on first use."""
    return Queue(name, connection=connection())


def ring(job_id: uuid.UUID, queue_name: str, attempts: int, *, slow: bool = False) -> None:
    """Call a worker for a job; call after commit, for the worker reads the row."""
    queue(queue_name).enqueue(
        "sp404_app.jobs.run.run",
        str(job_id),
        job_id=bell(job_id, attempts),
        job_timeout=LONG if slow else TIMEOUT,
        result_ttl=0,
        failure_ttl=60,
    )


def call(function: str, argument: str, *, slow: bool = False) -> None:
    """Call a worker for a job that has no row in `processing_jobs`; it must be safe to do twice."""
    queue(LOW if slow else MONEY).enqueue(
        function,
        argument,
        job_timeout=LONG if slow else TIMEOUT,
        result_ttl=0,
        failure_ttl=60,
    )


def waiting() -> frozenset[str]:
    """Return which bells hang in the queues; one that a worker took down hangs no more."""
    return frozenset(hanging for name in QUEUES for hanging in queue(name).get_job_ids())


def bell(job_id: uuid.UUID, attempts: int) -> str:
    """Name the bell for one attempt."""
    return f"{job_id}-{attempts}"

"""The only door to RQ: a bell that tells a worker which row to look at."""

import uuid
from contextlib import suppress
from functools import lru_cache

from redis.exceptions import RedisError
from rq import Queue, Worker, get_current_job
from rq.job import Job

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


def next_bell(queue_name: str) -> str | None:
    """Take down the bell that has hung longest in a queue.

    None if there is none, if one hangs in a queue before it, or if this worker is to stop.
    Whoever takes it must look after its row, or hang it back; if they die, it is a lost bell.

    Raises:
        RedisError: If Redis is away.
    """
    current = get_current_job(connection())
    with connection().pipeline(transaction=False) as pipeline:
        for name in QUEUES[: QUEUES.index(queue_name)]:
            pipeline.llen(queue(name).key)
        if current and current.worker_name:
            worker = f"{Worker.redis_worker_namespace_prefix}{current.worker_name}"
            pipeline.hexists(worker, "shutdown_requested_date")
        if any(pipeline.execute()):
            return None
    found = connection().lpop(queue(queue_name).key)
    return found.decode() if isinstance(found, bytes) else None


def hang_back(queue_name: str, name: str) -> None:
    """Hang a bell where it hung: before all others."""
    queue(queue_name).push_job_id(name, at_front=True)


def forget(name: str) -> None:
    """Throw away a bell that was taken down, for its row is looked after; at worst it stays."""
    with suppress(RedisError):
        connection().delete(Job.key_for(name))


def row_of(name: str) -> uuid.UUID | None:
    """Return which row a bell rings for; None for one that has no row."""
    try:
        return uuid.UUID(name.rpartition("-")[0])
    except ValueError:
        return None


def bell(job_id: uuid.UUID, attempts: int) -> str:
    """Name the bell for one attempt."""
    return f"{job_id}-{attempts}"

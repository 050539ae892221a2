"""The only door to RQ: a bell that tells a worker which row to look at."""

import uuid
from contextlib import suppress
from functools import lru_cache
from typing import cast

from redis.exceptions import RedisError
from rq import Queue, Worker, get_current_job
from rq.job import Job

from sp404_app.services.infra.events import connection
from sp404_app.services.plans import Tier

# News of payments is short and goes first; paying people wait less; nobody waits for `low`.
MONEY, LOW = "money", "low"
QUEUES = (MONEY, Tier.ENTERPRISE, Tier.PRO, Tier.FREE, LOW)
TIMEOUT, LONG = 120, 3600
EMAIL_TIMEOUT_S = 60
# After so many jobs of other queues a queue has its turn: with four others that wait as well,
# it gets one job in ten.
PATIENT = 6
PASSED = "sp404:queues:passed"  # by queue: jobs of others since its last, while it waited
CALLED = "sp404:queues:called-for-events"
CALLED_SECONDS = 15  # a call that was lost is made again after that


@lru_cache
def queue(name: str) -> Queue:
    """Return a queue, connected on first use."""
    return Queue(name, connection=connection())


def enqueue(job_id: uuid.UUID, queue_name: str, attempts: int, *, slow: bool = False) -> None:
    """Call a worker for a job; call after commit, for the worker reads the row."""
    queue(queue_name).enqueue(
        "sp404_app.jobs.runner.run",
        str(job_id),
        job_id=rq_job_id(job_id, attempts),
        job_timeout=LONG if slow else TIMEOUT,
        result_ttl=0,
        failure_ttl=60,
    )


def enqueue_function(function: str, argument: str, *, slow: bool = False) -> None:
    """Call a worker for a job that has no row in `processing_jobs`; it must be safe to do twice."""
    queue(LOW if slow else MONEY).enqueue(
        function,
        argument,
        job_timeout=LONG if slow else TIMEOUT,
        result_ttl=0,
        failure_ttl=60,
    )


def enqueue_email(email_id: uuid.UUID, attempts: int) -> None:
    """Queue the job that sends an e-mail, before all analyses; call after commit."""
    queue(MONEY).enqueue(
        "sp404_app.jobs.email.send_email",
        str(email_id),
        job_id=rq_job_id(email_id, attempts),
        job_timeout=EMAIL_TIMEOUT_S,
        result_ttl=0,
        failure_ttl=60,
    )


def call_for_events() -> bool:
    """Call a worker for all Stripe events that are due, unless one is called; say whether it was.

    Many events make one job. The worker takes the call down before it looks (`events_heard`).
    """
    if not connection().set(CALLED, "1", nx=True, ex=CALLED_SECONDS):
        return False
    enqueue_function("sp404_app.jobs.billing.work", "")
    return True


def events_heard() -> None:
    """Take down the call for events: the next event needs a new one."""
    connection().delete(CALLED)


def took(name: str) -> bool:
    """Count a job of a queue; say whether another queue has waited long enough for its turn."""
    with connection().pipeline(transaction=False) as pipeline:
        for other in QUEUES:
            pipeline.llen(queue(other).key)
        lengths = dict(zip(QUEUES, pipeline.execute(), strict=True))
        pipeline.hset(PASSED, name, "0")
        for other in QUEUES:
            if other != name and lengths[other]:
                pipeline.hincrby(PASSED, other, 1)
            elif other != name:
                pipeline.hset(PASSED, other, "0")
        pipeline.execute()
    return bool(starving() - {name})


def starving() -> frozenset[str]:
    """Return the queues whose turn it is, whoever pays more."""
    passed = cast("list[bytes | None]", connection().hmget(PASSED, list(QUEUES)))
    counted = zip(QUEUES, passed, strict=True)
    return frozenset(str(name) for name, count in counted if int(count or 0) >= PATIENT)


def order() -> list[Queue]:
    """Return the queues in the order in which they are served now."""
    first = starving()
    return [queue(name) for name in sorted(QUEUES, key=lambda name: name not in first)]


def queued_ids() -> frozenset[str]:
    """Return which bells hang in the queues; one that a worker took down hangs no more."""
    return frozenset(hanging for name in QUEUES for hanging in queue(name).get_job_ids())


def next_rq_job(queue_name: str) -> str | None:
    """Take down the bell that has hung longest in a queue.

    None if there is none, if one hangs in a queue before it, if another queue has waited for its
    turn, or if this worker is to stop.
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
    if starving() - {queue_name}:
        return None
    found = connection().lpop(queue(queue_name).key)
    if found:
        took(queue_name)
    return found.decode() if isinstance(found, bytes) else None


def requeue(queue_name: str, name: str) -> None:
    """Hang a bell where it hung: before all others."""
    queue(queue_name).push_job_id(name, at_front=True)


def discard(name: str) -> None:
    """Throw away a bell that was taken down, for its row is looked after; at worst it stays."""
    with suppress(RedisError):
        connection().delete(Job.key_for(name))


def job_id_of(name: str) -> uuid.UUID | None:
    """Return which row a bell rings for; None for one that has no row."""
    try:
        return uuid.UUID(name.rpartition("-")[0])
    except ValueError:
        return None


def rq_job_id(job_id: uuid.UUID, attempts: int) -> str:
    """Name the bell for one attempt."""
    return f"{job_id}-{attempts}"

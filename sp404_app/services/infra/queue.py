"""The only module that knows RQ: queues by plan, and jobs that carry the id of a row."""

import datetime as dt
import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker, get_current_job
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.utils import utcparse
from structlog.contextvars import get_contextvars

from sp404_app.models.columns import now
from sp404_app.services.infra.events import connection
from sp404_app.services.plans import Tier
from sp404_app.telemetry import tracing

# In order of priority. Stripe events and e-mails take milliseconds, so they go first; then come
# renders of pads, which a user waits to play, and the plans by price; "low" holds work that no
# user waits for.
HIGH, RENDERS, LOW = "money", "renders", "low"
QUEUES = (HIGH, RENDERS, Tier.ENTERPRISE, Tier.PRO, Tier.FREE, LOW)
PICTURES = "pictures"  # has its own worker, so it is not one of `QUEUES`
JOB_TIMEOUT_S, SLOW_JOB_TIMEOUT_S, PICTURE_TIMEOUT_S = 120, 3600, 600
EMAIL_TIMEOUT_S = 60
RENDER_TIMEOUT_S = 1800  # stretching the longest sound that a device takes, on a slow machine
# A queue is starved, and so served next, once this many jobs of other queues were taken while it
# waited. If all six queues have jobs, each gets at least one job in ten.
TURN_AFTER_JOBS = 7
SKIPPED_KEY = "sp404:queues:passed"  # hash: queue -> jobs of others taken while it waited
WORKER_HEARTBEAT_S = 5  # of an idle worker, and of one that runs a job
WORKER_SILENT_AFTER_S = 12.0
REQUEST_ID, TRACEPARENT = "request_id", "traceparent"  # keys of the meta of an RQ job
EVENTS_QUEUED_KEY = "sp404:queues:called-for-events"
EVENTS_QUEUED_TTL_S = 15  # after it, another job is queued if the first was lost
KEPT_KEY = "sp404:queues:kept"  # gone if Redis has lost its data, and with it the queues


@dataclass(frozen=True, slots=True)
class Origin:
    """What enqueued a job: the id of the request and the span, or "" each."""

    request_id: str = ""
    traceparent: str = ""


@lru_cache
def rq_queue(name: str) -> Queue:
    """Return an RQ queue, connected on first use."""
    return Queue(name, connection=connection())


def enqueue_job(job_id: uuid.UUID, queue_name: str, attempts: int, *, slow: bool = False) -> None:
    """Queue a job of `processing_jobs`; call after commit, because the worker reads the row."""
    rq_queue(queue_name).enqueue(
        "sp404_app.jobs.runner.run",
        str(job_id),
        job_id=rq_job_id(job_id, attempts),
        job_timeout=_timeout_s(queue_name, slow=slow),
        result_ttl=0,
        failure_ttl=60,
        meta=_meta(),
    )


def _meta() -> dict[str, str]:
    """Return the present request and span, for the log line and the trace of a job."""
    found = {
        REQUEST_ID: get_contextvars().get("request_id"),
        TRACEPARENT: tracing.traceparent(),
    }
    return {name: value for name, value in found.items() if value}


def origin_of(job: Job) -> Origin:
    """Return what enqueued an RQ job."""
    return Origin(str(job.meta.get(REQUEST_ID, "")), str(job.meta.get(TRACEPARENT, "")))


def current_origin() -> Origin:
    """Return what enqueued the RQ job of this process."""
    current = get_current_job(connection())
    return origin_of(current) if current else Origin()


def origin_of_id(rq_id: str) -> Origin:
    """Return what enqueued the RQ job with an id."""
    try:
        return origin_of(Job.fetch(rq_id, connection=connection()))
    except NoSuchJobError:
        return Origin()


def _timeout_s(queue_name: str, *, slow: bool) -> int:
    if queue_name == PICTURES:
        return PICTURE_TIMEOUT_S
    if queue_name == RENDERS:
        return RENDER_TIMEOUT_S
    return SLOW_JOB_TIMEOUT_S if slow else JOB_TIMEOUT_S


def enqueue_function(function: str, argument: str, *, slow: bool = False) -> None:
    """Queue an idempotent function that has no row in `processing_jobs`."""
    rq_queue(LOW if slow else HIGH).enqueue(
        function,
        argument,
        job_timeout=SLOW_JOB_TIMEOUT_S if slow else JOB_TIMEOUT_S,
        result_ttl=0,
        failure_ttl=60,
        meta=_meta(),
    )


def enqueue_email(email_id: uuid.UUID, attempts: int) -> None:
    """Queue the job that sends an e-mail, before all analyses; call after commit."""
    rq_queue(HIGH).enqueue(
        "sp404_app.jobs.email.send_email",
        str(email_id),
        job_id=rq_job_id(email_id, attempts),
        job_timeout=EMAIL_TIMEOUT_S,
        result_ttl=0,
        failure_ttl=60,
        meta=_meta(),
    )


def enqueue_stripe_events() -> bool:
    """Queue one job for all Stripe events that are due, unless one is queued already.

    Return whether it was queued. The worker calls `reset_stripe_events_flag` before it reads the
    events.
    """
    if not connection().set(EVENTS_QUEUED_KEY, "1", nx=True, ex=EVENTS_QUEUED_TTL_S):
        return False
    enqueue_function("sp404_app.jobs.billing.handle_due_events", "")
    return True


def reset_stripe_events_flag() -> None:
    """Let the next Stripe event queue a job, as this one may miss it."""
    connection().delete(EVENTS_QUEUED_KEY)


def count_taken_job(name: str) -> bool:
    """Count a job taken from a queue; return whether another queue is starved."""
    with connection().pipeline(transaction=False) as pipeline:
        for other in QUEUES:
            pipeline.llen(rq_queue(other).key)
        lengths = dict(zip(QUEUES, pipeline.execute(), strict=True))
        pipeline.hset(SKIPPED_KEY, name, "0")
        for other in QUEUES:
            if other != name and lengths[other]:
                pipeline.hincrby(SKIPPED_KEY, other, 1)
            elif other != name:
                pipeline.hset(SKIPPED_KEY, other, "0")
        pipeline.execute()
    return bool(starved_queues() - {name})


def starved_queues() -> frozenset[str]:
    """Return the queues that were skipped so often that they are served next."""
    skipped = cast("list[bytes | None]", connection().hmget(SKIPPED_KEY, list(QUEUES)))
    counted = zip(QUEUES, skipped, strict=True)
    return frozenset(str(name) for name, count in counted if int(count or 0) >= TURN_AFTER_JOBS)


def queues_in_order() -> list[Queue]:
    """Return the queues in the order in which they are served now."""
    first = starved_queues()
    return [rq_queue(name) for name in sorted(QUEUES, key=lambda name: name not in first)]


def queued_ids() -> frozenset[str]:
    """Return the RQ ids of all jobs that wait in a queue; running jobs are not among them."""
    return frozenset(
        rq_id for name in (*QUEUES, PICTURES) for rq_id in rq_queue(name).get_job_ids()
    )


def are_kept() -> bool:
    """Return whether Redis has kept its data since `note_kept`.

    Raises:
        RedisError: If Redis is not available.
    """
    return bool(connection().exists(KEPT_KEY))


def note_kept() -> None:
    """Note that all jobs that wait are queued, or will be found missing."""
    connection().set(KEPT_KEY, "1")


def next_rq_job(queue_name: str) -> str | None:
    """Take the oldest job off a queue and return its RQ id.

    None if the queue is empty, if a queue of higher priority has a job, if another queue is
    starved, or if this worker is to stop. The caller must run the job or `requeue` it; if the
    caller dies, housekeeping queues the row again.

    Raises:
        RedisError: If Redis is not available.
    """
    current = get_current_job(connection())
    with connection().pipeline(transaction=False) as pipeline:
        for name in QUEUES[: QUEUES.index(queue_name)]:
            pipeline.llen(rq_queue(name).key)
        if current and current.worker_name:
            worker = f"{Worker.redis_worker_namespace_prefix}{current.worker_name}"
            pipeline.hexists(worker, "shutdown_requested_date")
        if any(pipeline.execute()):
            return None
    if starved_queues() - {queue_name}:
        return None
    found = connection().lpop(rq_queue(queue_name).key)
    if found:
        count_taken_job(queue_name)
    return found.decode() if isinstance(found, bytes) else None


def requeue(queue_name: str, rq_id: str) -> None:
    """Put a job back at the head of its queue."""
    rq_queue(queue_name).push_job_id(rq_id, at_front=True)


def discard(rq_id: str) -> None:
    """Delete the RQ job of a row that this worker has claimed; keep it if Redis is down."""
    with suppress(RedisError):
        connection().delete(Job.key_for(rq_id))


def job_id_of(rq_id: str) -> uuid.UUID | None:
    """Return the id of the row that an RQ job is for, or None if it has no row."""
    try:
        return uuid.UUID(rq_id.rpartition("-")[0])
    except ValueError:
        return None


def rq_job_id(job_id: uuid.UUID, attempts: int) -> str:
    """Return the RQ id for one attempt at a row."""
    return f"{job_id}-{attempts}"


def count_live_workers(client: Redis) -> int:
    """Return how many analysis workers run: those whose last heartbeat is recent.

    RQ itself lists a killed worker until its key expires, after more than a minute.

    Raises:
        RedisError: If Redis is not available.
    """
    keys = Worker.all_keys(queue=Queue(LOW, connection=client))
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.hget(key, "last_heartbeat")
        heartbeats = [utcparse(found.decode()) for found in pipeline.execute() if found]
    oldest = now() - dt.timedelta(seconds=WORKER_SILENT_AFTER_S)
    return sum(heartbeat > oldest for heartbeat in heartbeats)

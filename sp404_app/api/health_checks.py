"""Checks of database, Redis, workers and storage, made at most once in three seconds.

Everybody may ask for them, so the answer is shared by all requests of a process: whoever asks a
thousand times a second causes one check.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from fastapi import Request
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, text

from sp404_app.db import engine
from sp404_app.errors import RateLimited
from sp404_app.models.columns import now
from sp404_app.services.infra import queue, rate_limits, redis_counters, storage
from sp404_app.services.processing import job_counts
from sp404_app.settings import Settings, settings

CHECK_TIMEOUT_S = 2.0
KEPT_S = 3.0
MAX_REQUESTS_PER_MINUTE = 300  # of one address to one process; load balancers ask twice a second

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The state of each dependency, and when it was checked (RFC 3339, UTC).

    `oldest_job_s` is the age of the oldest job that waits, None if the database does not say.
    """

    database: bool
    redis: bool
    storage: bool
    workers: int
    oldest_job_s: int | None
    at: str

    @property
    def is_ready(self) -> bool:
        """Return whether pages work; they do without a worker."""
        return self.database and self.redis and self.storage

    @property
    def is_healthy(self) -> bool:
        """Return whether everything works."""
        return self.is_ready and self.workers > 0


class SharedCheck:
    """The last report, and the check that is being made."""

    def __init__(self) -> None:
        self._report: HealthReport | None = None
        self._until = 0.0
        self._checked_with: Settings | None = None
        self._running: asyncio.Task[HealthReport] | None = None

    async def report(self) -> HealthReport:
        """Return a report that is at most three seconds old."""
        is_fresh = time.monotonic() < self._until and self._checked_with is settings()
        if self._report and is_fresh:
            return self._report
        if self._running is None or self._running.get_loop() is not asyncio.get_running_loop():
            self._running = asyncio.create_task(self._check(), name="health check")
        return await asyncio.shield(self._running)

    async def _check(self) -> HealthReport:
        try:
            checked_with, report = settings(), await check_dependencies()
            self._report, self._checked_with = report, checked_with
            self._until = time.monotonic() + KEPT_S
            return report
        finally:
            self._running = None


_shared = SharedCheck()


async def health_report() -> HealthReport:
    """Return the state of all dependencies, at most three seconds old."""
    return await _shared.report()


def limit_health_requests(request: Request) -> None:
    """Limit how often one address may ask; counted in this process, as Redis may be what fails.

    Raises:
        RateLimited: With `retry_after`, in seconds.
    """
    ip = request.client.host if request.client else ""
    used = redis_counters.count_in_process(f"health:{rate_limits.host_of(ip)}", 60)
    if used.value > MAX_REQUESTS_PER_MINUTE:
        wait = max(1, round(used.seconds_left))
        raise RateLimited("Too many requests. Try again in a minute.", {"retry_after": wait})


async def check_dependencies() -> HealthReport:
    """Check all dependencies at the same time."""
    database, redis, workers, stored, oldest = await asyncio.gather(
        _run_check(_check_database),
        _run_check(_check_redis),
        _run_check(_count_workers),
        _run_check(_check_storage),
        _run_check(_oldest_job_s),
    )
    return HealthReport(
        bool(database), bool(redis), bool(stored), workers or 0, oldest, now().isoformat()
    )


async def _run_check(check: Callable[[], int]) -> int | None:
    """Run a check in a thread; return None if it raises or takes too long."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(check), CHECK_TIMEOUT_S)
    except (OSError, TimeoutError, RedisError, SQLAlchemyError, RuntimeError) as error:
        log.warning("health check failed", check=check.__name__, error=type(error).__name__)
        return None


def _check_database() -> int:
    with engine().connect() as connection:
        return int(connection.scalar(text("select 1")) or 0)


def _oldest_job_s() -> int:
    with Session(engine()) as session:
        return int(max(job_counts.oldest_queued_jobs(session, now()).values(), default=0))


def _check_redis() -> int:
    with _redis_client() as client:
        return int(bool(client.ping()))


def _count_workers() -> int:
    with _redis_client() as client:
        return queue.count_live_workers(client)


def _check_storage() -> int:
    return int(storage.is_reachable())


def _redis_client() -> Redis:
    """Open a connection whose timeout is shorter than that of a check."""
    return Redis.from_url(
        settings().redis_url,
        socket_timeout=CHECK_TIMEOUT_S / 2,
        socket_connect_timeout=CHECK_TIMEOUT_S / 2,
        retry=Retry(NoBackoff(), 0),
    )

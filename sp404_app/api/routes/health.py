"""Health checks of database, Redis, workers and storage, for load balancers and monitoring."""

import asyncio
from collections.abc import Callable
from typing import Literal

import structlog
from fastapi import APIRouter, Response
from pydantic import BaseModel
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import text

import sp404_app
from sp404_app.api import lifecycle
from sp404_app.db import engine
from sp404_app.models.columns import now
from sp404_app.services.infra import queue, storage
from sp404_app.settings import settings

router = APIRouter(prefix="/health", tags=["health"])

CHECK_TIMEOUT_S = 2.0

log = structlog.get_logger()

State = Literal["ok", "failing"]


class Health(BaseModel):
    """The state of each dependency."""

    status: State
    service: str = "sp404"
    database: State
    redis: State
    workers: int
    storage: State
    version: str = sp404_app.__version__
    timestamp: str


class Live(BaseModel):
    """The process runs."""

    status: Literal["ok"] = "ok"


@router.get("/live")
async def live() -> Live:
    """Answer 200 while this process runs; checks no dependency."""
    return Live()


@router.get("", responses={503: {"model": Health}})
async def health(response: Response) -> Health:
    """Return the state of every dependency; 503 if any of them fails or no worker runs."""
    return await _check_health(response)


@router.get("/ready", responses={503: {"model": Health}})
async def ready(response: Response) -> Health:
    """Return whether to send requests here; 503 if not, also before this process stops.

    Pages work without a worker.
    """
    found = await _check_health(response, workers_needed=False)
    if lifecycle.current_phase() is lifecycle.Phase.STOPPING:
        response.status_code, found.status = 503, "failing"
    return found


async def _check_health(response: Response, *, workers_needed: bool = True) -> Health:
    database, redis, workers, stored = await asyncio.gather(
        _run_check(_check_database),
        _run_check(_check_redis),
        _run_check(_count_workers),
        _run_check(_check_storage),
    )
    healthy = bool(database and redis and stored and (workers or not workers_needed))
    response.status_code = 200 if healthy else 503
    response.headers["Cache-Control"] = "no-store"
    return Health(
        status=_state(healthy),
        database=_state(database),
        redis=_state(redis),
        workers=workers or 0,
        storage=_state(stored),
        timestamp=now().isoformat(),
    )


def _state(ok: object) -> State:
    return "ok" if ok else "failing"


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

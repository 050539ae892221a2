"""Whether the parts we need answer: for load balancers and people on call."""

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
from rq import Queue, Worker
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import text

import sp404_app
from sp404_app.db import engine
from sp404_app.models.columns import now
from sp404_app.services.infra import queue, storage
from sp404_app.settings import settings

router = APIRouter(prefix="/health", tags=["health"])

PATIENCE = 2.0

log = structlog.get_logger()

State = Literal["ok", "failing"]


class Health(BaseModel):
    """What answers and what does not."""

    status: State
    service: str = "sp404"
    database: State
    redis: State
    workers: int
    storage: State
    version: str = sp404_app.__version__
    timestamp: str


class Live(BaseModel):
    """This process runs."""

    status: Literal["ok"] = "ok"


@router.get("/live")
async def live() -> Live:
    """Say that this process answers; asks nothing else."""
    return Live()


@router.get("", responses={503: {"model": Health}})
async def health(response: Response) -> Health:
    """Say which parts answer; 503 if one that we cannot work without does not."""
    return await _report(response)


@router.get("/ready", responses={503: {"model": Health}})
async def ready(response: Response) -> Health:
    """Say whether to send requests here; 503 if not. Pages work while no worker does."""
    return await _report(response, workers_needed=False)


async def _report(response: Response, *, workers_needed: bool = True) -> Health:
    database, redis, workers, stored = await asyncio.gather(
        _within(_database), _within(_redis), _within(_workers), _within(_storage)
    )
    fine = bool(database and redis and stored and (workers or not workers_needed))
    response.status_code = 200 if fine else 503
    response.headers["Cache-Control"] = "no-store"
    return Health(
        status=_word(fine),
        database=_word(database),
        redis=_word(redis),
        workers=workers or 0,
        storage=_word(stored),
        timestamp=now().isoformat(),
    )


def _word(fine: object) -> State:
    return "ok" if fine else "failing"


async def _within(check: Callable[[], int]) -> int | None:
    """Run a check in a thread; one that hangs or fails counts as failing."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(check), PATIENCE)
    except (OSError, TimeoutError, RedisError, SQLAlchemyError, RuntimeError) as error:
        log.warning("health check failed", check=check.__name__, error=type(error).__name__)
        return None


def _database() -> int:
    with engine().connect() as connection:
        return int(connection.scalar(text("select 1")) or 0)


def _redis() -> int:
    with _client() as client:
        return int(bool(client.ping()))


def _workers() -> int:
    with _client() as client:
        return Worker.count(queue=Queue(queue.LOW, connection=client))


def _storage() -> int:
    return int(storage.is_reachable())


def _client() -> Redis:
    """Open a connection that gives up sooner than whoever asks for our health."""
    return Redis.from_url(
        settings().redis_url,
        socket_timeout=PATIENCE / 2,
        socket_connect_timeout=PATIENCE / 2,
        retry=Retry(NoBackoff(), 0),
    )

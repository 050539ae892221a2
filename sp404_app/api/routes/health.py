"""Health of database, Redis, workers and storage, for load balancers and monitoring."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

import sp404_app
from sp404_app.api import lifecycle
from sp404_app.api.health_checks import HealthReport, health_report, limit_health_requests

router = APIRouter(prefix="/health", tags=["health"])

State = Literal["ok", "failing"]
Report = Annotated[HealthReport, Depends(health_report)]
LIMITED = [Depends(limit_health_requests)]


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


@router.get("", responses={503: {"model": Health}}, dependencies=LIMITED)
async def health(response: Response, report: Report) -> Health:
    """Return the state of every dependency; 503 if any of them fails or no worker runs."""
    return _answer(response, report, healthy=report.is_healthy)


@router.get("/ready", responses={503: {"model": Health}}, dependencies=LIMITED)
async def ready(response: Response, report: Report) -> Health:
    """Return whether to send requests here; 503 if not, also before this process stops.

    Pages work without a worker.
    """
    is_stopping = lifecycle.current_phase() is lifecycle.Phase.STOPPING
    return _answer(response, report, healthy=report.is_ready and not is_stopping)


def _answer(response: Response, report: HealthReport, *, healthy: bool) -> Health:
    response.status_code = 200 if healthy else 503
    response.headers["Cache-Control"] = "no-store"
    return Health(
        status=_state(healthy),
        database=_state(report.database),
        redis=_state(report.redis),
        workers=report.workers,
        storage=_state(report.storage),
        timestamp=report.at,
    )


def _state(ok: object) -> State:
    return "ok" if ok else "failing"

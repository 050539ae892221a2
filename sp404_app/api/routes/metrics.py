"""GET /metrics: what an operator's Prometheus reads. Not for the public."""

import hmac
from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, func, select
from starlette.exceptions import HTTPException

from sp404_app.db import transaction
from sp404_app.models import ProcessingJob
from sp404_app.services.infra import local_access, queue, unsent_emails
from sp404_app.settings import settings

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PAGES = "pages"  # the label of everything that is not a route of the API

router = APIRouter(include_in_schema=False)
COLLECTED = CollectorRegistry()
REQUESTS = Counter(
    "sp404_requests", "Answered requests.", ["method", "route", "status"], registry=COLLECTED
)
SECONDS = Histogram(
    "sp404_request_seconds", "Time to answer.", ["route"], buckets=BUCKETS, registry=COLLECTED
)
SOCKETS = Gauge("sp404_websockets", "Open websockets.", registry=COLLECTED)
MESSAGES = Counter("sp404_websocket_messages", "Messages from tabs.", registry=COLLECTED)
SLOWED = Counter("sp404_websocket_slowed", "Messages held back.", registry=COLLECTED)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count an answer; the route is a pattern, so that ids do not make new series."""
    REQUESTS.labels(method if method in METHODS else "other", route, status).inc()
    SECONDS.labels(route).observe(seconds)


class Work:
    """Reads the state of the work when somebody asks."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the jobs by status, and how many wait in each queue."""
        jobs = GaugeMetricFamily("sp404_jobs", "Jobs by status.", labels=["kind", "status"])
        waiting = GaugeMetricFamily("sp404_queue_length", "Waiting calls.", labels=["queue"])
        unsent = GaugeMetricFamily("sp404_mails_not_sent", "Mails of 30 days that did not leave.")
        try:
            with transaction() as session:
                counted = select(ProcessingJob.kind, ProcessingJob.status, func.count()).group_by(
                    col(ProcessingJob.kind), col(ProcessingJob.status)
                )
                for kind, status, count in session.exec(counted):
                    jobs.add_metric([kind, status], count)
                unsent.add_metric([], unsent_emails.count(session))
            for name in queue.QUEUES:
                waiting.add_metric([name], queue.queue(name).count)
        except (RedisError, SQLAlchemyError):
            pass  # health says so; the rest is still worth reading
        yield jobs
        yield unsent
        yield waiting


COLLECTED.register(Work())


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Show the numbers of this process to whoever has the token, or on a developer's machine."""
    if not _may_read(request):
        raise HTTPException(404)
    shown = generate_latest(COLLECTED)
    return Response(shown, 200, {"Cache-Control": "no-store"}, CONTENT_TYPE_LATEST)


def _may_read(request: Request) -> bool:
    token = settings().metrics_token
    if token:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    peer = request.client.host if request.client else ""
    return not settings().in_production and local_access.is_local(peer, request.headers.items())

"""GET /metrics: Prometheus metrics for the operator, not for the public."""

import hmac
from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from sp404_app.db import transaction
from sp404_app.services.infra import local_access, queue, unsent_emails
from sp404_app.services.processing import job_counts
from sp404_app.settings import settings

LATENCY_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PAGES = "pages"  # the route label of everything that is not a route of the API

router = APIRouter(include_in_schema=False)
REGISTRY = CollectorRegistry()
RESPONSES = Counter(
    "sp404_requests", "Answered requests.", ["method", "route", "status"], registry=REGISTRY
)
LATENCY = Histogram(
    "sp404_request_seconds",
    "Response time.",
    ["route"],
    buckets=LATENCY_BUCKETS_S,
    registry=REGISTRY,
)
OPEN_WEBSOCKETS = Gauge("sp404_websockets", "Open websockets.", registry=REGISTRY)
WEBSOCKET_MESSAGES = Counter("sp404_websocket_messages", "Messages from tabs.", registry=REGISTRY)
DELAYED_MESSAGES = Counter(
    "sp404_websocket_slowed", "Messages delayed by the rate limit.", registry=REGISTRY
)


def count_response(method: str, route: str, status: int, seconds: float) -> None:
    """Count a response; `route` is a pattern, so that ids do not create new time series."""
    RESPONSES.labels(method if method in METHODS else "other", route, status).inc()
    LATENCY.labels(route).observe(seconds)


class JobCollector:
    """Reads jobs, queues and unsent mails from the database and Redis at each scrape."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the number of jobs by status, queue lengths, and mails that were not sent."""
        jobs = GaugeMetricFamily("sp404_jobs", "Jobs by status.", labels=["kind", "status"])
        waiting = GaugeMetricFamily("sp404_queue_length", "Queued jobs.", labels=["queue"])
        unsent = GaugeMetricFamily(
            "sp404_mails_not_sent", "Mails of the last 30 days that were not sent."
        )
        try:
            with transaction() as session:
                for kind, status, count in job_counts.count_jobs_by_status(session):
                    jobs.add_metric([kind, status], count)
                unsent.add_metric([], unsent_emails.count_unsent_emails(session))
            for name in queue.QUEUES:
                waiting.add_metric([name], queue.rq_queue(name).count)
        except (RedisError, SQLAlchemyError):
            pass  # /api/health reports it; the other metrics are still useful
        yield jobs
        yield unsent
        yield waiting


REGISTRY.register(JobCollector())


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Return this process's metrics to a client with the token, or to a developer's machine.

    Raises:
        HTTPException: 404 for everyone else.
    """
    if not _may_read_metrics(request):
        raise HTTPException(404)
    exposition = generate_latest(REGISTRY)
    return Response(exposition, 200, {"Cache-Control": "no-store"}, CONTENT_TYPE_LATEST)


def _may_read_metrics(request: Request) -> bool:
    token = settings().metrics_token
    if token:
        authorization = request.headers.get("authorization", "")
        return hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())
    peer = request.client.host if request.client else ""
    return not settings().in_production and local_access.is_local(peer, request.headers.items())

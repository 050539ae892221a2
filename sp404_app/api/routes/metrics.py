"""GET /metrics: Prometheus metrics for the operator, not for the public."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from sp404_app.api import database_metrics
from sp404_app.services.infra import local_access
from sp404_app.settings import settings
from sp404_app.telemetry import exposition

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Return the metrics of all processes to a client with the token, or to a local developer.

    Raises:
        HTTPException: 404 for everyone else.
    """
    if not _may_read_metrics(request):
        raise HTTPException(404)
    text = exposition.write_metrics(database_metrics.COLLECTORS)
    return Response(text, 200, {"Cache-Control": "no-store"}, CONTENT_TYPE_LATEST)


def _may_read_metrics(request: Request) -> bool:
    tokens = settings().metrics_token
    if tokens:
        return exposition.may_read(request.headers.get("authorization", ""), tokens)
    peer = request.client.host if request.client else ""
    return not settings().in_production and local_access.is_local(peer, request.headers.items())

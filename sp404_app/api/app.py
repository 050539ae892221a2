"""The FastAPI application: routers, the error contract, and what to wrap around the backend."""

import re
from functools import lru_cache

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.exceptions import HTTPException

import sp404_app
from sp404_app.api import (
    auth,
    belongings,
    billing,
    credentials,
    docs,
    events,
    faults,
    health,
    hearing,
    jobs,
    likeness,
    me,
    media,
    metrics,
    pages_auth,
    samples,
    texts,
    uploads,
    usage,
)
from sp404_app.api.deps import area
from sp404_app.api.gateway import gateway

__all__ = ["api", "gateway"]

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

# Reflex never runs this application's lifespan: use App.register_lifespan_task instead.
api = FastAPI(
    title="SP-404 sample library",
    version=sp404_app.__version__,
    docs_url=None,  # FastAPI's page loads its program from another server; ours is in `docs.py`
    redoc_url=None,
    openapi_url="/api/openapi.json",
    responses=faults.ANSWERS,
)
faults.install(api)

unknown = APIRouter(include_in_schema=False)


@unknown.api_route("/api", methods=METHODS)
@unknown.api_route("/api/{path:path}", methods=METHODS)
async def nowhere(request: Request) -> None:
    """Answer for what is not there, before the pages do.

    Raises:
        HTTPException: 405 if the address takes other methods, else 404.
    """
    allowed = sorted(allowed_methods(request.url.path))
    if allowed:
        raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
    raise HTTPException(404)


def allowed_methods(path: str) -> set[str]:
    """Return the methods our routes take at an address."""
    return {
        method.upper()
        for pattern, methods in _addresses()
        if pattern.fullmatch(path)
        for method in methods
    }


@lru_cache
def _addresses() -> list[tuple[re.Pattern[str], list[str]]]:
    return [
        (re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))), list(methods))
        for path, methods in api.openapi()["paths"].items()
    ]


ROUTERS = (
    samples,  # first, for it is asked most and addresses are compared one after the other
    auth,
    me,
    credentials,
    belongings,
    uploads,
    media,
    likeness,
    hearing,
    jobs,
    events,
    billing,
    usage,
    health,
)
# What a personal access token needs an ability for; the other routers take none.
ABOUT_SAMPLES = ("samples", "uploads", "media", "likeness", "hearing", "jobs", "events")
AREAS = dict.fromkeys(ABOUT_SAMPLES, "samples")
AREAS |= {"me": "account", "usage": "account", "billing": "billing"}
for module in ROUTERS:
    about = AREAS.get(module.__name__.rpartition(".")[2], "")
    api.include_router(module.router, prefix="/api", dependencies=[Depends(area(about))])
api.include_router(auth.well_known)
api.include_router(pages_auth.router)
api.include_router(metrics.router)
api.include_router(texts.router)
api.include_router(docs.router)
api.include_router(unknown)

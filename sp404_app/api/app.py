"""The FastAPI application: routers, the error contract, and what to wrap around the backend."""

import re
from functools import lru_cache

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.exceptions import HTTPException

import sp404_app
from sp404_app.api import error_handlers
from sp404_app.api.deps import area
from sp404_app.api.middleware.stack import gateway
from sp404_app.api.routes import (
    account_security,
    auth,
    billing,
    docs,
    events,
    health,
    jobs,
    legal_pages,
    media,
    metrics,
    personal_data,
    profile,
    query_by_sound,
    samples,
    session_forms,
    similarity,
    uploads,
    usage,
)

__all__ = ["api", "gateway"]

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

# Reflex never runs this application's lifespan: use App.register_lifespan_task instead.
api = FastAPI(
    title="SP-404 sample library",
    version=sp404_app.__version__,
    docs_url=None,  # FastAPI's page loads its program from another server; ours is in `docs.py`
    redoc_url=None,
    openapi_url="/api/openapi.json",
    responses=error_handlers.ANSWERS,
)
error_handlers.install(api)

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


# Each router, and the scope of a personal access token that it asks for; "" asks for none.
ROUTERS = (
    (samples, "samples"),  # first: it is called most, and paths are compared in this order
    (auth, ""),
    (profile, "account"),
    (account_security, ""),
    (personal_data, ""),
    (uploads, "samples"),
    (media, "samples"),
    (similarity, "samples"),
    (query_by_sound, "samples"),
    (jobs, "samples"),
    (events, "samples"),
    (billing, "billing"),
    (usage, "account"),
    (health, ""),
)
for module, scope in ROUTERS:
    api.include_router(module.router, prefix="/api", dependencies=[Depends(area(scope))])
api.include_router(auth.well_known)
api.include_router(session_forms.router)
api.include_router(metrics.router)
api.include_router(legal_pages.router)
api.include_router(docs.router)
api.include_router(unknown)

"""The FastAPI application: routers, error handlers and the 404 of the API."""

import re
from functools import lru_cache

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.exceptions import HTTPException

import sp404_app
from sp404_app.api import error_handlers
from sp404_app.api.deps import token_resource
from sp404_app.api.middleware import stack
from sp404_app.api.routes import (
    account_security,
    auth,
    billing,
    bulk,
    cards,
    collections,
    conversions,
    docs,
    events,
    exports,
    health,
    imports,
    jobs,
    kit_help,
    legal_pages,
    library_data,
    media,
    metrics,
    pad_audio,
    pad_sheets,
    pads,
    patterns,
    personal_data,
    playlists,
    profile,
    projects,
    query_by_sound,
    samples,
    session_forms,
    share_downloads,
    share_media,
    share_pages,
    shares,
    similarity,
    sitemap,
    uploads,
    usage,
)

wrap_in_middleware = stack.wrap_in_middleware  # what wraps `api` and the pages

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

# Reflex does not run this application's lifespan: use App.register_lifespan_task instead.
api = FastAPI(
    title="SP-404 sample library",
    version=sp404_app.__version__,
    docs_url=None,  # FastAPI's page loads scripts from another server; ours is in `routes/docs.py`
    redoc_url=None,
    openapi_url="/api/openapi.json",
    responses=error_handlers.ERROR_RESPONSES,
)
error_handlers.add_error_handlers(api)

unknown_urls = APIRouter(include_in_schema=False)


@unknown_urls.api_route("/api", methods=METHODS)
@unknown_urls.api_route("/api/{path:path}", methods=METHODS)
async def unknown_url(request: Request) -> None:
    """Answer for unknown API URLs in JSON, before the pages answer in HTML.

    Raises:
        HTTPException: 405 if the URL supports other methods, else 404.
    """
    allowed = sorted(allowed_methods(request.url.path))
    if allowed:
        raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
    raise HTTPException(404)


def allowed_methods(path: str) -> set[str]:
    """Return the methods that the documented routes support at a path."""
    return {
        method.upper()
        for pattern, methods in _documented_routes()
        if pattern.fullmatch(path)
        for method in methods
    }


@lru_cache
def _documented_routes() -> list[tuple[re.Pattern[str], list[str]]]:
    return [
        (re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))), list(methods))
        for path, methods in api.openapi()["paths"].items()
    ]


# Each router, and the resource whose scope a personal access token needs; "" accepts no such token.
ROUTERS = (
    (library_data, "samples"),  # before samples: /samples/export is no sample
    (samples, "samples"),  # called most often, and paths are matched in this order
    (bulk, "samples"),
    (auth, ""),
    (profile, "account"),
    (account_security, ""),
    (personal_data, ""),
    (uploads, "samples"),
    (media, "samples"),
    (conversions, "samples"),
    (similarity, "samples"),
    (query_by_sound, "samples"),
    (collections, "samples"),
    (playlists, "samples"),
    (imports, "projects"),  # before projects: /projects/import is no project
    (projects, "projects"),
    (pads, "projects"),
    (pad_audio, "projects"),
    (kit_help, "projects"),
    (exports, "projects"),
    (cards, "projects"),
    (pad_sheets, "projects"),
    (patterns, "projects"),
    (shares, ""),
    (jobs, "samples"),
    (events, "samples"),
    (billing, "billing"),
    (usage, "account"),
    (health, ""),
)
for module, resource in ROUTERS:
    api.include_router(
        module.router, prefix="/api", dependencies=[Depends(token_resource(resource))]
    )
api.include_router(auth.well_known)
api.include_router(session_forms.router)
api.include_router(metrics.router)
api.include_router(legal_pages.router)
api.include_router(docs.router)
api.include_router(sitemap.router)
api.include_router(share_media.router)  # before the pages: /s/scripts is no link
api.include_router(share_downloads.router)
api.include_router(share_pages.router)
api.include_router(unknown_urls)

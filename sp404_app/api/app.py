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
    installed_app,
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
    status,
    uploads,
    usage,
)
from sp404_app.settings import settings

wrap_in_middleware = stack.wrap_in_middleware  # what wraps `api` and the pages

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

unknown_urls = APIRouter(include_in_schema=False)


@unknown_urls.api_route("/api", methods=METHODS)
@unknown_urls.api_route("/api/{path:path}", methods=METHODS)
async def unknown_url(request: Request) -> None:
    """Answer for unknown API URLs in JSON, before the pages answer in HTML.

    Raises:
        HTTPException: 405 if the URL supports other methods, else 404.
    """
    allowed = sorted(allowed_methods(request.url.path, request.app))
    if allowed:
        raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
    raise HTTPException(404)


def allowed_methods(path: str, app: FastAPI) -> set[str]:
    """Return the methods that the documented routes of an application support at a path."""
    return {
        method.upper()
        for pattern, methods in _documented_routes(app)
        if pattern.fullmatch(path)
        for method in methods
    }


@lru_cache
def _documented_routes(app: FastAPI) -> list[tuple[re.Pattern[str], list[str]]]:
    return [
        (re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))), list(methods))
        for path, methods in app.openapi()["paths"].items()
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
ROUTERS_AT_ROOT = (
    auth.well_known,
    session_forms.router,
    metrics.router,
    legal_pages.router,
    status.router,
    docs.router,
    sitemap.router,
    installed_app.router,
    share_media.router,  # before the pages: /s/scripts is no link
    share_downloads.router,
    share_pages.router,
    unknown_urls,
)


def create_api() -> FastAPI:
    """Return the application with the routes that the settings allow.

    Without billing, the URLs of billing and Stripe's webhooks are unknown URLs.
    """
    # Reflex does not run this application's lifespan: use App.register_lifespan_task instead.
    app = FastAPI(
        title="Crate 404 API",
        version=sp404_app.__version__,
        docs_url=None,  # FastAPI's page loads scripts from another server; ours: `routes/docs.py`
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=error_handlers.ERROR_RESPONSES,
        # FastAPI would record URLs with their query; ours: `middleware/trace_requests`.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    error_handlers.add_error_handlers(app)
    for module, resource in ROUTERS:
        if module is billing and not settings().billing:
            continue
        dependencies = [Depends(token_resource(resource))]
        app.include_router(module.router, prefix="/api", dependencies=dependencies)
    for router in ROUTERS_AT_ROOT:
        app.include_router(router)
    return app


api = create_api()

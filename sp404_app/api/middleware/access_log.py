"""Access log and request metrics: one line per response, with the route's pattern, not the URL."""

import inspect
import time

import structlog
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.telemetry import metrics

UNLOGGED_PREFIXES = ("/assets/", "/_next/", "/fonts/")

log = structlog.get_logger("sp404_app.access")


def log_access(app: ASGIApp) -> ASGIApp:
    """Log and count each response; static files are left out."""

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(UNLOGGED_PREFIXES):
            await app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await app(scope, receive, send_and_note_status)
        finally:
            seconds = time.perf_counter() - started
            route = route_pattern(scope)
            metrics.count_response(scope["method"], route, status, seconds)
            log.info(
                "request",
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=round(seconds * 1000, 1),
                ip=scope["client"][0] if scope.get("client") else "",
                **scope.get("state", {}).get("log", {}),
            )

    return logged


def route_pattern(scope: Scope) -> str:
    """Return the route's pattern, such as `/api/samples/{sample_id}`.

    Pages, assets, unknown URLs and mounted applications, whose patterns are not known here, share
    one label. Reflex mounts our API, so what a mount leaves in the scope says nothing: the type of
    the route that was found does.
    """
    parameters: dict[str, object] = scope.get("path_params", {})
    placeholders = {str(value): f"{{{name}}}" for name, value in parameters.items()}
    route = scope.get("route")
    is_other = not isinstance(route, APIRoute | None) or "{path}" in placeholders.values()
    if is_other or not inspect.isroutine(scope.get("endpoint")):
        return metrics.PAGES
    parts: list[str] = scope["path"].split("/")
    # A placeholder may be part of a segment, as in `{number}.mid`, so the route's own end is taken.
    # It lacks the prefixes of the routers that include it.
    end = route.path_format.split("/")[1:] if route else []
    start = parts[: len(parts) - len(end)]
    return "/".join([*(placeholders.get(part, part) for part in start), *end])

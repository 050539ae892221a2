"""Traces of HTTP requests: a span with the route's pattern, as in the access log, not the URL."""

import re
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import get_contextvars

from sp404_app.api.middleware.access_log import UNLOGGED_PREFIXES, route_pattern
from sp404_app.telemetry import tracing

# Probes and scrapes would be most of the traces.
UNTRACED_PREFIXES: Final = (*UNLOGGED_PREFIXES, "/api/health", "/metrics")
METHODS: Final = re.compile("GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS")


def trace_requests(app: ASGIApp) -> ASGIApp:
    """Make a span of each request, in a new trace.

    A client must not decide whether its requests are sampled, nor add to the trace of another, and
    most proxies pass its `traceparent` on.
    """

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        if not tracing.is_on() or scope["type"] != "http":
            await app(scope, receive, send)
            return
        if scope["path"].startswith(UNTRACED_PREFIXES):
            await app(scope, receive, send)
            return
        method, status = _method(scope), 0

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        with tracing.span(method, "SERVER", {"http.request.method": method}) as span:
            try:
                await app(scope, receive, send_and_note_status)
            finally:
                if span:
                    route = route_pattern(scope)
                    span.update_name(f"{method} {route}")
                    span.set_attributes(_attributes(route, status))

    return traced


def _method(scope: Scope) -> str:
    return scope["method"] if METHODS.fullmatch(scope["method"]) else "HTTP"


def _attributes(route: str, status: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "http.route": route,
        "request_id": str(get_contextvars().get("request_id", "")),
    }
    if status:
        found["http.response.status_code"] = status
    if status >= 500:
        found["error.type"] = str(status)
    return found

"""The door in front of every page, route and websocket: small ASGI wrappers, outermost last."""

import inspect
import ipaddress
import re
import time
import uuid
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from sp404_app.api import error_handlers
from sp404_app.api.middleware import (
    body_limits,
    form_errors,
    local_only,
    sample_list,
    websocket_limits,
)
from sp404_app.api.middleware.csp import policy
from sp404_app.api.routes import metrics
from sp404_app.settings import settings

SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With `no-referrer`, browsers send `Origin: null` even to ourselves.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
QUIET = ("/assets/", "/_next/", "/fonts/")
YEAR = 31_536_000

log = structlog.get_logger("sp404_app.access")


def gateway(app: ASGIApp) -> ASGIApp:
    """Wrap the whole backend: from the outside in."""
    for wrap in (
        sample_list.straight,
        body_limits.limited,
        form_errors.led_back,
        local_only.local_only,
        safe_headers,
        allowances,
        caught,
        logged,
        numbered,
        websocket_limits.paced,
        located,
    ):
        app = wrap(app)
    return app


def located(app: ASGIApp) -> ASGIApp:
    """Put the address of the caller into the scope; only our own proxies may name another one."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope.get("client"):
            ip, port = scope["client"]
            forwarded = Headers(scope=scope).getlist("x-forwarded-for")
            scope["client"] = (believed(ip, ",".join(forwarded)), port)
        await app(scope, receive, send)

    return guarded


def believed(ip: str, forwarded_for: str) -> str:
    """Return the nearest address that is not one of our proxies."""
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    while hops and _is_proxy(ip):
        ip = hops.pop()
    return ip


def _is_proxy(ip: str) -> bool:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    # A socket for both kinds of addresses shows an IPv4 peer as ::ffff:10.0.0.1.
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(address in network or plain in network for network in settings().trusted_proxies)


def numbered(app: ASGIApp) -> ASGIApp:
    """Give every request an id of our own: in the log, in the scope, in `X-Request-ID`."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        clear_contextvars()
        bind_contextvars(request_id=request_id)

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        await app(scope, receive, answered)

    return guarded


def logged(app: ASGIApp) -> ASGIApp:
    """Write one line for each answer: which route answered, not the address that was asked for."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(QUIET):
            await app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def answered(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await app(scope, receive, answered)
        finally:
            seconds = time.perf_counter() - started
            route = _route(scope)
            metrics.observe(scope["method"], route, status, seconds)
            log.info(
                "request",
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=round(seconds * 1000, 1),
                ip=scope["client"][0] if scope.get("client") else "",
                **scope.get("state", {}).get("log", {}),
            )

    return guarded


def _route(scope: Scope) -> str:
    """Return the pattern that answered; pages, assets and unknown addresses count together.

    So does what is mounted, whose own patterns are not known here.
    """
    parameters: dict[str, object] = scope.get("path_params", {})
    given = {str(value): f"{{{name}}}" for name, value in parameters.items()}
    elsewhere = "app_root_path" in scope or "{path}" in given.values()
    if elsewhere or not inspect.isroutine(scope.get("endpoint")):
        return metrics.PAGES
    parts: list[str] = scope["path"].split("/")
    return "/".join(given.get(part, part) for part in parts)


def caught(app: ASGIApp) -> ASGIApp:
    """Write down what nobody expected, and answer for it; the last line of defence."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await app(scope, receive, watched)
        except Exception as error:
            if scope["type"] != "http":
                raise
            log.exception("unexpected error", route=_route(scope), kind=type(error).__name__)
            if not started:
                await error_handlers.answer(500, error_handlers.OURS)(scope, receive, send)

    return guarded


def allowances(app: ASGIApp) -> ASGIApp:
    """Tell a caller how many requests are left to them."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def answered(message: Message) -> None:
            left = state.get("allowance")
            if message["type"] == "http.response.start" and left is not None:
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Limit"] = str(left.limit)
                headers["RateLimit-Remaining"] = str(left.remaining)
                headers["RateLimit-Reset"] = str(left.reset)
            await send(message)

        await app(scope, receive, answered)

    return guarded


def safe_headers(app: ASGIApp) -> ASGIApp:
    """Tell browsers what not to do with our answers."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                ours = _safety(scope["path"])
                message["headers"] = [*message["headers"], *(h for h in ours if h[0] not in given)]
                _correct(MutableHeaders(scope=message), Headers(scope=scope).get("host", ""))
            await send(message)

        await app(scope, receive, answered if scope["type"] == "http" else send)

    return guarded


def _correct(headers: MutableHeaders, host: str) -> None:
    """Correct what routes and the file server say about caching and about where to go.

    An answer for one person may be cached for that person alone, so it varies with who asks. A
    redirect to ourselves names no host: the file server takes it from the `Host` of the request,
    which anybody may write.
    """
    cached = headers.get("cache-control", "")
    if "private" in cached and "no-store" not in cached:
        headers.add_vary_header("Cookie, Authorization")
    if "location" in headers:
        headers["location"] = _within(headers["location"], host)


def _within(location: str, host: str) -> str:
    """Return where a redirect leads, without a host if that is the one the request named."""
    to = urlsplit(location)
    if to.netloc and to.netloc != host:
        return location
    return urlunsplit(("", "", re.sub(r"^[/\\]+", "/", to.path or "/"), to.query, to.fragment))


def _safety(path: str) -> tuple[tuple[bytes, bytes], ...]:
    secure = settings().origin.startswith("https://")
    return _written(policy(path), secure, f"{path}/".startswith(("/api/", "/auth/")))


@lru_cache(maxsize=200)
def _written(content_policy: str, secure: bool, private: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers as they are sent; few kinds of answers, so each is written once."""
    headers = {**SAFETY, "Content-Security-Policy": content_policy}
    if secure:
        headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    if private:
        headers["Cache-Control"] = "no-store"
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())

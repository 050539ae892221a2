"""Security headers of every response: CSP, HSTS, nosniff, frame and referrer policy, no-store."""

from collections.abc import Iterable
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.api.middleware import csp
from sp404_app.settings import settings

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With `no-referrer`, browsers send `Origin: null` even to our own origin.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), geolocation=(), microphone=(self), midi=(self), payment=(), usb=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    # Without a header, browsers and proxies would guess.
    "Cache-Control": "no-store",
}
HSTS_MAX_AGE_S = 365 * 24 * 3600

RawHeaders = tuple[tuple[bytes, bytes], ...]


def add_security_headers(app: ASGIApp) -> ASGIApp:
    """Add the security headers that the response does not set itself."""

    async def with_security_headers(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                if _may_be_framed(message["headers"]):
                    present.add(b"x-frame-options")  # it knows no exception for any site
                defaults = _headers_for(scope["path"])
                missing = (header for header in defaults if header[0] not in present)
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await app(scope, receive, send_with_headers if scope["type"] == "http" else send)

    return with_security_headers


def _may_be_framed(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a response says itself that every site may show it in a frame."""
    return any(
        name.lower() == b"content-security-policy" and value.endswith(b"frame-ancestors *")
        for name, value in headers
    )


def _headers_for(path: str) -> RawHeaders:
    is_https = settings().origin.startswith("https://")
    return _encoded_headers(csp.content_security_policy(path), is_https)


@lru_cache(maxsize=200)
def _encoded_headers(content_policy: str, is_https: bool) -> RawHeaders:
    """Encode the headers; cached, because few combinations occur."""
    headers = {**SECURITY_HEADERS, "Content-Security-Policy": content_policy}
    if is_https:
        headers["Strict-Transport-Security"] = f"max-age={HSTS_MAX_AGE_S}; includeSubDomains"
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())

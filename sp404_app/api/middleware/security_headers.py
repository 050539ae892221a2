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
# Parts of a page, which browsers never show by themselves: most headers have no effect there, and
# a page has 30 of them. A thread does have the policy of its file.
PAGE_PART_TYPES = (
    *(b"text/javascript", b"application/javascript", b"text/css", b"font/"),
    b"image/vnd.microsoft.icon",
)
PAGE_PART_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
PAGE_PART_POLICY = "default-src 'self'"

RawHeaders = tuple[tuple[bytes, bytes], ...]


def add_security_headers(app: ASGIApp) -> ASGIApp:
    """Add the security headers that the response does not set itself."""

    async def with_security_headers(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                if _may_be_framed(message["headers"]):
                    present.add(b"x-frame-options")  # it knows no exception for any site
                if _is_page_part(message["headers"]):
                    defaults = _page_part_headers(scope["path"])
                else:
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


def _is_page_part(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(PAGE_PART_TYPES)
        for name, value in headers
    )


def _headers_for(path: str) -> RawHeaders:
    return _encoded_headers(csp.content_security_policy(path), _is_https(), is_page_part=False)


def _page_part_headers(path: str) -> RawHeaders:
    policy = csp.WASM_POLICY if csp.WASM_SCRIPT.fullmatch(path) else PAGE_PART_POLICY
    return _encoded_headers(policy, _is_https(), is_page_part=True)


def _is_https() -> bool:
    return settings().origin.startswith("https://")


@lru_cache(maxsize=200)
def _encoded_headers(content_policy: str, is_https: bool, *, is_page_part: bool) -> RawHeaders:
    """Encode the headers; cached, because few combinations occur."""
    common = PAGE_PART_HEADERS if is_page_part else SECURITY_HEADERS
    headers = {**common, "Content-Security-Policy": content_policy}
    if is_https:
        headers["Strict-Transport-Security"] = f"max-age={HSTS_MAX_AGE_S}; includeSubDomains"
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())

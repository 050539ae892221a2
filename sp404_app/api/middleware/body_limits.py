"""Size limits of request headers and bodies: bytes are counted while they arrive.

`Content-Length` can only refuse a request early; the limit does not depend on it.
"""

import re

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.api import error_handlers
from sp404_app.api.deps import authenticate_request
from sp404_app.errors import AppError
from sp404_app.services.account import avatars
from sp404_app.services.library.csv_table import MAX_CSV_BYTES
from sp404_app.services.processing import sandbox
from sp404_app.settings import MB, settings

JSON_BYTES = MB
HEADER_BYTES = 64 * 1024
MULTIPART_OVERHEAD_BYTES = MB
UPLOAD_ROUTES = {("POST", "/api/samples"), ("POST", "/api/projects/import")}
# The names of files on a card; a backup has some ten thousand.
LISTING_BYTES = 16 * MB
LISTING_PATH = re.compile(r"/api/imports/[^/]+/(?:plan|listing)|/api/projects/[^/]+/card")
IMPORTED_FILE_PATH = re.compile(r"/api/imports/[^/]+/files/.+")
QUERY_BY_SOUND_ROUTES = {("POST", "/api/samples/similar")}
MULTIPART_LIMITS = {
    ("PUT", "/api/me/avatar"): avatars.MAX_AVATAR_BYTES,
    ("POST", "/auth/avatar"): avatars.MAX_AVATAR_BYTES,
    ("POST", "/api/samples/import-csv"): MAX_CSV_BYTES,
}


class BodyTooLarge(HTTPException):
    """The body exceeds the limit of its route; raised where the body is read."""

    def __init__(self) -> None:
        super().__init__(413, headers={"Connection": "close"})


def limit_bodies(app: ASGIApp) -> ASGIApp:
    """Answer 413 if the body is too large: at once by `Content-Length`, else while it is read.

    Large bodies are spooled to disk before a route runs, so those routes require authentication
    here already.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        refusal = await _refuse_by_headers(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        body = _LimitedBody(receive, _max_body_bytes(scope))
        try:
            await app(scope, body.receive, send)
        except BodyTooLarge as error:  # the code that read the body did not handle it
            await error_handlers.http_error_response(error)(scope, receive, send)

    return guarded


class _LimitedBody:
    """A request body that raises as soon as it exceeds its limit."""

    def __init__(self, receive: Receive, max_bytes: int) -> None:
        self._receive, self._remaining = receive, max_bytes

    async def receive(self) -> Message:
        """Return the next part.

        Raises:
            BodyTooLarge: If the parts so far exceed the limit.
        """
        message = await self._receive()
        self._remaining -= len(message.get("body", b""))
        if self._remaining < 0:
            raise BodyTooLarge
        return message


async def _refuse_by_headers(scope: Scope) -> ASGIApp | None:
    """Return the error response if the headers alone suffice to refuse the request."""
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
        return error_handlers.error_response(431, "The headers of this request are too large.")
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if not declared.isdigit() or int(declared[:20]) > _max_body_bytes(scope):
        return error_handlers.http_error_response(BodyTooLarge())
    if _max_body_bytes(scope) <= JSON_BYTES:
        return None
    try:
        await authenticate_request(HTTPConnection(scope))
    except AppError as error:
        return error_handlers.app_error_response(error)
    return None


def _max_body_bytes(scope: Scope) -> int:
    """Return the largest body that this request may send."""
    route = _route_key(scope)
    if route in UPLOAD_ROUTES:
        return settings().max_upload_bytes + MULTIPART_OVERHEAD_BYTES
    if _is_imported_file(scope):
        return settings().max_upload_bytes
    if scope["method"] in ("POST", "PUT") and LISTING_PATH.fullmatch(route[1]):
        return LISTING_BYTES
    if route in QUERY_BY_SOUND_ROUTES:
        return sandbox.max_query_bytes() + MULTIPART_OVERHEAD_BYTES
    if route in MULTIPART_LIMITS:
        return MULTIPART_LIMITS[route] + MULTIPART_OVERHEAD_BYTES
    return JSON_BYTES


def _is_imported_file(scope: Scope) -> bool:
    return scope["method"] == "PUT" and bool(IMPORTED_FILE_PATH.fullmatch(scope["path"]))


def _route_key(scope: Scope) -> tuple[str, str]:
    return scope["method"], scope["path"].rstrip("/")

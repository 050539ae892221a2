"""How large a body may be: measured while it comes in, whatever its headers say."""

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.api import error_handlers
from sp404_app.api.deps import identify
from sp404_app.errors import AppError
from sp404_app.services.account import avatars
from sp404_app.services.processing import sandbox
from sp404_app.settings import MB, settings

JSON_BYTES = MB
HEADER_BYTES = 64 * 1024
SLACK = MB
UPLOADS = {("POST", "/api/samples")}
HEARD = {("POST", "/api/samples/similar")}
PICTURES = {("PUT", "/api/me/avatar"), ("POST", "/auth/avatar")}


class BodyTooLarge(HTTPException):
    """More came in than may; raised into whoever reads the body."""

    def __init__(self) -> None:
        super().__init__(413, headers={"Connection": "close"})


def limited(app: ASGIApp) -> ASGIApp:
    """Answer 413 before a body is read if it says that it is too large, else while reading.

    Uploads are bigger, and spooled to disk before a route sees them: so strangers are sent
    away here.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        refusal = await _refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        reader = _Reader(receive, _most(scope))
        try:
            await app(scope, reader.receive, send)
        except BodyTooLarge as error:  # whoever read the body did not translate it
            await error_handlers.of_status(error)(scope, receive, send)

    return guarded


class _Reader:
    """Passes on what comes in until it is too much."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._left = receive, most

    async def receive(self) -> Message:
        """Return the next part.

        Raises:
            BodyTooLarge: If it is one too many.
        """
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise BodyTooLarge
        return message


async def _refusal(scope: Scope) -> ASGIApp | None:
    """Return what to answer without reading the body, if its headers say enough."""
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
        return error_handlers.answer(431, "The headers of this request are larger than we take.")
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if not declared.isdigit() or int(declared[:20]) > _most(scope):
        return error_handlers.of_status(BodyTooLarge())
    if _of(scope) not in UPLOADS | HEARD | PICTURES:
        return None
    try:
        await identify(HTTPConnection(scope))
    except AppError as error:
        return error_handlers.of_app_error(error)
    return None


def _most(scope: Scope) -> int:
    """Return how many bytes this request may send."""
    if _of(scope) in UPLOADS:
        return settings().max_upload_bytes + SLACK
    if _of(scope) in HEARD:
        return sandbox.most_bytes() + SLACK
    return avatars.MOST_BYTES + SLACK if _of(scope) in PICTURES else JSON_BYTES


def _of(scope: Scope) -> tuple[str, str]:
    return scope["method"], scope["path"].rstrip("/")

"""Refused forms of pages: a browser that sent one is led back to its page, not shown JSON.

The routes in `pages_auth` do that for what they refuse themselves. This does it for what is refused
before or around them: a body that is too large, a field that is missing, a sign-in that has ended,
another method, a database that does not answer.
"""

from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.services.auth import redirects

FORMS = "/auth/"
PICTURE, END = "/auth/avatar", "/auth/account/end"
NOT_SIGNED_IN, TOO_LARGE = 401, 413
MOST_UNREAD = 64 << 20  # bytes


def led_back(app: ASGIApp) -> ASGIApp:
    """Answer a browser's form with the way to its page where the answer would be an error."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_form(scope):
            await app(scope, receive, send)
            return
        refused = False
        body = _Body(receive)

        async def answered(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refused = True
                await body.read_rest()
                back = RedirectResponse(_back(scope, message["status"]), 303)
                await back(scope, receive, send)
            elif not refused:
                await send(message)

        await app(scope, body.receive, answered)

    return guarded


def _is_form(scope: Scope) -> bool:
    """Return whether a browser is about to show the answer as a page; programs get the error."""
    return scope["path"].startswith(FORMS) and "text/html" in Headers(scope=scope).get("accept", "")


def _back(scope: Scope, status: int) -> str:
    path = scope["path"]
    if scope["method"] != "POST":  # opened by hand, or from the history
        return redirects.LOGIN
    if path == PICTURE and status != NOT_SIGNED_IN:
        return f"/account?picture={'heavy' if status == TOO_LARGE else 'failed'}"
    if path == END and status != NOT_SIGNED_IN:
        return "/account?end=failed"
    query = {"error": "not_signed_in" if status == NOT_SIGNED_IN else "failed"}
    query |= {"next": "/account"} if path in (PICTURE, END) else {}
    return f"{redirects.LOGIN}?{urlencode(query)}"


class _Body:
    """The body of a request; a browser shows an answer only after it has sent all of it."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._ended, self._size = receive, False, 0

    async def receive(self) -> Message:
        """Return the next part."""
        message = await self._receive()
        self._ended = not message.get("more_body", False)
        self._size += len(message.get("body", b""))
        return message

    async def read_rest(self) -> None:
        """Read what nobody read, up to a bound, and forget it."""
        while not self._ended and self._size < MOST_UNREAD:
            await self.receive()

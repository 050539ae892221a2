"""Failed browser forms: redirect back to the form's page instead of showing a JSON error.

The routes in `session_forms` redirect for the errors they raise themselves. This middleware covers
errors raised outside these routes: a body that is too large, a missing field, an expired session,
a wrong method, a database that is down.
"""

from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.services.auth import redirects

FORM_PREFIX = "/auth/"
AVATAR_FORM, CLOSE_ACCOUNT_FORM = "/auth/avatar", "/auth/account/end"
CONFIRM_FORM = "/auth/session/confirmed"
SHARE_TARGET = "/share-target"  # of the installed app; without a service worker it takes no files
UNAUTHENTICATED, TOO_LARGE = 401, 413
MAX_DISCARDED_BYTES = 64 << 20


def redirect_failed_forms(app: ASGIApp) -> ASGIApp:
    """Replace an error response to a browser's form by a redirect to the form's page."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_browser_form(scope):
            await app(scope, receive, send)
            return
        is_redirected = False
        body = _RequestBody(receive)

        async def send_or_redirect(message: Message) -> None:
            nonlocal is_redirected
            if message["type"] == "http.response.start" and message["status"] >= 400:
                is_redirected = True
                await body.discard_rest()
                redirect = RedirectResponse(_error_page(scope, message["status"]), 303)
                await redirect(scope, receive, send)
            elif not is_redirected:
                await send(message)

        await app(scope, body.receive, send_or_redirect)

    return guarded


def _is_browser_form(scope: Scope) -> bool:
    """Return whether a browser will show the response as a page; programs get the JSON error."""
    accept, path = Headers(scope=scope).get("accept", ""), scope["path"]
    is_share = path == SHARE_TARGET and scope["method"] == "POST"
    return (is_share or path.startswith(FORM_PREFIX)) and "text/html" in accept


def _error_page(scope: Scope, status: int) -> str:
    """Return the URL of the page that shows the error."""
    path = scope["path"]
    if scope["method"] != "POST":  # opened by hand, or from the history
        return redirects.LOGIN_PATH
    if path == SHARE_TARGET:
        return SHARE_TARGET
    if path == AVATAR_FORM and status != UNAUTHENTICATED:
        return f"/account?picture={'heavy' if status == TOO_LARGE else 'failed'}"
    if path == CLOSE_ACCOUNT_FORM and status != UNAUTHENTICATED:
        return "/account?end=failed"
    if path == CONFIRM_FORM:
        return "/verify-email?error=failed"
    query = {"error": "not_signed_in" if status == UNAUTHENTICATED else "failed"}
    query |= {"next": "/account"} if path in (AVATAR_FORM, CLOSE_ACCOUNT_FORM) else {}
    return f"{redirects.LOGIN_PATH}?{urlencode(query)}"


class _RequestBody:
    """The body of a request; a browser shows a response only after it has sent all of it."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._is_complete, self._read_bytes = receive, False, 0

    async def receive(self) -> Message:
        """Return the next part."""
        message = await self._receive()
        self._is_complete = not message.get("more_body", False)
        self._read_bytes += len(message.get("body", b""))
        return message

    async def discard_rest(self) -> None:
        """Read and discard the rest of the body, up to a limit."""
        while not self._is_complete and self._read_bytes < MAX_DISCARDED_BYTES:
            await self.receive()

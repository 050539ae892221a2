"""Whoever is signed in and opens the landing page is led to the library."""

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sp404_app.errors import AppError
from sp404_app.services.auth import authentication

LIBRARY = "/library"


def redirect_from_landing(app: ASGIApp) -> ASGIApp:
    """Answer `/` with a redirect if the request has the cookie of a session that is valid."""

    async def redirected(scope: Scope, receive: Receive, send: Send) -> None:
        if _is_landing(scope) and await _is_signed_in(scope):
            headers = {"Cache-Control": "private, no-store"}
            await RedirectResponse(LIBRARY, 303, headers)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return redirected


def _is_landing(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["path"] == "/" and scope["method"] in {"GET", "HEAD"}


async def _is_signed_in(scope: Scope) -> bool:
    """Return whether a session is valid; if nobody can tell now, the landing page is right."""
    cookie = authentication.read_cookie(Headers(scope=scope).get("cookie", ""))
    if not cookie:
        return False
    try:
        await authentication.authenticate_cookie(cookie)
    except (AppError, OSError, RedisError, SQLAlchemyError):
        return False
    return True

"""Dependencies of the routes: a transaction, the client, and the authenticated user."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from sqlmodel import Session
from starlette.requests import HTTPConnection

from sp404_app.api.middleware.csrf import ensure_same_origin
from sp404_app.db import in_transaction, request_transaction
from sp404_app.errors import InsufficientScope, RateLimited, Unauthenticated
from sp404_app.services.auth import authentication, reauthentication
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.billing.plan_rate_limit import get_requests_per_minute
from sp404_app.services.infra import rate_limits
from sp404_app.services.infra.client_info import Client
from sp404_app.settings import settings

MEDIA_SUFFIXES = ("/audio", "/download", "/waveform")
MEDIA_PREFIX = "/api/exports/"  # a card is written from up to 330 files
IMPORT_PREFIX = "/api/imports/"  # a card is read file by file
SIGNED_IN_KEY = "sp404.signed_in"  # of the ASGI scope, which belongs to one request

bearer = HTTPBearer(auto_error=False, description="An access token or a personal access token.")


async def database() -> AsyncIterator[Session]:
    """Yield a session with one transaction per request."""
    async with request_transaction() as session:
        yield session


# Scope "function": commit before the response is sent, so the next request sees the change.
Database = Annotated[Session, Depends(database, scope="function")]


def request_client(request: Request) -> Client:
    """Return the IP address, as `middleware.client_ip` determined it, and the user agent."""
    ip = request.client.host if request.client else ""
    return Client(ip=ip, user_agent=request.headers.get("user-agent", ""))


RequestClient = Annotated[Client, Depends(request_client)]


async def authenticate_request(connection: HTTPConnection) -> SignedIn:
    """Authenticate by the `Authorization` header if there is one, else by the session cookie.

    Raises:
        Unauthenticated: If both are missing, or the token or session is invalid or expired.
        Forbidden: If another site made the browser send the cookie.
    """
    authorization = connection.headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("Send an access token as `Authorization: Bearer …`.")
        return await authentication.authenticate_token(token.strip())
    cookie = authentication.read_cookie(connection.headers.get("cookie", ""))
    session = await authentication.authenticate_cookie(cookie)
    ensure_same_origin(connection)
    return session


def token_resource(name: str) -> Callable[[Request], Awaitable[None]]:
    """Return a dependency that sets the scope which personal access tokens need for a router.

    It is `name:read` or `name:write`. With an empty name, the router accepts no such tokens.
    """

    async def set_resource(request: Request) -> None:  # async: a thread would cost too much
        request.state.token_resource = name

    return set_resource


def ensure_scope(request: Request, scopes: frozenset[str]) -> None:
    """Check that a personal access token has the scope that the route needs.

    Raises:
        InsufficientScope: If it does not; the details name the missing scope.
    """
    name = getattr(request.state, "token_resource", "")
    needed = f"{name}:{'read' if request.method in ('GET', 'HEAD') else 'write'}"
    if not name:
        raise InsufficientScope("Personal access tokens can't be used here.")
    if needed not in scopes:
        message = f"This token lacks the scope {needed}."
        raise InsufficientScope(message, {"ability": needed})


async def authenticate_and_count(
    request: Request, _: Annotated[object, Depends(bearer)]
) -> SignedIn:
    """Authenticate the user and count the request against the rate limit, once per request.

    Raises:
        Unauthenticated: If the request has no valid session or token.
        Forbidden: If another site sent the request, or a personal access token lacks its scope.
        RateLimited: If the rate limit is exceeded; the response still carries the limit headers.
    """
    known: SignedIn | None = request.scope.get(SIGNED_IN_KEY)
    if known is not None:
        return known
    found = await authenticate_request(request)
    if found.abilities is not None:
        ensure_scope(request, found.abilities)
    request.state.log = {"user_id": str(found.user_id)}
    is_media = _is_media_request(request)
    user_id = found.user_id
    limit = (
        settings().media_requests_per_minute if is_media else await get_requests_per_minute(user_id)
    )
    try:
        request.state.allowance = await rate_limits.count_request(user_id, limit, media=is_media)
    except RateLimited as refusal:
        request.state.allowance = rate_limits.exhausted_rate_limit(refusal)
        raise
    request.scope[SIGNED_IN_KEY] = found
    return found


def _is_media_request(request: Request) -> bool:
    """Return whether this is a request for media or an upload; these have their own rate limit."""
    if request.method == "GET":
        path = request.url.path
        return path.endswith(MEDIA_SUFFIXES) or path.startswith(MEDIA_PREFIX)
    if request.method == "PUT":
        return request.url.path.startswith(IMPORT_PREFIX)
    return request.method == "POST" and request.url.path == "/api/samples"


Anyone = Annotated[SignedIn, Depends(authenticate_and_count)]


async def require_session(found: Anyone) -> SignedIn:
    """Return the session of the request; personal access tokens are refused.

    Raises:
        InsufficientScope: If the request uses a personal access token.
    """
    if found.abilities is not None:
        raise InsufficientScope("A personal access token can't do this. Sign in instead.")
    return found


UserSession = Annotated[SignedIn, Depends(require_session)]


async def require_recent_reauthentication(found: UserSession) -> SignedIn:
    """Return the session of the request if the user reauthenticated in the last ten minutes.

    Raises:
        ReauthenticationRequired: If not; `POST /api/me/confirm` reauthenticates.
    """
    await in_transaction(reauthentication.ensure_reauthenticated, found)
    return found


RecentlyReauthenticated = Annotated[SignedIn, Depends(require_recent_reauthentication)]


async def current_user(found: Anyone) -> uuid.UUID:
    """Return the id of the authenticated user."""
    return found.user_id


CurrentUser = Annotated[uuid.UUID, Depends(current_user)]

"""What every route may ask for: a transaction, and who is asking."""

import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from sqlmodel import Session
from starlette.requests import HTTPConnection

from sp404_app.api.middleware.csrf import ensure_same_origin
from sp404_app.db import in_transaction, transaction
from sp404_app.errors import InsufficientScope, RateLimited, Unauthenticated
from sp404_app.services.auth import authentication, personal_access_tokens, reauthentication
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.billing.plan_rate_limit import a_minute
from sp404_app.services.infra import rate_limits
from sp404_app.services.infra.client_info import Client
from sp404_app.settings import settings

MEDIA = ("/audio", "/download", "/waveform")
WHO = "sp404.signed_in"  # in the scope of a request, which no two requests share

bearer = HTTPBearer(auto_error=False, description="An access token, or a personal one.")


def database() -> Iterator[Session]:
    """Give the route one transaction."""
    with transaction() as session:
        yield session


# Scope "function": the commit happens before the answer is sent, so whoever reads next sees it.
Database = Annotated[Session, Depends(database, scope="function")]


def client_of(request: Request) -> Client:
    """Say where the request comes from; the gateway has put the believed address there."""
    ip = request.client.host if request.client else ""
    return Client(ip=ip, user_agent=request.headers.get("user-agent", ""))


Caller = Annotated[Client, Depends(client_of)]


async def identify(connection: HTTPConnection) -> SignedIn:
    """Identify by access token, or else by the browser's cookie; no other header is believed.

    Raises:
        Unauthenticated: If there is neither, or it is not good (any more).
        Forbidden: If another site made the browser send the cookie.
    """
    authorization = connection.headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("Send an access token as `Authorization: Bearer …`.")
        return await authentication.of_token(token.strip())
    found = await authentication.of_cookie(
        authentication.cookie_in(connection.headers.get("cookie", ""))
    )
    ensure_same_origin(connection)
    return found


def is_personal(connection: HTTPConnection) -> bool:
    """Say whether a request brings a personal token, good or not."""
    return personal_access_tokens.PREFIX in connection.headers.get("authorization", "")


def area(name: str) -> Callable[[Request], Awaitable[None]]:
    """Say what a router is about: a personal token needs `name:read` or `name:write` there.

    A router without an area takes no personal tokens at all.
    """

    async def mark(request: Request) -> None:  # async only: a thread for this costs too much
        request.state.area = name

    return mark


def ensure_able(request: Request, abilities: frozenset[str]) -> None:
    """Check that a personal token was made for what it is used for.

    Raises:
        InsufficientScope: If it was not; details name what it lacks.
    """
    name = getattr(request.state, "area", "")
    needed = f"{name}:{'read' if request.method in ('GET', 'HEAD') else 'write'}"
    if not name or needed not in abilities:
        details = {"ability": needed} if name else {}
        raise InsufficientScope("This token is not made for that.", details)


async def signed_in(request: Request, _: Annotated[object, Depends(bearer)]) -> SignedIn:
    """Identify whoever asks, and count the request: once, however often it is asked here.

    Raises:
        Unauthenticated: If nobody is signed in by this request.
        Forbidden: If another site sent it, or a personal token is not made for it.
        RateLimited: If the rate limit is exceeded; the response still carries the limit headers.
    """
    known: SignedIn | None = request.scope.get(WHO)
    if known is not None:
        return known
    found = await identify(request)
    if found.abilities is not None:
        ensure_able(request, found.abilities)
    request.state.log = {"user_id": str(found.user_id)}
    media = _is_media(request)
    user_id = found.user_id
    limit = settings().media_requests_per_minute if media else await a_minute(user_id)
    try:
        request.state.allowance = await rate_limits.count_request(user_id, limit, media=media)
    except RateLimited as refusal:
        request.state.allowance = rate_limits.exhausted(refusal)
        raise
    request.scope[WHO] = found
    return found


def _is_media(request: Request) -> bool:
    """Say whether this is one of the requests that come in hundreds: sounds and uploads."""
    if request.method == "GET":
        return request.url.path.endswith(MEDIA)
    return request.method == "POST" and request.url.path == "/api/samples"


Anyone = Annotated[SignedIn, Depends(signed_in)]


async def in_person(found: Anyone) -> SignedIn:
    """Return the sign-in that asks; what matters is never done by a personal token.

    Raises:
        InsufficientScope: If it is a personal token that asks.
    """
    if found.abilities is not None:
        raise InsufficientScope("A personal token cannot do this. Please sign in.")
    return found


Identity = Annotated[SignedIn, Depends(in_person)]


async def confirmed(found: Identity) -> SignedIn:
    """Return the sign-in that asks, if it proved its password in the last ten minutes.

    Raises:
        ReauthenticationRequired: If it did not; `POST /api/me/confirm` does.
    """
    await in_transaction(reauthentication.ensure_fresh, found)
    return found


Confirmed = Annotated[SignedIn, Depends(confirmed)]


async def current_user(found: Anyone) -> uuid.UUID:
    """Return the id of whoever is asking."""
    return found.user_id


CurrentUser = Annotated[uuid.UUID, Depends(current_user)]

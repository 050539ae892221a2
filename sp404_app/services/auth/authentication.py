"""Who is asking: from a browser's cookie or an access token to a person. Runs on the event loop."""

import uuid
from http.cookies import CookieError, SimpleCookie

from structlog.contextvars import bind_contextvars

from sp404_app.db import in_transaction
from sp404_app.errors import Unauthenticated
from sp404_app.services.auth import access_tokens, personal_access_tokens, session_cache, sessions
from sp404_app.services.auth.sessions import SignedIn


def cookie_in(header: str, name: str = "") -> str:
    """Return the value of a cookie (ours, unless another is named) from a header, or nothing."""
    try:
        found = SimpleCookie(header).get(name or sessions.cookie_name())
    except CookieError:
        return ""
    return found.value if found else ""


async def of_cookie(cookie: str) -> SignedIn:
    """Return whom a browser's cookie belongs to.

    Raises:
        Unauthenticated: If the cookie is missing, unknown or stale.
    """
    if not cookie:
        raise Unauthenticated("Please sign in.")
    digest = sessions.digest(cookie)
    sign_in_id = await session_cache.sign_in_of(digest)
    user_id = await session_cache.remembered(sign_in_id) if sign_in_id else None
    if user_id == session_cache.ENDED:
        raise Unauthenticated("Please sign in.")
    if sign_in_id and user_id:
        return _known(SignedIn(uuid.UUID(user_id.decode()), sign_in_id))
    found = await in_transaction(sessions.user_of, cookie)
    await session_cache.remember(found.sign_in_id, found.user_id)
    await session_cache.remember_cookie(digest, found.sign_in_id)
    return _known(found)


async def of_token(token: str) -> SignedIn:
    """Return whom an access token, or a personal one, belongs to, if it is still good.

    Raises:
        Unauthenticated: If the token is not ours, has expired, or its sign-in has ended.
    """
    if token.startswith(personal_access_tokens.PREFIX):
        return _known(await in_transaction(personal_access_tokens.token_owner, token))
    signed_in = access_tokens.read(token)
    user_id = await session_cache.remembered(signed_in.sign_in_id)
    if user_id is None:
        await in_transaction(sessions.ensure_alive, signed_in)
        await session_cache.remember(signed_in.sign_in_id, signed_in.user_id)
    elif user_id != str(signed_in.user_id).encode():
        raise Unauthenticated("This sign-in has ended. Please sign in again.")
    return _known(signed_in)


def _known(signed_in: SignedIn) -> SignedIn:
    bind_contextvars(user_id=str(signed_in.user_id))
    return signed_in

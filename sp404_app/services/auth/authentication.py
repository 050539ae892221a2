"""Authenticate a request by session cookie, access token or personal access token.

Runs on the event loop; the Redis session cache saves most database queries.
"""

import uuid
from http.cookies import CookieError, SimpleCookie

from structlog.contextvars import bind_contextvars

from sp404_app.db import NotQuick, in_transaction, quick
from sp404_app.errors import Unauthenticated
from sp404_app.services.auth import access_tokens, personal_access_tokens, session_cache, sessions
from sp404_app.services.auth.sessions import SignedIn, hash_token
from sp404_app.telemetry import metrics


def read_cookie(header: str, name: str = "") -> str:
    """Return a cookie's value from a Cookie header; by default the session cookie's."""
    try:
        found = SimpleCookie(header).get(name or sessions.cookie_name())
    except CookieError:
        return ""
    return found.value if found else ""


async def authenticate_cookie(cookie: str) -> SignedIn:
    """Authenticate a browser by its session cookie.

    Raises:
        Unauthenticated: If the cookie is missing, unknown, revoked or expired.
    """
    if not cookie:
        raise Unauthenticated("Sign in to continue.")
    with metrics.TOKEN_CHECK_SECONDS.labels("cookie").time():
        return _bind_to_logs(await _find_by_cookie(cookie))


async def _find_by_cookie(cookie: str) -> SignedIn:
    digest = sessions.hash_token(cookie)
    sign_in_id = await session_cache.cached_sign_in_id(digest)
    user_id = await session_cache.cached_owner(sign_in_id) if sign_in_id else None
    if user_id == session_cache.REVOKED:
        raise Unauthenticated("Sign in to continue.")
    if sign_in_id and user_id:
        return SignedIn(uuid.UUID(user_id.decode()), sign_in_id)
    found = await in_transaction(sessions.find_browser_session, cookie)
    await session_cache.cache_owner(found.sign_in_id, found.user_id)
    await session_cache.cache_cookie(digest, found.sign_in_id)
    return found


async def authenticate_token(token: str) -> SignedIn:
    """Authenticate an API client by access token or personal access token.

    Raises:
        Unauthenticated: If the token is invalid or expired, or its session has ended.
    """
    is_personal = token.startswith(personal_access_tokens.PREFIX)
    kind = "personal_token" if is_personal else "access_token"
    with metrics.TOKEN_CHECK_SECONDS.labels(kind).time():
        if is_personal:
            return _bind_to_logs(await _find_by_personal_token(token))
        return _bind_to_logs(await _find_by_access_token(token))


async def _find_by_personal_token(token: str) -> SignedIn:
    try:
        rows = await quick(personal_access_tokens.FIND_SQL, hash_token(token))
    except NotQuick:
        rows = []
    if rows and not personal_access_tokens.is_use_to_be_noted(*rows[0][3:]):
        user_id, token_id, scopes = rows[0][:3]
        return SignedIn(user_id, token_id, frozenset(scopes))
    return await in_transaction(personal_access_tokens.authenticate_personal_token, token)


async def _find_by_access_token(token: str) -> SignedIn:
    signed_in = access_tokens.verify_access_token(token)
    user_id = await session_cache.cached_owner(signed_in.sign_in_id)
    if user_id is None:
        await in_transaction(sessions.ensure_session_active, signed_in)
        await session_cache.cache_owner(signed_in.sign_in_id, signed_in.user_id)
    elif user_id != str(signed_in.user_id).encode():
        raise Unauthenticated("This session has ended. Sign in again.")
    return signed_in


def _bind_to_logs(signed_in: SignedIn) -> SignedIn:
    """Add the user's id to the log lines of this request."""
    bind_contextvars(user_id=str(signed_in.user_id))
    return signed_in

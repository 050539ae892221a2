"""JWT access tokens and refresh token rotation for API clients, with reuse detection.

An access token is an RS256 JWT that lives for an hour. A refresh token is opaque, used once, and
replaced by its successor (RFC 6749 section 6). A refresh token that comes back after its use was
probably stolen: its family, which is the session, is revoked (RFC 6819 section 5.2.2.3).
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.algorithms import RSAAlgorithm
from sqlmodel import Session, select

from sp404_app.errors import Unauthenticated
from sp404_app.models import RefreshToken, SignIn
from sp404_app.models.columns import now, uuid7
from sp404_app.services.auth import passwords, sessions, signing_keys
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.infra import audit_log, email, email_templates
from sp404_app.services.infra.client_info import Client
from sp404_app.settings import settings

ACCESS_TOKEN_TTL_S = 3600
AUDIENCE = "sp404-api"
JWT_TYPE = "at+jwt"
JWT_USE = "access"
REQUIRED_CLAIMS = ["exp", "iat", "iss", "aud", "sub", "jti", "sid", "token_use"]
MAX_TOKEN_LENGTH = 8192
MAX_VERIFIED_TOKENS = 10_000
REUSE_GRACE = dt.timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and a refresh token, as issued to an API client."""

    token: str
    refresh_token: str
    user_id: uuid.UUID
    expires_in: int = ACCESS_TOKEN_TTL_S


def sign_access_token(signed_in: SignedIn) -> str:
    """Sign an access token (RS256 JWT) that names the user and the session."""
    kid, key = signing_keys.current_signing_key()
    issued = int(now().timestamp())
    claims = {
        "iss": settings().origin,
        "aud": AUDIENCE,
        "sub": str(signed_in.user_id),
        "sid": str(signed_in.sign_in_id),
        "jti": str(uuid7()),
        "iat": issued,
        "exp": issued + ACCESS_TOKEN_TTL_S,
        "token_use": JWT_USE,
    }
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid, "typ": JWT_TYPE})


def verify_access_token(token: str) -> SignedIn:
    """Verify an access token and return the user and the session that it names.

    Whether the session has been revoked is checked in `services/auth/authentication.py`.

    Raises:
        Unauthenticated: If the signature or a claim differs from what `sign_access_token` makes.
    """
    try:
        return _find_verified(token) or _verify(token)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unauthenticated("This token is not valid.") from error


@dataclass(frozen=True, slots=True)
class _VerifiedToken:
    """A cached verification: the session, and the expiry, key and issuer that must still hold."""

    signed_in: SignedIn
    expires: int
    kid: str
    issuer: str


# By hash of the token. Verifying a 4096-bit signature takes longer than the rest of a request.
_verified_tokens: dict[bytes, _VerifiedToken] = {}


def _find_verified(token: str) -> SignedIn | None:
    """Return the session of a token in the cache, if its expiry, key and issuer still hold."""
    known = _verified_tokens.get(sessions.hash_token(token))
    if (
        known is None
        or known.issuer != settings().origin
        or signing_keys.find_public_key(known.kid) is None
    ):
        return None
    return known.signed_in if known.expires > now().timestamp() else None


def _verify(token: str) -> SignedIn:
    if len(token) > MAX_TOKEN_LENGTH:
        raise jwt.InvalidTokenError("too long")
    claims = _decode_claims(token)
    found = SignedIn(uuid.UUID(claims["sub"]), uuid.UUID(claims["sid"]))
    kid = jwt.get_unverified_header(token)["kid"]
    while len(_verified_tokens) >= MAX_VERIFIED_TOKENS:
        _verified_tokens.pop(next(iter(_verified_tokens)))
    known = _VerifiedToken(found, int(claims["exp"]), kid, settings().origin)
    _verified_tokens[sessions.hash_token(token)] = known
    return found


def _decode_claims(token: str) -> dict[str, Any]:
    """Check signature, header and claims; return the claims."""
    header = jwt.get_unverified_header(token)
    # PyJWT checks neither `typ` nor `token_use`: tokens issued for other uses would pass.
    if header.get("typ") != JWT_TYPE or "crit" in header:
        raise jwt.InvalidTokenError("wrong type")
    key = signing_keys.find_public_key(header.get("kid"))
    if key is None:
        raise jwt.InvalidTokenError("unknown key")
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        audience=AUDIENCE,
        issuer=settings().origin,
        options={"require": REQUIRED_CLAIMS},
    )
    if claims["token_use"] != JWT_USE:
        raise jwt.InvalidTokenError("wrong use")
    return claims


def start_token_family(session: Session, user_id: uuid.UUID, client: Client) -> TokenPair:
    """Start an API session: a new refresh token family and its first token pair."""
    sign_in_id = sessions.start_api_session(session, user_id, client)
    sign_in = session.get_one(SignIn, sign_in_id)
    refresh = secrets.token_urlsafe(32)
    _store_refresh_token(session, sign_in, refresh, parent_id=None)
    return TokenPair(sign_access_token(SignedIn(user_id, sign_in_id)), refresh, user_id)


def rotate_refresh_token(session: Session, refresh: str, client: Client) -> TokenPair | None:
    """Exchange a refresh token for a new pair; detect a reused refresh token.

    The token used last returns the same successor for another ten seconds, because two requests
    may race. Any other used token is a reuse: the token family is revoked.

    Returns:
        The pair, or None after a reuse: the caller commits the revocation and then refuses.

    Raises:
        Unauthenticated: If the token is unknown or expired, or its session has ended.
    """
    row = session.exec(
        select(RefreshToken).where(RefreshToken.hash == sessions.hash_token(refresh))
    ).first()
    if row is None:
        raise Unauthenticated("This refresh token is not valid.")
    lock_account(session, row.user_id)  # rotations of one family run one after the other
    session.refresh(row)
    sign_in = session.get_one(SignIn, row.sign_in_id)
    if sign_in.revoked_at or row.expires_at <= now() or sign_in.expires_at <= now():
        raise Unauthenticated("This session has ended. Sign in again.")
    if row.used_at and not _is_within_grace(session, row):  # reuse detected
        _revoke_token_family(session, sign_in, client)
        return None
    successor = _derive_successor(refresh)
    if not row.used_at:
        row.used_at = sign_in.last_seen_at = now()
        _store_refresh_token(session, sign_in, successor, parent_id=row.id)
    return TokenPair(sign_access_token(SignedIn(row.user_id, sign_in.id)), successor, row.user_id)


def _store_refresh_token(
    session: Session, sign_in: SignIn, refresh: str, *, parent_id: uuid.UUID | None
) -> None:
    session.add(
        RefreshToken(
            user_id=sign_in.user_id,
            sign_in_id=sign_in.id,
            hash=sessions.hash_token(refresh),
            parent_id=parent_id,
            expires_at=min(now() + sessions.IDLE_TIMEOUT, sign_in.expires_at),
        )
    )
    session.flush()


def _derive_successor(refresh: str) -> str:
    """Derive the next refresh token from this one and the server's pepper.

    So racing requests get the same successor, although only hashes are stored.
    """
    mac = hmac.new(passwords.pepper(), b"refresh\0" + refresh.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()


def _is_within_grace(session: Session, row: RefreshToken) -> bool:
    """Return whether a used token may be used again: it is recent and its successor unused."""
    child = session.exec(select(RefreshToken).where(RefreshToken.parent_id == row.id)).first()
    recent = row.used_at is not None and now() - row.used_at <= REUSE_GRACE
    return recent and child is not None and child.used_at is None


def _revoke_token_family(session: Session, sign_in: SignIn, client: Client) -> None:
    """Revoke the session of a reused refresh token, and notify the user by mail."""
    sessions.revoke_session(session, sign_in.user_id, sign_in.id)
    audit_log.record_audit_event(
        session, sign_in.user_id, "refresh_token_reused", client, sign_in_id=str(sign_in.id)
    )
    email.send_email_to_user(session, sign_in.user_id, email_templates.token_reused())


def json_web_key_set() -> dict[str, list[dict[str, Any]]]:
    """Return the public keys as a JSON Web Key Set (RFC 7517)."""
    sets = []
    for kid, key in signing_keys.list_public_keys().items():
        jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
        sets.append({"kty": jwk["kty"], "n": jwk["n"], "e": jwk["e"], "kid": kid})
    return {"keys": [{**jwk, "use": "sig", "alg": "RS256"} for jwk in sets]}

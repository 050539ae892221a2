"""Tokens of API clients: signed access tokens for an hour, opaque refresh tokens that rotate."""

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

ACCESS_SECONDS = 3600
AUDIENCE = "sp404-api"
TYPE = "at+jwt"
USE = "access"
REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti", "sid", "token_use"]
LONGEST_TOKEN = 8192
MOST_VERIFIED = 10_000
GRACE = dt.timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Pair:
    """What an API client gets when it signs in or refreshes."""

    token: str
    refresh_token: str
    user_id: uuid.UUID
    expires_in: int = ACCESS_SECONDS


def access(signed_in: SignedIn) -> str:
    """Sign an access token that says who, by which sign-in, for an hour."""
    kid, key = signing_keys.signing()
    issued = int(now().timestamp())
    claims = {
        "iss": settings().origin,
        "aud": AUDIENCE,
        "sub": str(signed_in.user_id),
        "sid": str(signed_in.sign_in_id),
        "jti": str(uuid7()),
        "iat": issued,
        "exp": issued + ACCESS_SECONDS,
        "token_use": USE,
    }
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid, "typ": TYPE})


def read(token: str) -> SignedIn:
    """Return what an access token says; whether its sign-in lives is asked elsewhere.

    Raises:
        Unauthenticated: If anything about it is not exactly what `access` makes.
    """
    try:
        return _remembered(token) or _read(token)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unauthenticated("This token is not valid.") from error


@dataclass(frozen=True, slots=True)
class _Verified:
    """What a token said when its signature was checked, and what has to hold still."""

    signed_in: SignedIn
    expires: int
    kid: str
    issuer: str


# By the hash of the token. Checking a signature of 4096 bits takes longer than all the rest.
_verified: dict[bytes, _Verified] = {}


def _remembered(token: str) -> SignedIn | None:
    """Return what a token says that was read before, while its time and its key last."""
    known = _verified.get(sessions.digest(token))
    if known is None or known.issuer != settings().origin or signing_keys.public(known.kid) is None:
        return None
    return known.signed_in if known.expires > now().timestamp() else None


def _read(token: str) -> SignedIn:
    if len(token) > LONGEST_TOKEN:
        raise jwt.InvalidTokenError("too long")
    claims = _claims(token)
    found = SignedIn(uuid.UUID(claims["sub"]), uuid.UUID(claims["sid"]))
    kid = jwt.get_unverified_header(token)["kid"]
    while len(_verified) >= MOST_VERIFIED:
        _verified.pop(next(iter(_verified)))
    known = _Verified(found, int(claims["exp"]), kid, settings().origin)
    _verified[sessions.digest(token)] = known
    return found


def _claims(token: str) -> dict[str, Any]:
    header = jwt.get_unverified_header(token)
    # PyJWT checks neither `typ` nor what a token is for, so tokens of other uses would pass.
    if header.get("typ") != TYPE or "crit" in header:
        raise jwt.InvalidTokenError("wrong type")
    key = signing_keys.public(header.get("kid"))
    if key is None:
        raise jwt.InvalidTokenError("unknown key")
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        audience=AUDIENCE,
        issuer=settings().origin,
        options={"require": REQUIRED},
    )
    if claims["token_use"] != USE:
        raise jwt.InvalidTokenError("wrong use")
    return claims


def start(session: Session, user_id: uuid.UUID, client: Client) -> Pair:
    """Sign an API client in: a new family of refresh tokens and its first pair."""
    sign_in_id = sessions.start_api(session, user_id, client)
    sign_in = session.get_one(SignIn, sign_in_id)
    refresh = secrets.token_urlsafe(32)
    _keep(session, sign_in, refresh, parent_id=None)
    return Pair(access(SignedIn(user_id, sign_in_id)), refresh, user_id)


def rotate(session: Session, refresh: str, client: Client) -> Pair | None:
    """Exchange a refresh token for a new pair.

    The token used last gives the same successor again for ten seconds, so that two tabs may
    race. Any other used token is a sign of theft and ends the whole family.

    Returns:
        The pair, or None if the family was ended: the caller commits that and then refuses.

    Raises:
        Unauthenticated: If the token is unknown or expired, or its sign-in has ended.
    """
    row = session.exec(
        select(RefreshToken).where(RefreshToken.hash == sessions.digest(refresh))
    ).first()
    if row is None:
        raise Unauthenticated("This refresh token is not valid.")
    lock_account(session, row.user_id)  # one rotation of a family at a time
    session.refresh(row)
    sign_in = session.get_one(SignIn, row.sign_in_id)
    if sign_in.revoked_at or row.expires_at <= now() or sign_in.expires_at <= now():
        raise Unauthenticated("This sign-in has ended. Please sign in again.")
    if row.used_at and not _in_grace(session, row):
        _end_family(session, sign_in, client)
        return None
    successor = _successor(refresh)
    if not row.used_at:
        row.used_at = sign_in.last_seen_at = now()
        _keep(session, sign_in, successor, parent_id=row.id)
    return Pair(access(SignedIn(row.user_id, sign_in.id)), successor, row.user_id)


def _keep(session: Session, sign_in: SignIn, refresh: str, *, parent_id: uuid.UUID | None) -> None:
    session.add(
        RefreshToken(
            user_id=sign_in.user_id,
            sign_in_id=sign_in.id,
            hash=sessions.digest(refresh),
            parent_id=parent_id,
            expires_at=min(now() + sessions.IDLE, sign_in.expires_at),
        )
    )
    session.flush()


def _successor(refresh: str) -> str:
    """Derive the next token, so that a racing tab gets the same one though only hashes are kept."""
    mac = hmac.new(passwords.pepper(), b"refresh\0" + refresh.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()


def _in_grace(session: Session, row: RefreshToken) -> bool:
    child = session.exec(select(RefreshToken).where(RefreshToken.parent_id == row.id)).first()
    recent = row.used_at is not None and now() - row.used_at <= GRACE
    return recent and child is not None and child.used_at is None


def _end_family(session: Session, sign_in: SignIn, client: Client) -> None:
    sessions.revoke(session, sign_in.user_id, sign_in.id)
    audit_log.record(
        session, sign_in.user_id, "refresh_token_reused", client, sign_in_id=str(sign_in.id)
    )
    email.send_to_user(session, sign_in.user_id, email_templates.token_reused())


def jwks() -> dict[str, list[dict[str, Any]]]:
    """Return the public keys as a JSON Web Key Set."""
    sets = []
    for kid, key in signing_keys.all_public().items():
        jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
        sets.append({"kty": jwk["kty"], "n": jwk["n"], "e": jwk["e"], "kid": kid})
    return {"keys": [{**jwk, "use": "sig", "alg": "RS256"} for jwk in sets]}

"""Signed-in devices: a browser's cookie session, or the token family of an API client."""

import datetime as dt
import hashlib
import secrets
import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select, update

from sp404_app.db import after_commit
from sp404_app.errors import NotFound, Unauthenticated
from sp404_app.models import SignIn
from sp404_app.models.columns import now
from sp404_app.services.auth import session_cache
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.infra.client_info import Client
from sp404_app.settings import settings

IDLE = dt.timedelta(days=7)
LONGEST = dt.timedelta(days=30)
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
BROWSERS += (("Safari/", "Safari"),)
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"))
SYSTEMS += (("Mac OS", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))
SEEN_EVERY = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who asks, and by which of their sign-ins, or by which personal token for what alone."""

    user_id: uuid.UUID
    sign_in_id: uuid.UUID
    abilities: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """One sign-in as its owner sees it; times are RFC 3339 in UTC."""

    id: str
    user_agent: str
    ip: str
    kind: str
    created_at: str
    last_seen_at: str
    current: bool


def cookie_name() -> str:
    """Name the browser's cookie: host-bound on https, per port otherwise (ports share cookies)."""
    if settings().origin.startswith("https://"):
        return "__Host-sp404_session"
    return f"sp404_session_{settings().port}"


def typed_cookie_name() -> str:
    """Name the short-lived cookie that gives a refused form its address back."""
    return f"{cookie_name()}_typed"


def challenge_cookie_name() -> str:
    """Name the short-lived cookie between the two steps of signing in."""
    return f"{cookie_name()}_step"


def digest(secret: str) -> bytes:
    """Return what is kept of a random secret: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def start_browser(session: Session, user_id: uuid.UUID, client: Client) -> str:
    """Sign a browser in and return the value of its cookie; only a hash of it is kept."""
    cookie = secrets.token_urlsafe(32)
    _start(session, user_id, client, digest(cookie))
    return cookie


def start_api(session: Session, user_id: uuid.UUID, client: Client) -> uuid.UUID:
    """Sign an API client in and return the id its tokens carry as `sid`."""
    return _start(session, user_id, client, None).id


def _start(
    session: Session, user_id: uuid.UUID, client: Client, cookie_hash: bytes | None
) -> SignIn:
    row = SignIn(
        user_id=user_id,
        cookie_hash=cookie_hash,
        user_agent=client.user_agent.replace("\0", "")[:400],
        ip=client.ip[:45],
        expires_at=now() + LONGEST,
        confirmed_at=now(),  # the password was proved a moment ago
    )
    session.add(row)
    session.flush()
    return row


def user_of(session: Session, cookie: str) -> SignedIn:
    """Return whom a browser's cookie belongs to.

    Raises:
        Unauthenticated: If the cookie is missing, unknown, ended, or unused for a week.
    """
    query = select(SignIn).where(SignIn.cookie_hash == digest(cookie))
    row = session.exec(query).first() if cookie else None
    if row is None or not _alive(row):
        raise Unauthenticated("Please sign in.")
    if now() - row.last_seen_at > SEEN_EVERY:
        seen = update(SignIn).where(col(SignIn.id) == row.id).values(last_seen_at=now())
        session.exec(seen)
    return SignedIn(row.user_id, row.id)


def ensure_alive(session: Session, signed_in: SignedIn) -> None:
    """Check that the sign-in an access token names has not ended.

    Raises:
        Unauthenticated: If it was revoked, has expired, or its person is gone.
    """
    row = session.get(SignIn, signed_in.sign_in_id)
    if row is None or row.user_id != signed_in.user_id or not _alive(row):
        raise Unauthenticated("Please sign in again.")


def _alive(row: SignIn) -> bool:
    idle = row.cookie_hash is not None and now() - row.last_seen_at > IDLE
    return row.revoked_at is None and row.expires_at > now() and not idle


def devices(session: Session, user_id: uuid.UUID, current: uuid.UUID | None) -> list[Device]:
    """List a person's living sign-ins, the latest first."""
    query = (
        select(SignIn)
        .where(SignIn.user_id == user_id, col(SignIn.revoked_at).is_(None))
        .order_by(col(SignIn.last_seen_at).desc(), col(SignIn.id).desc())
    )
    return [
        Device(
            id=str(row.id),
            user_agent=row.user_agent,
            ip=row.ip,
            kind="browser" if row.cookie_hash else "api",
            created_at=row.created_at.isoformat(),
            last_seen_at=row.last_seen_at.isoformat(),
            current=row.id == current,
        )
        for row in session.exec(query)
        if _alive(row)
    ]


def described(user_agent: str, kind: str) -> str:
    """Name a device for people, such as "Firefox on Windows"."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    program = user_agent.partition("/")[0].strip()[:40]
    return program or ("A program" if kind == "api" else "A browser")


def revoke(session: Session, user_id: uuid.UUID, sign_in_id: uuid.UUID) -> None:
    """End one of a person's sign-ins.

    Raises:
        NotFound: If it is not theirs, or has ended already.
        Unauthenticated: If the account is gone.
    """
    lock_account(session, user_id)
    if not _revoke(session, col(SignIn.user_id) == user_id, col(SignIn.id) == sign_in_id):
        raise NotFound("There is no such sign-in.")


def revoke_all(session: Session, user_id: uuid.UUID, keep: uuid.UUID | None = None) -> int:
    """End all of a person's sign-ins, except perhaps the one they act from; return how many.

    Raises:
        Unauthenticated: If the account is gone.
    """
    lock_account(session, user_id)
    others = [col(SignIn.id) != keep] if keep else []
    return _revoke(session, col(SignIn.user_id) == user_id, *others)


def end_cookie(session: Session, cookie: str) -> None:
    """End the sign-in of a cookie, if it has one."""
    if cookie:
        _revoke(session, col(SignIn.cookie_hash) == digest(cookie))


def _revoke(session: Session, *which: ColumnElement[bool]) -> int:
    query = (
        update(SignIn)
        .where(*which, col(SignIn.revoked_at).is_(None))
        .values(revoked_at=now())
        .returning(col(SignIn.id))
    )
    ended = session.exec(query).scalars().all()
    after_commit(session, lambda: session_cache.end(ended))
    return len(ended)

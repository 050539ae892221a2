"""Sessions: a signed-in browser (cookie) or API client (refresh token family).

Sessions are rows of `SignIn`. Their ids are called `sign_in_id`, since `session` is the database's.
"""

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

IDLE_TIMEOUT = dt.timedelta(days=7)
SESSION_LIFETIME = dt.timedelta(days=30)
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
BROWSERS += (("Safari/", "Safari"),)
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"))
SYSTEMS += (("Mac OS", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))
LAST_SEEN_INTERVAL = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The authenticated user and session; `abilities` are the scopes of a personal access token."""

    user_id: uuid.UUID
    sign_in_id: uuid.UUID
    abilities: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A session as its owner sees it; times are RFC 3339 in UTC."""

    id: str
    user_agent: str
    ip: str
    kind: str
    created_at: str
    last_seen_at: str
    current: bool


def cookie_name() -> str:
    """Return the session cookie's name: `__Host-` on https, else per port (ports share cookies)."""
    if settings().origin.startswith("https://"):
        return "__Host-sp404_session"
    return f"sp404_session_{settings().port}"


def typed_email_cookie_name() -> str:
    """Return the name of the short-lived cookie that refills the email after a failed sign-in."""
    return f"{cookie_name()}_typed"


def return_cookie_name() -> str:
    """Return the name of the cookie with the shared page that a visitor came from to sign in."""
    return f"{cookie_name()}_next"


def challenge_cookie_name() -> str:
    """Return the name of the short-lived cookie that holds the two-factor challenge."""
    return f"{cookie_name()}_step"


def hash_token(secret: str) -> bytes:
    """Return the SHA-256 of a random secret for storage: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def start_browser_session(session: Session, user_id: uuid.UUID, client: Client) -> str:
    """Start a browser session and return its cookie's value; only the hash is stored."""
    cookie = secrets.token_urlsafe(32)
    _create_sign_in(session, user_id, client, hash_token(cookie))
    return cookie


def start_api_session(session: Session, user_id: uuid.UUID, client: Client) -> uuid.UUID:
    """Start an API session and return its id, the `sid` of its access tokens."""
    return _create_sign_in(session, user_id, client, None).id


def _create_sign_in(
    session: Session, user_id: uuid.UUID, client: Client, cookie_hash: bytes | None
) -> SignIn:
    row = SignIn(
        user_id=user_id,
        cookie_hash=cookie_hash,
        user_agent=client.user_agent.replace("\0", "")[:400],
        ip=client.ip[:45],
        expires_at=now() + SESSION_LIFETIME,
        confirmed_at=now(),  # the password was verified a moment ago
    )
    session.add(row)
    session.flush()
    return row


def find_browser_session(session: Session, cookie: str) -> SignedIn:
    """Return the session of a cookie.

    Raises:
        Unauthenticated: If the cookie is missing or unknown, or its session was revoked, has
            expired, or was unused for a week.
    """
    query = select(SignIn).where(SignIn.cookie_hash == hash_token(cookie))
    row = session.exec(query).first() if cookie else None
    if row is None or not _is_active(row):
        raise Unauthenticated("Sign in to continue.")
    if now() - row.last_seen_at > LAST_SEEN_INTERVAL:
        touch = update(SignIn).where(col(SignIn.id) == row.id).values(last_seen_at=now())
        session.exec(touch)
    return SignedIn(row.user_id, row.id)


def ensure_session_active(session: Session, signed_in: SignedIn) -> None:
    """Check that the session named by an access token is active.

    Raises:
        Unauthenticated: If it was revoked or has expired, or the account is gone.
    """
    row = session.get(SignIn, signed_in.sign_in_id)
    if row is None or row.user_id != signed_in.user_id or not _is_active(row):
        raise Unauthenticated("Sign in again.")


def _is_active(row: SignIn) -> bool:
    idle = row.cookie_hash is not None and now() - row.last_seen_at > IDLE_TIMEOUT
    return row.revoked_at is None and row.expires_at > now() and not idle


def list_devices(session: Session, user_id: uuid.UUID, current: uuid.UUID | None) -> list[Device]:
    """List the user's active sessions, last used first."""
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
        if _is_active(row)
    ]


def describe_device(user_agent: str, kind: str) -> str:
    """Describe a device by its user agent, such as "Firefox on Windows"."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    program = user_agent.partition("/")[0].strip()[:40]
    return program or ("API client" if kind == "api" else "Browser")


def revoke_session(session: Session, user_id: uuid.UUID, sign_in_id: uuid.UUID) -> None:
    """Revoke one of the user's sessions.

    Raises:
        NotFound: If it is not theirs or has ended already.
        Unauthenticated: If the account is gone.
    """
    lock_account(session, user_id)
    if not _revoke_matching(session, col(SignIn.user_id) == user_id, col(SignIn.id) == sign_in_id):
        raise NotFound("This device is not signed in.")


def revoke_all_sessions(session: Session, user_id: uuid.UUID, keep: uuid.UUID | None = None) -> int:
    """Revoke all sessions of the user except `keep`; return how many.

    Raises:
        Unauthenticated: If the account is gone.
    """
    lock_account(session, user_id)
    others = [col(SignIn.id) != keep] if keep else []
    return _revoke_matching(session, col(SignIn.user_id) == user_id, *others)


def revoke_cookie_session(session: Session, cookie: str) -> None:
    """Revoke the session of a cookie, if it has one."""
    if cookie:
        _revoke_matching(session, col(SignIn.cookie_hash) == hash_token(cookie))


def _revoke_matching(session: Session, *which: ColumnElement[bool]) -> int:
    query = (
        update(SignIn)
        .where(*which, col(SignIn.revoked_at).is_(None))
        .values(revoked_at=now())
        .returning(col(SignIn.id))
    )
    revoked = session.exec(query).scalars().all()
    after_commit(session, lambda: session_cache.publish_revocations(revoked))
    return len(revoked)

"""Personal access tokens: created by users for their own programs, limited to chosen scopes."""

import datetime as dt
import secrets
import uuid
from dataclasses import asdict, dataclass
from enum import StrEnum

from sqlalchemy import delete, func
from sqlmodel import Session, col, select, update

from sp404_app.errors import Conflict, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import PersonalToken
from sp404_app.models.columns import now
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.auth.sessions import SignedIn, hash_token
from sp404_app.services.infra import audit_log, email, email_templates
from sp404_app.services.infra.client_info import Client
from sp404_app.services.infra.text import clean_text
from sp404_app.settings import settings

PREFIX = "sp404_"  # lets secret scanners find tokens in public code
MAX_TOKENS_PER_USER = 50
MAX_NAME_LENGTH = 100
MAX_LIFETIME_DAYS = 366
LAST_USED_INTERVAL = dt.timedelta(minutes=1)
FIND_SQL = (
    "select user_id, id, abilities, expires_at, last_used_at from personal_tokens where hash = $1"
)


class Scope(StrEnum):
    """What a personal access token may do. No scope covers account changes or payments."""

    SAMPLES_READ = "samples:read"
    SAMPLES_WRITE = "samples:write"
    PROJECTS_READ = "projects:read"
    PROJECTS_WRITE = "projects:write"
    ACCOUNT_READ = "account:read"
    BILLING_READ = "billing:read"


def offered_scopes() -> list[Scope]:
    """Return the scopes that a token can have here; without billing there is none for it."""
    return [scope for scope in Scope if settings().billing or scope is not Scope.BILLING_READ]


@dataclass(frozen=True, slots=True)
class PersonalTokenView:
    """A token as its owner sees it, without the secret; times are RFC 3339 in UTC."""

    id: str
    name: str
    ending: str
    abilities: list[str]
    created_at: str
    last_used_at: str | None
    expires_at: str | None
    expired: bool


@dataclass(frozen=True, slots=True)
class MadeToken(PersonalTokenView):
    """A new token with its secret, which is shown only now."""

    token: str


def create_personal_token(
    session: Session,
    user_id: uuid.UUID,
    name: str,
    abilities: list[str],
    days: int | None,
    client: Client,
) -> MadeToken:
    """Create a token and return it with its secret; only the hash is stored.

    Args:
        session: The open transaction.
        user_id: The owner.
        name: The owner's name for it, 1 to 100 characters.
        abilities: Its scopes, at least one.
        days: Lifetime in days, 1 to 366; None for a token that never expires.
        client: The client of the request, for the audit log.

    Raises:
        ValidationFailed: With the problems by field.
        Conflict: If the user has fifty tokens.
        Unauthenticated: If the account is gone.
    """
    name = " ".join(clean_text(name).split())
    if problems := _token_problems(name, abilities, days):
        raise ValidationFailed("Check the marked fields.", problems)
    lock_account(session, user_id)  # concurrent requests are counted one after the other
    mine = select(func.count()).where(PersonalToken.user_id == user_id)
    if session.exec(mine).one() >= MAX_TOKENS_PER_USER:
        raise Conflict(
            f"You have {MAX_TOKENS_PER_USER} access tokens. Revoke one that you no longer use."
        )
    token = PREFIX + secrets.token_urlsafe(32)
    row = PersonalToken(
        user_id=user_id,
        name=name,
        hash=hash_token(token),
        ending=token[-4:],
        abilities=sorted(set(abilities)),
        expires_at=now() + dt.timedelta(days=days) if days else None,
    )
    session.add(row)
    session.flush()
    audit_log.record_audit_event(
        session, user_id, "token_made", client, name=name, token_id=str(row.id)
    )
    email.send_email_to_user(session, user_id, email_templates.token_made())
    return MadeToken(**asdict(_to_view(row)), token=token)


def _token_problems(name: str, abilities: list[str], days: int | None) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        problems["name"] = [f"Enter a name of up to {MAX_NAME_LENGTH} characters."]
    if not abilities or not set(abilities) <= set(offered_scopes()):
        problems["abilities"] = [f"Choose at least one of {', '.join(offered_scopes())}."]
    if days is not None and not 1 <= days <= MAX_LIFETIME_DAYS:
        problems["expires_in_days"] = [
            f"Choose 1 to {MAX_LIFETIME_DAYS} days, or leave it out for a token that never expires."
        ]
    return problems


def list_personal_tokens(session: Session, user_id: uuid.UUID) -> list[PersonalTokenView]:
    """List the user's tokens, newest first; expired ones, too, for another 30 days."""
    query = (
        select(PersonalToken)
        .where(PersonalToken.user_id == user_id)
        .order_by(col(PersonalToken.id).desc())
    )
    return [_to_view(row) for row in session.exec(query)]


def revoke_personal_token(
    session: Session, user_id: uuid.UUID, token_id: uuid.UUID, client: Client
) -> None:
    """Revoke one of the user's tokens; it stops working at once.

    Raises:
        NotFound: If the token is not theirs or is gone already.
        Unauthenticated: If the account is gone.
    """
    lock_account(session, user_id)
    mine = (col(PersonalToken.id) == token_id, col(PersonalToken.user_id) == user_id)
    gone = session.exec(delete(PersonalToken).where(*mine).returning(col(PersonalToken.name)))
    name = gone.scalar_one_or_none()
    if name is None:
        raise NotFound("Access token not found.")
    audit_log.record_audit_event(
        session, user_id, "token_revoked", client, name=name, token_id=str(token_id)
    )


def revoke_all_personal_tokens(session: Session, user_id: uuid.UUID) -> None:
    """Revoke all tokens of the user, as an attacker may know them.

    Raises:
        Unauthenticated: If the account is gone.
    """
    lock_account(session, user_id)
    session.exec(delete(PersonalToken).where(col(PersonalToken.user_id) == user_id))


def authenticate_personal_token(session: Session, token: str) -> SignedIn:
    """Authenticate a personal access token; return its user and scopes.

    Raises:
        Unauthenticated: If the token is unknown, revoked or expired.
    """
    query = select(PersonalToken).where(PersonalToken.hash == hash_token(token))
    row = session.exec(query).first()
    if row is None or (row.expires_at and row.expires_at <= now()):
        raise Unauthenticated("This token is not valid.")
    if is_use_to_be_noted(row.expires_at, row.last_used_at):
        mine = col(PersonalToken.id) == row.id
        session.exec(update(PersonalToken).where(mine).values(last_used_at=now()))
    return SignedIn(row.user_id, row.id, frozenset(row.abilities))


def is_use_to_be_noted(expires_at: dt.datetime | None, last_used_at: dt.datetime | None) -> bool:
    """Return whether a use must be written, once a minute, or the token has expired."""
    if expires_at and expires_at <= now():
        return True
    return last_used_at is None or now() - last_used_at > LAST_USED_INTERVAL


def _to_view(row: PersonalToken) -> PersonalTokenView:
    return PersonalTokenView(
        id=str(row.id),
        name=row.name,
        ending=row.ending,
        abilities=list(row.abilities),
        created_at=row.created_at.isoformat(),
        last_used_at=row.last_used_at.isoformat() if row.last_used_at else None,
        expires_at=row.expires_at.isoformat() if row.expires_at else None,
        expired=bool(row.expires_at and row.expires_at <= now()),
    )

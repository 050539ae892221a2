"""Personal access tokens: what a person gives to their own programs, for as little as they need."""

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, func
from sqlmodel import Session, col, select, update

from sp404_app.errors import Conflict, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import PersonalToken
from sp404_app.models.columns import now
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.auth.sessions import SignedIn, digest
from sp404_app.services.infra import audit_log, email, email_templates
from sp404_app.services.infra.client_info import Client
from sp404_app.services.infra.text import clean_text

PREFIX = "sp404_"  # lets scanners of public code recognise what was published by mistake
MOST = 50
LONGEST_NAME = 100
LONGEST_DAYS = 366
SEEN_EVERY = dt.timedelta(minutes=1)


class Scope(StrEnum):
    """What a token may be good for. There is none for what changes an account or pays."""

    SAMPLES_READ = "samples:read"
    SAMPLES_WRITE = "samples:write"
    ACCOUNT_READ = "account:read"
    BILLING_READ = "billing:read"


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token as its owner sees it; times are RFC 3339 in UTC."""

    id: str
    name: str
    ending: str
    abilities: list[str]
    created_at: str
    last_used_at: str | None
    expires_at: str | None
    expired: bool


def make(
    session: Session,
    user_id: uuid.UUID,
    name: str,
    abilities: list[str],
    days: int | None,
    client: Client,
) -> tuple[TokenView, str]:
    """Make a token and return it: once, for only its hash is kept.

    Args:
        session: The open transaction.
        user_id: Whose it is.
        name: What its owner calls it, 1 to 100 characters.
        abilities: What it is good for, at least one.
        days: How long, 1 to 366; None for ever.
        client: Where the wish comes from.

    Raises:
        ValidationFailed: With what is wrong, by field.
        Conflict: If the person has fifty tokens.
        Unauthenticated: If the account is gone.
    """
    name = " ".join(clean_text(name).split())
    if problems := _problems(name, abilities, days):
        raise ValidationFailed("Please look at the marked fields.", problems)
    lock_account(session, user_id)  # counted one after the other
    mine = select(func.count()).where(PersonalToken.user_id == user_id)
    if session.exec(mine).one() >= MOST:
        raise Conflict(f"You have {MOST} tokens. Revoke one that you no longer use.")
    token = PREFIX + secrets.token_urlsafe(32)
    row = PersonalToken(
        user_id=user_id,
        name=name,
        hash=digest(token),
        ending=token[-4:],
        abilities=sorted(set(abilities)),
        expires_at=now() + dt.timedelta(days=days) if days else None,
    )
    session.add(row)
    session.flush()
    audit_log.record(session, user_id, "token_made", client, name=name, token_id=str(row.id))
    email.send_to_user(session, user_id, email_templates.token_made())
    return _shown(row), token


def _problems(name: str, abilities: list[str], days: int | None) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    if not 1 <= len(name) <= LONGEST_NAME:
        problems["name"] = [f"Give it a name of up to {LONGEST_NAME} characters."]
    if not abilities or not set(abilities) <= set(Scope):
        problems["abilities"] = [f"Choose at least one of {', '.join(Scope)}."]
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        problems["expires_in_days"] = [f"Choose 1 to {LONGEST_DAYS} days, or none for no end."]
    return problems


def all_of(session: Session, user_id: uuid.UUID) -> list[TokenView]:
    """List a person's tokens, the newest first; expired ones too, until they are revoked."""
    query = (
        select(PersonalToken)
        .where(PersonalToken.user_id == user_id)
        .order_by(col(PersonalToken.id).desc())
    )
    return [_shown(row) for row in session.exec(query)]


def revoke(session: Session, user_id: uuid.UUID, token_id: uuid.UUID, client: Client) -> None:
    """Make one of a person's tokens worthless at once.

    Raises:
        NotFound: If it is not theirs, or is gone already.
        Unauthenticated: If the account is gone.
    """
    lock_account(session, user_id)
    mine = (col(PersonalToken.id) == token_id, col(PersonalToken.user_id) == user_id)
    gone = session.exec(delete(PersonalToken).where(*mine).returning(col(PersonalToken.name)))
    name = gone.scalar_one_or_none()
    if name is None:
        raise NotFound("There is no such token.")
    audit_log.record(session, user_id, "token_revoked", client, name=name, token_id=str(token_id))


def revoke_all(session: Session, user_id: uuid.UUID) -> None:
    """Make all of a person's tokens worthless, for somebody else may know them.

    Raises:
        Unauthenticated: If the account is gone.
    """
    lock_account(session, user_id)
    session.exec(delete(PersonalToken).where(col(PersonalToken.user_id) == user_id))


def token_owner(session: Session, token: str) -> SignedIn:
    """Return whose a token is, and what it is good for.

    Raises:
        Unauthenticated: If it is unknown, revoked or expired.
    """
    query = select(PersonalToken).where(PersonalToken.hash == digest(token))
    row = session.exec(query).first()
    if row is None or (row.expires_at and row.expires_at <= now()):
        raise Unauthenticated("This token is not valid.")
    if row.last_used_at is None or now() - row.last_used_at > SEEN_EVERY:
        mine = col(PersonalToken.id) == row.id
        session.exec(update(PersonalToken).where(mine).values(last_used_at=now()))
    return SignedIn(row.user_id, row.id, frozenset(row.abilities))


def _shown(row: PersonalToken) -> TokenView:
    return TokenView(
        id=str(row.id),
        name=row.name,
        ending=row.ending,
        abilities=list(row.abilities),
        created_at=row.created_at.isoformat(),
        last_used_at=row.last_used_at.isoformat() if row.last_used_at else None,
        expires_at=row.expires_at.isoformat() if row.expires_at else None,
        expired=bool(row.expires_at and row.expires_at <= now()),
    )

"""What an operator may do with people's accounts, by command."""

import asyncio
import uuid
from dataclasses import dataclass

from sqlmodel import Session, col, select

from sp404_app.db import transaction
from sp404_app.errors import NotFound
from sp404_app.models import User
from sp404_app.models.columns import now
from sp404_app.services.account import deletion
from sp404_app.services.auth import sessions, signing_keys, two_factor, users
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.billing import quotas
from sp404_app.services.infra import audit_log
from sp404_app.services.infra.audit_log import AuditEvent
from sp404_app.services.infra.client_info import Client

OPERATOR = Client(user_agent="operator")
SHOWN = 200


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One account in a list."""

    id: uuid.UUID
    email: str
    verified: bool
    tier: str
    created_at: str


def everybody() -> list[PersonRow]:
    """List all accounts, the oldest first."""
    with transaction() as session:
        return [_row(session, user) for user in session.exec(select(User).order_by(col(User.id)))]


def _row(session: Session, user: User) -> PersonRow:
    tier = quotas.plan_of(session, user.id).tier
    verified = user.email_verified_at is not None
    return PersonRow(user.id, user.email, verified, tier, user.created_at.isoformat())


def verify(name: str) -> None:
    """Confirm somebody's address for them.

    Raises:
        NotFound: If nobody has this address or id.
    """
    with transaction() as session:
        user = lock_account(session, _named(session, name).id)
        user.email_verified_at = user.email_verified_at or now()
        audit_log.record(session, user.id, "verified_by_operator", OPERATOR)


def turn_off_two_factor(name: str) -> None:
    """Let somebody who lost phone and recovery codes sign in by password; they get a mail.

    Raises:
        NotFound: If nobody has this address or id.
    """
    with transaction() as session:
        user = _named(session, name)
        audit_log.record(session, user.id, "two_factor_off_by_operator", OPERATOR)
        two_factor.turn_off(session, user.id, OPERATOR)


def sign_out(name: str) -> int:
    """End all of somebody's sign-ins, in browsers and of programs; return how many there were.

    Raises:
        NotFound: If nobody has this address or id.
    """
    with transaction() as session:
        user = _named(session, name)
        audit_log.record(session, user.id, "signed_out_by_operator", OPERATOR)
        return sessions.revoke_all(session, user.id)


def delete(name: str) -> None:
    """Delete an account as its owner would: the subscription first, then everything.

    Raises:
        NotFound: If nobody has this address or id.
        AppError: If the subscription cannot be ended.
    """
    with transaction() as session:
        user = _named(session, name)
        audit_log.record(session, user.id, "deleted_by_operator", OPERATOR)
    asyncio.run(deletion.delete_account(user.id))


def log_of(name: str) -> list[AuditEvent]:
    """Return what happened in an account, the newest first; of a deleted one by its id.

    Raises:
        NotFound: If nothing is known of this address or id.
    """
    with transaction() as session:
        try:
            user_id = _named(session, name).id
        except NotFound:
            user_id = _id(name)
            if user_id is None or not audit_log.list_events(session, user_id, None, 1)[1]:
                raise
        return audit_log.list_events(session, user_id, None, SHOWN)[0]


def log_of_nobody() -> list[AuditEvent]:
    """Return what happened to keys and to addresses nobody has, the newest first."""
    with transaction() as session:
        return audit_log.list_events(session, None, None, SHOWN)[0]


def rotate_keys() -> str:
    """Sign with a new key from now on and return its name; nobody is signed out."""
    kid = signing_keys.rotate()
    with transaction() as session:
        audit_log.record(session, None, "key_rotated", OPERATOR, kid=kid)
    return kid


def retire_key(kid: str) -> None:
    """Believe nothing any more that a key signed.

    Raises:
        UnusableKeys: If there is no such key, or it is the one that signs.
    """
    signing_keys.retire(kid)
    with transaction() as session:
        audit_log.record(session, None, "key_retired", OPERATOR, kid=kid)


def _named(session: Session, name: str) -> User:
    by_id = _id(name)
    user = session.get(User, by_id) if by_id else users.user_with(session, name)
    if user is None:
        raise NotFound(f"Nobody has the address or id {name!r}.")
    return user


def _id(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None

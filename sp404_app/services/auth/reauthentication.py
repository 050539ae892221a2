"""Confirm it is you: a password proved in the last ten minutes, by this very sign-in."""

import datetime as dt
import uuid

from sqlmodel import Session, col, update

from sp404_app.db import in_transaction
from sp404_app.errors import ReauthenticationRequired, ValidationFailed
from sp404_app.models import SignIn
from sp404_app.models.columns import now
from sp404_app.services.auth import passwords, users
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.infra import audit_log, rate_limits
from sp404_app.services.infra.client_info import Client

FRESH = dt.timedelta(minutes=10)
WRONG = "This is not your password."


def is_fresh(session: Session, who: SignedIn) -> bool:
    """Say whether this sign-in proved its password a short while ago."""
    row = session.get(SignIn, who.sign_in_id)
    mine = row is not None and row.user_id == who.user_id and row.revoked_at is None
    return bool(mine and row and row.confirmed_at and now() - row.confirmed_at < FRESH)


def ensure_fresh(session: Session, who: SignedIn) -> None:
    """Check that this sign-in proved its password a short while ago.

    Raises:
        ReauthenticationRequired: If it did not.
    """
    if not is_fresh(session, who):
        raise ReauthenticationRequired("Please confirm with your password that it is you.")


async def confirm(who: SignedIn, password: str, client: Client) -> None:
    """Prove the password once more; for ten minutes this sign-in may do what matters.

    Raises:
        ValidationFailed: If the password is wrong.
        RateLimited: After five attempts in a minute.
    """
    await rate_limits.count_reauthentication(who.user_id)
    found = await in_transaction(users.credential_of, who.user_id)
    if not await passwords.matches(password, found.password_hash):
        await in_transaction(_note, who.user_id, client)
        raise ValidationFailed(WRONG, {"password": [WRONG]})
    await in_transaction(mark, who)


def mark(session: Session, who: SignedIn) -> None:
    """Remember that this sign-in proved its password just now."""
    mine = (col(SignIn.id) == who.sign_in_id, col(SignIn.user_id) == who.user_id)
    session.exec(update(SignIn).where(*mine).values(confirmed_at=now()))


def _note(session: Session, user_id: uuid.UUID, client: Client) -> None:
    audit_log.record(session, user_id, "confirmation_failed", client)

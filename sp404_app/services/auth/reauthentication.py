"""Re-authentication (step-up): the password must have been verified in the last ten minutes."""

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

REAUTHENTICATION_LIFETIME = dt.timedelta(minutes=10)
WRONG_PASSWORD = "Wrong password."  # noqa: S105 - a message


def is_reauthenticated(session: Session, who: SignedIn) -> bool:
    """Return whether this session verified its password in the last ten minutes."""
    row = session.get(SignIn, who.sign_in_id)
    mine = row is not None and row.user_id == who.user_id and row.revoked_at is None
    return bool(
        mine and row and row.confirmed_at and now() - row.confirmed_at < REAUTHENTICATION_LIFETIME
    )


def ensure_reauthenticated(session: Session, who: SignedIn) -> None:
    """Check that this session verified its password in the last ten minutes.

    Raises:
        ReauthenticationRequired: If it did not.
    """
    if not is_reauthenticated(session, who):
        raise ReauthenticationRequired("Enter your password to continue.")


async def reauthenticate(who: SignedIn, password: str, client: Client) -> None:
    """Verify the password again; for ten minutes this session may do sensitive actions.

    Raises:
        ValidationFailed: If the password is wrong.
        RateLimited: After five attempts in a minute.
    """
    await rate_limits.count_reauthentication(who.user_id)
    found = await in_transaction(users.get_credential, who.user_id)
    if not await passwords.verify_password(password, found.password_hash):
        await in_transaction(_record_failed_reauthentication, who.user_id, client)
        raise ValidationFailed(WRONG_PASSWORD, {"password": [WRONG_PASSWORD]})
    await in_transaction(mark_reauthenticated, who)


def mark_reauthenticated(session: Session, who: SignedIn) -> None:
    """Record that this session verified its password just now."""
    mine = (col(SignIn.id) == who.sign_in_id, col(SignIn.user_id) == who.user_id)
    session.exec(update(SignIn).where(*mine).values(confirmed_at=now()))


def _record_failed_reauthentication(session: Session, user_id: uuid.UUID, client: Client) -> None:
    audit_log.record_audit_event(session, user_id, "confirmation_failed", client)

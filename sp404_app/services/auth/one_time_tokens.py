"""One-time tokens for mailed links and two-factor challenges: random, hashed, single-use, expiring.

A token is valid for one purpose. A new token voids earlier ones of its purpose, except for
`CONCURRENT_PURPOSES`: links to several former emails, and challenges of several devices.
"""

import datetime as dt
import secrets
import uuid

from sqlmodel import Session, col, select, update

from sp404_app.errors import Unauthenticated, ValidationFailed
from sp404_app.models import OneTimeToken, Purpose
from sp404_app.models.columns import now
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.auth.sessions import hash_token

LIFETIMES = {
    Purpose.VERIFY_EMAIL: dt.timedelta(hours=24),
    Purpose.RESET_PASSWORD: dt.timedelta(minutes=60),
    Purpose.CHANGE_EMAIL: dt.timedelta(hours=24),
    Purpose.REVERT_EMAIL: dt.timedelta(days=7),
    Purpose.TWO_FACTOR: dt.timedelta(minutes=5),
}
# Several tokens of these purposes may be valid at once.
CONCURRENT_PURPOSES = frozenset({Purpose.REVERT_EMAIL, Purpose.TWO_FACTOR})
INVALID_LINK = "This link has been used or has expired. Request a new one."


def create_one_time_token(
    session: Session, user_id: uuid.UUID, purpose: Purpose, new_email: str = ""
) -> str:
    """Create a token and return it; only its hash is stored.

    Earlier tokens are voided, except for `CONCURRENT_PURPOSES`.

    Raises:
        Unauthenticated: If the account is gone.
    """
    if purpose not in CONCURRENT_PURPOSES:
        lock_account(session, user_id)
        void_tokens(session, user_id, purpose)
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeToken(
            user_id=user_id,
            purpose=purpose,
            hash=hash_token(token),
            expires_at=now() + LIFETIMES[purpose],
            new_email=new_email or None,
        )
    )
    return token


def find_token_owner(session: Session, token: str, purpose: Purpose) -> uuid.UUID:
    """Return the user a token belongs to, without redeeming it.

    Raises:
        ValidationFailed: If the token is unknown, for another purpose, used or expired.
    """
    return _find_valid_token(session, token, purpose).user_id


def lock_token_owner(session: Session, token: str, purpose: Purpose) -> uuid.UUID:
    """Lock the account a token belongs to and return its id, without redeeming the token.

    Raises:
        ValidationFailed: If the token is unknown, for another purpose, used or expired.
    """
    return _lock_token(session, token, purpose).user_id


def redeem_token(session: Session, token: str, purpose: Purpose) -> uuid.UUID:
    """Redeem a token, void the user's others of its purpose, and return the user's id.

    Other tokens stay valid for `CONCURRENT_PURPOSES`.

    Raises:
        ValidationFailed: If the token is unknown, for another purpose, used or expired.
    """
    row = _lock_token(session, token, purpose)
    row.used_at = now()
    if purpose not in CONCURRENT_PURPOSES:
        void_tokens(session, row.user_id, purpose)
    return row.user_id


def redeem_email_token(session: Session, token: str, purpose: Purpose) -> tuple[uuid.UUID, str]:
    """Redeem a token that carries an email; return the user's id and that email.

    A revert token voids only younger ones. Tokens for older emails stay valid: an attacker who
    changes the email twice must not void the link that the first owner was mailed.

    Raises:
        ValidationFailed: If the token is unknown, for another purpose, used or expired.
    """
    row = _lock_token(session, token, purpose)
    since = row.created_at if purpose is Purpose.REVERT_EMAIL else None
    void_tokens(session, row.user_id, purpose, since=since)
    return row.user_id, row.new_email or ""


def void_tokens(
    session: Session, user_id: uuid.UUID, *purposes: Purpose, since: dt.datetime | None = None
) -> None:
    """Void the user's unused tokens of some purposes, all or those made `since` a time."""
    younger = [col(OneTimeToken.created_at) >= since] if since else []
    session.exec(
        update(OneTimeToken)
        .where(
            col(OneTimeToken.user_id) == user_id,
            col(OneTimeToken.purpose).in_(purposes),
            col(OneTimeToken.used_at).is_(None),
            *younger,
        )
        .values(used_at=now())
    )


def has_recent_token(
    session: Session, user_id: uuid.UUID, purpose: Purpose, age: dt.timedelta
) -> bool:
    """Return whether the user has an unused token that is younger than `age`."""
    query = select(OneTimeToken.id).where(
        OneTimeToken.user_id == user_id,
        OneTimeToken.purpose == purpose,
        col(OneTimeToken.used_at).is_(None),
        col(OneTimeToken.created_at) > now() - age,
    )
    return session.exec(query).first() is not None


def _lock_token(session: Session, token: str, purpose: Purpose) -> OneTimeToken:
    """Lock the account of a token and read the token again: another request may have used it."""
    try:
        lock_account(session, _find_valid_token(session, token, purpose).user_id)
    except Unauthenticated as error:  # the account was deleted in the meantime, with its tokens
        raise ValidationFailed(INVALID_LINK, {"token": [INVALID_LINK]}) from error
    return _find_valid_token(session, token, purpose)


def _find_valid_token(session: Session, token: str, purpose: Purpose) -> OneTimeToken:
    query = (
        select(OneTimeToken)
        .where(OneTimeToken.hash == hash_token(token), OneTimeToken.purpose == purpose)
        .execution_options(populate_existing=True)
    )
    row = session.exec(query).first()
    if row is None or row.used_at or row.expires_at <= now():
        raise ValidationFailed(INVALID_LINK, {"token": [INVALID_LINK]})
    return row

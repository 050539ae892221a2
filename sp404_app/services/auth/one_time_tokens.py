"""Tokens for mails and second steps: random, hashed, good once, for one purpose, for a while.

A new token for a mailed link voids those mailed before it. Three kinds differ: the ways back to
former addresses all stay good, and so do the challenges of several devices.
"""

import datetime as dt
import secrets
import uuid

from sqlmodel import Session, col, select, update

from sp404_app.errors import Unauthenticated, ValidationFailed
from sp404_app.models import OneTimeToken, Purpose
from sp404_app.models.columns import now
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.auth.sessions import digest

LASTS = {
    Purpose.VERIFY_EMAIL: dt.timedelta(hours=24),
    Purpose.RESET_PASSWORD: dt.timedelta(minutes=60),
    Purpose.CHANGE_EMAIL: dt.timedelta(hours=24),
    Purpose.REVERT_EMAIL: dt.timedelta(days=7),
    Purpose.TWO_FACTOR: dt.timedelta(minutes=5),
}
SEVERAL = frozenset({Purpose.REVERT_EMAIL, Purpose.TWO_FACTOR})  # may be good at the same time
WORTHLESS = "This link has been used already, or is too old. Please ask for a new one."


def make(session: Session, user_id: uuid.UUID, purpose: Purpose, new_email: str = "") -> str:
    """Make a token and return it; only its hash is kept, and earlier ones of its kind end.

    Raises:
        Unauthenticated: If the account is gone.
    """
    if purpose not in SEVERAL:
        lock_account(session, user_id)
        void(session, user_id, purpose)
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeToken(
            user_id=user_id,
            purpose=purpose,
            hash=digest(token),
            expires_at=now() + LASTS[purpose],
            new_email=new_email or None,
        )
    )
    return token


def owner(session: Session, token: str, purpose: Purpose) -> uuid.UUID:
    """Return whose a token is, without using it up.

    Raises:
        ValidationFailed: If it is unknown, for something else, used, or too old.
    """
    return _good(session, token, purpose).user_id


def hold(session: Session, token: str, purpose: Purpose) -> uuid.UUID:
    """Lock the account of a good token, and return whose it is, without using it up.

    Raises:
        ValidationFailed: If it is unknown, for something else, used, or too old.
    """
    return _held(session, token, purpose).user_id


def use(session: Session, token: str, purpose: Purpose) -> uuid.UUID:
    """Use a token up, and the others of its kind unless several may be good; return whose it was.

    Raises:
        ValidationFailed: If it is unknown, for something else, used, or too old.
    """
    row = _held(session, token, purpose)
    row.used_at = now()
    if purpose not in SEVERAL:
        void(session, row.user_id, purpose)
    return row.user_id


def use_for_address(session: Session, token: str, purpose: Purpose) -> tuple[uuid.UUID, str]:
    """Use a token up that carries an address; return whose it was, and the address.

    Of tokens that lead back to older addresses, the older ones stay good: whoever took an
    account over twice must not end what the first owner was sent.

    Raises:
        ValidationFailed: If it is unknown, for something else, used, or too old.
    """
    row = _held(session, token, purpose)
    since = row.created_at if purpose is Purpose.REVERT_EMAIL else None
    void(session, row.user_id, purpose, since=since)
    return row.user_id, row.new_email or ""


def void(
    session: Session, user_id: uuid.UUID, *purposes: Purpose, since: dt.datetime | None = None
) -> None:
    """Make a person's unused tokens of some purposes worthless."""
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


def is_waiting(session: Session, user_id: uuid.UUID, purpose: Purpose, age: dt.timedelta) -> bool:
    """Say whether a good token of a person is younger than `age`."""
    query = select(OneTimeToken.id).where(
        OneTimeToken.user_id == user_id,
        OneTimeToken.purpose == purpose,
        col(OneTimeToken.used_at).is_(None),
        col(OneTimeToken.created_at) > now() - age,
    )
    return session.exec(query).first() is not None


def _held(session: Session, token: str, purpose: Purpose) -> OneTimeToken:
    """Lock the account of a token, and read the token again: another request may have used it."""
    try:
        lock_account(session, _good(session, token, purpose).user_id)
    except Unauthenticated as error:  # deleted meanwhile, with all its tokens
        raise ValidationFailed(WORTHLESS, {"token": [WORTHLESS]}) from error
    return _good(session, token, purpose)


def _good(session: Session, token: str, purpose: Purpose) -> OneTimeToken:
    query = (
        select(OneTimeToken)
        .where(OneTimeToken.hash == digest(token), OneTimeToken.purpose == purpose)
        .execution_options(populate_existing=True)
    )
    row = session.exec(query).first()
    if row is None or row.used_at or row.expires_at <= now():
        raise ValidationFailed(WORTHLESS, {"token": [WORTHLESS]})
    return row

"""Changing an account's address: the new one confirms, the old one is told and can undo it."""

import uuid

from sqlalchemy import delete, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from sp404_app.errors import ValidationFailed
from sp404_app.models import Purpose, User
from sp404_app.models.columns import now
from sp404_app.services.auth import (
    customer_update,
    one_time_tokens,
    personal_access_tokens,
    sessions,
)
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.auth.users import NO_PASSWORD
from sp404_app.services.infra import audit_log, email_addresses, email_templates
from sp404_app.services.infra import email as mail
from sp404_app.services.infra.client_info import Client


def ask(session: Session, user_id: uuid.UUID, email: str, client: Client) -> str:
    """Send a link to the new address, and tell the old one; return the new one as we keep it.

    A new address that has an account gets no link, only its owner a mail: nobody learns here
    who else is a customer.

    Raises:
        ValidationFailed: If it cannot be an address, or is the present one.
        Unauthenticated: If the account is gone.
    """
    address = email_addresses.reachable(email)
    user = lock_account(session, user_id)
    if address == user.email.lower():
        message = "This is your address already."
        raise ValidationFailed(message, {"email": [message]})
    audit_log.record(session, user_id, "email_change_asked", client)
    one_time_tokens.void(session, user_id, Purpose.CHANGE_EMAIL)
    if _is_taken(session, address):
        mail.send_to_address(session, address, email_templates.account_exists())
    else:
        token = one_time_tokens.make(session, user_id, Purpose.CHANGE_EMAIL, address)
        mail.send_to_address(session, address, email_templates.confirm_new_email(token))
    back = one_time_tokens.make(session, user_id, Purpose.REVERT_EMAIL, user.email)
    mail.send_to_address(session, user.email, email_templates.email_changing(back))
    return address


def confirm(session: Session, token: str, client: Client) -> str:
    """Make the address a link was mailed to the account's, and return it.

    Raises:
        ValidationFailed: If the token is invalid, or another account took the address.
    """
    user_id, address = one_time_tokens.use_for_address(session, token, Purpose.CHANGE_EMAIL)
    user = session.get_one(User, user_id)
    old = user.email
    _swap(session, user, address)
    # Links to the old address die; what reverts the change stays good.
    one_time_tokens.void(session, user_id, Purpose.RESET_PASSWORD, Purpose.VERIFY_EMAIL)
    audit_log.record(session, user_id, "email_changed", client)
    back = one_time_tokens.make(session, user_id, Purpose.REVERT_EMAIL, old)
    mail.send_to_address(session, old, email_templates.email_changed(back))
    return address


def revert(session: Session, token: str, client: Client) -> None:
    """Give an account back to its former address, and shut out whoever took it.

    Every device, link and token ends, the password opens nothing any more, and a mail to the
    address lets its owner choose a new one.

    Raises:
        ValidationFailed: If the token is not good (any more).
    """
    user_id, address = one_time_tokens.use_for_address(session, token, Purpose.REVERT_EMAIL)
    user = session.get_one(User, user_id)
    if user.email != address:
        _make_room(session, address)
        _swap(session, user, address)
    user.password_hash = NO_PASSWORD
    session.flush()
    one_time_tokens.void(
        session, user_id, Purpose.CHANGE_EMAIL, Purpose.RESET_PASSWORD, Purpose.TWO_FACTOR
    )
    sessions.revoke_all(session, user_id)
    personal_access_tokens.revoke_all(session, user_id)
    audit_log.record(session, user_id, "email_reverted", client)
    reset = one_time_tokens.make(session, user_id, Purpose.RESET_PASSWORD)
    mail.send_to_address(session, address, email_templates.reset_password(reset))


def _swap(session: Session, user: User, address: str) -> None:
    user.email, user.email_verified_at = address, now()
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:  # somebody made an account with it in the meantime
        raise ValidationFailed(
            one_time_tokens.WORTHLESS, {"token": [one_time_tokens.WORTHLESS]}
        ) from error
    customer_update.queue_update(session, user.id)


def _make_room(session: Session, address: str) -> None:
    """Remove an account that was begun with the address and never confirmed: it is a squatter's."""
    unconfirmed = (func.lower(User.email) == address.lower(), col(User.email_verified_at).is_(None))
    session.exec(delete(User).where(*unconfirmed))


def _is_taken(session: Session, address: str) -> bool:
    query = select(User.id).where(func.lower(User.email) == func.lower(address))
    return session.exec(query).first() is not None

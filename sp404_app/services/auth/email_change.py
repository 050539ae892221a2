"""Change the email of an account: the new address confirms, the old one can revert."""

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
from sp404_app.services.infra.client_info import Client
from sp404_app.services.infra.email import send_email_to_address


def request_email_change(session: Session, user_id: uuid.UUID, email: str, client: Client) -> str:
    """Mail a confirmation link to the new email, and a revert link to the old one.

    If the new email has an account, its owner is mailed instead of a link being sent, and the
    caller sees no difference: this prevents account enumeration.

    Returns:
        The new email in canonical form.

    Raises:
        ValidationFailed: If the email is invalid or is the current one.
        Unauthenticated: If the account is gone.
    """
    new_email = email_addresses.deliverable_address(email)
    user = lock_account(session, user_id)
    if new_email == user.email.lower():
        message = "This is already your email."
        raise ValidationFailed(message, {"email": [message]})
    audit_log.record_audit_event(session, user_id, "email_change_asked", client)
    one_time_tokens.void_tokens(session, user_id, Purpose.CHANGE_EMAIL)
    if _has_account(session, new_email):
        send_email_to_address(session, new_email, email_templates.account_exists())
    else:
        token = one_time_tokens.create_one_time_token(
            session, user_id, Purpose.CHANGE_EMAIL, new_email
        )
        send_email_to_address(session, new_email, email_templates.confirm_new_email(token))
    back = one_time_tokens.create_one_time_token(session, user_id, Purpose.REVERT_EMAIL, user.email)
    send_email_to_address(session, user.email, email_templates.email_changing(back))
    return new_email


def confirm_email_change(session: Session, token: str, client: Client) -> str:
    """Redeem a confirmation link: set the new email and return it.

    Raises:
        ValidationFailed: If the token is invalid, or another account took the email.
    """
    user_id, new_email = one_time_tokens.redeem_email_token(session, token, Purpose.CHANGE_EMAIL)
    user = session.get_one(User, user_id)
    old = user.email
    _set_email(session, user, new_email)
    # Links mailed to the old email become invalid; the revert link stays valid.
    one_time_tokens.void_tokens(session, user_id, Purpose.RESET_PASSWORD, Purpose.VERIFY_EMAIL)
    audit_log.record_audit_event(session, user_id, "email_changed", client)
    back = one_time_tokens.create_one_time_token(session, user_id, Purpose.REVERT_EMAIL, old)
    send_email_to_address(session, old, email_templates.email_changed(back))
    return new_email


def revert_email_change(session: Session, token: str, client: Client) -> None:
    """Redeem a revert link: restore the former email and remove an attacker's access.

    Revokes all sessions, links and personal access tokens, removes the password, and mails a reset
    link to the restored email.

    Raises:
        ValidationFailed: If the token is invalid, used or expired.
    """
    user_id, former_email = one_time_tokens.redeem_email_token(session, token, Purpose.REVERT_EMAIL)
    user = session.get_one(User, user_id)
    if user.email != former_email:
        _delete_unverified_account(session, former_email)
        _set_email(session, user, former_email)
    user.password_hash = NO_PASSWORD
    session.flush()
    one_time_tokens.void_tokens(
        session,
        user_id,
        *(Purpose.CHANGE_EMAIL, Purpose.RESET_PASSWORD, Purpose.TWO_FACTOR, Purpose.VERIFY_EMAIL),
    )
    sessions.revoke_all_sessions(session, user_id)
    personal_access_tokens.revoke_all_personal_tokens(session, user_id)
    audit_log.record_audit_event(session, user_id, "email_reverted", client)
    reset = one_time_tokens.create_one_time_token(session, user_id, Purpose.RESET_PASSWORD)
    content = email_templates.reset_password_after_revert(reset)
    send_email_to_address(session, former_email, content)


def _set_email(session: Session, user: User, email: str) -> None:
    user.email, user.email_verified_at = email, now()
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:  # another account took the email in the meantime
        raise ValidationFailed(
            one_time_tokens.INVALID_LINK, {"token": [one_time_tokens.INVALID_LINK]}
        ) from error
    customer_update.queue_customer_update(session, user.id)


def _delete_unverified_account(session: Session, email: str) -> None:
    """Delete an account with this email that was never verified, to free the email."""
    unconfirmed = (func.lower(User.email) == email.lower(), col(User.email_verified_at).is_(None))
    session.exec(delete(User).where(*unconfirmed))


def _has_account(session: Session, email: str) -> bool:
    query = select(User.id).where(func.lower(User.email) == func.lower(email))
    return session.exec(query).first() is not None

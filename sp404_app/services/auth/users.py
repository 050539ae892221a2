"""Accounts: creation, email verification, passwords and profile.

Passwords arrive as hashes: `services/auth/login.py` hashes them before it opens a transaction.
"""

import datetime as dt
import unicodedata
import uuid
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from sp404_app.errors import NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import Purpose, User
from sp404_app.models.columns import now, uuid7
from sp404_app.services.auth import (
    customer_update,
    one_time_tokens,
    personal_access_tokens,
    sessions,
)
from sp404_app.services.auth.account_lock import ACCOUNT_CHANGED, lock_account
from sp404_app.services.infra import audit_log, email_addresses, email_templates
from sp404_app.services.infra.client_info import Client
from sp404_app.services.infra.email import send_email_to_address

MAX_NAME_LENGTH = 100
WRONG_CURRENT_PASSWORD = "Wrong current password."  # noqa: S105 - a message
SAME_PASSWORD = "This is your password already."  # noqa: S105 - a message
NO_PASSWORD = "!"  # noqa: S105 - no bcrypt hash, so it matches no password
MIN_LINK_INTERVAL = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Validated data of a sign-up."""

    email: str
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True)
class Credential:
    """The stored password hash of an account, with what a sign-in checks."""

    user_id: uuid.UUID
    email: str
    password_hash: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """The user's own profile."""

    id: uuid.UUID
    email: str
    first_name: str
    last_name: str
    avatar_url: str | None
    email_verified: bool
    created_at: str

    @property
    def initials(self) -> str:
        """Return the first letters of the names, or of the email, for where a photo is missing."""
        names = "".join(name[:1] for name in (self.first_name, self.last_name))
        return (names or self.email[:1]).upper()


def validate_registration(
    email: str, first_name: str, last_name: str
) -> tuple[NewAccount, dict[str, list[str]]]:
    """Normalize the fields of a sign-up; return them with the problems by field."""
    problems: dict[str, list[str]] = {}
    address = ""
    try:
        address = email_addresses.deliverable_address(email)
    except ValidationFailed as error:
        problems |= error.details
    names = {"first_name": _normalize_name(first_name), "last_name": _normalize_name(last_name)}
    problems |= {
        field: [problem] for field, name in names.items() if (problem := _name_problem(name))
    }
    return NewAccount(address, **names), problems


def _normalize_name(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())


def _name_problem(name: str) -> str:
    if len(name) > MAX_NAME_LENGTH:
        return f"Use at most {MAX_NAME_LENGTH} characters."
    if any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in name):
        return "This contains a character that can't be displayed."
    return ""


def create_account(
    session: Session, account: NewAccount, password_hash: str, *, verified: bool = False
) -> uuid.UUID | None:
    """Create an account; None if the email has one already."""
    values = {
        "id": uuid7(),
        "email": account.email,
        "password_hash": password_hash,
        "first_name": account.first_name,
        "last_name": account.last_name,
        "email_verified_at": now() if verified else None,
    }
    query = insert(User).values(values).on_conflict_do_nothing().returning(col(User.id))
    return session.exec(query).scalar_one_or_none()


def register(
    session: Session, account: NewAccount, password_hash: str, client: Client
) -> uuid.UUID | None:
    """Create an account and mail its verification link; None if the email has an account."""
    user_id = create_account(session, account, password_hash)
    if user_id is not None:
        audit_log.record_audit_event(session, user_id, "registered", client)
        _send_completion_link(session, lock_account(session, user_id))
    return user_id


def register_again(
    session: Session, known: Credential, client: Client, *, same_password: bool
) -> None:
    """Mail the owner of an account whose email was registered again.

    An unverified account keeps its password only if the new registration gives the same one.
    Otherwise two users may each have chosen a password, and either may own the mailbox. Then the
    password and all mailed links are voided, and the owner of the mailbox chooses a new password.
    """
    user = _lock_if_exists(session, known.user_id)
    audit_log.record_audit_event(session, user.id if user else None, "registered_again", client)
    if user is None:
        return
    if user.email_verified_at:
        send_email_to_address(session, user.email, email_templates.account_exists())
        return
    if not same_password or user.password_hash != known.password_hash:
        user.password_hash, user.first_name, user.last_name = NO_PASSWORD, "", ""
        one_time_tokens.void_tokens(session, user.id, Purpose.VERIFY_EMAIL)
    elif one_time_tokens.has_recent_token(
        session, user.id, Purpose.VERIFY_EMAIL, MIN_LINK_INTERVAL
    ):
        return  # a double click: the mail is on its way
    _send_completion_link(session, user)


def resend_verification(session: Session, email: str) -> None:
    """Mail the verification link again, if the account awaits verification."""
    found = find_user_by_email(session, email)
    user = _lock_if_exists(session, found.id) if found else None
    if user is not None and user.email_verified_at is None:
        _send_completion_link(session, user)


def _send_completion_link(session: Session, user: User) -> None:
    """Mail the link that completes an account: to verify it, or to choose its password."""
    if user.password_hash == NO_PASSWORD:
        token = one_time_tokens.create_one_time_token(session, user.id, Purpose.RESET_PASSWORD)
        send_email_to_address(session, user.email, email_templates.finish_account(token))
    else:
        token = one_time_tokens.create_one_time_token(session, user.id, Purpose.VERIFY_EMAIL)
        send_email_to_address(session, user.email, email_templates.verify_email(token))


def verify_email(session: Session, token: str, client: Client) -> uuid.UUID:
    """Verify the email that a token was mailed to; return the user.

    Raises:
        ValidationFailed: If the token is invalid, used or expired.
    """
    user_id = one_time_tokens.redeem_token(session, token, Purpose.VERIFY_EMAIL)
    user = session.get_one(User, user_id)
    user.email_verified_at = user.email_verified_at or now()
    audit_log.record_audit_event(session, user_id, "email_verified", client)
    return user_id


def forgot_password(session: Session, email: str, client: Client) -> None:
    """Mail a reset link, if the email has an account."""
    found = find_user_by_email(session, email)
    user = _lock_if_exists(session, found.id) if found else None
    audit_log.record_audit_event(session, user.id if user else None, "password_forgotten", client)
    if user is not None:
        token = one_time_tokens.create_one_time_token(session, user.id, Purpose.RESET_PASSWORD)
        send_email_to_address(session, user.email, email_templates.reset_password(token))


def reset_password(session: Session, token: str, password_hash: str, client: Client) -> None:
    """Set a password by a mailed token and revoke all sessions and personal tokens.

    Raises:
        ValidationFailed: If the token is invalid, used or expired.
    """
    user = session.get_one(
        User, one_time_tokens.redeem_token(session, token, Purpose.RESET_PASSWORD)
    )
    # The token proves access to the mailbox.
    user.email_verified_at = user.email_verified_at or now()
    one_time_tokens.void_tokens(session, user.id, Purpose.VERIFY_EMAIL)
    # An attacker who knew the password may have created tokens.
    personal_access_tokens.revoke_all_personal_tokens(session, user.id)
    _set_password(session, user, password_hash, client, keep=None)


def change_password(
    session: Session, old: Credential, password_hash: str, client: Client, keep: uuid.UUID
) -> None:
    """Set a new password after the old one was verified; revoke all sessions except `keep`.

    Raises:
        ValidationFailed: If the old password is no longer the current one.
        Unauthenticated: If the account is gone.
    """
    user = lock_account(session, old.user_id)
    if user.password_hash != old.password_hash:
        raise ValidationFailed(
            WRONG_CURRENT_PASSWORD, {"current_password": [WRONG_CURRENT_PASSWORD]}
        )
    _set_password(session, user, password_hash, client, keep=keep)


def _set_password(
    session: Session, user: User, password_hash: str, client: Client, *, keep: uuid.UUID | None
) -> None:
    user.password_hash = password_hash
    session.flush()
    sessions.revoke_all_sessions(session, user.id, keep=keep)
    # An attacker with the old password may have started these. Revert links stay valid.
    one_time_tokens.void_tokens(
        session,
        user.id,
        *(Purpose.TWO_FACTOR, Purpose.RESET_PASSWORD, Purpose.CHANGE_EMAIL, Purpose.VERIFY_EMAIL),
    )
    audit_log.record_audit_event(session, user.id, "password_changed", client)
    send_email_to_address(session, user.email, email_templates.password_changed())


def replace_outdated_hash(
    session: Session, credential: Credential, password_hash: str
) -> Credential:
    """Store a rehashed password, unless it was changed meanwhile; return the current credential.

    Raises:
        Unauthenticated: If the account is gone.
    """
    user = lock_account(session, credential.user_id)
    if user.password_hash == credential.password_hash:
        user.password_hash = password_hash
    return _to_credential(user)


def ensure_credential_unchanged(session: Session, credential: Credential) -> None:
    """Check, until the transaction ends, that the verified password is still the current one.

    A change of password revokes the sessions that exist. A sign-in with the old password must
    therefore start its session before the change, or not at all.

    Raises:
        Unauthenticated: If the password was changed in the meantime, or the account is gone.
    """
    if lock_account(session, credential.user_id).password_hash != credential.password_hash:
        raise Unauthenticated(ACCOUNT_CHANGED)


def _lock_if_exists(session: Session, user_id: uuid.UUID) -> User | None:
    try:
        return lock_account(session, user_id)
    except Unauthenticated:
        return None


def find_credential(session: Session, email: str) -> Credential | None:
    """Return the credential of an email, or None if it has no account."""
    user = find_user_by_email(session, email)
    return _to_credential(user) if user else None


def get_credential(session: Session, user_id: uuid.UUID) -> Credential:
    """Return the user's credential.

    Raises:
        Unauthenticated: If the account is gone.
    """
    user = session.get(User, user_id)
    if user is None:
        raise Unauthenticated(ACCOUNT_CHANGED)
    return _to_credential(user)


def _to_credential(user: User) -> Credential:
    verified = user.email_verified_at is not None
    return Credential(user.id, user.email, user.password_hash, verified)


def get_profile(session: Session, user_id: uuid.UUID) -> Profile:
    """Return the user's profile.

    Raises:
        NotFound: If the account is gone.
    """
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("Account not found.")
    return Profile(
        id=user.id,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        avatar_url=user.avatar_url,
        email_verified=user.email_verified_at is not None,
        created_at=user.created_at.isoformat(),
    )


def rename_user(
    session: Session, user_id: uuid.UUID, first_name: str | None, last_name: str | None
) -> Profile:
    """Change the user's names; None leaves a name unchanged.

    Raises:
        ValidationFailed: If a name is too long or has characters that cannot be shown.
        Unauthenticated: If the account is gone.
    """
    names = {"first_name": first_name, "last_name": last_name}
    changes = {field: _normalize_name(name) for field, name in names.items() if name is not None}
    problems = {field: [wrong] for field, name in changes.items() if (wrong := _name_problem(name))}
    if problems:
        raise ValidationFailed("Check the marked fields.", problems)
    lock_account(session, user_id).sqlmodel_update(changes)
    session.flush()
    customer_update.queue_customer_update(session, user_id)
    return get_profile(session, user_id)


def find_user_by_email(session: Session, email: str) -> User | None:
    """Return the user with this email in any spelling, or None."""
    try:
        address = email_addresses.canonical_address(email)
    except ValidationFailed:
        return None
    query = select(User).where(func.lower(User.email) == func.lower(address))
    return session.exec(query).first()

"""Accounts: making them, confirming their address, their profile and their password.

Passwords arrive hashed: `services/auth/login.py` hashes them before a transaction is opened.
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
from sp404_app.services.auth.account_lock import MEANWHILE, lock_account
from sp404_app.services.infra import audit_log, email_addresses, email_templates
from sp404_app.services.infra import email as mail
from sp404_app.services.infra.client_info import Client

LONGEST_NAME = 100
NOT_PRESENT = "This is not your present password."
NO_PASSWORD = "!"  # noqa: S105 - matches no password at all
LINK_EVERY = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What a person gives to sign up, already checked."""

    email: str
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True)
class Credential:
    """What a password is compared with."""

    user_id: uuid.UUID
    email: str
    password_hash: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as they see themselves."""

    id: uuid.UUID
    email: str
    first_name: str
    last_name: str
    avatar_url: str | None
    email_verified: bool
    created_at: str


def checked(email: str, first_name: str, last_name: str) -> tuple[NewAccount, dict[str, list[str]]]:
    """Bring what a person typed into its form for keeping, with what is wrong, by field."""
    problems: dict[str, list[str]] = {}
    address = ""
    try:
        address = email_addresses.reachable(email)
    except ValidationFailed as error:
        problems |= error.details
    names = {"first_name": _squeezed(first_name), "last_name": _squeezed(last_name)}
    problems |= {field: [problem] for field, name in names.items() if (problem := _wrong(name))}
    return NewAccount(address, **names), problems


def _squeezed(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())


def _wrong(name: str) -> str:
    if len(name) > LONGEST_NAME:
        return f"Use at most {LONGEST_NAME} characters."
    if any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in name):
        return "This holds a character that cannot be shown."
    return ""


def create(
    session: Session, account: NewAccount, password_hash: str, *, verified: bool = False
) -> uuid.UUID | None:
    """Make an account, or none if the address has one already."""
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
    """Make an account and mail a link to its address; return None if the address has one."""
    user_id = create(session, account, password_hash)
    if user_id is not None:
        audit_log.record(session, user_id, "registered", client)
        _mail_link(session, lock_account(session, user_id))
    return user_id


def register_again(
    session: Session, known: Credential, client: Client, *, same_password: bool
) -> None:
    """Tell the owner of a mailbox by mail that their address was registered once more.

    An account that is not confirmed yet keeps its password only if whoever registers again knows
    it. Otherwise two people may have chosen one, and nobody knows which of them owns the mailbox:
    none of the passwords counts then, nor any link mailed before, and the owner chooses anew.
    """
    user = _locked_if_there(session, known.user_id)
    audit_log.record(session, user.id if user else None, "registered_again", client)
    if user is None:
        return
    if user.email_verified_at:
        mail.send_to_address(session, user.email, email_templates.account_exists())
        return
    if not same_password or user.password_hash != known.password_hash:
        user.password_hash, user.first_name, user.last_name = NO_PASSWORD, "", ""
        one_time_tokens.void(session, user.id, Purpose.VERIFY_EMAIL)
    elif one_time_tokens.is_waiting(session, user.id, Purpose.VERIFY_EMAIL, LINK_EVERY):
        return  # a second click: the mail is on its way
    _mail_link(session, user)


def resend_verification(session: Session, email: str) -> None:
    """Mail the link that completes an account again, if the address waits for one."""
    found = user_with(session, email)
    user = _locked_if_there(session, found.id) if found else None
    if user is not None and user.email_verified_at is None:
        _mail_link(session, user)


def _mail_link(session: Session, user: User) -> None:
    """Mail the link that completes an account: to confirm it, or to choose its password."""
    if user.password_hash == NO_PASSWORD:
        token = one_time_tokens.make(session, user.id, Purpose.RESET_PASSWORD)
        mail.send_to_address(session, user.email, email_templates.finish_account(token))
    else:
        token = one_time_tokens.make(session, user.id, Purpose.VERIFY_EMAIL)
        mail.send_to_address(session, user.email, email_templates.verify_email(token))


def verify_email(session: Session, token: str, client: Client) -> None:
    """Confirm the address a token was mailed to.

    Raises:
        ValidationFailed: If the token is not good (any more).
    """
    user_id = one_time_tokens.use(session, token, Purpose.VERIFY_EMAIL)
    user = session.get_one(User, user_id)
    user.email_verified_at = user.email_verified_at or now()
    audit_log.record(session, user_id, "email_verified", client)


def forgot_password(session: Session, email: str, client: Client) -> None:
    """Mail a link that lets the owner of an address choose a password, if it has an account."""
    found = user_with(session, email)
    user = _locked_if_there(session, found.id) if found else None
    audit_log.record(session, user.id if user else None, "password_forgotten", client)
    if user is not None:
        token = one_time_tokens.make(session, user.id, Purpose.RESET_PASSWORD)
        mail.send_to_address(session, user.email, email_templates.reset_password(token))


def reset_password(session: Session, token: str, password_hash: str, client: Client) -> None:
    """Set a password by a mailed token, and end every sign-in.

    Raises:
        ValidationFailed: If the token is not good (any more).
    """
    user = session.get_one(User, one_time_tokens.use(session, token, Purpose.RESET_PASSWORD))
    user.email_verified_at = user.email_verified_at or now()  # the mail has been read
    one_time_tokens.void(session, user.id, Purpose.VERIFY_EMAIL)
    personal_access_tokens.revoke_all(
        session, user.id
    )  # whoever knew the password may have made some
    _set_password(session, user, password_hash, client, keep=None)


def change_password(
    session: Session, old: Credential, password_hash: str, client: Client, keep: uuid.UUID
) -> None:
    """Set a password whose owner proved the old one, and end all sign-ins but theirs.

    Raises:
        ValidationFailed: If the old one is not the present one any more.
        Unauthenticated: If the account is gone.
    """
    user = lock_account(session, old.user_id)
    if user.password_hash != old.password_hash:
        raise ValidationFailed(NOT_PRESENT, {"current_password": [NOT_PRESENT]})
    _set_password(session, user, password_hash, client, keep=keep)


def _set_password(
    session: Session, user: User, password_hash: str, client: Client, *, keep: uuid.UUID | None
) -> None:
    user.password_hash = password_hash
    session.flush()
    sessions.revoke_all(session, user.id, keep=keep)
    # Whoever knew the old password may have begun these; what reverts a change stays good.
    one_time_tokens.void(
        session, user.id, Purpose.TWO_FACTOR, Purpose.RESET_PASSWORD, Purpose.CHANGE_EMAIL
    )
    audit_log.record(session, user.id, "password_changed", client)
    mail.send_to_address(session, user.email, email_templates.password_changed())


def rehash(session: Session, credential: Credential, password_hash: str) -> Credential:
    """Keep a password at today's cost, unless it was changed meanwhile; return what is kept now.

    Raises:
        Unauthenticated: If the account is gone.
    """
    user = lock_account(session, credential.user_id)
    if user.password_hash == credential.password_hash:
        user.password_hash = password_hash
    return _credential(user)


def ensure_unchanged(session: Session, credential: Credential) -> None:
    """Check that a password that was proved is still the one, until this transaction ends.

    Comparing takes a while, and a new password ends only the sign-ins that are there: one that
    begins by the old password has to be before it or not at all.

    Raises:
        Unauthenticated: If the password was changed meanwhile, or the account is gone.
    """
    if lock_account(session, credential.user_id).password_hash != credential.password_hash:
        raise Unauthenticated(MEANWHILE)


def _locked_if_there(session: Session, user_id: uuid.UUID) -> User | None:
    try:
        return lock_account(session, user_id)
    except Unauthenticated:
        return None


def credential(session: Session, email: str) -> Credential | None:
    """Return what the password of an address is compared with, if it has an account."""
    user = user_with(session, email)
    return _credential(user) if user else None


def credential_of(session: Session, user_id: uuid.UUID) -> Credential:
    """Return what a person's password is compared with.

    Raises:
        Unauthenticated: If the account is gone.
    """
    user = session.get(User, user_id)
    if user is None:
        raise Unauthenticated(MEANWHILE)
    return _credential(user)


def _credential(user: User) -> Credential:
    verified = user.email_verified_at is not None
    return Credential(user.id, user.email, user.password_hash, verified)


def profile(session: Session, user_id: uuid.UUID) -> Profile:
    """Return a person's profile.

    Raises:
        NotFound: If the account is gone.
    """
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such account.")
    return Profile(
        id=user.id,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        avatar_url=user.avatar_url,
        email_verified=user.email_verified_at is not None,
        created_at=user.created_at.isoformat(),
    )


def rename(
    session: Session, user_id: uuid.UUID, first_name: str | None, last_name: str | None
) -> Profile:
    """Change a person's names; None leaves one as it is.

    Raises:
        ValidationFailed: If a name is too long or cannot be shown.
        Unauthenticated: If the account is gone.
    """
    names = {"first_name": first_name, "last_name": last_name}
    changes = {field: _squeezed(name) for field, name in names.items() if name is not None}
    problems = {field: [wrong] for field, name in changes.items() if (wrong := _wrong(name))}
    if problems:
        raise ValidationFailed("Please look at the marked fields.", problems)
    lock_account(session, user_id).sqlmodel_update(changes)
    session.flush()
    customer_update.queue_update(session, user_id)
    return profile(session, user_id)


def user_with(session: Session, email: str) -> User | None:
    """Return who has an address, in any spelling."""
    try:
        address = email_addresses.canonical(email)
    except ValidationFailed:
        return None
    query = select(User).where(func.lower(User.email) == func.lower(address))
    return session.exec(query).first()

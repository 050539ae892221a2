"""Account administration by an operator, from the command line."""

import asyncio
import uuid
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from sp404_app.db import transaction
from sp404_app.errors import NotFound
from sp404_app.models import Purpose, User
from sp404_app.models.columns import now
from sp404_app.services.account import account_archive, deletion
from sp404_app.services.auth import one_time_tokens, sessions, signing_keys, two_factor, users
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.billing import quotas
from sp404_app.services.infra import audit_log, peppers, unsent_emails
from sp404_app.services.infra.audit_log import AuditEvent
from sp404_app.services.infra.client_info import Client
from sp404_app.services.sharing import share_tokens

OPERATOR = Client(user_agent="operator")
MAX_EVENTS = 200


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """One account in the list."""

    id: uuid.UUID
    email: str
    verified: bool
    tier: str
    created_at: str


def list_accounts() -> list[AccountSummary]:
    """List all accounts, oldest first."""
    with transaction() as session:
        return [
            _summarize(session, user) for user in session.exec(select(User).order_by(col(User.id)))
        ]


def _summarize(session: Session, user: User) -> AccountSummary:
    tier = quotas.get_plan(session, user.id).tier
    verified = user.email_verified_at is not None
    return AccountSummary(user.id, user.email, verified, tier, user.created_at.isoformat())


def verify_email_as_operator(name: str) -> None:
    """Verify a user's email on their behalf.

    Raises:
        NotFound: If no account has this email or id.
    """
    with transaction() as session:
        user = lock_account(session, _find_account(session, name).id)
        user.email_verified_at = user.email_verified_at or now()
        one_time_tokens.void_tokens(session, user.id, Purpose.VERIFY_EMAIL)
        audit_log.record_audit_event(session, user.id, "verified_by_operator", OPERATOR)


def turn_off_two_factor_as_operator(name: str) -> None:
    """Turn off two-factor authentication of a user who is locked out; notify the user by mail.

    Raises:
        NotFound: If no account has this email or id.
    """
    with transaction() as session:
        user = _find_account(session, name)
        audit_log.record_audit_event(session, user.id, "two_factor_off_by_operator", OPERATOR)
        two_factor.turn_off_two_factor(session, user.id, OPERATOR)


def sign_out_as_operator(name: str) -> int:
    """Revoke all sessions of a user, in browsers and of API clients; return how many.

    Raises:
        NotFound: If no account has this email or id.
    """
    with transaction() as session:
        user = _find_account(session, name)
        audit_log.record_audit_event(session, user.id, "signed_out_by_operator", OPERATOR)
        return sessions.revoke_all_sessions(session, user.id)


def delete_account_as_operator(name: str) -> None:
    """Delete an account as its owner would: the subscription first, then all data.

    Raises:
        NotFound: If no account has this email or id.
        AppError: If the subscription cannot be ended.
    """
    with transaction() as session:
        user = _find_account(session, name)
        audit_log.record_audit_event(session, user.id, "deleted_by_operator", OPERATOR)
    asyncio.run(deletion.delete_account(user.id))


def export_account_as_operator(name: str, path: Path) -> list[str]:
    """Write all data and files of an account into a new ZIP that only this user can read.

    The audit log of the account, which its owner sees, has it. Return the names of missing files.

    Raises:
        NotFound: If no account has this email or id.
        OSError: If the file exists or cannot be written.
    """
    with transaction() as session:
        user_id = _find_account(session, name).id
    with path.open("xb"):
        path.chmod(0o600)
    try:
        with transaction() as session:
            audit_log.record_audit_event(session, user_id, "exported_by_operator", OPERATOR)
        return account_archive.write_archive(path, user_id)
    except BaseException:  # also Ctrl-C: a part is no export
        path.unlink()
        raise


def list_account_events(name: str) -> list[AuditEvent]:
    """Return the audit log of an account, newest first.

    A deleted account is found by its id only.

    Raises:
        NotFound: If neither an account nor the audit log has this email or id.
    """
    with transaction() as session:
        try:
            user_id = _find_account(session, name).id
        except NotFound:
            user_id = _parse_id(name)
            if user_id is None or not audit_log.list_audit_events(session, user_id, None, 1)[1]:
                raise
        return audit_log.list_audit_events(session, user_id, None, MAX_EVENTS)[0]


def list_unowned_events() -> list[AuditEvent]:
    """Return audit events that belong to no account, newest first, such as key rotations."""
    with transaction() as session:
        return audit_log.list_audit_events(session, None, None, MAX_EVENTS)[0]


def rotate_keys() -> str:
    """Create a new signing key and return its `kid`; sessions stay signed in."""
    kid = signing_keys.rotate_signing_key()
    with transaction() as session:
        audit_log.record_audit_event(session, None, "key_rotated", OPERATOR, kid=kid)
    return kid


def retire_key(kid: str) -> None:
    """Delete a signing key: tokens that it signed are no longer accepted.

    Raises:
        UnusableKeys: If there is no such key, or it is the one that signs.
    """
    signing_keys.retire_signing_key(kid)
    with transaction() as session:
        audit_log.record_audit_event(session, None, "key_retired", OPERATOR, kid=kid)


def rotate_pepper() -> None:
    """Use a new pepper from now on; the former one is still accepted.

    Raises:
        OSError: If the folder of secrets cannot be written.
    """
    peppers.rotate_pepper()
    with transaction() as session:
        audit_log.record_audit_event(session, None, "pepper_rotated", OPERATOR)


def retire_former_peppers() -> tuple[int, int]:
    """Encrypt again what former peppers encrypted, and delete them.

    Returns:
        How many peppers were deleted, and how many values none of them could decrypt.

    Raises:
        OSError: If the folder of secrets cannot be written.
    """
    with transaction() as session:
        lost = (
            two_factor.reencrypt_secrets(session)
            + share_tokens.reencrypt_tokens(session)
            + unsent_emails.reencrypt_bodies(session)
        )
        audit_log.record_audit_event(session, None, "peppers_retired", OPERATOR)
    return peppers.retire_former_peppers(), lost


def _find_account(session: Session, name: str) -> User:
    by_id = _parse_id(name)
    user = session.get(User, by_id) if by_id else users.find_user_by_email(session, name)
    if user is None:
        raise NotFound(f"No account has the email or id {name!r}.")
    return user


def _parse_id(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None

"""Sign-up, sign-in and password flows. bcrypt runs in a thread pool, never inside a transaction.

A hash takes a quarter of a second. Each flow takes the same time whether or not an email has an
account, to prevent account enumeration.
"""

import uuid

from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.errors import (
    EmailNotVerified,
    TwoFactorRequired,
    Unauthenticated,
    ValidationFailed,
    WrongCredentials,
)
from sp404_app.models import Purpose
from sp404_app.models.columns import now
from sp404_app.services.auth import (
    email_change,
    one_time_tokens,
    passwords,
    sessions,
    two_factor,
    users,
)
from sp404_app.services.auth.account_lock import ACCOUNT_CHANGED
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.auth.users import Credential, NewAccount
from sp404_app.services.infra import audit_log, rate_limits, unsent_emails
from sp404_app.services.infra.client_info import Client

CHECK_FIELDS = "Check the marked fields."


async def register(
    email: str, password: str, first_name: str, last_name: str, client: Client
) -> NewAccount:
    """Create an account. If the email has one, respond in the same way and mail its owner.

    Raises:
        ValidationFailed: With the problems by field.
        RateLimited: If this host or this mailbox signed up too often.
    """
    await rate_limits.count_sign_up(client.ip)
    account, problems = users.validate_registration(email, first_name, last_name)
    try:
        passwords.ensure_acceptable_password(password, account.email)
    except ValidationFailed as error:
        problems |= error.details
    if problems:
        raise ValidationFailed(CHECK_FIELDS, problems)
    await rate_limits.count_registration(account.email)
    if not await _register_new(account, password, client):
        await _register_new(account, password, client)  # registered in the meantime: now it exists
    return account


async def _register_new(account: NewAccount, password: str, client: Client) -> bool:
    """Create the account, or mail the owner of an existing one; return whether either was done.

    A password is either hashed or verified, once, so the time reveals nothing.
    """
    known = await in_transaction(users.find_credential, account.email)
    if known is None:
        password_hash = await passwords.hash_password(password)
        user_id = await in_transaction(users.register, account, password_hash, client)
        return user_id is not None
    same_password = await passwords.matches_present_pepper(password, known.password_hash)
    await in_transaction(users.register_again, known, client, same_password=same_password)
    return True


async def verify_credentials(email: str, password: str, client: Client) -> Credential:
    """Verify email and password; return the credential that `complete_sign_in` expects.

    Raises:
        WrongCredentials: If they do not match, or no account has the email: the error is the same.
        Unauthenticated: If the password changed or the account was deleted in the meantime.
        EmailNotVerified: If the password is right and the email is not verified.
        TwoFactorRequired: If a code is needed too; send it with `details.challenge`.
        RateLimited: After too many attempts.
    """
    await rate_limits.count_sign_in(email, client.ip)
    async with passwords.sign_in_slot():
        found = await in_transaction(users.find_credential, email)
        right = await passwords.verify_password(password, found.password_hash if found else None)
    if found is None or not right:
        await in_transaction(_record_failure, found, client, "sign_in_failed")
        raise WrongCredentials("Wrong email or password.")
    await rate_limits.clear_sign_in_failures(email, client.ip)
    if not found.verified:
        raise await in_transaction(_email_not_verified, found.email)
    found = await _rehash_if_needed(found, password)
    challenge = await in_transaction(_create_challenge, found)
    if challenge:
        raise TwoFactorRequired(
            "Enter the code from your authenticator app.", {"challenge": challenge}
        )
    return found


async def _rehash_if_needed(found: Credential, password: str) -> Credential:
    """Rehash the password if bcrypt cost or pepper are outdated; return the current credential."""
    outdated = passwords.needs_rehash(found.password_hash) or await passwords.needs_present_pepper(
        password, found.password_hash
    )
    if not outdated:
        return found
    kept = await in_transaction(
        users.replace_outdated_hash, found, await passwords.hash_password(password)
    )
    # A concurrent sign-in may have rehashed it first, or the user may have changed it.
    if not await passwords.verify_password(password, kept.password_hash):
        raise Unauthenticated(ACCOUNT_CHANGED)
    return kept


def _create_challenge(session: Session, found: Credential) -> str | None:
    """Create a two-factor challenge, unless the password changed in the meantime."""
    users.ensure_credential_unchanged(session, found)
    return two_factor.create_challenge(session, found.user_id)


async def verify_second_factor(challenge: str, code: str, client: Client) -> Credential:
    """Verify a code for a two-factor challenge; redeem both and return the credential.

    Raises:
        Unauthenticated: If the challenge is invalid, used or expired.
        WrongCredentials: If the code is wrong or was used before.
        RateLimited: After too many codes.
    """
    await rate_limits.count_token_attempt("second-step", client.ip)
    try:
        owner = await in_transaction(
            one_time_tokens.find_token_owner, challenge, Purpose.TWO_FACTOR
        )
        await rate_limits.count_two_factor_attempt(owner)
        found = await in_transaction(_redeem_challenge, challenge, code, client)
    except ValidationFailed as error:
        raise Unauthenticated("That took too long. Sign in again.") from error
    if found is None:  # raised after the audit log of the failure is committed
        raise WrongCredentials(two_factor.WRONG_CODE, {"code": [two_factor.WRONG_CODE]})
    await rate_limits.clear_two_factor_failures(found.user_id)
    return found


def _redeem_challenge(
    session: Session, challenge: str, code: str, client: Client
) -> Credential | None:
    """Redeem a challenge; None if the code is wrong.

    The credential read here is current: a new password voids all challenges.
    """
    user_id = two_factor.redeem_challenge(session, challenge, code, client)
    return users.get_credential(session, user_id) if user_id else None


def complete_sign_in(session: Session, found: Credential, client: Client, kind: str) -> uuid.UUID:
    """Complete a sign-in: check that the password is unchanged, write the audit log.

    The caller starts the session, in the same transaction.

    Returns:
        The user's id.

    Raises:
        Unauthenticated: If the password changed or the account was deleted in the meantime.
    """
    users.ensure_credential_unchanged(session, found)
    audit_log.record_audit_event(session, found.user_id, "signed_in", client, kind=kind)
    return found.user_id


def _record_failure(
    session: Session, found: Credential | None, client: Client, action: str
) -> None:
    audit_log.record_audit_event(session, found.user_id if found else None, action, client)


async def change_password(signed_in: SignedIn, old: str, new: str, client: Client) -> None:
    """Change the user's password and sign out their other devices.

    Raises:
        ValidationFailed: If the current password is wrong, or the new one is too weak or the same,
            by field.
        Unauthenticated: If the account is gone, or was changed in the meantime.
        RateLimited: After five attempts in a minute.
    """
    await rate_limits.count_reauthentication(signed_in.user_id)
    found = await in_transaction(users.get_credential, signed_in.user_id)
    passwords.ensure_acceptable_password(new, found.email)
    if not await passwords.verify_password(old, found.password_hash):
        await in_transaction(_record_failure, found, client, "password_change_failed")
        raise ValidationFailed(
            users.WRONG_CURRENT_PASSWORD, {"current_password": [users.WRONG_CURRENT_PASSWORD]}
        )
    if new == old:
        raise ValidationFailed(users.SAME_PASSWORD, {"password": [users.SAME_PASSWORD]})
    found = await _rehash_if_needed(found, old)  # so that no concurrent sign-in rehashes it
    password_hash = await passwords.hash_password(new)
    await in_transaction(users.change_password, found, password_hash, client, signed_in.sign_in_id)


async def reset_password(token: str, password: str, client: Client) -> None:
    """Set a new password by a mailed token; every device is signed out.

    Raises:
        ValidationFailed: If the token is invalid, used or expired, or the password is too weak.
        RateLimited: If this host tries too many tokens.
    """
    await rate_limits.count_token_attempt("reset", client.ip)
    # No hashing without a valid token.
    email = await in_transaction(_email_of_token, token, Purpose.RESET_PASSWORD)
    passwords.ensure_acceptable_password(password, email)
    password_hash = await passwords.hash_password(password)
    await in_transaction(users.reset_password, token, password_hash, client)


def _email_of_token(session: Session, token: str, purpose: Purpose) -> str:
    """Return the email of the account that a token belongs to; do not redeem it."""
    owner = one_time_tokens.find_token_owner(session, token, purpose)
    return users.get_credential(session, owner).email


async def find_email_to_verify(token: str, client: Client) -> str:
    """Return the email that a token was mailed to; the token stays valid.

    Raises:
        ValidationFailed: If the token is invalid, used or expired.
        RateLimited: If this host tries too many tokens.
    """
    await rate_limits.count_token_attempt("verify", client.ip)
    return await in_transaction(_email_of_token, token, Purpose.VERIFY_EMAIL)


async def verify_email(token: str, client: Client) -> Credential | None:
    """Verify the email that a token was mailed to.

    The token signs in, too: whoever reads the mailbox could set a new password with it.

    Returns:
        The credential that `complete_sign_in` expects; None if the account has a second factor.

    Raises:
        ValidationFailed: If the token is invalid, used or expired.
        RateLimited: If this host tries too many tokens.
    """
    await rate_limits.count_token_attempt("verify", client.ip)
    return await in_transaction(_verify_email, token, client)


def _verify_email(session: Session, token: str, client: Client) -> Credential | None:
    user_id = users.verify_email(session, token, client)
    if two_factor.is_two_factor_on(session, user_id):
        return None
    return users.get_credential(session, user_id)


async def confirm_email(token: str, client: Client) -> str:
    """Confirm a change of email by the token mailed to the new one, and return it.

    Raises:
        ValidationFailed: If the token is invalid, used or expired.
        RateLimited: If this host tries too many tokens.
    """
    await rate_limits.count_token_attempt("verify", client.ip)
    return await in_transaction(email_change.confirm_email_change, token, client)


async def revert_email(token: str, client: Client) -> None:
    """Revert a change of email by the token mailed to the former one.

    Raises:
        ValidationFailed: If the token is invalid, used or expired.
        RateLimited: If this host tries too many tokens.
    """
    await rate_limits.count_token_attempt("verify", client.ip)
    await in_transaction(email_change.revert_email_change, token, client)


async def forgot_password(email: str, client: Client) -> None:
    """Mail a reset link, if the email has an account.

    Callers respond before they await this: its duration reveals whether the account exists.
    """
    await in_transaction(users.forgot_password, email, client)


async def resend_verification(email: str) -> None:
    """Mail the verification link again, if the account awaits it.

    Callers respond before they await this: its duration reveals whether the account exists.
    """
    await in_transaction(users.resend_verification, email)


def sign_out(session: Session, who: SignedIn, client: Client) -> None:
    """Sign out: revoke the current session."""
    sessions.revoke_session(session, who.user_id, who.sign_in_id)
    audit_log.record_audit_event(session, who.user_id, "signed_out", client)


def sign_out_everywhere(session: Session, who: SignedIn, client: Client) -> None:
    """Revoke all sessions of the user."""
    sessions.revoke_all_sessions(session, who.user_id)
    audit_log.record_audit_event(session, who.user_id, "signed_out_everywhere", client)


def sign_out_other_devices(session: Session, who: SignedIn, client: Client) -> None:
    """Revoke all sessions of the user except the current one."""
    sessions.revoke_all_sessions(session, who.user_id, keep=who.sign_in_id)
    audit_log.record_audit_event(session, who.user_id, "signed_out_others", client)


def sign_out_device(session: Session, who: SignedIn, sign_in_id: uuid.UUID, client: Client) -> None:
    """Revoke one of the user's sessions.

    Raises:
        NotFound: If the session is not theirs or has ended already.
    """
    sessions.revoke_session(session, who.user_id, sign_in_id)
    audit_log.record_audit_event(
        session, who.user_id, "device_revoked", client, sign_in_id=str(sign_in_id)
    )


def _email_not_verified(session: Session, email: str) -> EmailNotVerified:
    """Return the error for an unverified email.

    It may say that our mail was refused, because the caller knows the password.
    """
    if unsent_emails.is_email_undelivered(
        session, email, now() - one_time_tokens.LIFETIMES[Purpose.VERIFY_EMAIL]
    ):
        message = (
            "We couldn't deliver email to this address. Check it, or sign up with another one."
        )
        return EmailNotVerified(message, {"mail": "not_sent"})
    return EmailNotVerified("Confirm your email first. Open the link in the email we sent you.")

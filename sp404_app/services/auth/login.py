"""The doors of an account, where passwords are hashed: on the event loop, in steps.

Hashing takes a quarter of a second, so no transaction is open meanwhile, and every step that
would tell whether an address is known takes the same time either way.
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
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.auth.users import Credential, NewAccount
from sp404_app.services.infra import audit_log, rate_limits, unsent_emails
from sp404_app.services.infra.client_info import Client

LOOK = "Please look at the marked fields."


async def register(
    email: str, password: str, first_name: str, last_name: str, client: Client
) -> NewAccount:
    """Make an account, or pretend to; a mail tells the owner of the address what happened.

    Raises:
        ValidationFailed: With what is wrong, by field.
        RateLimited: If this host signs up too often, or this mailbox is signed up too often.
    """
    await rate_limits.count_sign_up(client.ip)
    account, problems = users.checked(email, first_name, last_name)
    try:
        passwords.ensure_good(password, account.email)
    except ValidationFailed as error:
        problems |= error.details
    if problems:
        raise ValidationFailed(LOOK, problems)
    await rate_limits.registration(account.email)
    if not await _register_new(account, password, client):
        await _register_new(account, password, client)  # made meanwhile, so it is known now
    return account


async def _register_new(account: NewAccount, password: str, client: Client) -> bool:
    """Make an account, or have the owner of the address told; say whether either was done.

    A password is hashed or compared, never both: how long it takes tells nothing.
    """
    known = await in_transaction(users.credential, account.email)
    if known is None:
        password_hash = await passwords.hashed(password)
        made = await in_transaction(users.register, account, password_hash, client)
        return made is not None
    same = await passwords.matches(password, known.password_hash)
    await in_transaction(users.register_again, known, client, same_password=same)
    return True


async def sign_in(email: str, password: str, client: Client) -> Credential:
    """Return who an address and a password belong to, by what was compared: `enter` wants it.

    Raises:
        WrongCredentials: If they do not fit, or nobody has the address: we do not say which.
        Unauthenticated: If the password was changed, or the account deleted, meanwhile.
        EmailNotVerified: If the password is right and the address not confirmed yet.
        TwoFactorRequired: If a code is needed too; `details.challenge` goes with it.
        RateLimited: After too many attempts.
    """
    await rate_limits.count_sign_in(email, client.ip)
    async with passwords.turn():
        found = await in_transaction(users.credential, email)
        right = await passwords.matches(password, found.password_hash if found else None)
    if found is None or not right:
        await in_transaction(_note_failure, found, client, "sign_in_failed")
        raise WrongCredentials("The address or the password is wrong.")
    await rate_limits.clear_sign_in_failures(email, client.ip)
    if not found.verified:
        raise await in_transaction(_not_verified, found.email)
    found = await _rehash_if_needed(found, password)
    challenge = await in_transaction(_challenge, found)
    if challenge:
        raise TwoFactorRequired("Please type the code of your app.", {"challenge": challenge})
    return found


async def _rehash_if_needed(found: Credential, password: str) -> Credential:
    """Return what a right password is compared with from now on: made anew, if its cost is old."""
    if not passwords.outdated(found.password_hash):
        return found
    kept = await in_transaction(users.rehash, found, await passwords.hashed(password))
    # Another sign-in may have made it anew first; or its owner may have chosen another one.
    if not await passwords.matches(password, kept.password_hash):
        raise Unauthenticated(users.MEANWHILE)
    return kept


def _challenge(session: Session, found: Credential) -> str | None:
    """Make a challenge, unless a new password has just ended those that were there."""
    users.ensure_unchanged(session, found)
    return two_factor.challenge(session, found.user_id)


async def second_step(challenge: str, code: str, client: Client) -> Credential:
    """Return who answered a challenge with a right code; challenge and code are used up.

    Raises:
        Unauthenticated: If the challenge is not good (any more).
        WrongCredentials: If the code is wrong or was used before.
        RateLimited: After too many codes.
    """
    await rate_limits.count_token_attempt("second-step", client.ip)
    try:
        owner = await in_transaction(one_time_tokens.owner, challenge, Purpose.TWO_FACTOR)
        await rate_limits.count_two_factor_attempt(owner)
        found = await in_transaction(_answer, challenge, code, client)
    except ValidationFailed as error:
        raise Unauthenticated("This took too long. Please sign in again.") from error
    if found is None:  # raised here, after the failure is written down
        raise WrongCredentials(two_factor.WRONG, {"code": [two_factor.WRONG]})
    await rate_limits.clear_two_factor_failures(found.user_id)
    return found


def _answer(session: Session, challenge: str, code: str, client: Client) -> Credential | None:
    """Use a challenge up; its password is the present one, for a new one ends all challenges."""
    user_id = two_factor.answer(session, challenge, code, client)
    return users.credential_of(session, user_id) if user_id else None


def start_session_after_sign_in(
    session: Session, found: Credential, client: Client, kind: str
) -> uuid.UUID:
    """Let somebody in who proved their password, and return who; the caller begins the sign-in.

    Raises:
        Unauthenticated: If the password was changed, or the account deleted, meanwhile.
    """
    users.ensure_unchanged(session, found)
    audit_log.record(session, found.user_id, "signed_in", client, kind=kind)
    return found.user_id


def _note_failure(session: Session, found: Credential | None, client: Client, action: str) -> None:
    audit_log.record(session, found.user_id if found else None, action, client)


async def change_password(signed_in: SignedIn, old: str, new: str, client: Client) -> None:
    """Change a person's password and sign out their other devices.

    Raises:
        ValidationFailed: If the old one is wrong or the new one not good enough, by field.
        Unauthenticated: If the account is gone, or was changed meanwhile.
        RateLimited: After five attempts in a minute.
    """
    await rate_limits.count_reauthentication(signed_in.user_id)
    found = await in_transaction(users.credential_of, signed_in.user_id)
    passwords.ensure_good(new, found.email)
    if not await passwords.matches(old, found.password_hash):
        await in_transaction(_note_failure, found, client, "password_change_failed")
        raise ValidationFailed(users.NOT_PRESENT, {"current_password": [users.NOT_PRESENT]})
    found = await _rehash_if_needed(found, old)  # so that no sign-in makes it anew meanwhile
    password_hash = await passwords.hashed(new)
    await in_transaction(users.change_password, found, password_hash, client, signed_in.sign_in_id)


async def reset_password(token: str, password: str, client: Client) -> None:
    """Set a new password by a mailed token; every device is signed out.

    Raises:
        ValidationFailed: If the token is not good (any more) or the password not good enough.
        RateLimited: If this host tries too many tokens.
    """
    await rate_limits.count_token_attempt("reset", client.ip)
    email = await in_transaction(_mailed, token)  # hashing is not for who has no token
    passwords.ensure_good(password, email)
    password_hash = await passwords.hashed(password)
    await in_transaction(users.reset_password, token, password_hash, client)


def _mailed(session: Session, token: str) -> str:
    """Return the address of whom a token for a new password was mailed to; it stays good."""
    owner = one_time_tokens.owner(session, token, Purpose.RESET_PASSWORD)
    return users.credential_of(session, owner).email


async def verify_email(token: str, client: Client) -> None:
    """Confirm the address a token was mailed to.

    Raises:
        ValidationFailed: If the token is not good (any more).
        RateLimited: If this host tries too many tokens.
    """
    await rate_limits.count_token_attempt("verify", client.ip)
    await in_transaction(users.verify_email, token, client)


async def confirm_email(token: str, client: Client) -> str:
    """Make the address a token was mailed to the account's, and return it.

    Raises:
        ValidationFailed: If the token is not good (any more).
        RateLimited: If this host tries too many tokens.
    """
    await rate_limits.count_token_attempt("verify", client.ip)
    return await in_transaction(email_change.confirm, token, client)


async def revert_email(token: str, client: Client) -> None:
    """Give an account back to its former address.

    Raises:
        ValidationFailed: If the token is not good (any more).
        RateLimited: If this host tries too many tokens.
    """
    await rate_limits.count_token_attempt("verify", client.ip)
    await in_transaction(email_change.revert, token, client)


async def forgot_password(email: str, client: Client) -> None:
    """Mail a reset link, if the address has an account.

    Callers answer before they wait for this: its time tells whether the address is known.
    """
    await in_transaction(users.forgot_password, email, client)


async def resend_verification(email: str) -> None:
    """Mail the confirmation link again, if one is due; callers answer before they wait."""
    await in_transaction(users.resend_verification, email)


def leave(session: Session, who: SignedIn, client: Client) -> None:
    """Sign out: end the sign-in somebody acts by."""
    sessions.revoke(session, who.user_id, who.sign_in_id)
    audit_log.record(session, who.user_id, "signed_out", client)


def leave_all(session: Session, who: SignedIn, client: Client) -> None:
    """Sign out everywhere."""
    sessions.revoke_all(session, who.user_id)
    audit_log.record(session, who.user_id, "signed_out_everywhere", client)


def leave_others(session: Session, who: SignedIn, client: Client) -> None:
    """Sign out every device but the one somebody acts from."""
    sessions.revoke_all(session, who.user_id, keep=who.sign_in_id)
    audit_log.record(session, who.user_id, "signed_out_others", client)


def revoke(session: Session, who: SignedIn, sign_in_id: uuid.UUID, client: Client) -> None:
    """Sign out one of a person's devices.

    Raises:
        NotFound: If it is not theirs, or is signed out already.
    """
    sessions.revoke(session, who.user_id, sign_in_id)
    audit_log.record(session, who.user_id, "device_revoked", client, sign_in_id=str(sign_in_id))


def _not_verified(session: Session, email: str) -> EmailNotVerified:
    """Return the refusal for an address that is not confirmed; whoever reads it owns the password.

    So they may be told that our mail did not reach the address.
    """
    if unsent_emails.was_refused(
        session, email, now() - one_time_tokens.LASTS[Purpose.VERIFY_EMAIL]
    ):
        words = "Our mail could not be sent to this address. Check it, or sign up with another one."
        return EmailNotVerified(words, {"mail": "not_sent"})
    return EmailNotVerified("Please confirm your address first: the link is in our mail.")

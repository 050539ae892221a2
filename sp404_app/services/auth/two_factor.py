"""Two-factor authentication: TOTP (RFC 6238) with an authenticator app, and recovery codes."""

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from pyotp.totp import TOTP
from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select, update

from sp404_app.errors import Conflict, NotFound, ValidationFailed
from sp404_app.models import Purpose, RecoveryCode, TotpFactor
from sp404_app.models.columns import now
from sp404_app.services.auth import one_time_tokens
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.infra import audit_log, email, email_templates, encryption
from sp404_app.services.infra.client_info import Client
from sp404_app.services.infra.peppers import peppers

ISSUER = "Crate 404"
STEP_S, CODE_DIGITS, MAX_DRIFT_STEPS = 30, 6, 1
RECOVERY_CODE_COUNT, RECOVERY_CODE_LENGTH = 10, 10
RECOVERY_CODE_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # without look-alikes such as 0 and o
WRONG_CODE = "This code is wrong or has been used. Codes change every 30 seconds."


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """The TOTP secret for an authenticator app: to type, as URI, and as QR code (SVG data URI)."""

    secret: str
    uri: str
    qr: str


@dataclass(frozen=True, slots=True)
class TwoFactorStatus:
    """Whether two-factor authentication is on, and how many recovery codes are left."""

    on: bool
    codes_left: int


def two_factor_status(session: Session, user_id: uuid.UUID) -> TwoFactorStatus:
    """Return the user's two-factor status."""
    query = select(func.count()).where(
        RecoveryCode.user_id == user_id, col(RecoveryCode.used_at).is_(None)
    )
    return TwoFactorStatus(
        on=is_two_factor_on(session, user_id), codes_left=session.exec(query).one()
    )


def is_two_factor_on(session: Session, user_id: uuid.UUID) -> bool:
    """Return whether the user signs in with a second factor."""
    factor = session.get(TotpFactor, user_id)
    return factor is not None and factor.confirmed_at is not None


def begin_totp_setup(session: Session, user_id: uuid.UUID) -> TotpSetup:
    """Create a TOTP secret; it takes effect once a code made with it is confirmed.

    Raises:
        Conflict: If two-factor authentication is on already.
        Unauthenticated: If the account is gone.
    """
    email = lock_account(session, user_id).email
    secret = pyotp.random_base32()
    sealed_secret = encryption.encrypt(secret.encode(), user_id.bytes)
    values = {"sealed_secret": sealed_secret, "created_at": now()}
    query = (
        insert(TotpFactor)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(
            index_elements=["user_id"],
            set_=values,
            where=col(TotpFactor.confirmed_at).is_(None),
        )
        .returning(col(TotpFactor.user_id))
    )
    if session.exec(query).first() is None:
        raise Conflict("Two-factor authentication is already on. Turn it off first.")
    uri = TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    code = segno.make(uri, error="m", micro=False)
    return TotpSetup(secret, uri, code.svg_data_uri(scale=4, border=3, light="#fff", dark="#111"))


def confirm_totp_setup(
    session: Session, user_id: uuid.UUID, code: str, client: Client
) -> list[str]:
    """Turn two-factor authentication on by a first code; return the recovery codes.

    Only hashes are stored, so this is the only time they can be shown.

    Raises:
        Unauthenticated: If the account is gone.
        NotFound: If no setup was begun.
        Conflict: If two-factor authentication is on already.
        ValidationFailed: If the code is wrong.
    """
    factor = _lock_factor(session, user_id)
    if factor is None:
        raise NotFound("Start with a new QR code.")
    if factor.confirmed_at:
        raise Conflict("Two-factor authentication is already on.")
    if not _redeem_totp_code(factor, code):
        raise ValidationFailed(WRONG_CODE, {"code": [WRONG_CODE]})
    factor.confirmed_at = now()
    audit_log.record_audit_event(session, user_id, "two_factor_on", client)
    email.send_email_to_user(session, user_id, email_templates.two_factor_on())
    return _replace_recovery_codes(session, user_id)


def renew_recovery_codes(session: Session, user_id: uuid.UUID, client: Client) -> list[str]:
    """Replace the recovery codes and return the new ones.

    Raises:
        Unauthenticated: If the account is gone.
        Conflict: If two-factor authentication is off.
    """
    factor = _lock_factor(session, user_id)
    if factor is None or not factor.confirmed_at:
        raise Conflict("Two-factor authentication is off.")
    audit_log.record_audit_event(session, user_id, "recovery_codes_renewed", client)
    return _replace_recovery_codes(session, user_id)


def turn_off_two_factor(session: Session, user_id: uuid.UUID, client: Client) -> None:
    """Turn two-factor authentication off; discard an unconfirmed setup without a mail.

    Raises:
        Unauthenticated: If the account is gone.
    """
    factor = _lock_factor(session, user_id)
    if factor is None:
        return
    was_on = factor.confirmed_at is not None
    session.delete(factor)
    session.exec(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
    if was_on:
        audit_log.record_audit_event(session, user_id, "two_factor_off", client)
        email.send_email_to_user(session, user_id, email_templates.two_factor_off())


def cancel_totp_setup(session: Session, user_id: uuid.UUID) -> None:
    """Discard a setup that was not confirmed.

    Raises:
        Unauthenticated: If the account is gone.
    """
    lock_account(session, user_id)
    mine = (col(TotpFactor.user_id) == user_id, col(TotpFactor.confirmed_at).is_(None))
    session.exec(delete(TotpFactor).where(*mine))


def create_challenge(session: Session, user_id: uuid.UUID) -> str | None:
    """Create a two-factor challenge token; None if two-factor authentication is off."""
    if not is_two_factor_on(session, user_id):
        return None
    return one_time_tokens.create_one_time_token(session, user_id, Purpose.TWO_FACTOR)


def redeem_challenge(session: Session, token: str, code: str, client: Client) -> uuid.UUID | None:
    """Redeem a challenge with a valid code and return its user's id; None if the code is wrong.

    A wrong code leaves the challenge valid: the caller limits the rate of attempts.

    Raises:
        ValidationFailed: If the challenge is invalid, used or expired.
    """
    user_id = one_time_tokens.lock_token_owner(session, token, Purpose.TWO_FACTOR)
    factor = _lock_factor(session, user_id)
    if factor is None or not factor.confirmed_at:  # turned off in the meantime
        one_time_tokens.void_tokens(session, user_id, Purpose.TWO_FACTOR)
        return None
    if not _redeem_totp_code(factor, code) and not _redeem_recovery_code(
        session, user_id, code, client
    ):
        audit_log.record_audit_event(session, user_id, "second_step_failed", client)
        return None
    return one_time_tokens.redeem_token(session, token, Purpose.TWO_FACTOR)


def _lock_factor(session: Session, user_id: uuid.UUID) -> TotpFactor | None:
    """Lock and return the TOTP factor so that a code cannot be redeemed twice."""
    lock_account(session, user_id)
    return session.get(TotpFactor, user_id, populate_existing=True)


def _redeem_totp_code(factor: TotpFactor, code: str) -> bool:
    """Return whether a code is right; it and older ones are not accepted again."""
    typed = "".join(code.split())
    if len(typed) != CODE_DIGITS or not (typed.isascii() and typed.isdigit()):
        return False
    secret = encryption.decrypt(factor.sealed_secret, factor.user_id.bytes).decode()
    totp, current = TOTP(secret), int(now().timestamp()) // STEP_S
    first = max(current - MAX_DRIFT_STEPS, factor.last_step + 1)
    for step in range(first, current + MAX_DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step), typed):
            factor.last_step = step
            return True
    return False


def reencrypt_secrets(session: Session) -> int:
    """Encrypt all secrets with the present pepper; return how many no pepper can decrypt."""
    lost = 0
    for factor in session.exec(select(TotpFactor).with_for_update()):
        try:
            factor.sealed_secret = encryption.reencrypt(factor.sealed_secret, factor.user_id.bytes)
        except InvalidTag:
            lost += 1
    return lost


def _redeem_recovery_code(session: Session, user_id: uuid.UUID, code: str, client: Client) -> bool:
    """Redeem a recovery code and notify the user by mail; False if it is wrong."""
    query = (
        update(RecoveryCode)
        .where(
            col(RecoveryCode.user_id) == user_id,
            col(RecoveryCode.hash).in_(
                _hash_recovery_code(user_id, code, key) for key in peppers()
            ),
            col(RecoveryCode.used_at).is_(None),
        )
        .values(used_at=now())
        .returning(col(RecoveryCode.id))
    )
    if session.exec(query).first() is None:
        return False
    audit_log.record_audit_event(session, user_id, "recovery_code_used", client)
    left = two_factor_status(session, user_id).codes_left
    email.send_email_to_user(session, user_id, email_templates.recovery_code_used(left))
    return True


def _replace_recovery_codes(session: Session, user_id: uuid.UUID) -> list[str]:
    session.exec(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
    half = RECOVERY_CODE_LENGTH // 2
    codes = [
        "".join(secrets.choice(RECOVERY_CODE_ALPHABET) for _ in range(RECOVERY_CODE_LENGTH))
        for _ in range(RECOVERY_CODE_COUNT)
    ]
    key = peppers()[0]
    session.add_all(
        RecoveryCode(user_id=user_id, hash=_hash_recovery_code(user_id, code, key))
        for code in codes
    )
    return [f"{code[:half]}-{code[half:]}" for code in codes]


def _hash_recovery_code(user_id: uuid.UUID, code: str, key: bytes) -> bytes:
    """Return a keyed hash for storage: a code has 49 random bits, the key is a pepper."""
    plain = "".join(code.split()).replace("-", "").casefold()[:100]
    text = user_id.bytes + plain.encode("utf-8", "surrogatepass")
    return hmac.new(key, b"recovery\0" + text, hashlib.sha256).digest()

"""The second step of signing in: an authenticator app (RFC 6238), and codes for a lost phone."""

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass

import pyotp
import segno
from pyotp.totp import TOTP
from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select, update

from sp404_app.errors import Conflict, NotFound, ValidationFailed
from sp404_app.models import Purpose, RecoveryCode, TotpFactor
from sp404_app.models.columns import now
from sp404_app.services.auth import one_time_tokens, passwords
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.infra import audit_log, email, email_templates, encryption
from sp404_app.services.infra.client_info import Client

ISSUER = "Crate 404"
STEP, DIGITS, DRIFT = 30, 6, 1
CODES, CODE_LENGTH = 10, 10
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that looks like something else
WRONG = "This code is not right, or was used already. Codes change every 30 seconds."


@dataclass(frozen=True, slots=True)
class Setup:
    """What an authenticator app needs: by camera (an SVG as data URI) or typed by hand."""

    secret: str
    uri: str
    qr: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the second step is on, and how many recovery codes are left."""

    on: bool
    codes_left: int


def standing(session: Session, user_id: uuid.UUID) -> Standing:
    """Say whether a person's sign-ins take two steps."""
    query = select(func.count()).where(
        RecoveryCode.user_id == user_id, col(RecoveryCode.used_at).is_(None)
    )
    return Standing(on=is_on(session, user_id), codes_left=session.exec(query).one())


def is_on(session: Session, user_id: uuid.UUID) -> bool:
    """Say whether a password alone does not sign a person in."""
    factor = session.get(TotpFactor, user_id)
    return factor is not None and factor.confirmed_at is not None


def begin(session: Session, user_id: uuid.UUID) -> Setup:
    """Make a new secret; nothing changes until a code made with it comes back.

    Raises:
        Conflict: If the second step is on already.
        Unauthenticated: If the account is gone.
    """
    email = lock_account(session, user_id).email
    secret = pyotp.random_base32()
    box = encryption.encrypt(secret.encode(), user_id.bytes)
    fresh = {"sealed_secret": box, "created_at": now()}
    query = (
        insert(TotpFactor)
        .values(user_id=user_id, **fresh)
        .on_conflict_do_update(
            index_elements=["user_id"],
            set_=fresh,
            where=col(TotpFactor.confirmed_at).is_(None),
        )
        .returning(col(TotpFactor.user_id))
    )
    if session.exec(query).first() is None:
        raise Conflict("Two-step sign-in is on already. Turn it off first.")
    uri = TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    code = segno.make(uri, error="m", micro=False)
    return Setup(secret, uri, code.svg_data_uri(scale=4, border=3, light="#fff", dark="#111"))


def confirm(session: Session, user_id: uuid.UUID, code: str, client: Client) -> list[str]:
    """Turn the second step on by a first code, and return the recovery codes: once, only here.

    Raises:
        Unauthenticated: If the account is gone.
        NotFound: If nothing was begun.
        Conflict: If it is on already.
        ValidationFailed: If the code is not right.
    """
    factor = _held(session, user_id)
    if factor is None:
        raise NotFound("Begin with a new QR code.")
    if factor.confirmed_at:
        raise Conflict("Two-step sign-in is on already.")
    if not _take(factor, code):
        raise ValidationFailed(WRONG, {"code": [WRONG]})
    factor.confirmed_at = now()
    audit_log.record(session, user_id, "two_factor_on", client)
    email.send_to_user(session, user_id, email_templates.two_factor_on())
    return _new_codes(session, user_id)


def renew_codes(session: Session, user_id: uuid.UUID, client: Client) -> list[str]:
    """Replace the recovery codes and return the new ones.

    Raises:
        Unauthenticated: If the account is gone.
        Conflict: If the second step is off.
    """
    factor = _held(session, user_id)
    if factor is None or not factor.confirmed_at:
        raise Conflict("Two-step sign-in is off.")
    audit_log.record(session, user_id, "recovery_codes_renewed", client)
    return _new_codes(session, user_id)


def turn_off(session: Session, user_id: uuid.UUID, client: Client) -> None:
    """Let the password alone sign in again; a setup that was only begun goes silently.

    Raises:
        Unauthenticated: If the account is gone.
    """
    factor = _held(session, user_id)
    if factor is None:
        return
    was_on = factor.confirmed_at is not None
    session.delete(factor)
    session.exec(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
    if was_on:
        audit_log.record(session, user_id, "two_factor_off", client)
        email.send_to_user(session, user_id, email_templates.two_factor_off())


def forget_setup(session: Session, user_id: uuid.UUID) -> None:
    """Drop a setup that was only begun.

    Raises:
        Unauthenticated: If the account is gone.
    """
    lock_account(session, user_id)
    mine = (col(TotpFactor.user_id) == user_id, col(TotpFactor.confirmed_at).is_(None))
    session.exec(delete(TotpFactor).where(*mine))


def challenge(session: Session, user_id: uuid.UUID) -> str | None:
    """Return a token for the second step, or None if there is none to take."""
    if not is_on(session, user_id):
        return None
    return one_time_tokens.make(session, user_id, Purpose.TWO_FACTOR)


def answer(session: Session, token: str, code: str, client: Client) -> uuid.UUID | None:
    """Use a challenge up by a right code and return whose it was; None if the code is wrong.

    A wrong code leaves the challenge as it is: the caller limits how often one may try.

    Raises:
        ValidationFailed: If the challenge is not good (any more).
    """
    user_id = one_time_tokens.hold(session, token, Purpose.TWO_FACTOR)
    factor = _held(session, user_id)
    if factor is None or not factor.confirmed_at:  # turned off meanwhile: begin again
        one_time_tokens.void(session, user_id, Purpose.TWO_FACTOR)
        return None
    if not _take(factor, code) and not _recover(session, user_id, code, client):
        audit_log.record(session, user_id, "second_step_failed", client)
        return None
    return one_time_tokens.use(session, token, Purpose.TWO_FACTOR)


def _held(session: Session, user_id: uuid.UUID) -> TotpFactor | None:
    """Lock the account and return its factor as it is now: a code is redeemed once."""
    lock_account(session, user_id)
    return session.get(TotpFactor, user_id, populate_existing=True)


def _take(factor: TotpFactor, code: str) -> bool:
    """Say whether a code is right, and never take it or an older one again."""
    typed = "".join(code.split())
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return False
    secret = encryption.decrypt(factor.sealed_secret, factor.user_id.bytes).decode()
    app, this = TOTP(secret), int(now().timestamp()) // STEP
    for step in range(max(this - DRIFT, factor.last_step + 1), this + DRIFT + 1):
        if hmac.compare_digest(app.generate_otp(step), typed):
            factor.last_step = step
            return True
    return False


def _recover(session: Session, user_id: uuid.UUID, code: str, client: Client) -> bool:
    """Use a recovery code up, and tell the owner that one is gone."""
    query = (
        update(RecoveryCode)
        .where(
            col(RecoveryCode.user_id) == user_id,
            col(RecoveryCode.hash) == _hash(user_id, code),
            col(RecoveryCode.used_at).is_(None),
        )
        .values(used_at=now())
        .returning(col(RecoveryCode.id))
    )
    if session.exec(query).first() is None:
        return False
    audit_log.record(session, user_id, "recovery_code_used", client)
    left = standing(session, user_id).codes_left
    email.send_to_user(session, user_id, email_templates.recovery_code_used(left))
    return True


def _new_codes(session: Session, user_id: uuid.UUID) -> list[str]:
    session.exec(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
    half = CODE_LENGTH // 2
    words = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(CODES)]
    session.add_all(RecoveryCode(user_id=user_id, hash=_hash(user_id, word)) for word in words)
    return [f"{word[:half]}-{word[half:]}" for word in words]


def _hash(user_id: uuid.UUID, code: str) -> bytes:
    """Return what is kept of a code: 49 random bits, keyed with what is not in the database."""
    plain = "".join(code.split()).replace("-", "").casefold()[:100]
    text = user_id.bytes + plain.encode("utf-8", "surrogatepass")
    return hmac.new(passwords.pepper(), b"recovery\0" + text, hashlib.sha256).digest()

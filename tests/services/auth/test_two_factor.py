"""Two-factor authentication: codes are single-use, and nothing bypasses them."""

import asyncio
import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from cryptography.exceptions import InvalidTag
from pyotp.totp import TOTP
from sqlmodel import col, select, update

from sp404_app.db import in_transaction, transaction
from sp404_app.errors import (
    AppError,
    Conflict,
    NotFound,
    RateLimited,
    TwoFactorRequired,
    Unauthenticated,
    ValidationFailed,
    WrongCredentials,
)
from sp404_app.models import OneTimeToken, Purpose, RecoveryCode, TotpFactor
from sp404_app.models.columns import now
from sp404_app.services.auth import login, one_time_tokens, two_factor, users
from sp404_app.services.infra import encryption, rate_limits
from tests.accounts import (
    CLIENT,
    SignedUpUser,
    active_sessions,
    mailed_token,
    mails,
    reset,
    run_after,
    sign_up_user,
    text_of,
)

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture(autouse=True)
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the TOTP clock, so that no time step ends between creating and entering a code."""
    moment = now()
    monkeypatch.setattr(two_factor, "now", lambda: moment)


def code_at(secret: str, steps: int = 0) -> str:
    """Return the TOTP code of a time step relative to now."""
    return TOTP(secret).at(two_factor.now() + dt.timedelta(seconds=30 * steps))


def enable_two_factor(ada: SignedUpUser) -> tuple[str, list[str]]:
    """Turn two-factor authentication on with the code of the previous time step."""
    with transaction() as session:
        setup = two_factor.begin_totp_setup(session, ada.id)
        codes = two_factor.confirm_totp_setup(session, ada.id, code_at(setup.secret, -1), CLIENT)
    return setup.secret, codes


async def sign_in_until_challenge(ada: SignedUpUser) -> str:
    with pytest.raises(TwoFactorRequired) as caught:
        await login.verify_credentials(ada.email, ada.password, CLIENT)
    return caught.value.details["challenge"]


def test_two_factor_is_off_until_the_first_code_is_confirmed() -> None:
    ada = sign_up_user()
    with transaction() as session:
        setup = two_factor.begin_totp_setup(session, ada.id)
    with transaction() as session:
        assert not two_factor.is_two_factor_on(session, ada.id)
        assert two_factor.create_challenge(session, ada.id) is None
        again = two_factor.begin_totp_setup(session, ada.id)
    assert again.secret != setup.secret
    assert setup.qr.startswith("data:image/svg+xml")
    with transaction() as session, pytest.raises(ValidationFailed):
        two_factor.confirm_totp_setup(
            session, ada.id, code_at(setup.secret), CLIENT
        )  # a code of the older QR code


def test_the_totp_secret_is_encrypted_for_its_owner() -> None:
    ada = sign_up_user()
    with transaction() as session:
        secret = two_factor.begin_totp_setup(session, ada.id).secret
        box = session.get_one(TotpFactor, ada.id).sealed_secret
    assert secret.encode() not in box
    assert encryption.decrypt(box, ada.id.bytes).decode() == secret
    with pytest.raises(InvalidTag):
        encryption.decrypt(box, uuid.uuid4().bytes)


def test_setup_cannot_begin_twice_or_be_confirmed_before_it_begins() -> None:
    ada = sign_up_user()
    with transaction() as session, pytest.raises(NotFound):
        two_factor.confirm_totp_setup(session, ada.id, "123456", CLIENT)
    secret, _ = enable_two_factor(ada)
    with transaction() as session, pytest.raises(Conflict):
        two_factor.begin_totp_setup(session, ada.id)
    with transaction() as session, pytest.raises(Conflict):
        two_factor.confirm_totp_setup(session, ada.id, code_at(secret), CLIENT)


async def test_parallel_confirmations_return_recovery_codes_once() -> None:
    ada = sign_up_user()
    with transaction() as session:
        secret = two_factor.begin_totp_setup(session, ada.id).secret

    def confirm(_: int) -> list[str] | None:
        try:
            with transaction() as session:
                return two_factor.confirm_totp_setup(session, ada.id, code_at(secret), CLIENT)
        except AppError:
            return None

    with ThreadPoolExecutor(4) as threads:
        answers = [codes for codes in threads.map(confirm, range(4)) if codes]
    assert len(answers) == 1
    with transaction() as session:
        kept = session.exec(select(RecoveryCode).where(RecoveryCode.user_id == ada.id)).all()
    assert len(kept) == len(set(answers[0])) == 10


async def test_a_password_alone_does_not_sign_in() -> None:
    ada = sign_up_user()
    secret, _ = enable_two_factor(ada)
    challenge = await sign_in_until_challenge(ada)
    with transaction() as session:
        assert active_sessions(session, ada.id) == []
    assert (await login.verify_second_factor(challenge, code_at(secret), CLIENT)).user_id == ada.id


async def test_a_totp_code_is_redeemed_once() -> None:
    ada = sign_up_user()
    secret, _ = enable_two_factor(ada)
    await login.verify_second_factor(await sign_in_until_challenge(ada), code_at(secret), CLIENT)
    challenge = await sign_in_until_challenge(ada)
    for code in (code_at(secret), code_at(secret, -1)):  # a used code, and an older one
        with pytest.raises(WrongCredentials):
            await login.verify_second_factor(challenge, code, CLIENT)
    assert (
        await login.verify_second_factor(challenge, code_at(secret, 1), CLIENT)
    ).user_id == ada.id


async def test_a_challenge_is_redeemed_once_and_expires_after_five_minutes() -> None:
    ada = sign_up_user()
    secret, codes = enable_two_factor(ada)
    challenge = await sign_in_until_challenge(ada)
    await login.verify_second_factor(challenge, code_at(secret), CLIENT)
    with pytest.raises(Unauthenticated, match="too long"):
        await login.verify_second_factor(challenge, codes[0], CLIENT)
    late = await sign_in_until_challenge(ada)
    with transaction() as session:
        session.exec(update(OneTimeToken).values(expires_at=now() - dt.timedelta(seconds=1)))
    with pytest.raises(Unauthenticated, match="too long"):
        await login.verify_second_factor(late, codes[0], CLIENT)


async def test_parallel_redemptions_of_one_code_sign_in_once() -> None:
    ada = sign_up_user()
    secret, _ = enable_two_factor(ada)
    first, second = await sign_in_until_challenge(ada), await sign_in_until_challenge(ada)
    tries = [
        login.verify_second_factor(one, code_at(secret), CLIENT) for one in (first, first, second)
    ]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    found = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert [one.user_id for one in found] == [ada.id]


async def test_a_challenge_is_valid_for_its_purpose_only() -> None:
    ada = sign_up_user()
    secret, _ = enable_two_factor(ada)
    challenge = await sign_in_until_challenge(ada)
    for purpose in set(Purpose) - {Purpose.TWO_FACTOR}:
        with transaction() as session, pytest.raises(ValidationFailed):
            one_time_tokens.redeem_token(session, challenge, purpose)
        with transaction() as session:
            other = one_time_tokens.create_one_time_token(session, ada.id, purpose)
        with pytest.raises(Unauthenticated):
            await login.verify_second_factor(other, code_at(secret), CLIENT)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "a\0b", "\ud800", "x" * 9000])
async def test_malformed_codes_are_wrong_codes(code: str) -> None:
    ada = sign_up_user()
    enable_two_factor(ada)
    with pytest.raises(WrongCredentials):
        await login.verify_second_factor(await sign_in_until_challenge(ada), code, CLIENT)


@pytest.mark.parametrize("challenge", ["", "x", "a\0b", "\ud800", "é" * 500])
async def test_malformed_challenges_are_refused(challenge: str) -> None:
    with pytest.raises(Unauthenticated):
        await login.verify_second_factor(challenge, "123456", CLIENT)


async def test_five_wrong_codes_exhaust_the_rate_limit_across_challenges() -> None:
    ada = sign_up_user()
    secret, _ = enable_two_factor(ada)
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            await login.verify_second_factor(await sign_in_until_challenge(ada), "000000", CLIENT)
    with pytest.raises(RateLimited):
        await login.verify_second_factor(
            await sign_in_until_challenge(ada), code_at(secret), CLIENT
        )


async def test_a_recovery_code_is_redeemed_once_and_its_owner_is_mailed() -> None:
    ada = sign_up_user()
    _, codes = enable_two_factor(ada)
    typed = f" {codes[0].upper().replace('-', ' ')} "
    assert (
        await login.verify_second_factor(await sign_in_until_challenge(ada), typed, CLIENT)
    ).user_id == ada.id
    with pytest.raises(WrongCredentials):
        await login.verify_second_factor(await sign_in_until_challenge(ada), codes[0], CLIENT)
    assert "You have 9 left" in text_of(mails(ada.email)[-1])
    with transaction() as session:
        assert two_factor.two_factor_status(session, ada.id).codes_left == 9


async def test_codes_of_another_user_are_wrong() -> None:
    ada, bob = sign_up_user(), sign_up_user()
    enable_two_factor(ada)
    secret, codes = enable_two_factor(bob)
    for code in (codes[0], code_at(secret)):
        with pytest.raises(WrongCredentials):
            await login.verify_second_factor(await sign_in_until_challenge(ada), code, CLIENT)


def test_new_recovery_codes_replace_the_old_ones() -> None:
    ada = sign_up_user()
    with transaction() as session, pytest.raises(Conflict):
        two_factor.renew_recovery_codes(session, ada.id, CLIENT)
    _, old = enable_two_factor(ada)
    with transaction() as session:
        new = two_factor.renew_recovery_codes(session, ada.id, CLIENT)
        assert not set(old) & set(new)
        assert two_factor.two_factor_status(session, ada.id).codes_left == 10


async def test_a_password_reset_keeps_two_factor_on_and_voids_challenges() -> None:
    ada = sign_up_user()
    secret, _ = enable_two_factor(ada)
    before = await sign_in_until_challenge(ada)
    await login.forgot_password(ada.email, CLIENT)
    new = "three old drum machines"
    await login.reset_password(mailed_token(mails(ada.email)[-1]), new, CLIENT)
    with pytest.raises(Unauthenticated):
        await login.verify_second_factor(before, code_at(secret), CLIENT)
    with pytest.raises(TwoFactorRequired):
        await login.verify_credentials(ada.email, new, CLIENT)


async def test_a_sign_in_is_rejected_if_the_password_changed_after_the_second_factor() -> None:
    ada = sign_up_user()
    secret, _ = enable_two_factor(ada)
    found = await login.verify_second_factor(
        await sign_in_until_challenge(ada), code_at(secret), CLIENT
    )
    await reset(ada)
    with pytest.raises(Unauthenticated, match="changed in the meantime"):
        await in_transaction(login.complete_sign_in, found, CLIENT, "api")


async def test_no_challenge_is_created_if_the_password_changed_after_verification() -> None:
    ada = sign_up_user()
    enable_two_factor(ada)
    with (
        run_after(rate_limits, rate_limits.clear_sign_in_failures, partial(reset, ada)),
        pytest.raises(Unauthenticated) as caught,
    ):
        await login.verify_credentials(ada.email, ada.password, CLIENT)
    assert not isinstance(caught.value, TwoFactorRequired)


async def test_turning_two_factor_off_deletes_the_recovery_codes() -> None:
    ada = sign_up_user()
    enable_two_factor(ada)
    challenge = await sign_in_until_challenge(ada)
    with transaction() as session:
        two_factor.turn_off_two_factor(session, ada.id, CLIENT)
    assert (await login.verify_credentials(ada.email, ada.password, CLIENT)).user_id == ada.id
    with pytest.raises(Unauthenticated):
        await login.verify_second_factor(challenge, "123456", CLIENT)
    with transaction() as session:
        assert session.exec(select(col(RecoveryCode.id))).all() == []
    subjects = [letter["Subject"] for letter in mails(ada.email)]
    assert subjects == ["Two-factor authentication is on", "Two-factor authentication is off"]


async def test_discarding_an_unconfirmed_setup_sends_no_mail() -> None:
    ada = sign_up_user()
    with transaction() as session:
        two_factor.turn_off_two_factor(session, ada.id, CLIENT)
        two_factor.begin_totp_setup(session, ada.id)
        two_factor.turn_off_two_factor(session, ada.id, CLIENT)
        assert users.get_credential(session, ada.id)
    assert mails(ada.email) == []

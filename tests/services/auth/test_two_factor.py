"""The second step of signing in: codes that are good once, and nothing that leads around it."""

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
from sp404_app.services.auth import encryption, login, one_time_tokens, two_factor, users
from sp404_app.services.infra import rate_limits
from tests.accounts import (
    CLIENT,
    Somebody,
    living,
    mails,
    meanwhile,
    reset,
    somebody,
    text_of,
    token_in,
)

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture(autouse=True)
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock of the codes, so that no step ends between making a code and typing it."""
    moment = now()
    monkeypatch.setattr(two_factor, "now", lambda: moment)


def at(secret: str, steps: int = 0) -> str:
    """Return the code of a step from now."""
    return TOTP(secret).at(two_factor.now() + dt.timedelta(seconds=30 * steps))


def protect(ada: Somebody) -> tuple[str, list[str]]:
    """Turn the second step on with the code of the step before this one."""
    with transaction() as session:
        setup = two_factor.begin_totp_setup(session, ada.id)
        codes = two_factor.confirm_totp_setup(session, ada.id, at(setup.secret, -1), CLIENT)
    return setup.secret, codes


async def challenged(ada: Somebody) -> str:
    with pytest.raises(TwoFactorRequired) as caught:
        await login.sign_in(ada.email, ada.password, CLIENT)
    return caught.value.details["challenge"]


def test_nothing_changes_until_the_first_code_comes_back() -> None:
    ada = somebody()
    with transaction() as session:
        setup = two_factor.begin_totp_setup(session, ada.id)
    with transaction() as session:
        assert not two_factor.is_on(session, ada.id)
        assert two_factor.create_challenge(session, ada.id) is None
        again = two_factor.begin_totp_setup(session, ada.id)
    assert again.secret != setup.secret
    assert setup.qr.startswith("data:image/svg+xml")
    with transaction() as session, pytest.raises(ValidationFailed):
        two_factor.confirm_totp_setup(
            session, ada.id, at(setup.secret), CLIENT
        )  # of the older QR code


def test_the_secret_is_sealed_for_its_owner() -> None:
    ada = somebody()
    with transaction() as session:
        secret = two_factor.begin_totp_setup(session, ada.id).secret
        box = session.get_one(TotpFactor, ada.id).sealed_secret
    assert secret.encode() not in box
    assert encryption.decrypt(box, ada.id.bytes).decode() == secret
    with pytest.raises(InvalidTag):
        encryption.decrypt(box, uuid.uuid4().bytes)


def test_it_cannot_be_begun_twice_or_confirmed_without_a_beginning() -> None:
    ada = somebody()
    with transaction() as session, pytest.raises(NotFound):
        two_factor.confirm_totp_setup(session, ada.id, "123456", CLIENT)
    secret, _ = protect(ada)
    with transaction() as session, pytest.raises(Conflict):
        two_factor.begin_totp_setup(session, ada.id)
    with transaction() as session, pytest.raises(Conflict):
        two_factor.confirm_totp_setup(session, ada.id, at(secret), CLIENT)


async def test_of_parallel_confirmations_one_gets_the_codes() -> None:
    ada = somebody()
    with transaction() as session:
        secret = two_factor.begin_totp_setup(session, ada.id).secret

    def confirm(_: int) -> list[str] | None:
        try:
            with transaction() as session:
                return two_factor.confirm_totp_setup(session, ada.id, at(secret), CLIENT)
        except AppError:
            return None

    with ThreadPoolExecutor(4) as threads:
        answers = [codes for codes in threads.map(confirm, range(4)) if codes]
    assert len(answers) == 1
    with transaction() as session:
        kept = session.exec(select(RecoveryCode).where(RecoveryCode.user_id == ada.id)).all()
    assert len(kept) == len(set(answers[0])) == 10


async def test_a_password_alone_signs_nobody_in() -> None:
    ada = somebody()
    secret, _ = protect(ada)
    challenge = await challenged(ada)
    with transaction() as session:
        assert living(session, ada.id) == []
    assert (await login.verify_second_factor(challenge, at(secret), CLIENT)).user_id == ada.id


async def test_a_code_is_good_once() -> None:
    ada = somebody()
    secret, _ = protect(ada)
    await login.verify_second_factor(await challenged(ada), at(secret), CLIENT)
    challenge = await challenged(ada)
    for code in (at(secret), at(secret, -1)):  # the same again, and one older
        with pytest.raises(WrongCredentials):
            await login.verify_second_factor(challenge, code, CLIENT)
    assert (await login.verify_second_factor(challenge, at(secret, 1), CLIENT)).user_id == ada.id


async def test_a_challenge_is_good_once_and_for_five_minutes() -> None:
    ada = somebody()
    secret, codes = protect(ada)
    challenge = await challenged(ada)
    await login.verify_second_factor(challenge, at(secret), CLIENT)
    with pytest.raises(Unauthenticated, match="too long"):
        await login.verify_second_factor(challenge, codes[0], CLIENT)
    late = await challenged(ada)
    with transaction() as session:
        session.exec(update(OneTimeToken).values(expires_at=now() - dt.timedelta(seconds=1)))
    with pytest.raises(Unauthenticated, match="too long"):
        await login.verify_second_factor(late, codes[0], CLIENT)


async def test_of_parallel_answers_with_one_code_one_signs_in() -> None:
    ada = somebody()
    secret, _ = protect(ada)
    first, second = await challenged(ada), await challenged(ada)
    tries = [login.verify_second_factor(one, at(secret), CLIENT) for one in (first, first, second)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    found = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert [one.user_id for one in found] == [ada.id]


async def test_a_challenge_is_good_for_nothing_else_and_nothing_else_is_a_challenge() -> None:
    ada = somebody()
    secret, _ = protect(ada)
    challenge = await challenged(ada)
    for purpose in set(Purpose) - {Purpose.TWO_FACTOR}:
        with transaction() as session, pytest.raises(ValidationFailed):
            one_time_tokens.redeem_token(session, challenge, purpose)
        with transaction() as session:
            other = one_time_tokens.make(session, ada.id, purpose)
        with pytest.raises(Unauthenticated):
            await login.verify_second_factor(other, at(secret), CLIENT)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "a\0b", "\ud800", "x" * 9000])
async def test_odd_codes_are_wrong_codes(code: str) -> None:
    ada = somebody()
    protect(ada)
    with pytest.raises(WrongCredentials):
        await login.verify_second_factor(await challenged(ada), code, CLIENT)


@pytest.mark.parametrize("challenge", ["", "x", "a\0b", "\ud800", "é" * 500])
async def test_odd_challenges_are_refused(challenge: str) -> None:
    with pytest.raises(Unauthenticated):
        await login.verify_second_factor(challenge, "123456", CLIENT)


async def test_guessing_ends_after_five_codes_even_with_new_challenges() -> None:
    ada = somebody()
    secret, _ = protect(ada)
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            await login.verify_second_factor(await challenged(ada), "000000", CLIENT)
    with pytest.raises(RateLimited):
        await login.verify_second_factor(await challenged(ada), at(secret), CLIENT)


async def test_a_recovery_code_is_good_once_and_its_owner_hears_of_it() -> None:
    ada = somebody()
    _, codes = protect(ada)
    typed = f" {codes[0].upper().replace('-', ' ')} "
    assert (
        await login.verify_second_factor(await challenged(ada), typed, CLIENT)
    ).user_id == ada.id
    with pytest.raises(WrongCredentials):
        await login.verify_second_factor(await challenged(ada), codes[0], CLIENT)
    assert "9 are left" in text_of(mails(ada.email)[-1])
    with transaction() as session:
        assert two_factor.two_factor_status(session, ada.id).codes_left == 9


async def test_nobody_uses_the_codes_of_somebody_else() -> None:
    ada, bob = somebody(), somebody()
    protect(ada)
    secret, codes = protect(bob)
    for code in (codes[0], at(secret)):
        with pytest.raises(WrongCredentials):
            await login.verify_second_factor(await challenged(ada), code, CLIENT)


def test_new_recovery_codes_replace_the_old_ones() -> None:
    ada = somebody()
    with transaction() as session, pytest.raises(Conflict):
        two_factor.renew_recovery_codes(session, ada.id, CLIENT)
    _, old = protect(ada)
    with transaction() as session:
        new = two_factor.renew_recovery_codes(session, ada.id, CLIENT)
        assert not set(old) & set(new)
        assert two_factor.two_factor_status(session, ada.id).codes_left == 10


async def test_choosing_a_new_password_neither_skips_the_second_step_nor_keeps_challenges() -> None:
    ada = somebody()
    secret, _ = protect(ada)
    before = await challenged(ada)
    await login.forgot_password(ada.email, CLIENT)
    new = "three old drum machines"
    await login.reset_password(token_in(mails(ada.email)[-1]), new, CLIENT)
    with pytest.raises(Unauthenticated):
        await login.verify_second_factor(before, at(secret), CLIENT)
    with pytest.raises(TwoFactorRequired):
        await login.sign_in(ada.email, new, CLIENT)


async def test_a_new_password_ends_a_second_step_that_was_just_taken() -> None:
    ada = somebody()
    secret, _ = protect(ada)
    found = await login.verify_second_factor(await challenged(ada), at(secret), CLIENT)
    await reset(ada)
    with pytest.raises(Unauthenticated, match="changed meanwhile"):
        await in_transaction(login.complete_sign_in, found, CLIENT, "api")


async def test_no_challenge_is_made_for_a_password_that_was_replaced_meanwhile() -> None:
    ada = somebody()
    protect(ada)
    with (
        meanwhile(rate_limits, "signed_in", partial(reset, ada)),
        pytest.raises(Unauthenticated) as caught,
    ):
        await login.sign_in(ada.email, ada.password, CLIENT)
    assert not isinstance(caught.value, TwoFactorRequired)


async def test_turned_off_the_password_is_enough_and_codes_are_gone() -> None:
    ada = somebody()
    protect(ada)
    challenge = await challenged(ada)
    with transaction() as session:
        two_factor.turn_off_two_factor(session, ada.id, CLIENT)
    assert (await login.sign_in(ada.email, ada.password, CLIENT)).user_id == ada.id
    with pytest.raises(Unauthenticated):
        await login.verify_second_factor(challenge, "123456", CLIENT)
    with transaction() as session:
        assert session.exec(select(col(RecoveryCode.id))).all() == []
    subjects = [letter["Subject"] for letter in mails(ada.email)]
    assert subjects == ["Two-step sign-in is on", "Two-step sign-in is off"]


async def test_turning_off_what_is_only_begun_says_nothing() -> None:
    ada = somebody()
    with transaction() as session:
        two_factor.turn_off_two_factor(session, ada.id, CLIENT)
        two_factor.begin_totp_setup(session, ada.id)
        two_factor.turn_off_two_factor(session, ada.id, CLIENT)
        assert users.get_credential(session, ada.id)
    assert mails(ada.email) == []

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlmodel import Session, func, select

from sp404_app.db import in_transaction, transaction
from sp404_app.errors import (
    EmailNotVerified,
    RateLimited,
    Unauthenticated,
    ValidationFailed,
    WrongCredentials,
)
from sp404_app.models import AuditEntry, OneTimeToken, Purpose, User
from sp404_app.models.columns import now
from sp404_app.services.account import deletion
from sp404_app.services.auth import login, one_time_tokens, passwords, sessions, users
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.auth.users import Credential, NewAccount
from sp404_app.services.infra import audit_log
from sp404_app.services.infra.client_info import Client
from sp404_app.state.account.activity_labels import activity_label
from tests.accounts import (
    CLIENT,
    PASSWORD,
    SignedUpUser,
    active_sessions,
    cookie,
    mailed_token,
    mails,
    reset,
    run_after,
    sign_up_user,
)
from tests.hashing import record_password_checks, record_password_hashes

pytestmark = pytest.mark.usefixtures("services")


async def register(address: str = "ada@example.org", password: str = PASSWORD) -> NewAccount:
    return await login.register(address, password, "Ada", "Lovelace", CLIENT)


def count(what: type[User | OneTimeToken]) -> int:
    with transaction() as session:
        return session.exec(select(func.count()).select_from(what)).one()


def user_of_email(address: str = "ada@example.org") -> User:
    with transaction() as session:
        return session.exec(select(User).where(User.email == address)).one()


async def test_sign_up_mails_a_link_that_verifies_the_email_once() -> None:
    await register()
    assert user_of_email().email_verified_at is None
    token = mailed_token(mails("ada@example.org")[0])
    await login.verify_email(token, CLIENT)
    assert user_of_email().email_verified_at is not None
    with pytest.raises(ValidationFailed, match="has been used"):
        await login.verify_email(token, CLIENT)


async def test_names_and_emails_are_normalized() -> None:
    account = await login.register("  Ada@Example.ORG ", PASSWORD, "  Ada \n M. ", "", CLIENT)
    assert account == NewAccount("ada@example.org", "Ada M.", "")
    await register("ADA@example.org")
    assert count(User) == 1


async def test_an_email_with_an_account_is_revealed_by_mail_only() -> None:
    ada = sign_up_user("ada@example.org")
    before = user_of_email()
    known = await register(password="another password")
    new = await login.register("new@example.org", PASSWORD, "Ada", "Lovelace", CLIENT)
    assert (known.first_name, known.last_name) == (new.first_name, new.last_name)
    assert user_of_email().password_hash == before.password_hash
    assert [letter["Subject"] for letter in mails(ada.email)] == ["You already have an account"]


async def test_the_mailbox_owner_takes_over_an_unverified_account() -> None:
    await register(password="chosen by a stranger")
    await register(password="chosen by the owner")
    letter = mails("ada@example.org")[-1]
    assert letter["Subject"] == "Finish creating your account"
    await login.reset_password(mailed_token(letter), "what the owner wants", CLIENT)
    assert user_of_email().email_verified_at is not None
    assert await login.verify_credentials("ada@example.org", "what the owner wants", CLIENT)
    with pytest.raises(WrongCredentials):
        await login.verify_credentials("ada@example.org", "chosen by a stranger", CLIENT)


STRANGER, OWNER = "chosen by a stranger", "chosen by the owner"


async def again_by_stranger() -> None:
    await register(password=STRANGER)


async def resent() -> None:
    await login.resend_verification("ada@example.org")


async def nothing() -> None:
    pass


@pytest.mark.parametrize("first", [STRANGER, OWNER])
@pytest.mark.parametrize("then", [nothing, again_by_stranger, resent])
async def test_no_mailed_link_activates_a_password_chosen_by_a_stranger(
    first: str, then: Callable[[], Awaitable[None]]
) -> None:
    """In either order of registration, and for every mail that the stranger requests later."""
    await register(password=first)
    await register(password=OWNER if first == STRANGER else STRANGER)
    await then()
    letters = mails("ada@example.org")
    assert letters[-1]["Subject"] == "Finish creating your account"
    for letter in letters[:-1]:
        with pytest.raises(ValidationFailed, match="has been used"):
            await login.verify_email(mailed_token(letter), CLIENT)
        with pytest.raises(ValidationFailed, match="has been used"):
            await login.reset_password(mailed_token(letter), "what the owner wants", CLIENT)
    with pytest.raises(ValidationFailed):
        await login.verify_email(mailed_token(letters[-1]), CLIENT)
    await login.reset_password(mailed_token(letters[-1]), "what the owner wants", CLIENT)
    assert await login.verify_credentials("ada@example.org", "what the owner wants", CLIENT)
    for password in (STRANGER, OWNER):
        with pytest.raises(WrongCredentials):
            await login.verify_credentials("ada@example.org", password, CLIENT)


async def test_a_second_registration_erases_what_the_first_one_entered() -> None:
    await login.register("ada@example.org", STRANGER, "Rude", "Words", CLIENT)
    await register(password=OWNER)
    assert (user_of_email().first_name, user_of_email().last_name) == ("", "")


async def test_a_double_click_on_sign_up_changes_nothing() -> None:
    await register()
    await register()
    (letter,) = mails("ada@example.org")
    await login.verify_email(mailed_token(letter), CLIENT)
    assert await login.verify_credentials("ada@example.org", PASSWORD, CLIENT)


async def test_two_concurrent_clicks_on_sign_up_change_nothing() -> None:
    await asyncio.gather(register(), register())
    (letter,) = mails("ada@example.org")
    await login.verify_email(mailed_token(letter), CLIENT)
    assert await login.verify_credentials("ada@example.org", PASSWORD, CLIENT)


async def test_signing_up_again_later_mails_a_new_link_that_voids_the_first(
    session: Session,
) -> None:
    await register()
    session.exec(select(OneTimeToken)).one().created_at = now() - users.MIN_LINK_INTERVAL
    session.commit()
    await register()
    first, second = (mailed_token(letter) for letter in mails("ada@example.org"))
    with pytest.raises(ValidationFailed, match="has been used"):
        await login.verify_email(first, CLIENT)
    await login.verify_email(second, CLIENT)
    assert await login.verify_credentials("ada@example.org", PASSWORD, CLIENT)


@pytest.mark.parametrize(
    ("ask", "use"),
    [
        (resent, login.verify_email),
        (partial(login.forgot_password, "ada@example.org", CLIENT), None),
    ],
)
async def test_a_new_link_voids_earlier_ones(
    ask: Callable[[], Awaitable[None]],
    use: Callable[[str, Client], Awaitable[None]] | None,
) -> None:
    sign_up_user("ada@example.org", verified=use is None)
    use = use or (lambda token, client: login.reset_password(token, "a brand new one", client))
    for _ in range(3):
        await ask()
    *older, newest = (mailed_token(letter) for letter in mails("ada@example.org"))
    for token in older:
        with pytest.raises(ValidationFailed, match="has been used"):
            await use(token, CLIENT)
    await use(newest, CLIENT)


@pytest.mark.parametrize("known", ["nobody", "begun", "confirmed"])
async def test_sign_up_does_one_bcrypt_operation_whether_or_not_the_email_is_known(
    known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if known != "nobody":
        sign_up_user("ada@example.org", verified=known == "confirmed")
    hashes, checks = record_password_hashes(monkeypatch), record_password_checks(monkeypatch)
    await register(password="another password")
    assert len(hashes) + len(checks) == 1


async def test_concurrent_sign_ups_create_one_account() -> None:
    def again(_: int) -> None:
        with transaction() as session:
            users.register(session, NewAccount("ada@example.org", "", ""), "x", CLIENT)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(again, range(8)))
    assert count(User) == 1


@pytest.mark.parametrize(
    "address",
    ["", "ada", "ada@", "@example.org", "a b@example.org", "ada@example", "ada@localhost",
     "ada@example.org\nBcc: all@example.org", "ada@example.org\0", "x" * 250 + "@example.org",
     "ada@[127.0.0.1]", "\ud83e@example.org", "a@b@example.org"],
)  # fmt: skip
async def test_an_invalid_email_is_refused(address: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        await register(address)
    assert set(refusal.value.details) == {"email"}
    assert count(User) == 0


async def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(ValidationFailed) as refusal:
        await login.register("x", "y", "z" * 101, "a\x00b", CLIENT)
    assert set(refusal.value.details) == {"email", "password", "first_name", "last_name"}


async def test_signing_in_needs_the_right_password() -> None:
    ada = sign_up_user()
    assert (await login.verify_credentials(ada.email, PASSWORD, CLIENT)).user_id == ada.id
    assert (
        await login.verify_credentials(f" {ada.email.upper()} ", PASSWORD, CLIENT)
    ).user_id == ada.id
    for address, password in (
        (ada.email, "wrong password"),
        (ada.email, ""),
        (ada.email, "x" * 5000),
        ("nobody@example.org", PASSWORD),
        ("\0", "\0"),
        ("\ud83e", "\ud83e"),
    ):
        with pytest.raises(WrongCredentials, match="Wrong email or password"):
            await login.verify_credentials(address, password, CLIENT)


async def test_an_unverified_email_is_revealed_only_with_the_right_password() -> None:
    ada = sign_up_user(verified=False)
    with pytest.raises(EmailNotVerified):
        await login.verify_credentials(ada.email, PASSWORD, CLIENT)
    with pytest.raises(WrongCredentials):
        await login.verify_credentials(ada.email, "wrong password", CLIENT)


async def test_five_failures_block_that_email_from_that_host_only() -> None:
    ada, bob = sign_up_user(), sign_up_user()
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            await login.verify_credentials(ada.email, "wrong password", CLIENT)
    with pytest.raises(RateLimited) as refusal:
        await login.verify_credentials(ada.email, PASSWORD, CLIENT)
    assert 0 < refusal.value.details["retry_after"] <= 300
    assert await login.verify_credentials(ada.email, PASSWORD, Client(ip="198.51.100.9"))
    assert await login.verify_credentials(bob.email, PASSWORD, CLIENT)


async def test_the_right_password_clears_the_failures() -> None:
    ada = sign_up_user()
    for _ in range(2):
        for _ in range(3):
            with pytest.raises(WrongCredentials):
                await login.verify_credentials(ada.email, "wrong password", CLIENT)
        assert await login.verify_credentials(ada.email, PASSWORD, CLIENT)


async def test_guesses_from_many_hosts_are_limited_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, passwords.verify_password_blocking.__name__, lambda *_: False)
    ada = sign_up_user()
    for number in range(25):
        with pytest.raises(WrongCredentials):
            await login.verify_credentials(
                ada.email, "wrong password", Client(ip=f"198.51.100.{number}")
            )
    with pytest.raises(RateLimited):
        await login.verify_credentials(ada.email, PASSWORD, Client(ip="198.51.100.99"))


async def test_guessers_cannot_lock_a_user_out_of_a_host_they_used_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada, home, far = sign_up_user(), Client(ip="203.0.113.7"), Client(ip="203.0.113.8")
    await login.verify_credentials(ada.email, PASSWORD, home)
    with monkeypatch.context() as patch:
        patch.setattr(passwords, passwords.verify_password_blocking.__name__, lambda *_: False)
        for number in range(25):
            with pytest.raises(WrongCredentials):
                await login.verify_credentials(
                    ada.email, "wrong password", Client(ip=f"198.51.100.{number}")
                )
    with pytest.raises(RateLimited):
        await login.verify_credentials(ada.email, PASSWORD, far)
    assert await login.verify_credentials(ada.email, PASSWORD, home)


async def test_guesses_of_one_host_at_many_accounts_are_limited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, passwords.verify_password_blocking.__name__, lambda *_: False)
    for number in range(10):
        with pytest.raises(WrongCredentials):
            await login.verify_credentials(f"person{number}@example.org", "wrong password", CLIENT)
    with pytest.raises(RateLimited):
        await login.verify_credentials("person@example.org", "wrong password", CLIENT)


async def test_known_and_unknown_emails_cost_the_same_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada = sign_up_user()
    checks = record_password_checks(monkeypatch)
    for address in (ada.email, "nobody@example.org"):
        with pytest.raises(WrongCredentials):
            await login.verify_credentials(address, "wrong password", CLIENT)
    known, unknown = checks
    assert known.cost == unknown.cost


async def test_an_outdated_hash_is_replaced_at_sign_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "BCRYPT_COST", 5)
    ada = sign_up_user("ada@example.org")
    monkeypatch.setattr(passwords, "BCRYPT_COST", 6)
    await login.verify_credentials(ada.email, PASSWORD, CLIENT)
    assert user_of_email().password_hash.startswith("$2b$06$")
    assert (await login.verify_credentials(ada.email, PASSWORD, CLIENT)).user_id == ada.id


async def test_a_reset_sets_the_password_once_and_revokes_all_sessions() -> None:
    ada = sign_up_user("ada@example.org")
    cookie(ada.id)
    await login.forgot_password(ada.email, CLIENT)
    await login.forgot_password(ada.email, CLIENT)
    first, second = (mailed_token(letter) for letter in mails(ada.email))
    await login.reset_password(second, "a brand new one", CLIENT)
    with transaction() as session:
        assert active_sessions(session, ada.id) == []
    assert (await login.verify_credentials(ada.email, "a brand new one", CLIENT)).user_id == ada.id
    for token in (first, second):
        with pytest.raises(ValidationFailed, match="has been used"):
            await login.reset_password(token, "yet another one", CLIENT)
    assert mails(ada.email)[-1]["Subject"] == "Your password was changed"


async def changed(ada: SignedUpUser) -> None:
    who = await in_transaction(sessions.find_browser_session, cookie(ada.id))
    await login.change_password(who, PASSWORD, "a brand new one", CLIENT)


async def deleted(ada: SignedUpUser) -> None:
    await deletion.delete_account(ada.id)


@pytest.mark.parametrize("happens", [reset, changed, deleted])
async def test_a_sign_in_is_rejected_if_the_password_changed_after_verification(
    happens: Callable[[SignedUpUser], Awaitable[None]],
) -> None:
    ada = sign_up_user()
    found = await login.verify_credentials(ada.email, PASSWORD, CLIENT)
    assert await in_transaction(login.complete_sign_in, found, CLIENT, "api") == ada.id
    await happens(ada)
    with pytest.raises(Unauthenticated, match="changed in the meantime"):
        await in_transaction(login.complete_sign_in, found, CLIENT, "api")


@pytest.mark.parametrize("happens", [reset, changed, deleted])
async def test_an_outdated_hash_is_not_replaced_if_the_password_changed_meanwhile(
    happens: Callable[[SignedUpUser], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "BCRYPT_COST", 5)
    ada = sign_up_user()
    monkeypatch.setattr(passwords, "BCRYPT_COST", 6)
    with (
        run_after(passwords, passwords.hash_password, partial(happens, ada)),
        pytest.raises(Unauthenticated),
    ):
        await login.verify_credentials(ada.email, PASSWORD, CLIENT)


async def test_concurrent_sign_ins_that_rehash_all_succeed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "BCRYPT_COST", 5)
    ada = sign_up_user()
    monkeypatch.setattr(passwords, "BCRYPT_COST", 6)

    async def other() -> None:
        others.append(await login.verify_credentials(ada.email, PASSWORD, CLIENT))

    others: list[Credential] = []
    with run_after(passwords, passwords.hash_password, other):
        mine = await login.verify_credentials(ada.email, PASSWORD, CLIENT)
    for found in (mine, *others):
        assert await in_transaction(login.complete_sign_in, found, CLIENT, "api") == ada.id
    assert len(others) == 1


async def test_a_sign_in_and_a_password_change_are_serialized() -> None:
    ada = sign_up_user()
    found = await login.verify_credentials(ada.email, PASSWORD, CLIENT)
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            login.complete_sign_in(session, found, CLIENT, "api")
            change = pool.submit(asyncio.run, reset(ada))
            with pytest.raises(
                TimeoutError
            ):  # it has hashed and waits for the lock of this transaction
                change.result(timeout=3)
            sessions.start_api_session(session, ada.id, CLIENT)
        change.result(timeout=10)
    with transaction() as session:
        assert active_sessions(session, ada.id) == []


async def test_a_weak_new_password_does_not_redeem_the_link() -> None:
    ada = sign_up_user("ada@example.org")
    await login.forgot_password(ada.email, CLIENT)
    token = mailed_token(mails(ada.email)[0])
    with pytest.raises(ValidationFailed):
        await login.reset_password(token, "password", CLIENT)
    await login.reset_password(token, "a brand new one", CLIENT)


@pytest.mark.parametrize("token", ["", "x", "a\0b", "\ud800"])
async def test_an_invalid_token_is_refused_before_hashing(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, hashes = sign_up_user(), record_password_hashes(monkeypatch)
    with pytest.raises(ValidationFailed) as refusal:
        await login.reset_password(token, "a brand new one", CLIENT)
    assert set(refusal.value.details) == {"token"}
    assert hashes == []
    await reset(ada)
    assert len(hashes) == 1


async def test_the_users_email_is_refused_as_new_password() -> None:
    ada = sign_up_user("Ada.Lovelace@example.org")
    await login.forgot_password(ada.email, CLIENT)
    token = mailed_token(mails(ada.email)[0])
    for password in (ada.email, "ada.lovelace"):
        with pytest.raises(ValidationFailed, match="your email"):
            await login.reset_password(token, password, CLIENT)
    await login.reset_password(token, "a brand new one", CLIENT)


async def test_a_reset_link_expires_after_an_hour(session: Session) -> None:
    ada = sign_up_user()
    token = one_time_tokens.create_one_time_token(session, ada.id, Purpose.RESET_PASSWORD)
    session.flush()
    session.exec(select(OneTimeToken)).one().expires_at = now()
    session.commit()
    with pytest.raises(ValidationFailed):
        await login.reset_password(token, "a brand new one", CLIENT)


async def test_a_token_is_valid_for_its_purpose_only(session: Session) -> None:
    ada = sign_up_user(verified=False)
    verify = one_time_tokens.create_one_time_token(session, ada.id, Purpose.VERIFY_EMAIL)
    reset = one_time_tokens.create_one_time_token(session, ada.id, Purpose.RESET_PASSWORD)
    session.commit()
    with pytest.raises(ValidationFailed):
        await login.reset_password(verify, "a brand new one", CLIENT)
    with pytest.raises(ValidationFailed):
        await login.verify_email(reset, CLIENT)
    await login.verify_email(verify, CLIENT)


async def test_concurrent_uses_of_a_link_redeem_it_once(session: Session) -> None:
    ada = sign_up_user(verified=False)
    token = one_time_tokens.create_one_time_token(session, ada.id, Purpose.VERIFY_EMAIL)
    session.commit()

    def press(_: int) -> bool:
        try:
            with transaction() as inner:
                users.verify_email(inner, token, CLIENT)
        except ValidationFailed:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(press, range(6))) == 1


async def test_an_email_without_an_account_gets_no_mail() -> None:
    await login.forgot_password("nobody@example.org", CLIENT)
    await login.resend_verification("nobody@example.org")
    await login.resend_verification(sign_up_user().email)
    assert mails() == []


async def test_verification_is_mailed_again_only_to_unverified_accounts() -> None:
    ada = sign_up_user(verified=False)
    await login.resend_verification(ada.email)
    await login.verify_email(mailed_token(mails(ada.email)[0]), CLIENT)


async def test_a_password_change_keeps_this_session_and_revokes_the_others() -> None:
    ada = sign_up_user()
    mine, _ = cookie(ada.id), cookie(ada.id)
    who = await in_transaction(sessions.find_browser_session, mine)
    await login.change_password(who, PASSWORD, "a brand new one", CLIENT)
    with transaction() as session:
        assert [row.id for row in active_sessions(session, ada.id)] == [who.sign_in_id]
    assert await login.verify_credentials(ada.email, "a brand new one", CLIENT)


@pytest.mark.parametrize("happens", [reset, changed])
async def test_the_second_of_two_concurrent_password_changes_is_refused(
    happens: Callable[[SignedUpUser], Awaitable[None]],
) -> None:
    ada = sign_up_user()
    who = await in_transaction(sessions.find_browser_session, cookie(ada.id))
    with (
        run_after(passwords, passwords.verify_password, partial(happens, ada)),
        pytest.raises(ValidationFailed) as refusal,
    ):
        await login.change_password(who, PASSWORD, "another new one", CLIENT)
    assert "current_password" in refusal.value.details
    assert await login.verify_credentials(ada.email, "a brand new one", CLIENT)


async def test_a_password_change_accepts_a_hash_replaced_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "BCRYPT_COST", 5)
    ada = sign_up_user()
    who = await in_transaction(sessions.find_browser_session, cookie(ada.id))
    monkeypatch.setattr(passwords, "BCRYPT_COST", 6)

    async def other() -> None:
        await login.verify_credentials(ada.email, PASSWORD, CLIENT)

    with run_after(passwords, passwords.verify_password, other):
        await login.change_password(who, PASSWORD, "a brand new one", CLIENT)
    assert await login.verify_credentials(ada.email, "a brand new one", CLIENT)


async def test_a_password_change_fails_if_the_account_is_deleted_meanwhile() -> None:
    ada = sign_up_user()
    who = await in_transaction(sessions.find_browser_session, cookie(ada.id))
    with (
        run_after(passwords, passwords.verify_password, partial(deleted, ada)),
        pytest.raises(Unauthenticated),
    ):
        await login.change_password(who, PASSWORD, "another new one", CLIENT)
    with pytest.raises(Unauthenticated):
        await login.change_password(who, PASSWORD, "another new one", CLIENT)


async def test_a_password_change_needs_the_current_one_and_limits_guesses() -> None:
    ada = sign_up_user()
    who = await in_transaction(sessions.find_browser_session, cookie(ada.id))
    with pytest.raises(ValidationFailed) as refusal:
        await login.change_password(who, PASSWORD, "password", CLIENT)
    assert "password" in refusal.value.details
    with pytest.raises(ValidationFailed, match="your password already"):
        await login.change_password(who, PASSWORD, PASSWORD, CLIENT)
    for _ in range(3):
        with pytest.raises(ValidationFailed) as refusal:
            await login.change_password(who, "wrong password", "a brand new one", CLIENT)
        assert "current_password" in refusal.value.details
    with pytest.raises(RateLimited):
        await login.change_password(who, PASSWORD, "a brand new one", CLIENT)


def test_names_change_one_by_one_and_must_be_displayable(session: Session) -> None:
    ada = sign_up_user()
    users.rename_user(session, ada.id, "Ada", "Byron")
    found = users.rename_user(session, ada.id, None, " King  Noel ")
    assert (found.first_name, found.last_name) == ("Ada", "King Noel")
    for name in ("x" * 101, "a\0b", "\ud83e", "a\x1b[31m"):
        with pytest.raises(ValidationFailed):
            users.rename_user(session, ada.id, name, None)


async def test_the_audit_log_records_events_without_secrets() -> None:
    await register()
    await login.verify_email(mailed_token(mails("ada@example.org")[0]), CLIENT)
    with pytest.raises(WrongCredentials):
        await login.verify_credentials("ada@example.org", "wrong password", CLIENT)
    with transaction() as session:
        entries = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
    assert [entry.action for entry in entries] == ["registered", "email_verified", "sign_in_failed"]
    assert {entry.user_id for entry in entries} == {user_of_email().id}
    assert {entry.ip for entry in entries} == {CLIENT.ip}


async def test_the_audit_log_records_wrong_current_passwords() -> None:
    ada = sign_up_user()
    who = await in_transaction(sessions.find_browser_session, cookie(ada.id))
    with pytest.raises(ValidationFailed):
        await login.change_password(who, "wrong password", "a brand new one", CLIENT)
    with transaction() as session:
        (event,), _ = audit_log.list_audit_events(session, ada.id, None, 10)
    assert (event.action, event.ip, event.details) == ("password_change_failed", CLIENT.ip, {})
    assert activity_label(event.action) == "Password change failed: wrong current password"


def test_a_user_signs_out_everywhere(session: Session) -> None:
    ada, bob = sign_up_user(), sign_up_user()
    cookie(ada.id), cookie(ada.id), cookie(bob.id)
    (first, _) = active_sessions(session, ada.id)
    with transaction() as inner:
        login.sign_out_everywhere(inner, SignedIn(ada.id, first.id), CLIENT)
    session.expire_all()
    assert active_sessions(session, ada.id) == []
    assert len(active_sessions(session, bob.id)) == 1


@pytest.mark.parametrize(
    ("first", "last", "initials"),
    [("Ada", "byron", "AB"), ("", "Émile", "É"), ("", "", "")],
    ids=["both", "one", "email"],
)
def test_initials_stand_for_a_missing_photo(
    session: Session, first: str, last: str, initials: str
) -> None:
    ada = sign_up_user()
    users.rename_user(session, ada.id, first, last)
    profile = users.get_profile(session, ada.id)
    assert profile.initials == (initials or profile.email[0].upper())

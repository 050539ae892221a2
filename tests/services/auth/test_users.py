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
    Somebody,
    cookie,
    living,
    mails,
    meanwhile,
    reset,
    somebody,
    token_in,
)
from tests.hashing import watch, watch_hashing

pytestmark = pytest.mark.usefixtures("services")


async def register(address: str = "ada@example.org", password: str = PASSWORD) -> NewAccount:
    return await login.register(address, password, "Ada", "Lovelace", CLIENT)


def count(what: type[User | OneTimeToken]) -> int:
    with transaction() as session:
        return session.exec(select(func.count()).select_from(what)).one()


def person(address: str = "ada@example.org") -> User:
    with transaction() as session:
        return session.exec(select(User).where(User.email == address)).one()


async def test_signing_up_sends_a_link_that_confirms_the_address_once() -> None:
    await register()
    assert person().email_verified_at is None
    token = token_in(mails("ada@example.org")[0])
    await login.verify_email(token, CLIENT)
    assert person().email_verified_at is not None
    with pytest.raises(ValidationFailed, match="has been used"):
        await login.verify_email(token, CLIENT)


async def test_names_and_addresses_are_kept_in_one_form() -> None:
    account = await login.register("  Ada@Example.ORG ", PASSWORD, "  Ada \n M. ", "", CLIENT)
    assert account == NewAccount("ada@example.org", "Ada M.", "")
    await register("ADA@example.org")
    assert count(User) == 1


async def test_a_known_address_is_told_by_mail_and_by_nothing_else() -> None:
    ada = somebody("ada@example.org")
    before = person()
    known = await register(password="another password")
    new = await login.register("new@example.org", PASSWORD, "Ada", "Lovelace", CLIENT)
    assert (known.first_name, known.last_name) == (new.first_name, new.last_name)
    assert person().password_hash == before.password_hash
    assert [letter["Subject"] for letter in mails(ada.email)] == ["You already have an account"]


async def test_who_owns_the_mailbox_takes_over_an_account_begun_by_somebody_else() -> None:
    await register(password="chosen by a stranger")
    await register(password="chosen by the owner")
    letter = mails("ada@example.org")[-1]
    assert letter["Subject"] == "Finish your account"
    await login.reset_password(token_in(letter), "what the owner wants", CLIENT)
    assert person().email_verified_at is not None
    assert await login.sign_in("ada@example.org", "what the owner wants", CLIENT)
    with pytest.raises(WrongCredentials):
        await login.sign_in("ada@example.org", "chosen by a stranger", CLIENT)


STRANGER, OWNER = "chosen by a stranger", "chosen by the owner"


async def again_by_stranger() -> None:
    await register(password=STRANGER)


async def resent() -> None:
    await login.resend_verification("ada@example.org")


async def nothing() -> None:
    pass


@pytest.mark.parametrize("first", [STRANGER, OWNER])
@pytest.mark.parametrize("then", [nothing, again_by_stranger, resent])
async def test_no_mailed_link_lets_in_a_password_that_only_a_stranger_knows(
    first: str, then: Callable[[], Awaitable[None]]
) -> None:
    """Whoever of the two registers first, and whatever the stranger asks for afterwards."""
    await register(password=first)
    await register(password=OWNER if first == STRANGER else STRANGER)
    await then()
    letters = mails("ada@example.org")
    assert letters[-1]["Subject"] == "Finish your account"
    for letter in letters[:-1]:
        with pytest.raises(ValidationFailed, match="has been used"):
            await login.verify_email(token_in(letter), CLIENT)
        with pytest.raises(ValidationFailed, match="has been used"):
            await login.reset_password(token_in(letter), "what the owner wants", CLIENT)
    with pytest.raises(ValidationFailed):
        await login.verify_email(token_in(letters[-1]), CLIENT)
    await login.reset_password(token_in(letters[-1]), "what the owner wants", CLIENT)
    assert await login.sign_in("ada@example.org", "what the owner wants", CLIENT)
    for password in (STRANGER, OWNER):
        with pytest.raises(WrongCredentials):
            await login.sign_in("ada@example.org", password, CLIENT)


async def test_an_account_two_people_began_keeps_nothing_the_first_one_typed() -> None:
    await login.register("ada@example.org", STRANGER, "Rude", "Words", CLIENT)
    await register(password=OWNER)
    assert (person().first_name, person().last_name) == ("", "")


async def test_a_second_click_on_sign_up_changes_nothing() -> None:
    await register()
    await register()
    (letter,) = mails("ada@example.org")
    await login.verify_email(token_in(letter), CLIENT)
    assert await login.sign_in("ada@example.org", PASSWORD, CLIENT)


async def test_two_clicks_on_sign_up_at_once_change_nothing() -> None:
    await asyncio.gather(register(), register())
    (letter,) = mails("ada@example.org")
    await login.verify_email(token_in(letter), CLIENT)
    assert await login.sign_in("ada@example.org", PASSWORD, CLIENT)


async def test_who_signs_up_again_later_gets_a_new_link_that_ends_the_first(
    session: Session,
) -> None:
    await register()
    session.exec(select(OneTimeToken)).one().created_at = now() - users.MIN_LINK_INTERVAL
    session.commit()
    await register()
    first, second = (token_in(letter) for letter in mails("ada@example.org"))
    with pytest.raises(ValidationFailed, match="has been used"):
        await login.verify_email(first, CLIENT)
    await login.verify_email(second, CLIENT)
    assert await login.sign_in("ada@example.org", PASSWORD, CLIENT)


@pytest.mark.parametrize(
    ("ask", "use"),
    [
        (resent, login.verify_email),
        (partial(login.forgot_password, "ada@example.org", CLIENT), None),
    ],
)
async def test_a_new_link_ends_the_ones_before(
    ask: Callable[[], Awaitable[None]],
    use: Callable[[str, Client], Awaitable[None]] | None,
) -> None:
    somebody("ada@example.org", verified=use is None)
    use = use or (lambda token, client: login.reset_password(token, "a brand new one", client))
    for _ in range(3):
        await ask()
    *older, newest = (token_in(letter) for letter in mails("ada@example.org"))
    for token in older:
        with pytest.raises(ValidationFailed, match="has been used"):
            await use(token, CLIENT)
    await use(newest, CLIENT)


@pytest.mark.parametrize("known", ["nobody", "begun", "confirmed"])
async def test_signing_up_costs_one_password_whoever_has_the_address(
    known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if known != "nobody":
        somebody("ada@example.org", verified=known == "confirmed")
    hashes, checks = watch_hashing(monkeypatch), watch(monkeypatch)
    await register(password="another password")
    assert len(hashes) + len(checks) == 1


async def test_signing_up_twice_at_once_makes_one_account() -> None:
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
async def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        await register(address)
    assert set(refusal.value.details) == {"email"}
    assert count(User) == 0


async def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ValidationFailed) as refusal:
        await login.register("x", "y", "z" * 101, "a\x00b", CLIENT)
    assert set(refusal.value.details) == {"email", "password", "first_name", "last_name"}


async def test_signing_in_needs_the_right_password() -> None:
    ada = somebody()
    assert (await login.sign_in(ada.email, PASSWORD, CLIENT)).user_id == ada.id
    assert (await login.sign_in(f" {ada.email.upper()} ", PASSWORD, CLIENT)).user_id == ada.id
    for address, password in (
        (ada.email, "wrong password"),
        (ada.email, ""),
        (ada.email, "x" * 5000),
        ("nobody@example.org", PASSWORD),
        ("\0", "\0"),
        ("\ud83e", "\ud83e"),
    ):
        with pytest.raises(WrongCredentials, match="The address or the password is wrong"):
            await login.sign_in(address, password, CLIENT)


async def test_only_who_knows_the_password_learns_that_an_address_is_not_confirmed() -> None:
    ada = somebody(verified=False)
    with pytest.raises(EmailNotVerified):
        await login.sign_in(ada.email, PASSWORD, CLIENT)
    with pytest.raises(WrongCredentials):
        await login.sign_in(ada.email, "wrong password", CLIENT)


async def test_five_failures_close_the_door_for_that_address_and_host_only() -> None:
    ada, bob = somebody(), somebody()
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            await login.sign_in(ada.email, "wrong password", CLIENT)
    with pytest.raises(RateLimited) as refusal:
        await login.sign_in(ada.email, PASSWORD, CLIENT)
    assert 0 < refusal.value.details["retry_after"] <= 300
    assert await login.sign_in(ada.email, PASSWORD, Client(ip="198.51.100.9"))
    assert await login.sign_in(bob.email, PASSWORD, CLIENT)


async def test_a_right_password_forgets_the_failures() -> None:
    ada = somebody()
    for _ in range(2):
        for _ in range(3):
            with pytest.raises(WrongCredentials):
                await login.sign_in(ada.email, "wrong password", CLIENT)
        assert await login.sign_in(ada.email, PASSWORD, CLIENT)


async def test_many_hosts_together_may_not_guess_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, passwords.matches_now.__name__, lambda *_: False)
    ada = somebody()
    for number in range(25):
        with pytest.raises(WrongCredentials):
            await login.sign_in(ada.email, "wrong password", Client(ip=f"198.51.100.{number}"))
    with pytest.raises(RateLimited):
        await login.sign_in(ada.email, PASSWORD, Client(ip="198.51.100.99"))


async def test_strangers_cannot_keep_an_owner_out_of_where_they_were_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada, home, far = somebody(), Client(ip="203.0.113.7"), Client(ip="203.0.113.8")
    await login.sign_in(ada.email, PASSWORD, home)
    with monkeypatch.context() as patch:
        patch.setattr(passwords, passwords.matches_now.__name__, lambda *_: False)
        for number in range(25):
            with pytest.raises(WrongCredentials):
                await login.sign_in(ada.email, "wrong password", Client(ip=f"198.51.100.{number}"))
    with pytest.raises(RateLimited):
        await login.sign_in(ada.email, PASSWORD, far)
    assert await login.sign_in(ada.email, PASSWORD, home)


async def test_one_host_may_not_try_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, passwords.matches_now.__name__, lambda *_: False)
    for number in range(10):
        with pytest.raises(WrongCredentials):
            await login.sign_in(f"person{number}@example.org", "wrong password", CLIENT)
    with pytest.raises(RateLimited):
        await login.sign_in("person@example.org", "wrong password", CLIENT)


async def test_known_and_unknown_addresses_cost_the_same_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada = somebody()
    checks = watch(monkeypatch)
    for address in (ada.email, "nobody@example.org"):
        with pytest.raises(WrongCredentials):
            await login.sign_in(address, "wrong password", CLIENT)
    known, unknown = checks
    assert known.cost == unknown.cost


async def test_an_old_hash_is_renewed_when_its_owner_signs_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "BCRYPT_COST", 5)
    ada = somebody("ada@example.org")
    monkeypatch.setattr(passwords, "BCRYPT_COST", 6)
    await login.sign_in(ada.email, PASSWORD, CLIENT)
    assert person().password_hash.startswith("$2b$06$")
    assert (await login.sign_in(ada.email, PASSWORD, CLIENT)).user_id == ada.id


async def test_a_reset_sets_the_password_once_and_signs_everything_out() -> None:
    ada = somebody("ada@example.org")
    cookie(ada.id)
    await login.forgot_password(ada.email, CLIENT)
    await login.forgot_password(ada.email, CLIENT)
    first, second = (token_in(letter) for letter in mails(ada.email))
    await login.reset_password(second, "a brand new one", CLIENT)
    with transaction() as session:
        assert living(session, ada.id) == []
    assert (await login.sign_in(ada.email, "a brand new one", CLIENT)).user_id == ada.id
    for token in (first, second):
        with pytest.raises(ValidationFailed, match="has been used"):
            await login.reset_password(token, "yet another one", CLIENT)
    assert mails(ada.email)[-1]["Subject"] == "Your password was changed"


async def changed(ada: Somebody) -> None:
    who = await in_transaction(sessions.user_of, cookie(ada.id))
    await login.change_password(who, PASSWORD, "a brand new one", CLIENT)


async def deleted(ada: Somebody) -> None:
    await deletion.delete_account(ada.id)


@pytest.mark.parametrize("happens", [reset, changed, deleted])
async def test_a_password_that_was_right_a_moment_ago_lets_nobody_in(
    happens: Callable[[Somebody], Awaitable[None]],
) -> None:
    ada = somebody()
    found = await login.sign_in(ada.email, PASSWORD, CLIENT)
    assert await in_transaction(login.complete_sign_in, found, CLIENT, "api") == ada.id
    await happens(ada)
    with pytest.raises(Unauthenticated, match="changed meanwhile"):
        await in_transaction(login.complete_sign_in, found, CLIENT, "api")


@pytest.mark.parametrize("happens", [reset, changed, deleted])
async def test_an_old_hash_is_not_renewed_when_the_password_goes_meanwhile(
    happens: Callable[[Somebody], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "BCRYPT_COST", 5)
    ada = somebody()
    monkeypatch.setattr(passwords, "BCRYPT_COST", 6)
    with meanwhile(passwords, "hashed", partial(happens, ada)), pytest.raises(Unauthenticated):
        await login.sign_in(ada.email, PASSWORD, CLIENT)


async def test_sign_ins_that_renew_a_hash_at_once_all_enter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "BCRYPT_COST", 5)
    ada = somebody()
    monkeypatch.setattr(passwords, "BCRYPT_COST", 6)

    async def other() -> None:
        others.append(await login.sign_in(ada.email, PASSWORD, CLIENT))

    others: list[Credential] = []
    with meanwhile(passwords, "hashed", other):
        mine = await login.sign_in(ada.email, PASSWORD, CLIENT)
    for found in (mine, *others):
        assert await in_transaction(login.complete_sign_in, found, CLIENT, "api") == ada.id
    assert len(others) == 1


async def test_a_new_sign_in_and_a_new_password_come_one_after_the_other() -> None:
    ada = somebody()
    found = await login.sign_in(ada.email, PASSWORD, CLIENT)
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            login.complete_sign_in(session, found, CLIENT, "api")
            change = pool.submit(asyncio.run, reset(ada))
            with pytest.raises(TimeoutError):  # it waits for us, hashed long ago
                change.result(timeout=3)
            sessions.start_api_session(session, ada.id, CLIENT)
        change.result(timeout=10)
    with transaction() as session:
        assert living(session, ada.id) == []


async def test_a_weak_new_password_does_not_use_the_link_up() -> None:
    ada = somebody("ada@example.org")
    await login.forgot_password(ada.email, CLIENT)
    token = token_in(mails(ada.email)[0])
    with pytest.raises(ValidationFailed):
        await login.reset_password(token, "password", CLIENT)
    await login.reset_password(token, "a brand new one", CLIENT)


@pytest.mark.parametrize("token", ["", "x", "a\0b", "\ud800"])
async def test_a_token_is_looked_at_before_the_work_of_hashing(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, hashes = somebody(), watch_hashing(monkeypatch)
    with pytest.raises(ValidationFailed) as refusal:
        await login.reset_password(token, "a brand new one", CLIENT)
    assert set(refusal.value.details) == {"token"}
    assert hashes == []
    await reset(ada)
    assert len(hashes) == 1


async def test_the_own_address_is_no_new_password() -> None:
    ada = somebody("Ada.Lovelace@example.org")
    await login.forgot_password(ada.email, CLIENT)
    token = token_in(mails(ada.email)[0])
    for password in (ada.email, "ada.lovelace"):
        with pytest.raises(ValidationFailed, match="easy to guess"):
            await login.reset_password(token, password, CLIENT)
    await login.reset_password(token, "a brand new one", CLIENT)


async def test_a_link_is_good_for_an_hour(session: Session) -> None:
    ada = somebody()
    token = one_time_tokens.make(session, ada.id, Purpose.RESET_PASSWORD)
    session.flush()
    session.exec(select(OneTimeToken)).one().expires_at = now()
    session.commit()
    with pytest.raises(ValidationFailed):
        await login.reset_password(token, "a brand new one", CLIENT)


async def test_a_token_is_good_for_its_purpose_only(session: Session) -> None:
    ada = somebody(verified=False)
    verify = one_time_tokens.make(session, ada.id, Purpose.VERIFY_EMAIL)
    reset = one_time_tokens.make(session, ada.id, Purpose.RESET_PASSWORD)
    session.commit()
    with pytest.raises(ValidationFailed):
        await login.reset_password(verify, "a brand new one", CLIENT)
    with pytest.raises(ValidationFailed):
        await login.verify_email(reset, CLIENT)
    await login.verify_email(verify, CLIENT)


async def test_a_link_pressed_twice_at_once_works_once(session: Session) -> None:
    ada = somebody(verified=False)
    token = one_time_tokens.make(session, ada.id, Purpose.VERIFY_EMAIL)
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


async def test_nobody_is_mailed_who_has_no_account() -> None:
    await login.forgot_password("nobody@example.org", CLIENT)
    await login.resend_verification("nobody@example.org")
    await login.resend_verification(somebody().email)
    assert mails() == []


async def test_the_confirmation_is_sent_again_to_who_waits_for_it() -> None:
    ada = somebody(verified=False)
    await login.resend_verification(ada.email)
    await login.verify_email(token_in(mails(ada.email)[0]), CLIENT)


async def test_changing_the_password_keeps_this_device_and_ends_the_others() -> None:
    ada = somebody()
    mine, _ = cookie(ada.id), cookie(ada.id)
    who = await in_transaction(sessions.user_of, mine)
    await login.change_password(who, PASSWORD, "a brand new one", CLIENT)
    with transaction() as session:
        assert [row.id for row in living(session, ada.id)] == [who.sign_in_id]
    assert await login.sign_in(ada.email, "a brand new one", CLIENT)


@pytest.mark.parametrize("happens", [reset, changed])
async def test_of_two_new_passwords_at_once_the_second_needs_the_first(
    happens: Callable[[Somebody], Awaitable[None]],
) -> None:
    ada = somebody()
    who = await in_transaction(sessions.user_of, cookie(ada.id))
    with (
        meanwhile(passwords, "matches", partial(happens, ada)),
        pytest.raises(ValidationFailed) as refusal,
    ):
        await login.change_password(who, PASSWORD, "another new one", CLIENT)
    assert "current_password" in refusal.value.details
    assert await login.sign_in(ada.email, "a brand new one", CLIENT)


async def test_a_hash_made_anew_meanwhile_is_still_the_present_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "BCRYPT_COST", 5)
    ada = somebody()
    who = await in_transaction(sessions.user_of, cookie(ada.id))
    monkeypatch.setattr(passwords, "BCRYPT_COST", 6)

    async def other() -> None:
        await login.sign_in(ada.email, PASSWORD, CLIENT)

    with meanwhile(passwords, "matches", other):
        await login.change_password(who, PASSWORD, "a brand new one", CLIENT)
    assert await login.sign_in(ada.email, "a brand new one", CLIENT)


async def test_who_is_gone_meanwhile_changes_no_password() -> None:
    ada = somebody()
    who = await in_transaction(sessions.user_of, cookie(ada.id))
    with meanwhile(passwords, "matches", partial(deleted, ada)), pytest.raises(Unauthenticated):
        await login.change_password(who, PASSWORD, "another new one", CLIENT)
    with pytest.raises(Unauthenticated):
        await login.change_password(who, PASSWORD, "another new one", CLIENT)


async def test_changing_the_password_needs_the_old_one_and_ends_guessing() -> None:
    ada = somebody()
    who = await in_transaction(sessions.user_of, cookie(ada.id))
    with pytest.raises(ValidationFailed) as refusal:
        await login.change_password(who, PASSWORD, "password", CLIENT)
    assert "password" in refusal.value.details
    for _ in range(4):
        with pytest.raises(ValidationFailed) as refusal:
            await login.change_password(who, "wrong password", "a brand new one", CLIENT)
        assert "current_password" in refusal.value.details
    with pytest.raises(RateLimited):
        await login.change_password(who, PASSWORD, "a brand new one", CLIENT)


def test_names_change_one_by_one_and_only_to_what_can_be_shown(session: Session) -> None:
    ada = somebody()
    users.rename(session, ada.id, "Ada", "Byron")
    found = users.rename(session, ada.id, None, " King  Noel ")
    assert (found.first_name, found.last_name) == ("Ada", "King Noel")
    for name in ("x" * 101, "a\0b", "\ud83e", "a\x1b[31m"):
        with pytest.raises(ValidationFailed):
            users.rename(session, ada.id, name, None)


async def test_what_happened_is_in_the_audit_log_without_anything_secret() -> None:
    await register()
    await login.verify_email(token_in(mails("ada@example.org")[0]), CLIENT)
    with pytest.raises(WrongCredentials):
        await login.sign_in("ada@example.org", "wrong password", CLIENT)
    with transaction() as session:
        entries = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
    assert [entry.action for entry in entries] == ["registered", "email_verified", "sign_in_failed"]
    assert {entry.user_id for entry in entries} == {person().id}
    assert {entry.ip for entry in entries} == {CLIENT.ip}


async def test_guessing_the_present_password_is_in_the_audit_log_too() -> None:
    ada = somebody()
    who = await in_transaction(sessions.user_of, cookie(ada.id))
    with pytest.raises(ValidationFailed):
        await login.change_password(who, "wrong password", "a brand new one", CLIENT)
    with transaction() as session:
        (event,), _ = audit_log.list_events(session, ada.id, None, 10)
    assert (event.action, event.ip, event.details) == ("password_change_failed", CLIENT.ip, {})
    assert activity_label(event.action) == "Password change failed: wrong current password"


def test_a_person_leaves_everywhere(session: Session) -> None:
    ada, bob = somebody(), somebody()
    cookie(ada.id), cookie(ada.id), cookie(bob.id)
    (first, _) = living(session, ada.id)
    with transaction() as inner:
        login.sign_out_everywhere(inner, SignedIn(ada.id, first.id), CLIENT)
    session.expire_all()
    assert living(session, ada.id) == []
    assert len(living(session, bob.id)) == 1

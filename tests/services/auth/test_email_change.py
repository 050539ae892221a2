"""Changing an account's address: nobody can be locked out of what is theirs."""

from collections.abc import Awaitable, Callable

import pytest
from sqlmodel import Session

from sp404_app.db import in_transaction, transaction
from sp404_app.errors import NotFound, ValidationFailed, WrongCredentials
from sp404_app.models import User
from sp404_app.services.auth import email_change, login, personal_access_tokens, sessions, users
from tests.accounts import (
    CLIENT,
    Somebody,
    cookie,
    living,
    mails,
    reset,
    signed_in,
    somebody,
    text_of,
    token_in,
)

pytestmark = pytest.mark.usefixtures("services")


def ask(person: Somebody, address: str) -> None:
    with transaction() as session:
        email_change.ask(session, person.id, address, CLIENT)


def address_of(person: Somebody) -> str:
    with transaction() as session:
        return session.get_one(User, person.id).email


async def test_the_new_address_confirms_before_anything_changes() -> None:
    ada = somebody()
    ask(ada, " New@Example.org ")
    assert address_of(ada) == ada.email
    assert await login.confirm_email(token_in(mails("new@example.org")[-1]), CLIENT)
    assert address_of(ada) == "new@example.org"
    assert (await login.sign_in("new@example.org", ada.password, CLIENT)).user_id == ada.id


async def test_a_link_works_once_and_a_newer_wish_ends_the_older_one() -> None:
    ada = somebody()
    ask(ada, "one@example.org")
    ask(ada, "two@example.org")
    with pytest.raises(ValidationFailed):
        await login.confirm_email(token_in(mails("one@example.org")[-1]), CLIENT)
    token = token_in(mails("two@example.org")[-1])
    await login.confirm_email(token, CLIENT)
    with pytest.raises(ValidationFailed):
        await login.confirm_email(token, CLIENT)


async def test_the_old_address_stops_it_before_it_happens() -> None:
    ada = somebody()
    ask(ada, "thief@example.org")
    await login.revert_email(token_in(mails(ada.email)[-1]), CLIENT)
    assert address_of(ada) == ada.email
    with pytest.raises(ValidationFailed):
        await login.confirm_email(token_in(mails("thief@example.org")[-1]), CLIENT)


async def test_the_old_address_takes_the_account_back_and_the_thief_is_out() -> None:
    ada = somebody()
    signed_in(ada.id)
    with transaction() as session:
        made = personal_access_tokens.make(session, ada.id, "x", ["samples:read"], None, CLIENT)
    assert made.name == "x"
    ask(ada, "thief@example.org")
    await login.confirm_email(token_in(mails("thief@example.org")[-1]), CLIENT)
    await login.revert_email(token_in(mails(ada.email)[-1]), CLIENT)
    assert address_of(ada) == ada.email
    with transaction() as session:
        assert living(session, ada.id) == []
        assert personal_access_tokens.list_personal_tokens(session, ada.id) == []
    with pytest.raises(WrongCredentials):
        await login.sign_in(ada.email, ada.password, CLIENT)
    letter = mails(ada.email)[-1]
    assert letter["Subject"] == "Choose a new password"
    await login.reset_password(token_in(letter), "three old drum machines", CLIENT)
    assert (await login.sign_in(ada.email, "three old drum machines", CLIENT)).user_id == ada.id
    assert made.token


async def test_a_thief_who_moves_on_cannot_end_the_first_owners_link() -> None:
    ada = somebody()
    ask(ada, "thief@example.org")
    owners = token_in(mails(ada.email)[-1])
    await login.confirm_email(token_in(mails("thief@example.org")[-1]), CLIENT)
    ask(ada, "farther@example.org")
    await login.confirm_email(token_in(mails("farther@example.org")[-1]), CLIENT)
    await login.revert_email(token_in(mails("thief@example.org")[-1]), CLIENT)
    assert address_of(ada) == "thief@example.org"
    await login.revert_email(owners, CLIENT)
    assert address_of(ada) == ada.email


async def change(person: Somebody) -> None:
    who = await in_transaction(sessions.user_of, cookie(person.id))
    await login.change_password(who, person.password, "a brand new one", CLIENT)


@pytest.mark.parametrize("renew", [reset, change])
async def test_a_new_password_ends_a_wish_for_another_address(
    renew: Callable[[Somebody], Awaitable[None]],
) -> None:
    ada = somebody()
    ask(ada, "thief@example.org")
    await renew(ada)
    with pytest.raises(ValidationFailed, match="has been used"):
        await login.confirm_email(token_in(mails("thief@example.org")[-1]), CLIENT)
    assert address_of(ada) == ada.email


async def test_the_thief_s_new_password_does_not_end_the_link_back() -> None:
    ada = somebody()
    ask(ada, "thief@example.org")
    await login.confirm_email(token_in(mails("thief@example.org")[-1]), CLIENT)
    back = token_in(mails(ada.email)[-1])
    await change(ada)
    await login.revert_email(back, CLIENT)
    assert address_of(ada) == ada.email


async def test_a_squatter_on_the_old_address_makes_room() -> None:
    ada = somebody()
    ask(ada, "thief@example.org")
    await login.confirm_email(token_in(mails("thief@example.org")[-1]), CLIENT)
    somebody(ada.email, verified=False)
    await login.revert_email(token_in(mails(ada.email)[-1]), CLIENT)
    assert address_of(ada) == ada.email


async def test_an_address_with_an_account_gets_no_link_and_nobody_is_told() -> None:
    ada, bob = somebody(), somebody()
    ask(ada, bob.email.upper())
    assert "token=" not in text_of(mails(bob.email)[-1])
    assert mails(ada.email)[-1]["Subject"] == "Your address is about to change"


async def test_an_address_taken_meanwhile_stays_with_whom_it_has() -> None:
    ada = somebody()
    ask(ada, "late@example.org")
    token = token_in(mails("late@example.org")[-1])
    other = somebody("late@example.org")
    with pytest.raises(ValidationFailed):
        await login.confirm_email(token, CLIENT)
    assert (address_of(ada), address_of(other)) == (ada.email, "late@example.org")


@pytest.mark.parametrize("address", ["", "nobody", "a@b\0.org", "x" * 300 + "@example.org"])
def test_what_is_no_address_is_refused(session: Session, address: str) -> None:
    ada = somebody()
    with pytest.raises(ValidationFailed):
        email_change.ask(session, ada.id, address, CLIENT)


def test_the_present_address_is_no_change(session: Session) -> None:
    ada = somebody()
    with pytest.raises(ValidationFailed):
        email_change.ask(session, ada.id, ada.email.upper(), CLIENT)


def test_links_of_other_kinds_change_nothing(session: Session) -> None:
    ada = somebody()
    users.forgot_password(session, ada.email, CLIENT)
    session.commit()
    with pytest.raises(NotFound):
        personal_access_tokens.revoke_personal_token(session, ada.id, ada.id, CLIENT)
    for use in (email_change.confirm, email_change.revert):
        with pytest.raises(ValidationFailed):
            use(session, "x", CLIENT)

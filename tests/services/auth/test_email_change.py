"""Change of email: the old address can always revert it."""

from collections.abc import Awaitable, Callable

import pytest
from sqlmodel import Session

from sp404_app.db import in_transaction, transaction
from sp404_app.errors import NotFound, ValidationFailed, WrongCredentials
from sp404_app.models import User
from sp404_app.services.auth import email_change, login, personal_access_tokens, sessions, users
from tests.accounts import (
    CLIENT,
    SignedUpUser,
    active_sessions,
    cookie,
    mailed_token,
    mails,
    reset,
    sign_in_api_client,
    sign_up_user,
    text_of,
)

pytestmark = pytest.mark.usefixtures("services")


def request_change(person: SignedUpUser, address: str) -> None:
    with transaction() as session:
        email_change.request_email_change(session, person.id, address, CLIENT)


def email_of(person: SignedUpUser) -> str:
    with transaction() as session:
        return session.get_one(User, person.id).email


async def test_the_email_changes_only_after_the_new_one_confirms() -> None:
    ada = sign_up_user()
    request_change(ada, " New@Example.org ")
    assert email_of(ada) == ada.email
    assert await login.confirm_email(mailed_token(mails("new@example.org")[-1]), CLIENT)
    assert email_of(ada) == "new@example.org"
    assert (
        await login.verify_credentials("new@example.org", ada.password, CLIENT)
    ).user_id == ada.id


async def test_a_link_works_once_and_a_newer_request_voids_the_older_one() -> None:
    ada = sign_up_user()
    request_change(ada, "one@example.org")
    request_change(ada, "two@example.org")
    with pytest.raises(ValidationFailed):
        await login.confirm_email(mailed_token(mails("one@example.org")[-1]), CLIENT)
    token = mailed_token(mails("two@example.org")[-1])
    await login.confirm_email(token, CLIENT)
    with pytest.raises(ValidationFailed):
        await login.confirm_email(token, CLIENT)


async def test_the_old_email_can_revert_before_the_change_is_confirmed() -> None:
    ada = sign_up_user()
    request_change(ada, "thief@example.org")
    await login.revert_email(mailed_token(mails(ada.email)[-1]), CLIENT)
    assert email_of(ada) == ada.email
    with pytest.raises(ValidationFailed):
        await login.confirm_email(mailed_token(mails("thief@example.org")[-1]), CLIENT)


async def test_a_revert_restores_the_email_and_revokes_all_access() -> None:
    ada = sign_up_user()
    sign_in_api_client(ada.id)
    with transaction() as session:
        made = personal_access_tokens.create_personal_token(
            session, ada.id, "x", ["samples:read"], None, CLIENT
        )
    assert made.name == "x"
    request_change(ada, "thief@example.org")
    await login.confirm_email(mailed_token(mails("thief@example.org")[-1]), CLIENT)
    await login.revert_email(mailed_token(mails(ada.email)[-1]), CLIENT)
    assert email_of(ada) == ada.email
    with transaction() as session:
        assert active_sessions(session, ada.id) == []
        assert personal_access_tokens.list_personal_tokens(session, ada.id) == []
    with pytest.raises(WrongCredentials):
        await login.verify_credentials(ada.email, ada.password, CLIENT)
    letter = mails(ada.email)[-1]
    assert letter["Subject"] == "Choose a new password"
    await login.reset_password(mailed_token(letter), "three old drum machines", CLIENT)
    assert (
        await login.verify_credentials(ada.email, "three old drum machines", CLIENT)
    ).user_id == ada.id
    assert made.token


async def test_a_second_change_of_email_does_not_void_the_first_revert_link() -> None:
    ada = sign_up_user()
    request_change(ada, "thief@example.org")
    owners = mailed_token(mails(ada.email)[-1])
    await login.confirm_email(mailed_token(mails("thief@example.org")[-1]), CLIENT)
    request_change(ada, "farther@example.org")
    await login.confirm_email(mailed_token(mails("farther@example.org")[-1]), CLIENT)
    await login.revert_email(mailed_token(mails("thief@example.org")[-1]), CLIENT)
    assert email_of(ada) == "thief@example.org"
    await login.revert_email(owners, CLIENT)
    assert email_of(ada) == ada.email


async def change(person: SignedUpUser) -> None:
    who = await in_transaction(sessions.find_browser_session, cookie(person.id))
    await login.change_password(who, person.password, "a brand new one", CLIENT)


@pytest.mark.parametrize("renew", [reset, change])
async def test_a_new_password_voids_a_requested_change_of_email(
    renew: Callable[[SignedUpUser], Awaitable[None]],
) -> None:
    ada = sign_up_user()
    request_change(ada, "thief@example.org")
    await renew(ada)
    with pytest.raises(ValidationFailed, match="has been used"):
        await login.confirm_email(mailed_token(mails("thief@example.org")[-1]), CLIENT)
    assert email_of(ada) == ada.email


async def test_a_new_password_does_not_void_the_revert_link() -> None:
    ada = sign_up_user()
    request_change(ada, "thief@example.org")
    await login.confirm_email(mailed_token(mails("thief@example.org")[-1]), CLIENT)
    back = mailed_token(mails(ada.email)[-1])
    await change(ada)
    await login.revert_email(back, CLIENT)
    assert email_of(ada) == ada.email


async def test_a_revert_deletes_an_unverified_account_with_the_old_email() -> None:
    ada = sign_up_user()
    request_change(ada, "thief@example.org")
    await login.confirm_email(mailed_token(mails("thief@example.org")[-1]), CLIENT)
    sign_up_user(ada.email, verified=False)
    await login.revert_email(mailed_token(mails(ada.email)[-1]), CLIENT)
    assert email_of(ada) == ada.email


async def test_an_email_with_an_account_gets_no_link_and_is_not_revealed() -> None:
    ada, bob = sign_up_user(), sign_up_user()
    request_change(ada, bob.email.upper())
    assert "token=" not in text_of(mails(bob.email)[-1])
    assert mails(ada.email)[-1]["Subject"] == "Your email is about to change"


async def test_an_email_taken_before_the_confirmation_stays_with_its_account() -> None:
    ada = sign_up_user()
    request_change(ada, "late@example.org")
    token = mailed_token(mails("late@example.org")[-1])
    other = sign_up_user("late@example.org")
    with pytest.raises(ValidationFailed):
        await login.confirm_email(token, CLIENT)
    assert (email_of(ada), email_of(other)) == (ada.email, "late@example.org")


@pytest.mark.parametrize("address", ["", "nobody", "a@b\0.org", "x" * 300 + "@example.org"])
def test_an_invalid_email_is_refused(session: Session, address: str) -> None:
    ada = sign_up_user()
    with pytest.raises(ValidationFailed):
        email_change.request_email_change(session, ada.id, address, CLIENT)


def test_the_current_email_is_refused(session: Session) -> None:
    ada = sign_up_user()
    with pytest.raises(ValidationFailed):
        email_change.request_email_change(session, ada.id, ada.email.upper(), CLIENT)


def test_tokens_for_other_purposes_change_nothing(session: Session) -> None:
    ada = sign_up_user()
    users.forgot_password(session, ada.email, CLIENT)
    session.commit()
    with pytest.raises(NotFound):
        personal_access_tokens.revoke_personal_token(session, ada.id, ada.id, CLIENT)
    for use in (email_change.confirm_email_change, email_change.revert_email_change):
        with pytest.raises(ValidationFailed):
            use(session, "x", CLIENT)

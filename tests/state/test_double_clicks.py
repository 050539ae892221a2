"""Double clicks: Reflex runs handlers of a tab in sequence, so both clicks arrive."""

import inspect
from typing import Any

import pytest
from sqlmodel import update

from sp404_app import sp404_app
from sp404_app.db import transaction
from sp404_app.models import SignIn
from sp404_app.models.columns import now
from sp404_app.services.auth import login
from sp404_app.state import double_click
from sp404_app.state.account.personal_data import OwnDataState
from sp404_app.state.auth.access_tokens import TokensState
from sp404_app.state.auth.email_links import ForgotPasswordState
from sp404_app.state.auth.login import LoginState
from sp404_app.state.auth.signup import SignupState
from tests.accounts import PASSWORD, cookie, mails, sign_up_user
from tests.security.machine import handlers, machine
from tests.tabs import in_tab

pytestmark = pytest.mark.usefixtures("services")


async def run(events: Any) -> None:
    """Run a handler to its end."""
    if inspect.isasyncgen(events):
        async for _ in events:
            pass
    else:
        await events


async def test_a_double_click_sends_one_confirmation_email() -> None:
    ada = sign_up_user(verified=False)
    login = in_tab(LoginState(), "")
    login._email = ada.email
    signup = in_tab(SignupState(), "", ip="127.0.0.2")
    signup.sent_to = ada.email
    await run(login.resend())
    said = login.resent
    await run(login.resend())
    assert (login.resent, len(mails(ada.email))) == (said, 1)
    assert "on its way" in said


async def test_a_double_click_sends_one_reset_email() -> None:
    ada = sign_up_user()
    tab = in_tab(ForgotPasswordState(), "")
    for _ in range(2):
        await run(tab.submit({"email": ada.email}))
    assert (tab.sent, tab.problem, len(mails(ada.email))) == (True, "", 1)


async def test_a_double_click_requests_one_change_of_email() -> None:
    ada = sign_up_user()
    tab = in_tab(OwnDataState(), confirmed_cookie(ada.id))
    for _ in range(2):
        await run(tab.change_email({"email": "new@example.org"}))
    assert (tab.email_sent, tab.email_problem) == ("new@example.org", "")
    assert (len(mails("new@example.org")), len(mails(ada.email))) == (1, 1)
    await run(tab.change_email({"email": "newer@example.org"}))
    assert len(mails("newer@example.org")) == 1


async def test_a_double_click_creates_one_access_token() -> None:
    ada = sign_up_user()
    tab = in_tab(TokensState(), confirmed_cookie(ada.id))
    form = {"token_name": "Sampler", "days": "30", "samples:read": "on"}
    await run(tab.make(form))
    made = tab.made
    await run(tab.make(form))
    assert (tab.made, len(tab.rows), len(mails(ada.email))) == (made, 1, 1)


async def test_a_failed_action_can_be_repeated_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tab = in_tab(OwnDataState(), confirmed_cookie(sign_up_user().id))
    await run(tab.change_email({"email": "not an address"}))
    first, tab.email_problem = tab.email_problem, ""
    await run(tab.change_email({"email": "not an address"}))
    assert tab.email_problem == first != ""
    await run(tab.change_email({"email": "new@example.org"}))
    monkeypatch.setattr(double_click, "WITHIN_S", 0.0)  # after the time limit of a double click
    await run(tab.change_email({"email": "new@example.org"}))
    assert len(mails("new@example.org")) == 2


def test_only_the_same_action_with_the_same_arguments_is_repeated() -> None:
    recent = double_click.remember_action("send", "ada@example.org")
    assert double_click.is_repeated(recent, "send", "ada@example.org")
    assert not double_click.is_repeated(recent, "send", "eve@example.org")
    assert not double_click.is_repeated(recent, "delete", "ada@example.org")
    assert not double_click.is_repeated({}, "send", "ada@example.org")


def test_an_action_with_text_that_is_not_utf8_is_repeated_too() -> None:
    recent = double_click.remember_action("rename", "half a character \ud800")
    assert double_click.is_repeated(recent, "rename", "half a character \ud800")
    assert not double_click.is_repeated(recent, "rename", "half a character \ud801")


def test_an_action_is_not_repeated_after_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    recent = double_click.remember_action("send")
    (done_at,) = recent.values()
    for seconds, repeated in ((-0.1, True), (0.1, False)):
        later = done_at + double_click.WITHIN_S + seconds
        monkeypatch.setattr(double_click.time, "time", lambda later=later: later)
        assert double_click.is_repeated(recent, "send") is repeated
    monkeypatch.undo()


def test_remembered_actions_contain_no_arguments() -> None:
    assert "secret" not in repr(double_click.remember_action({"password": "secret"}))


async def test_a_double_click_on_sign_up_creates_one_account_and_sends_one_email() -> None:
    address = "double@example.org"
    form = {"email": address, "password": PASSWORD, "first_name": "", "last_name": ""}
    submit = next(name for name in handlers() if name.endswith("signup_state.submit"))
    async with machine() as browser:
        both = await browser.send_twice(submit, {"form": form})
    assert both.errors == []
    assert len(mails(address)) == 1


async def test_a_late_answer_does_not_change_a_page_that_was_reloaded() -> None:
    form = {"email": "late@example.org", "password": PASSWORD, "first_name": "", "last_name": ""}
    submit = next(name for name in handlers() if name.endswith("signup_state.submit"))
    async with machine() as browser:
        found = await browser.send_during(
            submit, {"form": form}, login, login.register, submit.replace(".submit", ".load")
        )
    assert found.errors == []
    assert len(mails("late@example.org")) == 1
    assert not any('"sent_to_rx_state_": "late@' in sent for sent in found.sent), found.sent


def test_no_page_has_a_background_handler_on_load() -> None:
    """It would run concurrently with the others, and the later one would overwrite their vars."""
    beside = [
        (page.route, handler.fn.__qualname__)
        for page in sp404_app.PAGES
        for handler in page.on_load
        if handler.is_background
    ]
    assert beside == []


def confirmed_cookie(user_id: Any) -> str:
    """Return the cookie of a session that was reauthenticated just now."""
    found = cookie(user_id)
    with transaction() as session:
        session.exec(update(SignIn).values(confirmed_at=now()))
    return found

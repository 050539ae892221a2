"""States of the sign-in, sign-up, email link and account pages."""

import uuid
from typing import Any

import pytest
from reflex.event import EventSpec

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import User
from sp404_app.services.account import demo_account
from sp404_app.services.auth import sessions
from sp404_app.settings import settings
from sp404_app.state import forms
from sp404_app.state.account.account import AccountState
from sp404_app.state.auth.email_links import ForgotPasswordState, VerifyEmailState
from sp404_app.state.auth.login import LoginState, typed_email
from sp404_app.state.auth.signup import SignupState
from sp404_app.state.dev.outbox import DevOutboxState
from sp404_app.state.layout import LayoutState
from tests.accounts import cookie, mailed_token, mails, sign_up_user
from tests.tabs import in_tab

pytestmark = pytest.mark.usefixtures("services")


async def run(events: Any) -> list[EventSpec]:
    """Run a handler to its end; return the events that it sends to the browser."""
    return [event async for event in events if event is not None]


@pytest.mark.parametrize(
    ("code", "words", "beside", "unverified"),
    [
        ("wrong_credentials", "Wrong", True, False),
        ("email_not_verified", "Confirm your email", False, True),
        ("rate_limited", "Too many attempts", False, False),
        ("<script>alert(1)</script>", "Something went wrong", False, False),
        ("", "", False, False),
    ],
)
async def test_an_error_code_in_the_url_becomes_a_message(
    code: str, words: str, *, beside: bool, unverified: bool
) -> None:
    tab = in_tab(LoginState(), "", url=f"/login?error={code}")
    await run(tab.load())
    assert words in tab.problem
    assert "<" not in tab.problem
    assert bool(tab.password_problem) is beside
    assert tab.unverified is unverified


async def test_the_typed_email_is_filled_in_again_only_after_an_error() -> None:
    header = f"{sessions.typed_email_cookie_name()}=ada%2Bbeats@example.org"
    tab = in_tab(LoginState(), "", url="/login?error=wrong_credentials", cookies=header)
    (event,) = await run(tab.load())
    assert "ada+beats@example.org" in str(event.args)
    tab = in_tab(LoginState(), "", url="/login", cookies=header)
    assert await run(tab.load()) == []


@pytest.mark.parametrize("header", ["", "x", "=;", "sp404_session_3000_typed"])
def test_a_malformed_cookie_gives_no_email(header: str) -> None:
    assert typed_email(header) == ""


async def test_a_signed_in_user_is_redirected_to_own_pages_only() -> None:
    ada = sign_up_user()
    for target, expected in (("/account", "/account"), ("https://evil.example", "/library")):
        tab = in_tab(LoginState(), cookie(ada.id), url=f"/login?next={target}")
        (event,) = await run(tab.load())
        assert expected in str(event.args)
        assert "evil" not in str(event.args)


async def test_the_demo_account_is_offered_in_development_only(
    environment: pytest.MonkeyPatch,
) -> None:
    tab = in_tab(LoginState(), "")
    await run(tab.load())
    assert tab.demo_email == demo_account.DEMO_EMAIL
    environment.setenv("SP404_ENV", "production")
    settings.cache_clear()
    tab = in_tab(LoginState(), "")
    await run(tab.load())
    assert (tab.demo_email, tab.demo_password) == ("", "")


async def test_the_sign_in_page_sends_the_confirmation_again_at_most_once() -> None:
    ada = sign_up_user(verified=False)
    tab = in_tab(LoginState(), "")
    tab._email = ada.email
    await tab.resend()
    await tab.resend()  # a double click sends one mail
    assert "on its way" in tab.resent
    another = in_tab(LoginState(), "")
    another._email = ada.email
    await another.resend()
    assert "Too many attempts" in another.resent
    assert len(mails(ada.email)) == 1


async def test_opening_a_confirmation_link_changes_nothing_until_the_button_is_pressed() -> None:
    ada = sign_up_user(verified=False)
    tab = in_tab(LoginState(), "")
    tab._email = ada.email
    await tab.resend()
    url = f"/verify-email?token={mailed_token(mails(ada.email)[0])}"
    page = in_tab(VerifyEmailState(), "", url=url)
    await page.load()
    assert (page.token, page.email, page.problem) == (url.partition("=")[2], ada.email, "")
    with transaction() as session:
        assert session.get_one(User, ada.id).email_verified_at is None


@pytest.mark.parametrize(
    ("query", "outcome", "problem"),
    [
        ("confirmed=other", "other", ""),
        ("confirmed=sign_in", "sign_in", ""),
        ("confirmed=1", "", "incomplete"),
        ("error=invalid", "", "has been used"),
        ("error=rate_limited", "", "Too many attempts"),
        ("error=" + "x" * 9000, "", "Something went wrong"),
        ("token=" + "x" * 9000, "", "has been used"),
    ],
)
async def test_the_page_shows_the_answer_to_its_form(
    query: str, outcome: str, problem: str
) -> None:
    page = in_tab(VerifyEmailState(), "", url=f"/verify-email?{query}")
    await page.load()
    assert (page.outcome, page.token, page.email, page.loaded) == (outcome, "", "", True)
    assert problem in page.problem
    assert bool(page.problem) == bool(problem)


@pytest.mark.parametrize("url", ["/verify-email", "/verify-email?token="])
async def test_a_truncated_link_shows_a_message(url: str) -> None:
    page = in_tab(VerifyEmailState(), "", url=url)
    await page.load()
    assert "incomplete" in page.problem


async def test_forgot_password_answers_the_same_for_every_email() -> None:
    ada = sign_up_user()
    for email in (ada.email, "nobody@example.org", "no address", ""):
        page = in_tab(ForgotPasswordState(), "")
        await run(page.submit({"email": email}))
        assert (page.sent, page.problem, page.busy) == (True, "", False)
    assert len(mails()) == 1


@pytest.mark.parametrize("form", [{}, {"email": None}, {"email": ["x"]}, None, "x", 7, []])
async def test_a_malformed_form_is_refused(form: Any) -> None:
    page = in_tab(ForgotPasswordState(), "")
    await run(page.submit(form))
    assert "incomplete" in page.problem
    with pytest.raises(ValidationFailed):
        forms.form_text(form, "email")


async def test_the_sign_up_page_opens_empty() -> None:
    page = in_tab(SignupState(), "")
    page.sent_to = "ada@example.org"
    page.load()
    assert (page.sent_to, page.development) == ("", True)


def test_errors_are_assigned_to_their_fields() -> None:
    error = ValidationFailed("Look.", {"email": ["No."], "other": ["No."], "password": []})
    assert forms.field_errors(error, "email", "password") == {"email": "No."}
    assert forms.field_errors(AppError("All wrong."), "email") == {"form": "All wrong."}
    assert forms.field_errors(AppError("x", {"email": 7}), "email") == {"form": "x"}


async def test_the_account_page_shows_the_signed_in_user() -> None:
    ada = sign_up_user("ada@example.org")
    tab = in_tab(AccountState(), cookie(ada.id))
    await tab.load()
    assert tab.email == "ada@example.org"
    assert [device.current for device in tab.devices] == [True]
    assert set(tab.switches) == {"autoplay", "level_previews", "folders_become_tags"}


async def test_no_handler_of_the_account_page_works_without_a_session() -> None:
    tab = in_tab(AccountState(), "")
    calls = [
        tab.load(),
        tab.save_names({"first_name": "x", "last_name": "y"}),
        tab.revoke_others(),
        tab.set_preference("autoplay", False),
        tab.set_theme("light"),
        in_tab(LayoutState(), "").show_theme("light"),
        run(tab.revoke(str(uuid.uuid4()))),
    ]
    for call in calls:
        with pytest.raises(Unauthenticated):
            await call


async def test_names_and_preferences_are_saved() -> None:
    ada = sign_up_user()
    value = cookie(ada.id)
    tab = in_tab(AccountState(), value)
    await tab.load()
    await tab.save_names({"first_name": " Ada ", "last_name": "L."})
    await tab.set_preference("autoplay", False)
    again = in_tab(AccountState(), value)
    await again.load()
    assert (again.first_name, again.last_name) == ("Ada", "L.")
    assert again.switches["autoplay"] is False
    await tab.save_names({"first_name": "x" * 101, "last_name": ""})
    assert "first_name" in tab.problems


async def test_the_shown_theme_is_the_browsers_and_first_that_of_the_account() -> None:
    value = cookie(sign_up_user().id)
    account = in_tab(AccountState(), value)
    await account.load()
    frame = in_tab(LayoutState(), value)
    await frame.load()
    assert (frame.theme, frame.chosen_theme) == ("dark", "")
    await account.set_theme("light")
    await frame.load()
    assert (frame.theme, frame.chosen_theme) == ("light", "light")
    for shown, drawn in (("dark", "dark"), ("light", "light"), ("pink", "dark")):
        await frame.show_theme(shown)
        await frame.load()
        assert frame.theme == drawn
    await account.set_theme("system")
    await frame.load()
    assert frame.chosen_theme == "system"
    with pytest.raises(ValidationFailed):
        await account.set_theme("pink")


@pytest.mark.parametrize(
    ("name", "value"),
    [("theme", True), ("user_id", True), ("autoplay", "yes"), ("", None), ({}, True), ([], True)],
)
async def test_invalid_preferences_are_refused(name: Any, value: Any) -> None:
    tab = in_tab(AccountState(), cookie(sign_up_user().id))
    await tab.load()
    with pytest.raises(ValidationFailed):
        await tab.set_preference(name, value)


async def test_a_device_is_signed_out_by_its_owner_only() -> None:
    ada, bob = sign_up_user(), sign_up_user()
    tab = in_tab(AccountState(), cookie(ada.id))
    cookie(ada.id), cookie(bob.id)
    await tab.load()
    other = next(device for device in tab.devices if not device.current)
    theirs = in_tab(AccountState(), cookie(bob.id))
    await theirs.load()
    for chosen in (other.id, "rubbish", str(uuid.uuid4())):
        with pytest.raises(NotFound):
            await run(theirs.revoke(chosen))
    assert await run(tab.revoke(other.id)) == []
    assert len(tab.devices) == 1
    (event,) = await run(tab.revoke(tab.devices[0].id))
    assert "/login" in str(event.args)
    await theirs.revoke_others()
    assert theirs.has_others is False


async def test_the_outbox_opens_for_local_clients_in_development_only(
    environment: pytest.MonkeyPatch,
) -> None:
    ada = sign_up_user(verified=False)
    sender = in_tab(LoginState(), "")
    sender._email = ada.email
    await sender.resend()
    assert mails()
    page = in_tab(DevOutboxState(), "", ip="127.0.0.1")
    await page.load()
    assert [mail.recipient for mail in page.mails] == [ada.email]
    for ip in ("203.0.113.7", "", "rubbish", "::ffff:203.0.113.7"):
        stranger = in_tab(DevOutboxState(), "", ip=ip)
        with pytest.raises(NotFound):
            await stranger.load()
        assert stranger.mails == []
    environment.setenv("SP404_ENV", "production")
    settings.cache_clear()
    with pytest.raises(NotFound):
        await page.load()
    assert page.mails == []

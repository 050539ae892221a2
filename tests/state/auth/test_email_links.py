"""The pages of mailed links: one token, redeemed once, by a button."""

from typing import Any

import pytest

from sp404_app.db import transaction
from sp404_app.models import Purpose
from sp404_app.services.auth import email_change, login, one_time_tokens
from sp404_app.state.auth.email_links import (
    INCOMPLETE_LINK,
    EmailLinkState,
    ResetPasswordState,
)
from tests.accounts import CLIENT, SignedUpUser, mailed_token, mails, sign_up_user
from tests.security.machine import handlers, machine
from tests.tabs import in_tab

pytestmark = pytest.mark.usefixtures("services")

NEW_EMAIL = "new@example.org"
NEW_PASSWORD = "three old drum machines"


def request_change(user: SignedUpUser) -> tuple[str, str]:
    """Request a change of email; return the token to confirm it and the token to revert it."""
    with transaction() as session:
        email_change.request_email_change(session, user.id, NEW_EMAIL, CLIENT)
    return mailed_token(mails(NEW_EMAIL)[-1]), mailed_token(mails(user.email)[-1])


async def press(events: Any) -> None:
    """Run a handler to its end."""
    async for _ in events:
        pass


@pytest.mark.parametrize(
    ("state", "path"),
    [
        (EmailLinkState, "/change-email"),
        (EmailLinkState, "/revert-email"),
        (ResetPasswordState, "/reset-password"),
    ],
)
def test_a_link_without_a_token_is_incomplete(state: Any, path: str) -> None:
    page = in_tab(state(), "", url=path)
    page.load()
    assert (page.problem, page.done, page.busy) == (INCOMPLETE_LINK, False, False)


async def test_a_change_of_email_is_confirmed_once_and_shows_the_new_email() -> None:
    token, _ = request_change(sign_up_user())
    page = in_tab(EmailLinkState(), "", url=f"/change-email?token={token}")
    page.load()
    for _ in range(2):
        await press(page.confirm())
    assert (page.done, page.busy, page.problem, page.email) == (True, False, "", NEW_EMAIL)
    page.load()
    assert (page.done, page.email) == (False, "")
    await press(page.confirm())
    assert (page.done, page.problem) == (False, one_time_tokens.INVALID_LINK)


async def test_a_reverted_change_leads_to_its_result() -> None:
    _, token = request_change(sign_up_user())
    page = in_tab(EmailLinkState(), "", url=f"/revert-email?token={token}")
    page.load()
    *_, told = [each async for each in page.revert()]
    assert page.done
    assert "/revert-email?done=1" in str(told)
    page = in_tab(EmailLinkState(), "", url="/revert-email?done=1")
    page.load()
    assert (page.done, page.problem) == (True, "")


async def test_a_token_for_another_purpose_shows_an_error() -> None:
    confirm, _ = request_change(sign_up_user())
    page = in_tab(EmailLinkState(), "", url=f"/revert-email?token={confirm}")
    page.load()
    await press(page.revert())
    assert (page.done, page.busy, page.problem) == (False, False, one_time_tokens.INVALID_LINK)


async def submit_reset(token: str, password: str) -> str:
    """Submit the reset page as a browser does; return all that is sent back."""
    submit = next(name for name in handlers() if name.endswith("reset_password_state.submit"))
    async with machine() as browser:
        outcome = await browser.send(
            submit, {"form": {"password": password}}, address=f"/reset-password?token={token}"
        )
    assert outcome.errors == []
    return "\n".join(outcome.sent)


async def test_a_reset_shows_a_weak_password_beside_its_field_and_keeps_the_token() -> None:
    ada = sign_up_user()
    with transaction() as session:
        token = one_time_tokens.create_one_time_token(session, ada.id, Purpose.RESET_PASSWORD)
    sent = await submit_reset(token, "password")
    assert '"password_problem_rx_state_": "This is a common password' in sent
    assert '"done_rx_state_": true' not in sent
    sent = await submit_reset(token, NEW_PASSWORD)
    assert '"done_rx_state_": true' in sent
    assert (await login.verify_credentials(ada.email, NEW_PASSWORD, CLIENT)).user_id == ada.id


async def test_a_reset_with_an_unknown_token_shows_an_error_above_the_form() -> None:
    sent = await submit_reset("unknown", NEW_PASSWORD)
    assert f'"problem_rx_state_": "{one_time_tokens.INVALID_LINK}"' in sent
    assert '"done_rx_state_": true' not in sent

"""The account page: two-factor authentication, access tokens, personal data, reauthentication."""

import contextlib
import datetime as dt
from typing import Any

import pytest
import reflex as rx
from sqlmodel import update

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, Unauthenticated
from sp404_app.models import SignIn
from sp404_app.models.columns import now
from sp404_app.services.auth import personal_access_tokens, two_factor
from sp404_app.state.account import personal_data
from sp404_app.state.account.personal_data import OwnDataState
from sp404_app.state.auth import reauthentication
from sp404_app.state.auth.access_tokens import TokensState
from sp404_app.state.auth.password_meter import StrengthState
from sp404_app.state.auth.two_factor import TwoFactorState
from tests.accounts import CLIENT, SignedUpUser, cookie, mails, sign_up_user
from tests.services.auth.test_two_factor import code_at
from tests.state.test_account_pages import run
from tests.tabs import in_tab

pytestmark = pytest.mark.usefixtures("services")

INVALID = [None, 7, [], "x" * 9000, "a\0b", {"$": 1}, "\ud800", True]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the actions for which the page requires the password."""
    found: list[str] = []

    class Question:
        def __setattr__(self, name: str, value: Any) -> None:
            if name == "_pending_action":
                found.append(value)

    async def get_state(*_: object) -> Question:
        return Question()

    monkeypatch.setattr(rx.State, "get_state", get_state)
    return found


def expire_reauthentication() -> None:
    with transaction() as session:
        session.exec(update(SignIn).values(confirmed_at=now() - dt.timedelta(minutes=11)))


def tab_of(state: Any, person: SignedUpUser) -> Any:
    return in_tab(state, cookie(person.id))


async def test_turning_on_two_factor_shows_the_recovery_codes_once() -> None:
    ada = sign_up_user()
    tab = tab_of(TwoFactorState(), ada)
    await tab.load()
    assert not tab.on
    await tab.begin()
    secret = tab.secret.replace(" ", "")
    await tab.confirm({"code": "000000"})
    assert (tab.on, tab.problem) == (False, two_factor.WRONG_CODE)
    await tab.confirm({"code": code_at(secret)})
    assert (tab.on, tab.problem, tab.secret, len(tab.codes)) == (True, "", "", 10)
    await tab.load()
    assert (tab.on, tab.codes, tab.codes_left) == (True, [], 10)
    await tab.renew()
    assert len(tab.codes) == 10
    await tab.begin()
    assert "already on" in tab.problem
    await tab.turn_off()
    assert not tab.on


async def test_a_cancelled_two_factor_setup_is_discarded() -> None:
    ada = sign_up_user()
    tab = tab_of(TwoFactorState(), ada)
    await tab.begin()
    secret = tab.secret.replace(" ", "")
    await tab.cancel()
    await tab.confirm({"code": code_at(secret)})
    assert not tab.on


async def test_critical_actions_require_reauthentication_in_the_page(asked: list[str]) -> None:
    ada = sign_up_user()
    factor, token, own = (
        tab_of(state, ada) for state in (TwoFactorState(), TokensState(), OwnDataState())
    )
    expire_reauthentication()
    await factor.begin()
    await factor.confirm({"code": "1"})
    await factor.renew()
    await factor.turn_off()
    await token.make({"token_name": "x", "days": "", "samples:read": "on"})
    await own.change_email({"email": "new@example.org"})
    await run(own.request_export())
    await run(own.begin_deletion())
    assert asked == [
        "two_factor.begin",
        "two_factor.confirm",
        "two_factor.renew",
        "two_factor.turn_off",
        "tokens.make",
        "own.change_email",
        "own.request_export",
        "own.begin_deletion",
    ]
    assert set(asked) <= set(reauthentication.pending_actions)
    assert (factor.secret, token.made, own.email_sent, own.export, own.leaving) == (
        "",
        "",
        "",
        "",
        False,
    )
    assert mails(ada.email) == []


async def test_a_token_is_shown_once_and_revoked_by_its_owner_only() -> None:
    ada, bob = sign_up_user(), sign_up_user()
    tab = tab_of(TokensState(), ada)
    await tab.make({"token_name": "", "days": "30", "samples:read": "on"})
    assert tab.problems["name"]
    await tab.make({"token_name": "x", "days": "30"})
    assert tab.problems["abilities"]
    await tab.make({"token_name": "x", "days": "31", "samples:read": "on"})
    assert tab.problems["form"]
    form = {"token_name": "Backup", "days": "30", "samples:read": "on", "admin": "on"}
    await tab.make(form)
    assert tab.made.startswith("sp404_")
    with transaction() as session:
        assert personal_access_tokens.authenticate_personal_token(session, tab.made).abilities == {
            "samples:read"
        }
    (row,) = tab.rows
    with pytest.raises(NotFound):
        await tab_of(TokensState(), bob).revoke(row.id)
    await tab.load()
    assert tab.made == ""
    await tab.revoke(row.id)
    assert tab.rows == []


async def test_account_deletion_can_be_cancelled() -> None:
    tab = tab_of(OwnDataState(), sign_up_user())
    await run(tab.begin_deletion())
    assert (tab.leaving, tab.seconds) == (True, personal_data.DELETION_DELAY_S)
    await tab.cancel_deletion()
    assert not tab.leaving


async def test_the_page_shows_activity_export_and_change_of_email() -> None:
    ada = sign_up_user()
    with transaction() as session:
        personal_access_tokens.create_personal_token(
            session, ada.id, "Backup", ["samples:read"], None, CLIENT
        )
    tab = tab_of(OwnDataState(), ada)
    await run(tab.load())
    assert [row.words for row in tab.log] == ["Access token created"]
    assert "Backup" in tab.log[0].facts
    assert len(await run(tab.request_export())) == 1
    assert (tab.export, tab.percent) == ("open", 0)
    await tab.change_email({"email": ada.email})
    assert "already your email" in tab.email_problem
    await tab.change_email({"email": "new@example.org"})
    assert tab.email_sent == "new@example.org"


@pytest.mark.parametrize("odd", INVALID)
async def test_invalid_arguments_are_refused_with_an_app_error(odd: Any) -> None:
    ada = sign_up_user()
    factor, token, own = (
        tab_of(state, ada) for state in (TwoFactorState(), TokensState(), OwnDataState())
    )
    for call in (factor.confirm, token.make, token.revoke, own.change_email):
        for argument in (odd, {"code": odd, "email": odd, "token_name": odd, "days": odd}):
            with contextlib.suppress(AppError):
                await call(argument)
    with contextlib.suppress(AppError):
        StrengthState().estimate(odd)
    assert not factor.on
    assert token.made == ""


async def test_no_handler_works_without_a_session() -> None:
    for state, names in (
        (TwoFactorState, ("load", "begin", "cancel", "renew", "turn_off")),
        (TokensState, ("load",)),
        (
            OwnDataState,
            ("load", "request_export", "begin_deletion", "cancel_deletion", "remove_picture"),
        ),
    ):
        for name in names:
            tab = in_tab(state(), "nobody")
            found = getattr(tab, name)()
            with pytest.raises(Unauthenticated):
                await (run(found) if hasattr(found, "__aiter__") else found)

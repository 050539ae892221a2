"""The operator's page requires reauthentication, and does not exist for other users."""

from typing import Any

import pytest
import reflex as rx
from sqlmodel import update

from sp404_app.db import transaction
from sp404_app.errors import NotFound, Unauthenticated
from sp404_app.models import SignIn, StripeEvent
from sp404_app.models.columns import now
from sp404_app.services.auth import authentication, reauthentication
from sp404_app.services.billing import webhooks
from sp404_app.settings import settings
from sp404_app.state.auth.reauthentication import ConfirmState, pending_actions
from sp404_app.state.billing.admin import OperatorState
from tests.accounts import cookie, sign_up_user
from tests.tabs import in_tab

pytestmark = pytest.mark.usefixtures("services")
ACTS: dict[str, Any] = {
    "load": lambda tab: tab.load(),
    "replay": lambda tab: run(tab.replay("evt_1")),
    "replay_all": lambda tab: run(tab.replay_all()),
    "compare": lambda tab: run(tab.compare()),
}


async def run(events: Any) -> None:
    async for _ in events:
        pass


@pytest.fixture
def question(monkeypatch: pytest.MonkeyPatch) -> ConfirmState:
    asked = ConfirmState()

    async def get_state(*_: object) -> ConfirmState:
        return asked

    monkeypatch.setattr(rx.State, "get_state", get_state)
    return asked


def add_dead_event() -> None:
    with transaction() as session:
        session.add(
            StripeEvent(
                id="evt_1",
                realm="emulator",
                type="invoice.paid",
                created=now(),
                attempts=webhooks.MAX_ATTEMPTS,
                error="KeyError",
            )
        )


@pytest.mark.parametrize("act", ACTS)
async def test_other_users_get_not_found_without_reauthentication(
    act: str, question: ConfirmState
) -> None:
    add_dead_event()
    with pytest.raises(Unauthenticated):
        await ACTS[act](OperatorState())
    tab = in_tab(OperatorState(), cookie(sign_up_user().id))
    tab.dead_letters, tab.loaded = ["left over"], True  # type: ignore[list-item]
    if act == "load":
        await tab.load()  # shows "Page not found"
    else:
        with pytest.raises(NotFound):
            await ACTS[act](tab)
    assert (tab.closed, tab.loaded, tab.dead_letters, question.asking) == (True, False, [], False)


async def test_an_operator_sees_and_acts_after_reauthentication(
    environment: pytest.MonkeyPatch, question: ConfirmState
) -> None:
    add_dead_event()
    boss = sign_up_user()
    environment.setenv("SP404_OPERATORS", boss.email)
    settings.cache_clear()
    mine = cookie(boss.id)
    with transaction() as session:  # the sign-in is no longer recent
        session.exec(update(SignIn).values(confirmed_at=None))
    tab = in_tab(OperatorState(), mine)
    await tab.load()
    assert (question.asking, question._pending_action, tab.loaded) == (True, "operator.load", False)
    assert set(pending_actions) >= {f"operator.{act}" for act in ACTS}
    who = await authentication.authenticate_cookie(mine)
    with transaction() as session:
        reauthentication.mark_reauthenticated(session, who)
    await tab.load()
    assert tab.loaded
    assert [(row.id, row.error) for row in tab.dead_letters] == [("evt_1", "KeyError")]
    assert "after 03:00" in tab.reconcile_text
    await run(tab.replay("evt_1"))
    assert tab.dead_letters == []
    assert "Started" in tab.message
    await run(tab.replay("evt_none"))
    assert tab.message == "There is no such event."
    await run(tab.compare())
    await run(tab.replay_all())
    assert tab.busy is False

"""The user and the session of a tab."""

import pytest
import reflex as rx
from reflex.istate.data import RouterData

from sp404_app.db import transaction
from sp404_app.errors import Unauthenticated
from sp404_app.services.auth import sessions
from sp404_app.services.infra.client_info import Client
from sp404_app.state.base import SessionState
from tests.accounts import cookie, sign_up_user
from tests.tabs import in_tab

pytestmark = pytest.mark.usefixtures("services")


async def test_a_tab_acts_as_the_user_of_its_session_cookie() -> None:
    ada = sign_up_user()
    tab = in_tab(SessionState(), cookie(ada.id))
    assert await tab._user_id() == ada.id
    assert (await tab._signed_in()).user_id == ada.id


@pytest.mark.parametrize("value", ["", "x", "\0", "a=b; c"])
async def test_an_invalid_cookie_is_unauthenticated(value: str) -> None:
    sign_up_user()
    with pytest.raises(Unauthenticated):
        await in_tab(SessionState(), value)._user_id()


async def test_a_revoked_session_is_unauthenticated() -> None:
    ada = sign_up_user()
    tab = in_tab(SessionState(), cookie(ada.id))
    await tab._user_id()
    with transaction() as session:
        sessions.revoke_all_sessions(session, ada.id)
    with pytest.raises(Unauthenticated):
        await tab._user_id()


async def test_other_cookies_are_ignored() -> None:
    ada = sign_up_user()
    header = f"a=b; {sessions.cookie_name()}={cookie(ada.id)}; sp404_session_1=x"
    tab = in_tab(SessionState(), "", cookies=header)
    assert await tab._user_id() == ada.id


def test_a_tab_has_the_ip_and_user_agent_of_its_websocket() -> None:
    tab = in_tab(SessionState(), "", ip="203.0.113.7", user_agent="Firefox/1")
    assert tab._client() == Client("203.0.113.7", "Firefox/1")


def test_the_base_state_has_no_event_handlers_and_no_client_side_vars() -> None:
    assert isinstance(SessionState(), rx.State)
    own = set(SessionState.__dict__) - set(rx.State.__dict__)
    assert not [name for name in SessionState.event_handlers if name in own]
    assert set(SessionState.get_fields()) == set(rx.State.get_fields())
    assert RouterData

"""Limits of a tab's websocket, and that it ends with its session."""

import asyncio
import json
import time
import uuid
from collections.abc import Iterator

import pytest
import reflex as rx
from fastapi.testclient import TestClient
from reflex.istate.manager.memory import StateManagerMemory
from starlette.testclient import WebSocketTestSession
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from sp404_app import db
from sp404_app.api.middleware import websocket_limits
from sp404_app.api.middleware.stack import wrap_in_middleware
from sp404_app.services.auth import sessions
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.settings import Settings
from sp404_app.sp404_app import app
from sp404_app.state.account.account import AccountState
from sp404_app.state.library.library import LibraryState
from tests.accounts import cookie, sign_up_user

pytestmark = pytest.mark.timeout(60)

ADDRESS = "/_event/?EIO=4&transport=websocket&token="


@pytest.fixture
def tab(services: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client of the whole backend, without built pages."""
    monkeypatch.setattr(app, "_state_manager", StateManagerMemory())
    assert app._api is not None
    events.connection.cache_clear()
    with TestClient(wrap_in_middleware(app._api), base_url=services.origin) as client:
        assert client.portal is not None
        with client.portal.wrap_async_context_manager(app._setup_event_processor()):
            yield client


def opened(tab: TestClient, value: str = "", token: str = "", **more: str) -> WebSocketTestSession:
    manager = app.event_namespace._token_manager  # type: ignore[union-attr]
    for known in (manager.token_to_socket, manager.sid_to_token):
        known.clear()  # the test client does not report closed sockets
    headers = {"upgrade": "websocket", "cookie": f"{sessions.cookie_name()}={value}"} | more
    return tab.websocket_connect(ADDRESS + (token or uuid.uuid4().hex), headers=headers)


def joined(socket: WebSocketTestSession) -> None:
    """Speak Socket.IO until events are accepted."""
    assert socket.receive_text().startswith("0")
    socket.send_text("40/_event,")
    assert socket.receive_text().startswith("40/_event")


def event(handler: str, **payload: object) -> str:
    router = {"pathname": "/library", "asPath": "/library", "query": {}}
    body = {"name": handler, "payload": payload, "router_data": router}
    return "42/_event," + json.dumps(["event", body])


def until(socket: WebSocketTestSession, words: str) -> str:
    """Read until a message contains these words."""
    for _ in range(50):
        text = socket.receive_text()
        if words in text:
            return text
    raise AssertionError(words)


def test_a_tab_stops_receiving_when_its_session_is_revoked(tab: TestClient) -> None:
    ada = sign_up_user()
    value = cookie(ada.id)
    name = LibraryState.get_full_name()
    with opened(tab, value) as socket, opened(tab, cookie(ada.id)) as other:
        for each in (socket, other):
            joined(each)
            each.send_text(event(f"{name}.load"))
            until(each, "window_rx_state_")
        started = time.monotonic()
        with db.transaction() as session:
            sessions.revoke_cookie_session(session, value)
        with pytest.raises(WebSocketDisconnect) as end:
            until(socket, "never said")
        assert end.value.code == websocket_limits.POLICY_VIOLATION
        assert time.monotonic() - started < 5
        events.publish(ada.id, Event(Topic.LIBRARY))
        other.send_text(event(f"{name}.toggle_filters"))
        until(other, "filters_open_rx_state_")  # the other device still works


@pytest.mark.parametrize("comes", ["nobody", "the ended sign-in", "somebody else"])
def test_a_tab_reused_after_a_sign_out_holds_no_data_of_the_former_user(
    tab: TestClient, comes: str
) -> None:
    ada, bob = sign_up_user(), sign_up_user()
    value, token = cookie(ada.id), uuid.uuid4().hex
    hydrate, load = f"{rx.State.get_full_name()}.hydrate", f"{AccountState.get_full_name()}.load"
    with opened(tab, value, token) as socket:
        joined(socket)
        socket.send_text(event(hydrate))
        socket.send_text(event(load))
        until(socket, ada.email)
    with opened(tab, value, token) as socket:  # same token, same session: the state is kept
        joined(socket)
        socket.send_text(event(hydrate))
        assert ada.email in until(socket, AccountState.get_full_name())
    with db.transaction() as session:
        sessions.revoke_cookie_session(session, value)
    new = {"nobody": "", "the ended sign-in": value, "somebody else": cookie(bob.id)}[comes]
    with opened(tab, new, token) as socket:
        joined(socket)
        socket.send_text(event(f"{LibraryState.get_full_name()}.toggle_filters"))
        socket.send_text(event(hydrate))
        shown = until(socket, AccountState.get_full_name())
        assert ada.email not in shown


def test_a_tab_of_an_ended_session_gets_no_private_data(tab: TestClient) -> None:
    ada = sign_up_user()
    value = cookie(ada.id)
    with db.transaction() as session:
        sessions.revoke_cookie_session(session, value)
    with opened(tab, value) as socket:
        joined(socket)
        socket.send_text(event(f"{LibraryState.get_full_name()}.load"))
        assert "/login" in until(socket, "_redirect")


def test_an_oversized_message_closes_the_websocket(tab: TestClient) -> None:
    with opened(tab) as socket:
        joined(socket)
        socket.send_text("42/_event," + "x" * websocket_limits.MAX_MESSAGE_CHARACTERS)
        with pytest.raises(WebSocketDisconnect) as end:
            until(socket, "never said")
        assert end.value.code == websocket_limits.MESSAGE_TOO_BIG


@pytest.mark.parametrize("frame", ["42/_event,[]", "4", "42", "99", '42/_event,["event",[]]', "\0"])
def test_malformed_frames_do_not_affect_other_tabs(tab: TestClient, frame: str) -> None:
    with opened(tab) as socket:
        joined(socket)
        socket.send_text(frame)
    with opened(tab) as socket:
        joined(socket)


async def test_a_tab_that_sends_too_much_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_limits, "BURST_MESSAGES", 5.0)
    monkeypatch.setattr(websocket_limits, "MESSAGES_PER_SECOND", 50.0)
    arrived: list[float] = []

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        while (await receive())["type"] == "websocket.receive":
            arrived.append(time.monotonic())

    sent = 0

    async def flood() -> Message:
        nonlocal sent
        sent += 1
        kind = "websocket.receive" if sent <= 25 else "websocket.disconnect"
        return {"type": kind, "text": "x"}

    async def ignore(_: Message) -> None:
        await asyncio.sleep(0)

    await websocket_limits.limit_websockets(app)(
        {"type": "websocket", "headers": []}, flood, ignore
    )
    assert len(arrived) == 25
    assert arrived[-1] - arrived[0] > 0.3


async def test_websockets_per_host_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_limits, "MAX_CONNECTIONS_PER_CLIENT", 0)
    said: list[Message] = []

    async def app(*_: object) -> None:
        raise AssertionError

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "client": ("203.0.113.9", 1), "headers": []}
    await websocket_limits.limit_websockets(app)(scope, receive, send)
    assert said == [{"type": "websocket.close", "code": websocket_limits.POLICY_VIOLATION}]


async def test_websockets_of_one_host_are_throttled_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket_limits, "BURST_MESSAGES", 5.0)
    monkeypatch.setattr(websocket_limits, "MESSAGES_PER_SECOND", 5.0)
    host = websocket_limits.LeakyBucket(websocket_limits.CLIENT_RATE_FACTOR)

    async def says() -> Message:
        return {"type": "websocket.receive", "text": "2"}

    async def hears(_: Message) -> None:
        return None

    lines = [websocket_limits.WebsocketConnection(says, hears, host) for _ in range(15)]
    started = time.monotonic()
    for _ in range(4):
        await asyncio.gather(*(line.receive() for line in lines))
    # All 15 send 60 messages. The host may send 50 at once, then 50 a second: 10 take 0.2 s. No
    # connection exceeds its own limit of 5 at once.
    assert time.monotonic() - started >= 0.19
    for line in lines:
        await line.close()

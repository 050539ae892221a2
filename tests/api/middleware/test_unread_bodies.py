"""What a request still sends after its answer is read, but not for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from sp404_app.api.middleware import unread_bodies

PARTS = [(b"1", True), (b"2", True), (b"3", False)]


async def run(
    parts: AsyncIterator[Message], *, reads: int = 0, headers: Callable[[], list[object]] = list
) -> list[str]:
    """Send parts to an application that reads some of them; return what happened, in order."""
    happened: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(reads):
            await receive()
        await send({"type": "http.response.body"})

    async def receive() -> Message:
        message = await anext(parts)
        happened.append(message.get("body", b"disconnect").decode())
        return message

    async def send(message: Message) -> None:
        happened.append(message["type"])

    scope = {"type": "http", "headers": headers() or [(b"content-length", b"3")]}
    await unread_bodies.read_unread_bodies(app)(scope, receive, send)
    return happened


async def three_parts() -> AsyncIterator[Message]:
    for body, more in PARTS:
        yield {"type": "http.request", "body": body, "more_body": more}
    raise AssertionError("Nothing follows the last part.")


async def test_the_rest_of_a_body_is_read_after_the_answer() -> None:
    assert await run(three_parts()) == ["http.response.body", "1", "2", "3"]
    assert await run(three_parts(), reads=2) == ["1", "2", "http.response.body", "3"]


async def test_nothing_is_read_where_nothing_is_left() -> None:
    assert await run(three_parts(), reads=3) == ["1", "2", "3", "http.response.body"]
    assert await run(three_parts(), headers=lambda: [(b"host", b"x")]) == ["http.response.body"]


async def test_reading_ends_when_the_client_is_gone() -> None:
    async def gone() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": b"1", "more_body": True}
        yield {"type": "http.disconnect"}
        raise AssertionError("Nothing follows.")

    assert await run(gone()) == ["http.response.body", "1", "disconnect"]


@pytest.mark.parametrize("pause_s", [0.0, 60.0])
async def test_reading_ends_after_silence_and_after_a_while(
    monkeypatch: pytest.MonkeyPatch, pause_s: float
) -> None:
    monkeypatch.setattr(unread_bodies, "SILENCE_S", 0.05)
    monkeypatch.setattr(unread_bodies, "LINGER_S", 0.1 if pause_s == 0.0 else 60.0)

    async def endless() -> AsyncIterator[Message]:
        while True:
            await asyncio.sleep(pause_s or 0.001)
            yield {"type": "http.request", "body": b"1", "more_body": True}

    async with asyncio.timeout(10):
        assert (await run(endless()))[0] == "http.response.body"

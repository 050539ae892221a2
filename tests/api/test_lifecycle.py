"""How processes that serve learn that they are to drain."""

import asyncio
from collections.abc import AsyncGenerator, Iterator

import pytest
from fastapi.testclient import TestClient

from sp404_app.api import lifecycle
from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.api.lifecycle import Phase
from sp404_app.settings import Settings


@pytest.fixture(autouse=True)
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A channel of its own, in this process, which is both main process and the one that serves."""
    monkeypatch.setattr(lifecycle, "_channel", lifecycle._Channel())
    monkeypatch.setattr(lifecycle, "_draining", None)
    yield
    lifecycle.announce(Phase.STOPPING)  # closes the pipe


@pytest.fixture
def client(services: Settings) -> TestClient:
    return TestClient(wrap_in_middleware(api), base_url=services.origin)


def test_readiness_ends_before_a_stop(client: TestClient) -> None:
    assert client.get("/api/health/ready").status_code == 200
    lifecycle.announce(Phase.STOPPING)
    answer = client.get("/api/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    assert client.get("/api/health/live").status_code == 200


def test_a_server_that_hands_over_stays_ready(client: TestClient) -> None:
    lifecycle.announce(Phase.HANDING_OVER)
    assert client.get("/api/health/ready").status_code == 200


@pytest.mark.parametrize("phase", [Phase.HANDING_OVER, Phase.STOPPING])
def test_connections_are_closed_after_the_announcement(client: TestClient, phase: Phase) -> None:
    assert "connection" not in client.get("/api/health/live").headers
    lifecycle.announce(phase)
    assert client.get("/api/health/live").headers["connection"] == "close"


async def forever() -> AsyncGenerator[int, None]:
    number = 0
    while True:
        yield number
        number += 1
        if number == 2:
            await asyncio.Event().wait()


async def test_an_endless_stream_ends_when_the_process_drains() -> None:
    seen = []
    async with lifecycle.follow_phase():
        async for number in lifecycle.until_drain(forever()):
            seen.append(number)
            if number == 1:
                lifecycle.announce(Phase.STOPPING)
    assert seen == [0, 1]


async def test_a_stream_that_ends_by_itself_is_passed_on() -> None:
    async def three() -> AsyncGenerator[int, None]:
        for number in range(3):
            yield number

    async with lifecycle.follow_phase():
        assert [number async for number in lifecycle.until_drain(three())] == [0, 1, 2]


async def test_a_stream_whose_client_has_gone_is_closed_without_an_error() -> None:
    closed = asyncio.Event()

    async def events() -> AsyncGenerator[int, None]:
        try:
            async for number in forever():
                yield number
        finally:
            closed.set()

    async def send_all() -> None:
        async for _ in lifecycle.until_drain(events()):
            pass

    sending = asyncio.create_task(send_all())
    await asyncio.sleep(0.05)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await asyncio.wait_for(closed.wait(), 5)

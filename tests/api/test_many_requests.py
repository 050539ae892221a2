"""Many requests at once wait for one another, and none for ever."""

import asyncio
from collections import Counter

import httpx
import pytest

from sp404_app import db
from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.models import User
from sp404_app.settings import Settings, settings
from tests.accounts import bearer
from tests.sounds import Keep

REQUESTS = 300
SECONDS = 25.0  # less than the pool waits for a connection, so that waiting for ever is seen


@pytest.fixture
def client(services: Settings, user: User, environment: pytest.MonkeyPatch) -> httpx.AsyncClient:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "100000")
    settings.cache_clear()
    transport = httpx.ASGITransport(wrap_in_middleware(api))
    return httpx.AsyncClient(
        transport=transport, base_url=services.origin, headers=bearer(user.id), timeout=SECONDS
    )


async def test_requests_that_hold_a_connection_do_not_wait_for_those_that_want_one(
    client: httpx.AsyncClient, keep: Keep
) -> None:
    path = f"/api/samples/{await asyncio.to_thread(keep)}"
    async with client, asyncio.timeout(SECONDS):
        await client.get(path)
        answers = await asyncio.gather(*(client.get(path) for _ in range(REQUESTS)))
    assert Counter(answer.status_code for answer in answers) == {200: REQUESTS}


async def test_a_request_is_refused_when_no_connection_comes_free(
    client: httpx.AsyncClient, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/api/samples/{await asyncio.to_thread(keep)}"
    monkeypatch.setattr(db, "REQUEST_TIMEOUT_S", 0.1)
    async with client:
        await client.get(path)
        slots = db._request_slots.get()
        for _ in range(db.MAX_REQUEST_CONNECTIONS):
            await slots.acquire()
        refused = await client.get(path)
        for _ in range(db.MAX_REQUEST_CONNECTIONS):
            slots.release()
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert refused.headers["retry-after"]
        assert (await client.get(path)).status_code == 200

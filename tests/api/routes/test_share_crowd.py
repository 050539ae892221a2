"""A public link under load: a thousand visitors while it is revoked, and hundreds of guesses."""

import asyncio
import secrets
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from sp404_app import db
from sp404_app.api.app import api as app
from sp404_app.api.app import wrap_in_middleware
from sp404_app.models import User
from sp404_app.services.infra import share_rate_limits
from sp404_app.services.sample import previews
from sp404_app.services.sharing import share_counts, shares
from sp404_app.services.sharing.shares import ShareOptions, ShareTarget
from sp404_app.settings import Settings
from tests.sounds import Keep

wrapped = wrap_in_middleware(app)
VISITORS = 1000
REVOKED_AFTER = 300  # visits
LATE_VISITORS = 50


@pytest.fixture
def link(person: Callable[..., User], keep: Keep) -> tuple[uuid.UUID, uuid.UUID, str]:
    """The owner's id, the link's id, and its path."""
    owner = person(first_name="Ada")
    sample_id = keep("Dusty kick.wav", owner=owner.id)
    with db.transaction() as session:
        made = shares.create_share(
            session, owner.id, ShareTarget("sample", sample_id), ShareOptions()
        )
    return owner.id, made.id, made.url[made.url.index("/s/") :]


def browser(origin: str, number: int) -> httpx.AsyncClient:
    """A client with an IP address of its own."""
    host = (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 1)
    transport = httpx.ASGITransport(wrapped, client=host)
    return httpx.AsyncClient(transport=transport, base_url=origin)


async def test_nobody_of_a_thousand_visitors_hears_a_link_after_it_was_revoked(
    services: Settings, link: tuple[uuid.UUID, uuid.UUID, str]
) -> None:
    owner_id, share_id, path = link
    visits: list[tuple[bool, int]] = []
    are_enough, is_revoked = asyncio.Event(), asyncio.Event()

    async def visit(number: int) -> None:
        async with browser(services.origin, number) as client:
            for part in ("", "/audio/1"):
                began_after = is_revoked.is_set()
                answer = await client.get(path + part)
                visits.append((began_after, answer.status_code))
                if len(visits) == REVOKED_AFTER:
                    are_enough.set()
                if answer.status_code == 404:
                    assert "kick" not in answer.text

    async def revoke() -> None:
        await are_enough.wait()
        await db.in_transaction(shares.revoke_share, owner_id, share_id)
        is_revoked.set()

    await asyncio.gather(revoke(), *map(visit, range(VISITORS)))
    await asyncio.gather(*map(visit, range(VISITORS, VISITORS + LATE_VISITORS)))
    assert {status for _, status in visits} == {200, 404}
    assert {status for began_after, status in visits if began_after} == {404}
    assert len(visits) == 2 * (VISITORS + LATE_VISITORS)


async def test_while_a_sound_is_prepared_for_a_crowd_others_are_answered(
    services: Settings,
    link: tuple[uuid.UUID, uuid.UUID, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, _, path = link
    may_go_on, encode, encoded = threading.Event(), previews.store_preview, []

    def slow(file: Path) -> str:
        may_go_on.wait(60)
        encoded.append(file)
        return encode(file)

    monkeypatch.setattr(previews, "store_preview", slow)

    async def get(number: int, part: str = "") -> int:
        async with browser(services.origin, number) as client:
            return (await client.get(path + part)).status_code

    crowd = [asyncio.create_task(get(number, "/audio/1")) for number in range(60)]
    try:
        await asyncio.sleep(1)  # for them to get where they wait
        async with asyncio.timeout(20):
            pages = await asyncio.gather(*map(get, range(100, 140)))
    finally:
        may_go_on.set()
        listened = await asyncio.gather(*crowd)
    assert (set(pages), set(listened), len(encoded)) == ({200}, {200}, 1)


async def test_plays_of_many_visitors_at_once_are_all_counted(
    services: Settings, link: tuple[uuid.UUID, uuid.UUID, str]
) -> None:
    owner_id, share_id, path = link

    async def play(number: int) -> None:
        async with browser(services.origin, number) as client:
            assert (await client.post(f"{path}/plays")).status_code == 204

    await asyncio.gather(*map(play, range(200)))
    await db.in_transaction(share_counts.write_counts)
    view = await db.in_transaction(shares.get_share, owner_id, share_id)
    assert (view.plays, view.downloads) == (200, 0)


async def test_hundreds_of_guesses_at_once_are_refused_after_thirty(
    services: Settings, link: tuple[uuid.UUID, uuid.UUID, str]
) -> None:
    _, _, path = link
    async with browser(services.origin, 1) as client:
        guesses = [client.get(f"/s/{secrets.token_urlsafe(24)}") for _ in range(300)]
        statuses = [answer.status_code for answer in await asyncio.gather(*guesses)]
        assert sorted(statuses) == [404] * share_rate_limits.UNKNOWN_TOKENS_PER_MINUTE + [429] * 270
        assert (await client.get(path)).status_code == 429

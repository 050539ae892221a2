"""Smart collections are listed at once and counted in the background."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sp404_app.db import transaction
from sp404_app.errors import Unauthenticated
from sp404_app.models import User
from sp404_app.services.collections import collection_summaries, collections
from sp404_app.services.infra.events import Event, Topic
from sp404_app.state.collections.collection_list import CollectionListState
from sp404_app.state.library import smart_counts
from sp404_app.state.library.sidebar import load_sidebar
from sp404_app.state.library.smart_counts import SmartCountState
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.state.collections.conftest import Open

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")


def make_smart(owner: uuid.UUID, text: str) -> str:
    rules = {"match": "all", "terms": [{"field": "q", "op": "matches", "value": text}]}
    with transaction() as session:
        return str(collections.create_collection(session, owner, name=text, rules=rules).id)


async def _enter(*_: Any) -> None:
    """Stand for the lock of a background event."""


async def watch(tab: Any, monkeypatch: pytest.MonkeyPatch, *bursts: list[Event]) -> None:
    """Let a page follow these events."""

    async def listen(*_: Any, **__: Any) -> AsyncIterator[list[Event]]:
        for burst in bursts:
            yield burst
            await asyncio.sleep(0)

    monkeypatch.setattr(smart_counts.events, "listen", listen)
    monkeypatch.setattr(SmartCountState, "__aenter__", _enter, raising=False)
    monkeypatch.setattr(SmartCountState, "__aexit__", _enter, raising=False)
    async for _ in SmartCountState.watch.fn(tab):  # type: ignore[attr-defined]
        pass


async def test_the_rail_and_the_list_do_not_wait_for_a_count(
    tab: Open, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    kicks = make_smart(user.id, "kick")

    def refuse(*_: Any) -> int:
        raise AssertionError("a list counts a smart collection")

    monkeypatch.setattr(collection_summaries, "count_rules", refuse)
    with transaction() as session:
        rail = load_sidebar(session, user.id)
    assert [(each.id, each.is_smart) for each in rail.collections] == [(kicks, True)]
    page = tab(CollectionListState, url="/collections")
    events = await page.load()
    assert [(card.id, card.is_smart) for card in page.cards] == [(kicks, True)]
    assert SmartCountState.watch in events


async def test_smart_collections_are_counted_again_after_a_change(
    tab: Open, user: User, person: Any, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_smart(person().id, "kick")
    kicks, snares = make_smart(user.id, "kick"), make_smart(user.id, "snare")
    keep("Kick.wav")
    page = tab(SmartCountState)
    await watch(page, monkeypatch, [])
    assert page.counts == {kicks: 1, snares: 0}
    assert page.texts == {kicks: "1 sound", snares: "0 sounds"}
    keep("Kick 2.wav")
    with transaction() as session:
        collections.delete_collection(session, user.id, uuid.UUID(snares))
    await watch(page, monkeypatch, [Event(Topic.PROJECT)])
    assert page.counts[kicks] == 1
    await watch(page, monkeypatch, [Event(Topic.SAMPLE)])
    assert page.counts == {kicks: 2}


async def test_counting_needs_a_user(tab: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unauthenticated):
        await watch(tab(SmartCountState, "x"), monkeypatch, [])

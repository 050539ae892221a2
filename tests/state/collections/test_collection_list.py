"""The list of collections: trash and restore, duplicate, merge."""

import uuid
from contextlib import suppress
from typing import Any

import pytest

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import User
from sp404_app.services.collections import collection_samples, collections
from sp404_app.state.collections.collection_list import CollectionListState
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.state.collections.conftest import Open, run, said

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")


def make(owner: uuid.UUID, name: str, *ids: uuid.UUID) -> str:
    with transaction() as session:
        made = collections.create_collection(session, owner, name=name, sample_ids=ids)
        return str(made.id)


@pytest.fixture
def page(tab: Open) -> CollectionListState:
    state: CollectionListState = tab(CollectionListState, url="/collections")
    return state


def names(page: CollectionListState) -> set[str]:
    return {card.name for card in page.cards}


async def test_a_deleted_collection_comes_back_by_undo_and_from_the_trash(
    page: CollectionListState, user: User
) -> None:
    drums = make(user.id, "Drums")
    await run(page.load())
    events = await run(page.act("delete", drums))
    assert "“Drums” moved to the trash." in said(events)
    assert (names(page), page.trash_count) == (set(), 1)
    await run(page.undo_deletion())
    assert (names(page), page.trash_count) == ({"Drums"}, 0)
    await run(page.act("delete", drums))
    await run(page.act("delete", drums))  # a second click does not delete it permanently
    await run(page.show_trash(True))
    assert names(page) == {"Drums"}
    await run(page.act("restore", drums))
    await run(page.show_trash(False))
    assert names(page) == {"Drums"}


async def test_a_collection_is_permanently_deleted_only_from_the_trash(
    page: CollectionListState, user: User
) -> None:
    drums = make(user.id, "Drums")
    with pytest.raises(NotFound):
        await run(page.act("ask", drums))
    await run(page.act("delete", drums))
    await run(page.show_trash(True))
    await run(page.act("ask", drums))
    assert page.deleting_name == "Drums"
    await run(page.delete_for_good())
    assert (page.cards, page.trash_count, page.deleting_id) == ([], 0, "")


async def test_collections_are_merged_in_the_order_of_their_choice(
    page: CollectionListState, keep: Keep, user: User
) -> None:
    kick, snare, hat = (keep(f"{name}.wav") for name in ("Kick", "Snare", "Hat"))
    first, second = make(user.id, "One", kick, snare), make(user.id, "Two", snare, hat)
    await run(page.load())
    await run(page.toggle_chosen(second))
    await run(page.ask_to_merge())
    assert not page.merging  # one is not enough
    await run(page.toggle_chosen(first))
    await run(page.ask_to_merge())
    assert page.merging
    for _ in range(2):
        events = await run(page.merge({"name": "Both"}))
        page.chosen = [second, first] if events else page.chosen
    assert names(page) == {"One", "Two", "Both"}
    merged = next(card for card in page.cards if card.name == "Both")
    with transaction() as session:
        found = collection_samples.list_sample_ids(session, user.id, uuid.UUID(merged.id))
    assert found == [snare, hat, kick]


async def test_a_deleted_collection_is_no_longer_chosen(
    page: CollectionListState, user: User
) -> None:
    drums = make(user.id, "Drums")
    await run(page.load())
    await run(page.toggle_chosen(drums))
    await run(page.act("delete", drums))
    assert page.chosen == []


async def test_a_double_click_duplicates_once(page: CollectionListState, user: User) -> None:
    drums = make(user.id, "Drums")
    await run(page.load())
    for _ in range(2):
        await run(page.act("duplicate", drums))
    assert names(page) == {"Drums", "Drums copy"}


async def test_collections_of_others_are_unknown(
    page: CollectionListState, person: Any, user: User
) -> None:
    theirs = make(person().id, "Theirs")
    await run(page.load())
    assert page.cards == []
    for action in ("delete", "duplicate", "restore", "ask"):
        with pytest.raises(NotFound):
            await run(page.act(action, theirs))
    await run(page.toggle_chosen(theirs))
    assert page.chosen == []


async def test_handlers_survive_any_argument_and_need_a_user(
    page: CollectionListState, tab: Open, user: User
) -> None:
    drums = make(user.id, "Drums")
    with pytest.raises(ValidationFailed):
        await run(page.act("explode", drums))
    hostile: list[Any] = [None, 3, "x", [], {}, "\x00", str(uuid.uuid4())]
    for bad in hostile:
        for handler in (page.show_trash, page.toggle_chosen, page.merge):
            with suppress(AppError):
                await run(handler(bad))
        with suppress(AppError):
            await run(page.act("delete", bad))
    stranger = tab(CollectionListState, "x", url="/collections")
    for handler in (stranger.load, stranger.undo_deletion, stranger.delete_for_good):
        with pytest.raises(Unauthenticated):
            await run(handler())

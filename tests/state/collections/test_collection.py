"""The page of a collection: its header, moving, sorting and removing sounds, each with undo."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from sp404_app.db import in_transaction, transaction
from sp404_app.errors import AppError, NotFound, Unauthenticated
from sp404_app.models import User
from sp404_app.services.collections import collection_samples, collections
from sp404_app.services.library import samples
from sp404_app.services.library.search import SampleQuery
from sp404_app.state.collections.collection import MAX_STEP, CollectionState
from sp404_app.state.library.library import LibraryState
from tests.accounts import cookie
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.state.collections.conftest import Open, run, said
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")


class Tab:
    """A tab that shows a collection of the sounds A to E."""

    def __init__(self, tab: Open, user: User, ids: Sequence[uuid.UUID]) -> None:
        with transaction() as session:
            made = collections.create_collection(
                session, user.id, name="Drums", note="Dusty", sample_ids=ids
            )
        self.user, self.collection = user, made.id
        self.letters = dict(zip(ids, "ABCDE", strict=False))
        url = f"/collections/{made.id}"
        self.library: LibraryState = tab(LibraryState, url=url)
        self.library.query = SampleQuery(collection=made.id, sort="position")
        self.page: CollectionState = tab(
            CollectionState, root=self.library._get_root_state(), url=url
        )

    def select(self, letters: str) -> None:
        self.library._selected = {
            str(each) for each, letter in self.letters.items() if letter in letters
        }

    def id(self, letter: str) -> str:
        return next(str(each) for each, other in self.letters.items() if other == letter)

    @property
    def order(self) -> str:
        with transaction() as session:
            found = collection_samples.list_sample_ids(session, self.user.id, self.collection)
        return "".join(self.letters[each] for each in found)


@pytest.fixture
def shown(tab: Open, keep: Keep, user: User) -> Tab:
    return Tab(tab, user, [keep(f"{letter}.wav") for letter in "ABCDE"])


async def test_the_header_counts_sounds_and_seconds(shown: Tab) -> None:
    await run(shown.page.load())
    sheet = shown.page.sheet
    assert (sheet.name, sheet.note, sheet.count) == ("Drums", "Dusty", "5 sounds")
    assert sheet.total_length.endswith(" s")
    assert (sheet.is_smart, shown.page.phase) == (False, "here")


@pytest.mark.parametrize(
    ("letter", "by", "order"),
    [
        ("B", 1, "ACBDE"),
        ("B", -1, "BACDE"),
        ("A", -1, "ABCDE"),
        ("E", 1, "ABCDE"),
        ("D", 2, "ABCED"),
        ("D", -MAX_STEP, "DABCE"),
    ],
)
async def test_a_key_moves_a_sound_within_the_list(
    shown: Tab, letter: str, by: int, order: str
) -> None:
    await run(shown.page.step(shown.id(letter), by))
    assert shown.order == order


async def test_a_selection_moves_together(shown: Tab) -> None:
    shown.select("BD")
    await run(shown.page.step(shown.id("D"), -1))
    assert shown.order == "BDACE"
    await run(shown.page.step(shown.id("D"), 1))
    assert shown.order == "ABDCE"


@pytest.mark.parametrize(
    ("letter", "other", "where", "order"),
    [
        ("A", "C", "after", "BCADE"),
        ("E", "A", "before", "EABCD"),
        ("A", "E", "after", "BCDEA"),
        ("A", "A", "after", "ABCDE"),
    ],
)
async def test_a_dropped_sound_is_placed_beside_another(
    shown: Tab, letter: str, other: str, where: str, order: str
) -> None:
    await run(shown.page.place(shown.id(letter), shown.id(other), where))
    assert shown.order == order


async def test_sounds_are_not_moved_while_the_list_has_another_order(shown: Tab) -> None:
    shown.library.query = SampleQuery(collection=shown.collection, sort="name")
    events = await run(shown.page.step(shown.id("A"), 1))
    assert "Clear the filters" in said(events)
    assert shown.order == "ABCDE"


async def test_a_removal_is_undone_at_the_same_places(shown: Tab, user: User) -> None:
    shown.select("BD")
    events = await run(shown.page.remove(""))
    assert "Removed 2 sounds from" in said(events)
    assert shown.order == "ACE"
    await run(shown.page.undo_removal())
    await run(shown.page.undo_removal())
    assert shown.order == "ABCDE"


async def test_a_row_is_removed_alone_even_if_others_are_selected(shown: Tab) -> None:
    shown.select("BD")
    await run(shown.page.remove_one(shown.id("A")))
    assert shown.order == "BCDE"


async def test_sorting_is_undone(shown: Tab) -> None:
    await run(shown.page.step(shown.id("E"), -MAX_STEP))
    await run(shown.page.sort("name"))
    assert shown.order == "ABCDE"
    await run(shown.page.undo_sort())
    assert shown.order == "EABCD"


async def test_a_sample_in_the_trash_keeps_its_place_when_a_sort_is_undone(
    shown: Tab, user: User
) -> None:
    await run(shown.page.step(shown.id("E"), -MAX_STEP))
    trashed = [uuid.UUID(shown.id("C"))]
    await in_transaction(samples.delete_samples, user.id, trashed)
    await run(shown.page.sort("name"))
    await run(shown.page.undo_sort())
    await in_transaction(samples.restore_samples, user.id, trashed)
    assert shown.order == "EABCD"


async def test_a_removal_and_a_sort_are_undone_from_another_page(shown: Tab, user: User) -> None:
    await run(shown.page.step(shown.id("E"), -MAX_STEP))
    await run(shown.page.sort("name"))
    await run(shown.page.remove_one(shown.id("B")))
    in_tab(shown.page, cookie(user.id), url=f"/samples/{shown.id('B')}")
    await run(shown.page.undo_removal())
    assert shown.order == "ABCDE"
    await run(shown.page.undo_sort())
    assert shown.order == "EABCD"


async def test_a_collection_is_renamed_but_never_without_a_name(shown: Tab) -> None:
    await run(shown.page.load())
    await run(shown.page.rename(" Kicks "))
    assert shown.page.sheet.name == "Kicks"
    await run(shown.page.rename("  "))
    assert (shown.page.sheet.name, shown.page.name_error) == ("Kicks", "Enter a name.")


async def test_the_page_of_an_unknown_or_foreign_collection_is_the_same(
    tab: Open, person: Any
) -> None:
    with transaction() as session:
        theirs = collections.create_collection(session, person().id, name="Theirs")
    for wanted in (str(theirs.id), str(uuid.uuid4()), "x"):
        page = tab(CollectionState, url=f"/collections/{wanted}")
        await run(page.load())
        assert (page.phase, page.sheet.name) == ("missing", "")
        for handler in (page.throw_away, page.restore):
            with pytest.raises(NotFound):
                await run(handler())


async def test_deleting_twice_keeps_the_collection_in_the_trash(shown: Tab, user: User) -> None:
    await run(shown.page.throw_away())
    with pytest.raises(NotFound):
        await run(shown.page.throw_away())
    await run(shown.page.restore())
    assert shown.order == "ABCDE"


async def test_handlers_survive_any_argument_and_need_a_user(shown: Tab, tab: Open) -> None:
    page = shown.page
    hostile: list[Any] = [None, 3, "x", [], {}, "\x00", float("nan"), str(uuid.uuid4())]
    for bad in hostile:
        for handler in (page.rename, page.save_note, page.sort, page.remove):
            with suppress(AppError):
                await run(handler(bad))
        for call in (
            page.remove_one(bad), page.step(bad, 1), page.step(shown.id("A"), bad),
            page.place(bad, shown.id("A"), "after"), page.place(shown.id("A"), bad, bad),
        ):  # fmt: skip
            with suppress(AppError):
                await run(call)
    assert sorted(shown.order) == list("ABCDE")
    stranger = tab(CollectionState, "x", url=f"/collections/{shown.collection}")
    for handler in (stranger.load, stranger.undo_sort, stranger.undo_removal):
        with pytest.raises(Unauthenticated):
            await run(handler())

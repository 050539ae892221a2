"""Duplicates on the sample page, and the library's filter for samples with duplicates."""

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.errors import NotFound, Unauthenticated
from sp404_app.models import Sample, User
from sp404_app.services.library.search import SampleQuery
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.search_params import parse_library_url
from sp404_app.state.sample.duplicates import DuplicatesState
from tests.accounts import cookie
from tests.ids import UNKNOWN_ID
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")
S = TypeVar("S", bound=rx.State)
Open = Callable[..., Any]


@pytest.fixture
def tab(user: User) -> Open:
    """Return a function that opens a state in a tab, by default of the signed-in user."""

    def opened(kind: type[S], sample_id: object = "", key: str = "") -> S:
        root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
        state = root.get_substate(kind.get_full_name().split("."))
        return in_tab(state, key or cookie(user.id), url=f"/samples/{sample_id}")  # type: ignore[return-value]

    return opened


@pytest.fixture
def copies(keep: Keep) -> list[uuid.UUID]:
    """Six samples: a group of three duplicates, a group of two, and one without duplicates."""
    ids = [keep(f"{letter}.wav") for letter in "ABCDEF"]
    first, second = uuid.uuid4(), uuid.uuid4()
    with transaction() as session:
        for number, group in ((0, first), (2, first), (4, first), (1, second), (3, second)):
            sample = session.get_one(Sample, ids[number])
            sample.duplicate_group_id, sample.loudness_lufs = group, -9.0 - number
    return ids


def stored(sample_id: uuid.UUID) -> Sample:
    with transaction() as session:
        return session.get_one(Sample, sample_id)


async def run(events: Any) -> list[Any]:
    return [event async for event in events]


async def test_a_sample_is_listed_with_its_duplicates(tab: Open, copies: list[uuid.UUID]) -> None:
    page = tab(DuplicatesState, copies[2])
    await page.show()
    assert [(found.row.name, found.here) for found in page.rows] == [
        ("C", True),
        ("A", False),
        ("E", False),
    ]
    facts = [(f.format, f.rate, f.channels, f.loudness, f.size) for f in page.rows]
    assert facts[0] == ("WAV 16-bit", "22.05 kHz", "Mono", "−11.0 LUFS", "9 kB")
    lonely = tab(DuplicatesState, copies[5])
    await lonely.show()
    assert lonely.rows == []


async def test_a_trashed_duplicate_is_restored_by_the_librarys_undo(
    tab: Open, copies: list[uuid.UUID]
) -> None:
    page = tab(DuplicatesState, copies[2])
    await page.show()
    (notice,) = await run(page.throw_away(str(copies[0])))
    assert "“A” moved to the trash." in str(notice.args)
    assert stored(copies[0]).deleted_at
    assert [found.row.name for found in page.rows] == ["C", "E"]
    with pytest.raises(NotFound):
        await run(page.throw_away(str(copies[0])))
    library = await page.get_state(LibraryState)
    assert library._deleted == [str(copies[0])]
    await library.undo()
    await page.show()
    assert [found.row.name for found in page.rows] == ["C", "A", "E"]
    for unwanted in (copies[0], copies[4]):
        await run(page.throw_away(str(unwanted)))
    assert page.rows == []


async def test_another_users_duplicates_are_neither_shown_nor_trashed(
    tab: Open, copies: list[uuid.UUID], person: Callable[..., User]
) -> None:
    for page in (
        tab(DuplicatesState, copies[0], cookie(person().id)),
        tab(DuplicatesState, UNKNOWN_ID),
    ):
        with pytest.raises(NotFound):
            await page.show()
        assert page.rows == []
    stranger = tab(DuplicatesState, copies[0], cookie(person().id))
    with pytest.raises(NotFound):
        await run(stranger.throw_away(str(copies[0])))
    nobody = tab(DuplicatesState, copies[0], "nonsense")
    for attempt in (nobody.show(), run(nobody.throw_away(str(copies[0])))):
        with pytest.raises(Unauthenticated):
            await attempt
    assert stored(copies[0]).deleted_at is None


@pytest.mark.parametrize("wrong", [None, 7, "", "x" * 10_000, "\0", [], {}, True, float("nan")])
async def test_an_invalid_id_is_not_found(tab: Open, copies: list[uuid.UUID], wrong: Any) -> None:
    with pytest.raises(NotFound):
        await run(tab(DuplicatesState, copies[0]).throw_away(wrong))


def shown(library: LibraryState) -> list[tuple[str, bool]]:
    return [(row.name, row.joined) for row in library.window.rows]


async def test_the_filter_sorts_by_duplicates_and_restores_the_previous_order(
    tab: Open, copies: list[uuid.UUID]
) -> None:
    library = tab(LibraryState)
    await library.toggle_duplicates_filter()
    found = [name for name, _ in shown(library)]
    assert found in (list("ACEBD"), list("BDACE"))
    assert [joined for _, joined in shown(library)].count(False) == 2
    assert library.address == "/library?sort=copies&copies=1"
    assert library.filtered
    await library.toggle_duplicates_filter()
    assert (library.query, library.address) == (SampleQuery(), "/library")
    await library.toggle_duplicates_filter()
    await library.sort_by("name")
    assert [name for name, _ in shown(library)] == list("ABCDE")
    await library.toggle_duplicates_filter()
    assert library.query == SampleQuery(sort="name")


async def test_another_view_of_the_library_resets_the_filter(
    tab: Open, copies: list[uuid.UUID]
) -> None:
    library = tab(LibraryState)
    await library.toggle_duplicates_filter()
    await run(library.open_view("all"))
    assert library.query == SampleQuery()


def test_the_url_selects_samples_with_duplicates() -> None:
    assert parse_library_url({"copies": "1", "sort": "copies"}) == SampleQuery(
        has_copies=True, sort="copies"
    )
    assert parse_library_url({"copies": "perhaps"}) == SampleQuery()

"""The library's list sorted by likeness: address, weights, filters, and samples that are gone."""

import uuid
from typing import Any

import numpy as np
import pytest
import reflex as rx

from sp404_app.audio.similarity.embedding import DIMENSIONS
from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import Sample, User
from sp404_app.services.library import samples
from sp404_app.services.library.library_export import ExportFormat
from sp404_app.services.library.search import SampleQuery
from sp404_app.services.sample import similarity
from sp404_app.state.library.library_data import export_url
from sp404_app.state.library.likeness import LikenessState
from sp404_app.state.library.search_params import (
    api_parameters,
    library_url,
    map_url,
    parse_library_url,
    sorted_by_likeness,
)
from tests.accounts import cookie
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.state.library.test_library import names, run
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")


def opened(owner_cookie: str, url: str = "/library") -> LikenessState:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state = root.get_substate(LikenessState.get_full_name().split("."))
    return in_tab(state, owner_cookie, url=url)  # type: ignore[return-value, arg-type]


@pytest.fixture
def ids(user: User, keep: Keep) -> list[uuid.UUID]:
    """Return samples of which a later one is less like the first one."""
    found = [keep(f"Kick {number}.wav") for number in (0, 1, 2)] + [keep("Snare.wav")]
    first = np.random.default_rng(1).normal(size=DIMENSIONS).astype(np.float32)
    with transaction() as session:
        for number, sample_id in enumerate(found):
            away = 0.1 * number * np.ones(DIMENSIONS, np.float32)
            similarity.save_vector(session, user.id, sample_id, first + away)
    return found


@pytest.fixture
def tab(user: User) -> LikenessState:
    return opened(cookie(user.id))


async def test_a_sample_sorts_the_list_its_filters_stay_and_a_column_ends_it(
    tab: LikenessState, ids: list[uuid.UUID]
) -> None:
    await run(tab.set_filter("q", "kick"))
    await run(tab.compare_with(str(ids[0])))
    assert names(tab) == ["Kick 0", "Kick 1", "Kick 2"]
    assert tab.address == f"/library?q=kick&like={ids[0]}"
    assert (tab.window.anchor, tab.window.is_compared) == ("Kick 0", True)
    assert (tab.filtered, tab.anchor_id) == (True, str(ids[0]))
    await run(tab.set_filter("q", ""))
    assert (names(tab)[-1], tab.filtered) == ("Snare", False)
    await run(tab.open_view("one_shots"))
    assert tab.address == f"/library?kind=one_shot&like={ids[0]}"
    await run(tab.open_view("all"))
    await run(tab.toggle_duplicates_filter())
    assert tab.address == f"/library?copies=1&like={ids[0]}"
    await run(tab.toggle_duplicates_filter())
    await run(tab.sort_by("name"))
    assert (tab.address, tab.anchor_id) == ("/library?sort=name", "")
    assert (tab.window.anchor, names(tab)[0]) == ("", "Kick 0")


async def test_weights_sort_again_and_are_in_the_address(
    tab: LikenessState, ids: list[uuid.UUID]
) -> None:
    await run(tab.compare_with(str(ids[0])))
    epoch = tab.epoch
    await run(tab.weigh([100, 50, 0, 100]))
    assert tab.address == f"/library?like={ids[0]}&weights=100%2C50%2C0%2C100"
    assert not tab.is_step  # a slider sends a change for each value it passes
    assert (tab.weights, tab.epoch) == ([100, 50, 0, 100], epoch + 1)
    await run(tab.compare_with(str(ids[3])))  # another sound, by the same weights
    assert (names(tab)[0], tab.weights) == ("Snare", [100, 50, 0, 100])
    await run(tab.weigh([100] * 4))
    assert tab.address == f"/library?like={ids[3]}"
    await run(tab.confirm_edit(7))
    assert tab.confirmed_edit == 7
    await run(tab.weigh([1, 2, 3, 4]))
    await run(tab.stop_comparing())
    assert (tab.address, tab.weights, names(tab)[0]) == ("/library", [100] * 4, "Snare")


async def test_the_address_opens_the_list(user: User, ids: list[uuid.UUID]) -> None:
    tab = opened(cookie(user.id), f"/library?like={ids[0]}&weights=0,100,0,0&sort=name&q=kick")
    await run(tab.load())
    assert (names(tab)[0], tab.weights, tab.query.q) == ("Kick 0", [0, 100, 0, 0], "kick")
    assert parse_library_url({"like": str(ids[0]), "weights": "0,0,0,0"}) == SampleQuery(
        sort="likeness", like=ids[0]
    )
    tab = opened(cookie(user.id), f"/library?like={ids[0]}&at={ids[2]}")
    await run(tab.load())
    assert (tab.cursor_row, tab.cursor_id) == (2, str(ids[2]))


@pytest.mark.parametrize("faulty", ["nonsense", "", "00000000-0000-4000-8000-000000000404"])
async def test_an_unknown_sample_in_the_address_leaves_the_usual_order(
    user: User, ids: list[uuid.UUID], faulty: str
) -> None:
    for more in ("", f"&at={ids[2]}", "&q=kick"):
        tab = opened(cookie(user.id), f"/library?like={faulty}&weights=1,2,3,4{more}")
        await run(tab.load())
        assert (tab.query.sort, tab.query.like) == ("-created", None)
        assert tab.window.total == (3 if "q" in more.partition("=")[0] else 4)


async def test_a_sample_of_somebody_else_is_like_an_unknown_one(
    person: Any, ids: list[uuid.UUID]
) -> None:
    stranger = cookie(person().id)
    tab = opened(stranger, f"/library?like={ids[0]}")
    await run(tab.load())
    assert (tab.query.like, tab.window.anchor) == (None, "")
    with pytest.raises(NotFound):
        await run(tab.compare_with(str(ids[0])))
    assert tab.window.anchor == ""


async def test_a_sample_that_was_deleted_leaves_the_usual_order(
    user: User, tab: LikenessState, ids: list[uuid.UUID]
) -> None:
    await run(tab.compare_with(str(ids[0])))
    with transaction() as session:
        samples.delete_samples(session, user.id, [ids[0]])
        samples.delete_for_good(session, user.id, [ids[0]])
    await run(tab.act_on("favourite", str(ids[1])))
    assert (tab.address, names(tab)) == ("/library", ["Snare", "Kick 2", "Kick 1"])


async def test_a_sample_without_a_vector_says_so(tab: LikenessState, keep: Keep) -> None:
    first, _ = keep("First.wav"), keep("Second.wav")
    await run(tab.compare_with(str(first)))
    assert (names(tab), tab.window.is_compared) == (["First", "Second"], False)


@pytest.mark.parametrize(
    "weights",
    [None, "1,1,1,1", {}, [], [1], [1] * 5, [1] * 10_000, [0] * 4, ["1"] * 4, [None] * 4,
     [float("nan"), 1, 1, 1], [True] * 4, [[1]] * 4],
)  # fmt: skip
async def test_hostile_weights_change_nothing(
    tab: LikenessState, ids: list[uuid.UUID], weights: Any
) -> None:
    await run(tab.compare_with(str(ids[0])))
    address = tab.address
    with pytest.raises(ValidationFailed):
        await run(tab.weigh(weights))
    assert (tab.address, tab.weights, tab.window.total) == (address, [100] * 4, 4)


@pytest.mark.parametrize("weights", [[-5, 1, 1, 900], [0, 1.9, 1, 1e300]])
async def test_weights_out_of_range_are_clamped(
    tab: LikenessState, ids: list[uuid.UUID], weights: Any
) -> None:
    await run(tab.compare_with(str(ids[0])))
    await run(tab.weigh(weights))
    assert tab.weights == [0, 1, 1, 100]


async def test_handlers_need_a_sample_and_a_session(tab: LikenessState, keep: Keep) -> None:
    keep()
    with pytest.raises(ValidationFailed):
        await run(tab.weigh([1, 1, 1, 1]))
    for sample_id in (None, "", 3, str(uuid.uuid4())):
        with pytest.raises(AppError):
            await run(tab.compare_with(sample_id))  # type: ignore[arg-type]
    await run(tab.set_filter("sort", "name"))
    with pytest.raises(ValidationFailed):
        await run(tab.set_filter("sort", "likeness"))
    anonymous = opened("")
    for handler in (
        anonymous.compare_with(str(uuid.uuid4())),
        anonymous.weigh([1] * 4),
        anonymous.confirm_edit(1),
        anonymous.stop_comparing(),
    ):
        with pytest.raises(Unauthenticated):
            await run(handler)


@pytest.mark.parametrize("sort", ["position", "-position", "created"])
@pytest.mark.parametrize(("q", "filtered"), [("", False), ("kick", True)])
def test_the_order_of_a_collection_is_no_filter(sort: str, q: str, *, filtered: bool) -> None:
    tab = opened("")
    tab.query = SampleQuery(collection=uuid.uuid4(), sort=sort, q=q)
    assert tab.filtered is filtered


def test_addresses_name_the_order_where_there_is_one() -> None:
    like, collection = uuid.uuid4(), uuid.uuid4()
    query = sorted_by_likeness(SampleQuery(q="kick"), like, (1, 2, 3, 4))
    assert parse_library_url({"q": "kick", "like": str(like), "weights": "1,2,3,4"}) == query
    assert map_url(query) == "/map?q=kick"
    assert api_parameters(query) == (f"q=kick&sort=likeness&like={like}&weights=1%2C2%2C3%2C4")
    inside = sorted_by_likeness(SampleQuery(collection=collection, sort="position"), like)
    assert library_url(inside) == f"/collections/{collection}?like={like}"
    assert export_url(query, ExportFormat.CSV) == (
        f"/api/samples/export?q=kick&sort=likeness&like={like}&weights=1%2C2%2C3%2C4&format=csv"
    )


def rename(names_by_id: dict[uuid.UUID, str]) -> None:
    """Give names and tempos, by which "but faster" limits."""
    with transaction() as session:
        for number, (sample_id, name) in enumerate(names_by_id.items()):
            sample = session.get_one(Sample, sample_id)
            sample.name, sample.bpm = name, 90.0 + number
            samples.update_search_fields(sample)


async def test_a_text_that_compares_gives_back_what_it_replaced(
    tab: LikenessState, ids: list[uuid.UUID]
) -> None:
    rename({ids[0]: "Dusty", ids[1]: "Rhodes"})
    await run(tab.sort_by("name"))
    await run(tab.set_filter("bpm_min", "50"))
    await run(tab.set_filter("q", "like dusty but faster"))
    assert (tab.query.like, tab.query.bpm_min, tab.query.q) == (ids[0], 90.1, "")
    await run(tab.weigh([10, 20, 30, 40]))
    await run(tab.set_filter("q", "like dusty but slower"))
    assert (tab.query.bpm_min, tab.query.bpm_max) == (50, 89.9)
    assert tab.query.weights == (10, 20, 30, 40)
    await run(tab.set_filter("q", ""))
    assert (tab.query.sort, tab.query.like, tab.query.weights) == ("name", None, ())
    assert (tab.query.bpm_min, tab.query.bpm_max) == (50, None)
    await run(tab.compare_with(str(ids[1])))
    await run(tab.set_filter("q", "like dusty"))
    await run(tab.set_filter("q", ""))
    assert tab.query.like == ids[1]  # it had been chosen


async def test_what_is_chosen_after_such_a_text_stays(
    tab: LikenessState, ids: list[uuid.UUID]
) -> None:
    rename({ids[0]: "Dusty"})
    await run(tab.set_filter("q", "like dusty but faster"))
    await run(tab.set_filter("bpm_min", "120"))
    await run(tab.set_filter("q", ""))
    assert (tab.query.like, tab.query.bpm_min) == (None, 120)
    for choose in (tab.open_view("all"), tab.compare_with(str(ids[0]))):
        await run(tab.set_filter("q", "like dusty"))
        await run(choose)
        await run(tab.set_filter("q", "pad"))
        assert tab.query.like == ids[0]
        await run(tab.stop_comparing())


async def test_clearing_undoes_the_order_that_a_text_chose(
    tab: LikenessState, ids: list[uuid.UUID]
) -> None:
    rename({ids[0]: "Dusty"})
    await run(tab.sort_by("name"))
    await run(tab.set_filter("q", "like dusty but faster"))
    await run(tab.clear_filters())
    assert (tab.query.like, tab.query.sort, tab.query.bpm_min) == (None, "name", None)
    await run(tab.compare_with(str(ids[0])))
    await run(tab.set_filter("q", "dusty"))
    await run(tab.clear_filters())
    assert (tab.query.like, tab.query.q) == (ids[0], "")  # an order that was chosen stays


async def test_a_name_that_no_sound_has_is_said(tab: LikenessState, ids: list[uuid.UUID]) -> None:
    rename({ids[0]: "Dusty"})
    await run(tab.set_filter("q", "like nonsense but faster"))
    assert (tab.query.like, tab.empty_reason) == (None, "No sound is named “nonsense”.")
    await run(tab.set_filter("q", "like dusty"))
    assert tab.empty_reason == ""


async def test_such_a_text_typed_while_the_page_loads_goes_with_its_words(
    tab: LikenessState, ids: list[uuid.UUID]
) -> None:
    rename({ids[0]: "Dusty"})
    await run(tab.set_filter("q", "like dusty"))
    await run(tab.load())
    assert tab.query.like == ids[0]
    await run(tab.set_filter("q", ""))
    assert (tab.query.like, tab.query.sort) == (None, "-created")


async def test_on_the_map_such_a_text_is_plain(user: User, ids: list[uuid.UUID]) -> None:
    rename({ids[0]: "Dusty"})
    tab = opened(cookie(user.id), "/map")
    await run(tab.set_filter("q", "like dusty"))
    assert (tab.query.like, tab.query.q) == (None, "like dusty")

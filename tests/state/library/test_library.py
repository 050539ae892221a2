"""State of the library page: search, selection, actions, and hostile event arguments."""

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.errors import AppError, Unauthenticated, ValidationFailed
from sp404_app.models import Sample, User
from sp404_app.services.library import samples
from sp404_app.services.library.search import SampleQuery
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.search_params import (
    empty_query,
    library_url,
    map_url,
    parse_library_url,
)
from tests.accounts import cookie
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")


def opened(owner_cookie: str) -> LibraryState:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state = root.get_substate(LibraryState.get_full_name().split("."))
    return in_tab(state, owner_cookie, url="/library")  # type: ignore[return-value, arg-type]


@pytest.fixture
def tab(user: User) -> LibraryState:
    return opened(cookie(user.id))


async def run(handler: Any) -> None:
    """Run an event handler to its end."""
    if hasattr(handler, "__aiter__"):
        async for _ in handler:
            pass
    else:
        await handler


def kept(sample_id: uuid.UUID) -> Sample:
    with transaction() as session:
        return session.get_one(Sample, sample_id)


def names(state: LibraryState) -> list[str]:
    return [row.name for row in state.window.rows]


async def test_a_search_updates_the_list_and_the_url(tab: LibraryState, keep: Keep) -> None:
    keep("Kick.wav")
    keep("Snare.wav")
    await run(tab.set_filter("q", "sna"))
    assert (names(tab), tab.address) == (["Snare"], "/library?q=sna")
    await run(tab.set_filter("q", ""))
    assert (tab.window.total, tab.address) == (2, "/library")


async def test_choosing_is_a_step_of_the_history_and_typing_is_not(
    tab: LibraryState, keep: Keep
) -> None:
    keep("Kick.wav")
    for field, value, is_step in (
        ("kind", "one_shot", True),
        ("q", "kick", False),
        ("bpm_min", "90", False),
        ("rating_min", "3", True),
    ):
        await run(tab.set_filter(field, value))
        assert tab.is_step is is_step, field
    await run(tab.toggle_tag("drums"))
    assert tab.is_step
    assert tab.map_address == tab.address.replace("/library", "/map")


async def test_back_shows_its_url_and_not_what_was_chosen_while_the_page_loaded(
    tab: LibraryState, keep: Keep
) -> None:
    keep("Kick.wav")
    await run(tab.open_view("trash"))
    await run(tab.prepare_return())
    await run(tab.load())
    assert (tab.query.trash, names(tab), tab.address) == (False, ["Kick"], "")


async def test_a_view_chosen_while_the_page_loads_stays(tab: LibraryState, keep: Keep) -> None:
    keep("Kick.wav")
    assert not tab.is_hydrated
    await run(tab.open_view("trash"))
    await run(tab.load())
    assert (tab.query.trash, names(tab), tab.address) == (True, [], "/library?view=trash")
    await run(tab.load())  # the next visit of the page
    assert (tab.query.trash, names(tab), tab.address) == (False, ["Kick"], "")


async def test_a_list_opens_at_the_sample_of_its_address(user: User, keep: Keep) -> None:
    ids = [keep(f"Kick {number}.wav") for number in range(3)]
    tab = opened(cookie(user.id))
    in_tab(tab, cookie(user.id), url=f"/library?at={ids[0]}")
    await run(tab.load())
    assert (tab.cursor_row, tab.cursor_id) == (2, str(ids[0]))  # the newest is first
    await run(tab.sort_by("name"))
    assert tab.cursor_row == -1
    for other in (str(uuid.uuid4()), "x", ""):
        in_tab(tab, cookie(user.id), url=f"/library?at={other}")
        await run(tab.load())
        assert (tab.cursor_row, tab.cursor_id, tab.window.total) == (-1, "", 3)


async def test_every_handler_requires_a_session(keep: Keep) -> None:
    sample_id = str(keep())
    stranger = opened("nonsense")
    for attempt in (
        stranger.load(), stranger.show_from(0, 1, 0), stranger.set_filter("q", ""),
        stranger.toggle_tag("x"), stranger.sort_by("name"), stranger.open_view("all"),
        stranger.toggle_duplicates_filter(), stranger.select_rows("all", 0, 0),
        stranger.open_sample(sample_id), stranger.act("delete", sample_id), stranger.undo(),
        stranger.rename({"sample_id": sample_id, "name": "x"}), stranger.stop_renaming(),
        stranger.close_dialogs(), stranger.toggle_filters(), stranger.drop_tag("x"),
        stranger.add_tags({"tags": "x"}),
    ):  # fmt: skip
        with pytest.raises(Unauthenticated):
            await run(attempt)
    assert stranger.window.rows == []
    assert kept(uuid.UUID(sample_id)).deleted_at is None


async def test_actions_do_not_affect_samples_of_another_user(
    tab: LibraryState, keep: Keep, person: Callable[..., User]
) -> None:
    theirs = keep(owner=person().id)
    for action in ("delete", "favourite", "rate-5", "analyse", "tag", "delete_for_good"):
        try:
            await run(tab.act(action, str(theirs)))
        except AppError:
            continue
    await_rename = tab.rename({"sample_id": str(theirs), "name": "mine"})
    with pytest.raises(AppError):
        await run(await_rename)
    sample = kept(theirs)
    assert (sample.deleted_at, sample.favourite, sample.rating, sample.name) == (
        None,
        False,
        0,
        "Kick",
    )
    tab._selected, tab._deleted = {str(theirs)}, [str(theirs)]
    await run(tab.act("rate-4", ""))
    await run(tab.undo())
    assert kept(theirs).rating == 0


@pytest.mark.parametrize(
    "wrong", [None, 5, -1, float("nan"), float("inf"), [], {}, "x" * 10_000, "\x00", "\ud800", True]
)
async def test_arguments_of_wrong_types_are_rejected_or_harmless(
    tab: LibraryState, keep: Keep, wrong: Any
) -> None:
    keep()
    attempts = [
        lambda: tab.show_from(wrong, wrong, wrong), lambda: tab.show_from(wrong, 1, 0),
        lambda: tab.set_filter(wrong, wrong),
        lambda: tab.set_filter("q", wrong), lambda: tab.set_filter("bpm_min", wrong),
        lambda: tab.set_filter("sort", wrong), lambda: tab.toggle_tag(wrong),
        lambda: tab.sort_by(wrong), lambda: tab.open_view(wrong),
        lambda: tab.select_rows(wrong, wrong, wrong),
        lambda: tab.select_rows("range", wrong, wrong), lambda: tab.open_sample(wrong),
        lambda: tab.act(wrong, wrong), lambda: tab.act("favourite", wrong),
        lambda: tab.act("rate-" + str(wrong), str(uuid.uuid4())),
        lambda: tab.rename(wrong), lambda: tab.rename({"sample_id": wrong, "name": wrong}),
        lambda: tab.rename({"sample_id": str(uuid.uuid4()), "name": wrong}),
        lambda: tab.add_tags(wrong), lambda: tab.add_tags({"tags": wrong}),
        lambda: tab.drop_tag(wrong),
    ]  # fmt: skip
    for attempt in attempts:
        try:
            await run(attempt())
        except AppError:
            continue
    tab.query = SampleQuery()
    await run(tab.show_from(0, 1, tab.epoch))
    assert tab.window.total == 1


async def test_bulk_actions_apply_to_the_selection_and_can_be_undone(
    tab: LibraryState, keep: Keep
) -> None:
    ids = [keep(f"{letter}.wav") for letter in "ABC"]
    await run(tab.set_filter("sort", "name"))
    await run(tab.select_rows("range", 0, 1))
    assert tab.selected_count == 2
    await run(tab.act("rate-3", ""))
    assert [kept(i).rating for i in ids] == [3, 3, 0]
    tab._selected = {str(ids[0]), str(ids[1])}
    await run(tab.act("delete", ""))
    assert (names(tab), tab.selected_count) == (["C"], 0)
    await run(tab.undo())
    assert names(tab) == ["A", "B", "C"]


async def test_undo_restores_the_rest_if_one_cannot_be_restored(
    tab: LibraryState, keep: Keep, user: User
) -> None:
    first, second, third = keep("A.wav"), keep("B.wav"), keep("C.wav")
    tab._deleted = [str(first), str(second)]
    with transaction() as session:
        samples.delete_samples(session, user.id, [first, second])
        session.flush()
        session.get_one(Sample, first).digest = session.get_one(Sample, third).digest
    await run(tab.undo())
    assert kept(second).deleted_at is None
    assert kept(first).deleted_at is not None


@pytest.mark.parametrize(
    "parameters",
    [
        {"q": "dusty kick", "bpm_min": "90", "bpm_max": "92.5", "sort": "name"},
        {"key": "F# minor", "kind": "loop", "sound_class": "closed hat", "rating_min": "3"},
        {"key": "F# minor", "kind": "loop", "tags": "a,b", "favourite": "1", "view": "trash"},
        {},
    ],
)
def test_a_search_survives_the_round_trip_through_its_url(parameters: dict[str, str]) -> None:
    query = parse_library_url(parameters)
    parsed = dict(
        part.split("=", 1) for part in library_url(query).partition("?")[2].split("&") if part
    )
    assert parse_library_url({k: unquote_plus(v) for k, v in parsed.items()}) == query


@pytest.mark.parametrize("value", ["nan", "x", "-5", "1e999", "\x00", "H minor", "digest", ""])
def test_invalid_url_parameters_are_ignored(value: str) -> None:
    fields = ("q", "key", "compatible_key", "kind", "status", "sort", "bpm_min", "duration_max")
    for field in (*fields, "tags", "view", "favourite"):
        parse_library_url({field: value})


async def test_an_unknown_filter_is_rejected(tab: LibraryState) -> None:
    with pytest.raises(ValidationFailed):
        await run(tab.set_filter("user_id", "x"))


async def test_a_window_request_for_a_replaced_list_is_answered_but_not_shown(
    tab: LibraryState, keep: Keep
) -> None:
    for letter in "ABC":
        keep(f"{letter}.wav")
    await run(tab.set_filter("q", "a"))
    before = tab.epoch
    await run(tab.set_filter("q", "b"))
    await run(tab.show_from(0, 7, before))
    assert (names(tab), tab.answered) == (["B"], 7)
    await run(tab.show_from(0, 8, tab.epoch))
    assert (names(tab), tab.answered) == (["B"], 8)


async def test_scrolling_keeps_the_corrected_search_text(tab: LibraryState, keep: Keep) -> None:
    keep("Velvet.wav")
    await run(tab.set_filter("q", "velvte"))
    await run(tab.show_from(3, 1, tab.epoch))
    assert (names(tab), tab.window.corrected) == (["Velvet"], "velvet")
    await run(tab.select_rows("all", 0, 0))
    assert tab.selected_count == 1  # what is shown can be selected, and is what the map shows
    assert (tab.map_url, tab.api_parameters) == ("/map?q=velvet", "q=velvet&sort=-created")


async def test_back_from_a_sample_keeps_the_selection_of_a_corrected_search(
    user: User, tab: LibraryState, keep: Keep
) -> None:
    velvet = keep("Velvet.wav")
    await run(tab.set_filter("q", "velvte"))
    await run(tab.select_rows("all", 0, 0))
    tab._is_selection_kept = True
    in_tab(tab, cookie(user.id), url=f"/library?q=velvte&at={velvet}")
    await run(tab.load())
    assert (tab.selected_count, tab.cursor_row, tab.cursor_id) == (1, 0, str(velvet))
    in_tab(tab, cookie(user.id), url=f"/library?q=other&at={velvet}")  # another search
    await run(tab.load())
    assert (tab.selected_count, tab.cursor_row) == (0, -1)


async def test_the_form_in_a_row_renames_its_sample(tab: LibraryState, keep: Keep) -> None:
    first, second = keep("A.wav"), keep("B.wav")
    await run(tab.act("rename", str(second)))
    assert tab.renaming == str(second)
    await run(tab.rename({"sample_id": str(first), "name": "Renamed"}))
    assert (kept(first).name, kept(second).name, tab.renaming) == ("Renamed", "B", "")
    await run(tab.act("rename", str(second)))
    await run(tab.rename({"sample_id": str(second), "name": "  "}))
    assert (kept(second).name, tab.renaming) == ("B", "")


async def test_the_lasso_selects_only_own_sounds_that_the_search_finds(
    tab: LibraryState, keep: Keep, person: Any
) -> None:
    kick, snare = str(keep("Kick.wav")), str(keep("Snare.wav"))
    theirs = str(keep("Theirs.wav", owner=person().id))
    await run(tab.set_filter("q", "kick"))
    await run(tab.select_samples([kick, snare, theirs]))
    assert (tab._selected, tab.selected_count) == ({kick}, 1)
    await run(tab.select_samples([]))
    assert tab.selected_count == 0
    for wrong in ("kick", None, ["no id"], [kick] * 5001, [None]):
        with pytest.raises(AppError):
            await run(tab.select_samples(wrong))


async def test_the_map_asks_the_api_for_what_the_list_shows(tab: LibraryState) -> None:
    await run(tab.set_filter("q", "warm pad"))
    await run(tab.set_filter("bpm_min", "90"))
    await run(tab.toggle_tag("a b"))
    assert tab.map_url == "/map?q=warm+pad&bpm_min=90.0&tags=a+b"
    assert tab.list_url == tab.map_url.replace("/map", "/library")
    assert map_url(empty_query(uuid.uuid4())) == "/map"
    assert tab.api_parameters == "q=warm+pad&sort=-created&bpm_min=90.0&tag=a+b"

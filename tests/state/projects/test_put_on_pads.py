"""Samples of the library go on pads: of a new project, or of one that exists."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2, SX
from sp404_app.errors import ChangedMeanwhile, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import Project, User
from sp404_app.services.library import samples
from sp404_app.services.library.search import SampleQuery
from sp404_app.services.projects import history, projects
from sp404_app.state.library.library import LibraryState
from sp404_app.state.projects.new_project import NewProjectState
from sp404_app.state.projects.put_on_pads import UNDO_FILL, PutOnPadsState
from tests.accounts import cookie
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")
S = TypeVar("S", bound=rx.State)
Open = Callable[..., Any]
FORM = {"name": "Night set", "device": "mk2", "tempo": ""}


@pytest.fixture
def tab(user: User) -> Open:
    """Return a function that opens a state; all of one `root` are in one tab."""

    def opened(kind: type[S], key: str = "", root: rx.State | None = None) -> S:
        root = root or rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
        state = root.get_substate(kind.get_full_name().split("."))
        return in_tab(state, key or cookie(user.id), url="/library")  # type: ignore[return-value]

    return opened


@pytest.fixture
def library(tab: Open) -> LibraryState:
    """A library that is sorted by name, descending."""
    state = tab(LibraryState)
    state.query = SampleQuery(sort="-name")
    return state


async def run(handler: Any) -> list[Any]:
    if hasattr(handler, "__aiter__"):
        return [event async for event in handler]
    return [await handler]


def said(events: list[Any]) -> str:
    return " ".join(str(event.args) for event in events if event is not None)


def pads_of(user_id: uuid.UUID, name: str) -> dict[str, str]:
    """Return the names of a project's pads by their places."""
    with transaction() as session:
        found = projects.list_projects(session, user_id)
        project = next(each.project for each in found if each.project.name == name)
        kit = history.load_kit(session, project)
        return {str(at): pad.name for at, pad in kit.pads.items()}


def make(user: User, name: str, *ids: uuid.UUID, sx: bool = False) -> Project:
    with transaction() as session:
        return projects.create_project(session, user.id, name, SX if sx else MK2, ids).project


async def test_a_project_from_the_selection_has_the_order_of_the_list(
    tab: Open, library: LibraryState, keep: Keep, user: User
) -> None:
    ids = {letter: keep(f"{letter}.wav") for letter in "ABCD"}
    library._selected = {str(ids[letter]) for letter in "ACD"}
    dialog = tab(NewProjectState, root=library._get_root_state())
    await run(dialog.open_for_selection())
    assert (dialog.is_open, dialog.sounds) == (True, "3 sounds")
    events = await run(dialog.create(FORM))
    assert pads_of(user.id, "Night set") == {"A1": "D", "A2": "C", "A3": "A"}
    assert "/projects/" in said(events)
    assert "fit" not in said(events)
    assert not dialog.is_open


async def test_a_project_from_a_tag_is_named_after_it(
    tab: Open, library: LibraryState, keep: Keep, user: User
) -> None:
    ids = [keep(f"{letter}.wav") for letter in "AB"]
    with transaction() as session:
        samples.change_sample(session, user.id, ids[1], samples.Change(tags=["dusty"]))
    library.query = SampleQuery(sort="name", tags=("dusty",))
    dialog = tab(NewProjectState, root=library._get_root_state())
    await run(dialog.open_for_results())
    assert (dialog.name, dialog.sounds) == ("dusty", "1 sound")
    await run(dialog.create(FORM))
    assert pads_of(user.id, "Night set") == {"A1": "B"}


async def test_samples_that_do_not_fit_are_counted(
    tab: Open, library: LibraryState, keep: Keep, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keep("A.wav")
    dialog = tab(NewProjectState)
    await run(dialog.open_dialog())
    dialog._sample_ids = [str(first)] * 205
    events = await run(dialog.create(FORM | {"device": "sx"}))
    assert "85 sounds didn’t fit on the pads." in said(events)
    assert len(pads_of(user.id, "Night set")) == 120


async def test_a_double_click_creates_one_project(tab: Open, user: User) -> None:
    dialog = tab(NewProjectState)
    for _ in range(2):
        await run(dialog.create(FORM))
    with transaction() as session:
        assert len(projects.list_projects(session, user.id)) == 1


async def test_the_dialog_offers_the_device_that_was_used_last(tab: Open, user: User) -> None:
    make(user, "Old kit", sx=True)
    dialog = tab(NewProjectState)
    await run(dialog.open_dialog())
    assert dialog.device == "sx"


@pytest.mark.parametrize(("tempo", "stored"), [("92,5", 92.5), ("", 90.0), ("40", 40.0)])
async def test_the_tempo_may_be_left_empty(
    tab: Open, user: User, tempo: str, stored: float
) -> None:
    await run(tab(NewProjectState).create(FORM | {"tempo": tempo}))
    with transaction() as session:
        (found,) = projects.list_projects(session, user.id)
        assert found.project.tempo == stored


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"tempo": "39"}, "tempo"), ({"tempo": "fast"}, "tempo"), ({"tempo": "nan"}, "tempo"),
        ({"device": "mpc"}, "device"), ({"device": None}, "form"), ({"name": 7}, "form"),
    ],
)  # fmt: skip
async def test_an_invalid_field_has_a_message(
    tab: Open, user: User, wrong: dict[str, Any], field: str
) -> None:
    dialog = tab(NewProjectState)
    await run(dialog.open_dialog())
    await run(dialog.create(FORM | wrong))
    assert list(dialog.problems) == [field]
    assert dialog.is_open
    with transaction() as session:
        assert projects.list_projects(session, user.id) == []


async def test_the_selection_fills_the_free_pads_and_can_be_taken_off_again(
    tab: Open, library: LibraryState, keep: Keep, user: User
) -> None:
    ids = {letter: keep(f"{letter}.wav") for letter in "ABC"}
    project = make(user, "Night set", ids["A"])
    library._selected = {str(ids["B"]), str(ids["C"])}
    dialog = tab(PutOnPadsState, root=library._get_root_state())
    await run(dialog.open_dialog(str(ids["A"])))
    assert (dialog.sounds, [each.name for each in dialog.choices]) == ("2 sounds", ["Night set"])
    events = await run(dialog.choose(str(project.id)))
    assert "2 sounds put on pads A2–A3 of “Night set”." in said(events)
    assert f"/projects/{project.id}" in said(events)
    assert UNDO_FILL in said(events)
    assert pads_of(user.id, "Night set") == {"A1": "A", "A2": "C", "A3": "B"}
    await run(dialog.undo_fill())
    await run(dialog.undo_fill())  # a double click
    assert pads_of(user.id, "Night set") == {"A1": "A"}


async def test_without_a_selection_the_sample_under_the_cursor_goes_on_a_pad(
    tab: Open, library: LibraryState, keep: Keep, user: User
) -> None:
    project, sample_id = make(user, "Night set"), keep("A.wav")
    dialog = tab(PutOnPadsState, root=library._get_root_state())
    await run(dialog.open_dialog(""))
    assert not dialog.is_open
    await run(dialog.open_dialog(str(sample_id)))
    assert dialog.sounds == "“A”"
    events = await run(dialog.choose(str(project.id)))
    assert "“A” put on pad A1 of “Night set”." in said(events)


async def test_a_full_project_says_so_and_a_nearly_full_one_counts_the_rest(
    tab: Open, keep: Keep, user: User
) -> None:
    one = keep("A.wav")
    full, nearly = (
        make(user, "Full", *[one] * 120, sx=True),
        make(user, "Nearly", *[one] * 119, sx=True),
    )
    dialog = tab(PutOnPadsState)
    for project, words in (
        (full, "“Full” has no free pads."),
        (nearly, "1 sound put on pad J12 of “Nearly”. 2 sounds didn’t fit."),
    ):
        dialog._sample_ids = [str(one)] * 3
        assert words in said(await run(dialog.choose(str(project.id))))


async def test_a_fill_is_not_undone_over_a_later_change(tab: Open, keep: Keep, user: User) -> None:
    project, dialog = make(user, "Night set"), tab(PutOnPadsState)
    await run(dialog.open_for_sample(str(keep("A.wav"))))
    await run(dialog.choose(str(project.id)))
    with transaction() as session:
        projects.change_details(session, history.Target(user.id, project.id), {"name": "Day set"})
    with pytest.raises(ChangedMeanwhile):
        await run(dialog.undo_fill())
    assert pads_of(user.id, "Day set") == {"A1": "A"}


async def test_the_dialog_hands_its_samples_to_a_new_project(
    tab: Open, keep: Keep, user: User
) -> None:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    put, new = tab(PutOnPadsState, root=root), tab(NewProjectState, root=root)
    await run(put.open_for_sample(str(keep("A.wav"))))
    await run(new.open_for_pads())
    assert (put.is_open, new.is_open, new.sounds) == (False, True, "1 sound")
    await run(new.create(FORM))
    assert pads_of(user.id, "Night set") == {"A1": "A"}


async def test_another_users_samples_and_projects_are_not_found(
    tab: Open, keep: Keep, user: User, person: Callable[..., User]
) -> None:
    other = person()
    theirs, mine = keep("Theirs.wav", owner=other.id), keep("Mine.wav")
    with transaction() as session:
        project = projects.create_project(session, other.id, "Theirs", MK2).project
    put, new = tab(PutOnPadsState), tab(NewProjectState)
    for attempt in (
        put.open_for_sample(str(theirs)), put.open_dialog(str(theirs)),
        new.open_for_sample(str(theirs)),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await run(attempt)
    put._sample_ids = [str(mine)]
    with pytest.raises(NotFound):
        await run(put.choose(str(project.id)))
    new._sample_ids = [str(theirs)]
    await run(new.create(FORM))
    assert "form" in new.problems
    assert pads_of(other.id, "Theirs") == {}


async def test_every_handler_requires_a_session(tab: Open, keep: Keep, user: User) -> None:
    sample_id, project = str(keep()), str(make(user, "Night set").id)
    put, new = tab(PutOnPadsState, "nonsense"), tab(NewProjectState, "nonsense")
    for attempt in (
        put.open_dialog(sample_id), put.open_for_sample(sample_id), put.choose(project),
        put.undo_fill(), put.close(), new.open_dialog(), new.open_for_selection(),
        new.open_for_sample(sample_id), new.open_for_results(), new.open_for_pads(),
        new.create(FORM), new.close(),
    ):  # fmt: skip
        with pytest.raises(Unauthenticated):
            await run(attempt)


@pytest.mark.parametrize("wrong", [None, 7, "x" * 10_000, "\0", [], {}, True, float("nan")])
async def test_arguments_of_wrong_types_are_refused(tab: Open, keep: Keep, wrong: Any) -> None:
    put, new = tab(PutOnPadsState), tab(NewProjectState)
    for attempt in (
        put.open_for_sample(wrong), put.open_dialog(wrong), put.choose(wrong),
        new.open_for_sample(wrong), new.create(wrong), new.create({"name": wrong}),
    ):  # fmt: skip
        with suppress(NotFound, ValidationFailed):  # or it does nothing
            await run(attempt)
    assert (put.is_open, new.is_open) == (False, False)

"""State of the project list: rename, duplicate, convert, delete, restore, and hostile arguments."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2, SX, Device
from sp404_app.errors import AppError, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import Project, User
from sp404_app.services.projects import history, pads, projects, trash
from sp404_app.services.projects.conversion import Difference
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.projects import ProjectSummary
from sp404_app.state.formatting import format_age
from sp404_app.state.projects.project_cards import card_of, describe_positions, report_of
from sp404_app.state.projects.project_list import UNDO_PROJECT_DELETION, ProjectListState
from tests.accounts import cookie
from tests.ids import UNKNOWN_ID
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")
Make = Callable[..., Project]
NOON = dt.datetime(2026, 6, 12, 12, 0, tzinfo=dt.UTC)


def opened(owner_cookie: str, url: str = "/projects") -> ProjectListState:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state = root.get_substate(ProjectListState.get_full_name().split("."))
    return in_tab(state, owner_cookie, url=url)  # type: ignore[return-value, arg-type]


@pytest.fixture
def tab(user: User) -> ProjectListState:
    return opened(cookie(user.id))


@pytest.fixture
def make(user: User) -> Make:
    """Return a function that creates a project of the user."""

    def create(name: str = "Night set", device: Device = MK2, *samples: uuid.UUID) -> Project:
        with transaction() as session:
            return projects.create_project(session, user.id, name, device, samples).project

    return create


async def run(handler: Any) -> list[Any]:
    """Run an event handler to its end; return the events that it yields."""
    if hasattr(handler, "__aiter__"):
        return [event async for event in handler]
    return [await handler]


def said(events: list[Any]) -> str:
    return " ".join(str(event.args) for event in events if event is not None)


def stored(project_id: uuid.UUID) -> Project | None:
    with transaction() as session:
        return session.get(Project, project_id)


async def test_a_card_says_what_the_project_holds(
    tab: ProjectListState, make: Make, keep: Keep
) -> None:
    make("Night set", SX, keep("A.wav"), keep("B.wav"))
    await run(tab.load())
    (card,) = tab.cards
    assert (card.name, card.device, card.other_device) == ("Night set", "SP-404SX/A", "SP-404MKII")
    assert (card.filled, card.free, card.tempo) == ("2 of 120 pads", "118 free pads", "90 BPM")
    assert [bank.pads for bank in card.banks] == [[1, 2], *[[]] * 9]
    assert len({bank.colour for bank in card.banks}) == 10


async def test_the_url_opens_the_trash(user: User, make: Make) -> None:
    project = make()
    with transaction() as session:
        trash.move_to_trash(session, user.id, project.id)
    tab = opened(cookie(user.id), "/projects?view=trash")
    await run(tab.load())
    assert ([card.id for card in tab.cards], tab.trash_count) == ([str(project.id)], 1)
    assert tab.cards[0].changed == "Permanently deleted in 30 days"
    await run(tab.show_trash(False))
    assert (tab.cards, tab.trash_count) == ([], 1)


async def test_a_project_is_renamed_in_place(tab: ProjectListState, make: Make) -> None:
    project = make()
    await run(tab.act("rename", str(project.id)))
    assert tab.renaming == str(project.id)
    await run(tab.rename({"project_id": str(project.id), "name": "  Day set "}))
    assert ([card.name for card in tab.cards], tab.renaming) == (["Day set"], "")


async def test_a_double_click_makes_one_copy(tab: ProjectListState, make: Make) -> None:
    project = make()
    notice = await run(tab.act("duplicate", str(project.id)))
    await run(tab.act("duplicate", str(project.id)))
    assert sorted(card.name for card in tab.cards) == ["Night set", "Night set copy"]
    assert "“Night set copy” created." in said(notice)


async def test_a_conversion_reports_what_does_not_fit(
    tab: ProjectListState, make: Make, keep: Keep, user: User
) -> None:
    project = make("Night set", MK2, *(keep(f"{n}.wav") for n in range(14)))
    with transaction() as session:
        target = history.Target(user.id, project.id)
        pads.clear_pad(session, target, PadPosition(0, 2))
        change = pads.PadChange(settings={"pan": 9})
        pads.set_pad(session, target, PadPosition(0, 1), change)
    await run(tab.act("convert", str(project.id)))
    assert tab.report.name == "Night set (SP-404SX/A)"
    found = {
        group.title: [(line.pads, line.what) for line in group.lines] for group in tab.report.groups
    }
    assert found == {
        "Moved, because the SP-404SX/A has 12 pads in a bank": [("A13 → A2", "")],
        "Left out, because the SP-404SX/A has 12 pads in a bank": [("A14", "")],
        "Kept, but not stored by the SP-404SX/A": [("A1", "pan")],
    }
    await run(tab.close_dialogs())
    assert tab.report.project_id == ""
    assert [card.device for card in tab.cards] == ["SP-404SX/A", "SP-404MKII"]


async def test_a_deletion_can_be_undone(tab: ProjectListState, make: Make) -> None:
    project = make()
    notice = await run(tab.act("delete", str(project.id)))
    assert "moved to the trash" in said(notice)
    assert UNDO_PROJECT_DELETION in said(notice)
    assert (tab.cards, tab.trash_count) == ([], 1)
    await run(tab.undo_deletion())
    assert ([card.name for card in tab.cards], tab.trash_count) == (["Night set"], 0)


async def test_deleting_twice_keeps_the_project_in_the_trash(
    tab: ProjectListState, make: Make
) -> None:
    project = make()
    for _ in range(2):
        await run(tab.act("delete", str(project.id)))
    kept = stored(project.id)
    assert kept is not None
    assert kept.deleted_at


async def test_a_permanent_deletion_asks_first(tab: ProjectListState, make: Make) -> None:
    project = make()
    with pytest.raises(NotFound):  # it is not in the trash
        await run(tab.act("ask", str(project.id)))
    await run(tab.delete_for_good())  # nothing was asked
    await run(tab.act("delete", str(project.id)))
    await run(tab.show_trash(True))
    await run(tab.act("ask", str(project.id)))
    assert tab.deleting_name == "Night set"
    await run(tab.close_dialogs())
    await run(tab.delete_for_good())
    assert stored(project.id) is not None
    await run(tab.act("ask", str(project.id)))
    notice = await run(tab.delete_for_good())
    assert "permanently deleted" in said(notice)
    assert (stored(project.id), tab.cards, tab.trash_count) == (None, [], 0)


async def test_a_project_that_was_asked_about_and_restored_is_not_deleted(
    tab: ProjectListState, make: Make
) -> None:
    project = make()
    await run(tab.act("delete", str(project.id)))
    await run(tab.act("ask", str(project.id)))
    await run(tab.act("restore", str(project.id)))
    with pytest.raises(AppError):
        await run(tab.delete_for_good())
    assert stored(project.id) is not None


async def test_another_users_project_is_like_an_unknown_one(
    make: Make, person: Callable[..., User]
) -> None:
    project, stranger = make(), opened(cookie(person().id))
    await run(stranger.load())
    assert stranger.cards == []
    for project_id in (str(project.id), str(UNKNOWN_ID)):
        for action in ("rename", "duplicate", "convert", "delete", "restore", "ask"):
            with pytest.raises(NotFound):
                await run(stranger.act(action, project_id))
        with pytest.raises(NotFound):
            await run(stranger.rename({"project_id": project_id, "name": "x"}))
        stranger._deleted = stranger.deleting_id = project_id
        for attempt in (stranger.undo_deletion(), stranger.delete_for_good()):
            with pytest.raises(NotFound):
                await run(attempt)
    kept = stored(project.id)
    assert kept is not None
    assert (kept.name, kept.deleted_at) == ("Night set", None)


async def test_every_handler_requires_a_session(make: Make) -> None:
    project, nobody = str(make().id), opened("nonsense")
    for attempt in (
        nobody.load(), nobody.show_trash(True), nobody.act("delete", project),
        nobody.rename({"project_id": project, "name": "x"}), nobody.stop_renaming(),
        nobody.undo_deletion(), nobody.delete_for_good(), nobody.close_dialogs(),
    ):  # fmt: skip
        with pytest.raises(Unauthenticated):
            await run(attempt)
    assert nobody.cards == []


@pytest.mark.parametrize("wrong", [None, 7, "", "x" * 10_000, "\0", [], {}, True, float("nan")])
async def test_arguments_of_wrong_types_are_refused(
    tab: ProjectListState, make: Make, wrong: Any
) -> None:
    project = str(make().id)
    for attempt in (
        tab.act(wrong, project), tab.act("delete", wrong), tab.rename(wrong),
        tab.rename({"project_id": wrong, "name": "x"}),
    ):  # fmt: skip
        with pytest.raises((ValidationFailed, NotFound)):
            await run(attempt)
    await run(tab.show_trash(wrong))
    await run(tab.show_trash(False))
    assert [card.name for card in tab.cards] == ["Night set"]


def test_a_full_project_has_no_free_pads() -> None:
    project = Project(user_id=uuid.uuid4(), name="Full", device="sx")
    project.updated_at = NOON
    every = tuple(range(1, 13))
    card = card_of(ProjectSummary(project, (every,) * 10, 0), NOON)
    assert (card.is_full, card.free, card.filled) == (True, "No free pads", "120 of 120 pads")
    nearly = card_of(ProjectSummary(project, (every[1:], *(every,) * 9), 0), NOON)
    assert (nearly.is_full, nearly.free) == (False, "1 free pad")


def test_pads_with_the_same_difference_share_a_line() -> None:
    copy = Project(user_id=uuid.uuid4(), name="Copy", device="sx")
    what = "Kept, but not stored by the SP-404SX/A: bus, pan."
    report = report_of(copy, [Difference(b, 1, what, "not_stored") for b in "ABC"])
    (group,) = report.groups
    assert [(line.pads, line.what) for line in group.lines] == [("A1, B1, C1", "bus, pan")]


@pytest.mark.parametrize(
    ("pads_filled", "words"),
    [
        ([(0, 1)], "pad A1"),
        ([(0, 1), (0, 2), (0, 3)], "pads A1–A3"),
        ([(0, 16), (1, 1)], "pads A16, B1"),
        ([(0, 2), (0, 4), (0, 5)], "pads A2, A4–A5"),
        ([(0, n) for n in range(1, 11, 2)], "5 pads"),
    ],
)
def test_filled_pads_are_named_in_ranges(pads_filled: list[tuple[int, int]], words: str) -> None:
    assert describe_positions([PadPosition(*at) for at in pads_filled]) == words


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (dt.timedelta(seconds=59), "just now"),
        (dt.timedelta(seconds=-5), "just now"),
        (dt.timedelta(minutes=5, seconds=59), "5 min ago"),
        (dt.timedelta(hours=23, minutes=59), "23 h ago"),
        (dt.timedelta(hours=30), "1 day ago"),
        (dt.timedelta(days=6, hours=23), "6 days ago"),
        (dt.timedelta(days=7), "5 Jun 2026"),
    ],
)
def test_ages_are_written_in_the_largest_whole_unit(ago: dt.timedelta, words: str) -> None:
    assert format_age(NOON - ago, NOON) == words

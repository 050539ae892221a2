"""State of the pad page: stale revisions, unknown keys, hostile arguments, other users' ids."""

import uuid
from typing import Any

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2, SX
from sp404_app.errors import AppError, NotFound, Unauthenticated
from sp404_app.models import User
from sp404_app.services.projects import history, pads, projects
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from sp404_app.state.projects.pads import PadsState
from tests.accounts import cookie, sign_up_user
from tests.services.cards.pattern_files import mk2_pattern, put_files
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")

A1 = PadPosition(0, 1)
HOSTILE: list[Any] = [
    None, True, -1, 17, 10**400, 1e9, float("nan"), float("inf"), "", "K1", "A0", "A17", "a1",
    "A\u0661", "\0", "\ud800", "x" * 5000, "undo", "1e999", [], [[]], [None], [-1], [float("nan")],
    ["x"] * 1000, {}, {"1:36": "K99"}, {"to": "lufs"}, {"from": None, "to": None},
]  # fmt: skip
NAMES = ["level", "start", "end", "loop", "bpm", "pitch", "vari", "nothing", "normalise", "stretch"]
NAMES += ["stretch_to_bpm", "trim", "fade_in", "resample_trick", "channels", "by", "parts"]
SETTING_VALUES: list[Any] = [True, -1, 10**400, float("nan"), "1e999", [[]], {"to": "lufs"}]
OPEN_TO_ALL = {"setvar"}


def opened(owner_cookie: str, project: uuid.UUID | str, query: str = "") -> PadsState:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state = root.get_substate(PadsState.get_full_name().split("."))
    return in_tab(state, owner_cookie, url=f"/projects/{project}{query}")  # type: ignore[return-value, arg-type]


async def run(handler: Any) -> list[Any]:
    """Run an event handler to its end; return the events that it starts."""
    if hasattr(handler, "__aiter__"):
        return [event async for event in handler if event is not None]
    await handler
    return []


async def loaded(owner_cookie: str, project: uuid.UUID, query: str = "") -> Any:
    state = opened(owner_cookie, project, query)
    await run(state.load())
    return state


def make_project(user: User | Any, *sample_ids: uuid.UUID, sx: bool = False) -> uuid.UUID:
    """Make a project with samples on pads A1 onward."""
    with transaction() as session:
        device = SX if sx else MK2
        made = projects.create_project(session, user.id, "Night set", device)
        if sample_ids:
            target = Target(user.id, made.project.id)
            pads.fill(session, target, A1, list(sample_ids))
        return made.project.id


def kit_of(user: User, project: uuid.UUID) -> dict[str, str]:
    """Return the names of the pads that hold something."""
    with transaction() as session:
        found = history.load_pads(session, history.get_project(session, user.id, project).id)
        return {str(at): row.name for at, row in found.items()}


def said(events: list[Any]) -> str:
    return " ".join(str(event.args) for event in events)


async def test_a_stale_change_of_one_pad_is_refused_and_shown(user: User, keep: Keep) -> None:
    project = make_project(user, keep("Kick.wav"))
    tab = await loaded(cookie(user.id), project, "?pad=A1")
    with transaction() as session:
        pads.set_pad(session, Target(user.id, project), A1, PadChange(name="Boom"))
    events = await run(tab.rename_pad("Thud", "A1"))
    assert "changed in another tab" in said(events)
    assert (tab.sheet.name, kit_of(user, project)) == ("Boom", {"A1": "Boom"})
    assert await run(tab.rename_pad("Thud", "A1")) == []  # now it has seen the change
    assert kit_of(user, project) == {"A1": "Thud"}


async def test_changes_of_different_pads_do_not_collide(user: User, keep: Keep) -> None:
    project = make_project(user, keep("Kick.wav"), keep("Snare.wav"))
    first = await loaded(cookie(user.id), project, "?pad=A1")
    second = await loaded(cookie(user.id), project, "?pad=A2")
    assert await run(first.rename_pad("Boom", "A1")) == []
    assert await run(second.rename_pad("Crack", "A2")) == []
    assert kit_of(user, project) == {"A1": "Boom", "A2": "Crack"}


async def test_two_tabs_fill_one_empty_pad_and_the_second_is_told(user: User, keep: Keep) -> None:
    kick, snare = keep("Kick.wav"), keep("Snare.wav")
    project = make_project(user)
    first, second = [await loaded(cookie(user.id), project) for _ in "12"]
    assert await run(first.put_sample("A1", str(kick))) == []
    assert "changed in another tab" in said(await run(second.put_sample("A1", str(snare))))
    assert kit_of(user, project) == {"A1": "Kick"}


async def test_an_undo_of_a_stale_tab_changes_nothing(user: User, keep: Keep) -> None:
    project = make_project(user, keep("Kick.wav"))
    stale, other = [await loaded(cookie(user.id), project, "?pad=A1") for _ in "12"]
    await run(other.rename_pad("Boom", "A1"))
    assert "changed in another tab" in said(await run(stale.undo()))
    assert kit_of(user, project) == {"A1": "Boom"}


async def test_every_handler_requires_a_session(user: User, keep: Keep) -> None:
    project = make_project(user, keep("Kick.wav"))
    before = kit_of(user, project)
    for stranger in (opened("nonsense", project), opened("", project)):
        stranger._project_id = str(project)
        for name in handlers():
            for value in ("A1", "name", 1):
                arguments = [value] * parameters(name)
                try:
                    events = await run(getattr(stranger, name)(*arguments))
                except Unauthenticated:
                    continue
                except AppError:
                    assert name not in {"load", "undo", "redo"}
                else:
                    assert events == []
                    assert name in {"rename_project", "set_tempo"}  # nothing to change
        assert (stranger.cells, stranger.head.name) == ([], "")
    assert kit_of(user, project) == before


async def test_another_users_project_is_like_an_unknown_one(user: User, keep: Keep) -> None:
    project = make_project(user, keep("Kick.wav"))
    stranger = sign_up_user()
    mine = make_project(stranger)
    for wrong in (project, uuid.uuid4(), "x"):
        tab = await loaded(cookie(stranger.id), mine)
        tab = opened(cookie(stranger.id), wrong)
        await run(tab.load())
        assert (tab.phase, tab.cells, tab.head.name) == ("missing", [], "")
        for name, arguments in (("undo", []), ("clear_bank", []), ("put_sample", ["A1", "x"])):
            with pytest.raises(AppError):
                await run(getattr(tab, name)(*arguments))
    assert kit_of(user, project) == {"A1": "Kick"}


async def test_another_users_sound_cannot_be_put_on_a_pad(user: User, keep: Keep) -> None:
    stranger = sign_up_user()
    theirs = str(keep("Secret.wav", owner=stranger.id))
    project = make_project(user)
    tab = await loaded(cookie(user.id), project)
    for sample_id in (theirs, str(uuid.uuid4()), "x", None):
        with pytest.raises(NotFound):
            await run(tab.put_sample("A1", sample_id))  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            await run(tab.put_next(sample_id))  # type: ignore[arg-type]
    assert kit_of(user, project) == {}


@pytest.mark.parametrize("sx", [False, True])
async def test_hostile_arguments_are_refused_or_ignored(
    user: User, keep: Keep, *, sx: bool
) -> None:
    sounds, mine = (keep("Kick.wav"), keep("Snare.wav")), cookie(user.id)
    for name in handlers():
        project = make_project(user, *sounds, sx=sx)
        tab = await loaded(mine, project, "?pad=A1")
        count = parameters(name)
        calls = [[value] * count for value in HOSTILE] if count else [[]]
        if count - defaults(name) == 2:
            calls += [[field, value] for field in NAMES for value in SETTING_VALUES]
        for arguments in calls:
            try:
                await run(getattr(tab, name)(*arguments))
            except AppError:
                continue
        reopened = await loaded(mine, project)
        assert (reopened.phase, len(reopened.cells)) == ("here", 12 if sx else 16)


@pytest.mark.parametrize("query", ["?pad=Z9", "?pad=A17", "?pad=", "?pad=%00", "?pad=" + "9" * 99])
async def test_a_wrong_pad_in_the_url_chooses_none(user: User, query: str) -> None:
    tab = await loaded(cookie(user.id), make_project(user), query)
    assert (tab.phase, tab.sheet.key) == ("here", "")


async def test_a_bank_keeps_the_place_of_the_chosen_pad(user: User, keep: Keep) -> None:
    tab = await loaded(cookie(user.id), make_project(user, keep("Kick.wav")), "?pad=A1")
    tab.similar_place = "2 of 9"
    await run(tab.open_bank("C"))
    assert (tab.bank, tab.sheet.key, tab.similar_place) == ("C", "C1", "")


async def test_the_chosen_pad_names_the_other_pads_with_its_sound(user: User, keep: Keep) -> None:
    kick, snare = keep("Kick.wav"), keep("Snare.wav")
    project = make_project(user, kick, kick, snare)
    make_project(user, kick)
    tab = await loaded(cookie(user.id), project, "?pad=A1")
    found = sorted(tab.sheet.also_on.split(" and "))
    assert found == ["pad A1 of Night set", "pad A2 of Night set"]
    await run(tab.choose_pad("A3"))
    assert tab.sheet.also_on == ""


async def test_a_full_project_takes_no_further_sound(user: User, keep: Keep) -> None:
    sample_id = keep("Kick.wav")
    project = make_project(user, *[sample_id] * 160)
    tab = await loaded(cookie(user.id), project)
    assert "All pads are taken" in said(await run(tab.put_next(str(sample_id))))
    assert len(kit_of(user, project)) == 160


def handlers() -> list[str]:
    """Return the names of the handlers that can be called directly."""
    return sorted(set(PadsState.event_handlers) - {"watch"} - OPEN_TO_ALL)


def defaults(name: str) -> int:
    return len(PadsState.event_handlers[name].fn.__defaults__ or ())


def parameters(name: str) -> int:
    return PadsState.event_handlers[name].fn.__code__.co_argcount - 1


async def test_patterns_open_only_in_a_project_that_has_some(user: User) -> None:
    project = make_project(user)
    state = await loaded(cookie(user.id), project)
    await run(state.act("patterns", ""))
    assert (state.head.patterns, state.is_patterns_open) == (0, False)
    put_files(user.id, project, p1=mk2_pattern([]), p2=b"broken")
    state = await loaded(cookie(user.id), project)
    assert state.head.patterns == 2
    await run(state.act("patterns", ""))
    assert state.is_patterns_open
    await run(state.act("patterns", ""))
    assert not state.is_patterns_open
    await run(state.act("patterns", ""))
    await run(state.close_patterns())
    assert not state.is_patterns_open

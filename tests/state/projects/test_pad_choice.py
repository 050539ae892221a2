"""State of the pad page: which pad a change belongs to, and which events a tab follows."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import User
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.projects import history, pads, projects, trash
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from sp404_app.state.projects import pads as pads_state
from sp404_app.state.projects.pad_view import PadPage, load_page
from sp404_app.state.projects.pads import PadsState
from tests.accounts import cookie
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")
A1, A2 = PadPosition(0, 1), PadPosition(0, 2)


async def run(handler: Any) -> list[Any]:
    return [event async for event in handler if event is not None]


def make_project(user: User, *samples: uuid.UUID) -> uuid.UUID:
    """Create a project with samples on pads A1 onward."""
    with transaction() as session:
        made = projects.create_project(session, user.id, "Night set", MK2, samples)
        return made.project.id


async def open_tab(user: User, project: uuid.UUID, query: str = "") -> Any:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state: Any = root.get_substate(PadsState.get_full_name().split("."))
    tab: Any = in_tab(state, cookie(user.id), url=f"/projects/{project}{query}")
    await run(tab.load())
    return tab


def pad_of(user: User, project: uuid.UUID, at: PadPosition) -> Any:
    with transaction() as session:
        found = history.get_project(session, user.id, project)
        return history.load_kit(session, found).pads[at]


async def test_a_change_belongs_to_the_pad_that_was_shown(user: User, keep: Keep) -> None:
    project = make_project(user, keep("Kick.wav"), keep("Snare.wav"))
    tab = await open_tab(user, project, "?pad=A1")
    await run(tab.set_edit("gain_db", -3))
    await tab.choose_pad("A2")
    await run(tab.set_edit("gain_db", -6))
    assert await run(tab.rename_pad("Boom", "A1")) == []
    assert await run(tab.set_setting("level", 90, "A1")) == []
    assert await run(tab.set_chops([0, 500], "A1")) == []
    assert await run(tab.set_edit("reverse", True, "A1")) == []
    kick, snare = pad_of(user, project, A1), pad_of(user, project, A2)
    assert (kick.name, kick.settings["level"], len(kick.chops)) == ("Boom", 90, 2)
    assert kick.edit == {"gain_db": -3, "reverse": True}
    assert (snare.name, snare.settings["level"], snare.chops) == ("Snare", 127, ())
    assert snare.edit == {"gain_db": -6}
    assert tab.sheet.key == "A2"


async def test_a_pad_of_another_bank_is_not_chosen(user: User, keep: Keep) -> None:
    project = make_project(user, keep("Kick.wav"))
    tab = await open_tab(user, project, "?pad=A1")
    await run(tab.set_edit("gain_db", -3))
    await run(tab.move_bank("A", "B", "copy"))
    assert (tab.bank, tab.sheet.key) == ("B", "")
    with pytest.raises(ValidationFailed):
        await run(tab.set_edit("reverse", True))
    assert pad_of(user, project, A1).edit == {"gain_db": -3}


async def watch(tab: Any, monkeypatch: pytest.MonkeyPatch, *bursts: list[Event]) -> None:
    """Let the page of a tab follow these events."""

    async def listen(*_: Any) -> AsyncIterator[list[Event]]:
        for burst in bursts:
            yield burst
            await asyncio.sleep(0)

    monkeypatch.setattr(pads_state.events, "listen", listen)
    monkeypatch.setattr(PadsState, "__aenter__", _enter, raising=False)
    monkeypatch.setattr(PadsState, "__aexit__", _enter, raising=False)
    async for _ in PadsState.watch.fn(tab):  # type: ignore[attr-defined]
        pass


async def _enter(*_: Any) -> None:
    """Stand for the lock of a background event."""


async def test_a_burst_that_begins_with_another_project_shows_this_one(
    user: User, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, other = make_project(user, keep("Kick.wav")), make_project(user)
    tab = await open_tab(user, project, "?pad=A1")
    tab.cells = []  # as if all were rendered
    with transaction() as session:
        pads.set_pad(session, Target(user.id, project), A1, PadChange(name="Boom"))
        trash.move_to_trash(session, user.id, other)
        trash.delete_for_good(session, user.id, other)
    burst = [Event(Topic.PROJECT, str(other)), Event(Topic.PROJECT, str(project))]
    await watch(tab, monkeypatch, burst)
    assert tab.sheet.name == "Boom"


async def test_a_page_that_was_read_before_a_change_of_this_tab_is_not_shown(
    user: User, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(user, keep("Kick.wav"))
    tab = await open_tab(user, project, "?pad=A1")
    with transaction() as session:
        pages = [load_page(session, user.id, project, 0, "A1")]
    await run(tab.rename_pad("Boom"))

    def read(*arguments: Any) -> PadPage:
        return pages.pop() if pages else load_page(*arguments)

    monkeypatch.setattr(pads_state, "load_page", read)
    await watch(tab, monkeypatch, [Event(Topic.PROJECT, str(project))])
    assert (pages, tab.sheet.name) == ([], "Boom")


async def test_a_tab_reads_a_change_of_another_tab_but_not_its_own_again(
    user: User, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(user, keep("Kick.wav"))
    tab = await open_tab(user, project, "?pad=A1")
    await run(tab.rename_pad("Boom"))
    revision, reads = tab.head.revision, []

    def read(*arguments: Any) -> PadPage:
        reads.append(arguments)
        return load_page(*arguments)

    monkeypatch.setattr(pads_state, "load_page", read)
    await watch(tab, monkeypatch, [Event(Topic.PROJECT, str(project), revision)])
    assert reads == []
    with transaction() as session:
        pads.set_pad(session, Target(user.id, project), A1, PadChange(name="Crack"))
    await watch(tab, monkeypatch, [Event(Topic.PROJECT, str(project), revision + 1)])
    assert (len(reads), tab.sheet.name) == (1, "Crack")
    # A render that is ready has no revision.
    rendered = [
        Event(Topic.PROJECT, str(project), revision + 1),
        Event(Topic.PROJECT, str(project)),
    ]
    await watch(tab, monkeypatch, rendered)
    assert len(reads) == 2


async def test_a_project_that_is_deleted_elsewhere_is_missing(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(user)
    tab = await open_tab(user, project)
    with transaction() as session:
        trash.move_to_trash(session, user.id, project)
        trash.delete_for_good(session, user.id, project)
    await watch(tab, monkeypatch, [Event(Topic.PROJECT, str(project))])
    assert tab.phase == "missing"


async def test_swaps_in_another_project_start_from_its_own_sound(user: User, keep: Keep) -> None:
    tab = await open_tab(user, make_project(user, keep("Kick.wav")), "?pad=A1")
    tab._anchors = {"A1": str(uuid.uuid4())}
    await run(tab.load())
    assert tab._anchors == {}


async def test_similar_sounds_of_a_deleted_sample_begin_again_at_the_next_step(
    user: User, keep: Keep
) -> None:
    tab = await open_tab(user, make_project(user, keep("Kick.wav")), "?pad=A1")
    tab._anchors = {"A1": str(uuid.uuid4())}
    with pytest.raises(NotFound):
        await run(tab.swap_similar(1))
    (notice,) = await run(tab.swap_similar(1))
    assert "no similar sound" in str(notice.args)

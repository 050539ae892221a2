"""State of the check of a project: problems, mending, undo, and hostile arguments."""

from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.errors import AppError, NotFound, Unauthenticated
from sp404_app.models import Project, User
from sp404_app.services.library import samples
from sp404_app.services.projects import history, projects
from sp404_app.state.cards.doctor import UNDO_FIX, DoctorState
from sp404_app.state.toast import undo_handlers
from tests.accounts import cookie
from tests.ids import UNKNOWN_ID
from tests.services.cards import cards
from tests.services.cards.test_card_round_trip import EXPORT_FOLDER, project_of
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")


def opened(owner_cookie: str) -> DoctorState:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state = root.get_substate(DoctorState.get_full_name().split("."))
    return in_tab(state, owner_cookie, url="/projects")  # type: ignore[return-value, arg-type]


async def run(handler: Any) -> list[Any]:
    """Run an event handler to its end; return the events that it yields."""
    if hasattr(handler, "__aiter__"):
        return [event async for event in handler]
    return [await handler]


@pytest.fixture
def tab(user: User) -> DoctorState:
    return opened(cookie(user.id))


@pytest.fixture
def project(user: User, keep: Keep) -> Project:
    """A project with the same sound on A1 and A2."""
    sample = keep("Kick.wav")
    with transaction() as session:
        made = projects.create_project(session, user.id, "Night set", MK2, [sample, sample])
        return made.project


def kinds(tab: DoctorState) -> list[str]:
    return [group.kind for group in tab.view.groups]


async def test_the_same_sound_on_two_pads_is_a_notice(tab: DoctorState, project: Project) -> None:
    await run(tab.open_dialog(str(project.id)))
    assert (kinds(tab), tab.view.is_well) == (["repeated_sound"], True)
    assert tab.view.summary == "Everything is fine."
    assert not tab.view.groups[0].can_fix  # one click would empty pads that are wanted
    assert [bank.letter for bank in tab.view.banks] == list("ABCDEFGHIJ")
    assert (tab.view.banks[0].share, tab.view.banks[1].size) == (100, "–")


async def test_a_trashed_sound_is_restored_by_one_click(
    tab: DoctorState, project: Project, user: User
) -> None:
    with transaction() as session:
        pads = history.load_kit(session, history.get_project(session, user.id, project.id)).pads
        trashed = [pad.sample_id for pad in pads.values() if pad.sample_id]
        samples.move_to_trash(session, user.id, list(set(trashed)))
    await run(tab.open_dialog(str(project.id)))
    assert tab.view.summary == "2 problems"
    await run(tab.fix("trashed_sound"))
    assert tab.view.is_well


async def test_a_file_is_marked_and_kept_again_without_a_step_to_undo(
    tab: DoctorState, user: User
) -> None:
    unused = f"{EXPORT_FOLDER}/SMPL/BANK9-09.SMP"
    card = {**cards.mk2_project(EXPORT_FOLDER), unused: cards.smp(cards.pcm(1, 2_000))}
    project_id = project_of(user, cards.take_in(user.id, card)).project_id
    await run(tab.open_dialog(str(project_id)))
    assert (kinds(tab), tab.view.is_well) == (["unused_sound"], True)
    await run(tab.fix("unused_sound"))
    assert (kinds(tab), tab.mended) == (["marked_file"], "")
    await run(tab.undo_fix())
    await run(tab.fix(f"marked_file:{unused}"))
    assert kinds(tab) == ["unused_sound"]


async def test_unknown_problems_change_nothing(tab: DoctorState, project: Project) -> None:
    await run(tab.open_dialog(str(project.id)))
    assert await run(tab.fix("missing_sound:A1")) == []
    assert tab.mended == ""


async def test_nothing_is_undone_before_something_was_mended(
    tab: DoctorState, project: Project, user: User
) -> None:
    await run(tab.open_dialog(str(project.id)))
    await run(tab.undo_fix())
    with transaction() as session:
        assert history.get_project(session, user.id, project.id).revision == project.revision
    assert undo_handlers[UNDO_FIX] is DoctorState.undo_fix


async def test_a_project_of_another_user_is_unknown(
    project: Project, person: Callable[..., User]
) -> None:
    with pytest.raises(NotFound):
        await run(opened(cookie(person().id)).open_dialog(str(project.id)))


@pytest.mark.parametrize("value", [None, 3, [], {}, b"x"])
@pytest.mark.parametrize("handler", ["open_dialog", "fix", "show_pad"])
async def test_hostile_arguments_are_refused(tab: DoctorState, handler: str, value: Any) -> None:
    with pytest.raises(AppError):
        await run(getattr(tab, handler)(value))


async def test_every_handler_needs_a_session() -> None:
    tab = opened("nonsense")
    calls = (
        tab.open_dialog(str(UNKNOWN_ID)),
        tab.close(),
        tab.fix("name"),
        tab.undo_fix(),
        tab.show_pad("A1"),
    )
    for call in calls:
        with pytest.raises(Unauthenticated):
            await run(call)

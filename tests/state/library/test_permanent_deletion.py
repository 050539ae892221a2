"""Deleting samples that are on pads: the notice and the question name the pads."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.errors import Unauthenticated
from sp404_app.models import Sample, User
from sp404_app.services.library import samples
from sp404_app.services.library.search import SampleQuery
from sp404_app.services.projects import history, projects, trash
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.permanent_deletion import PermanentDeletionState
from tests.accounts import cookie
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def open_tab(user: User) -> Callable[..., tuple[LibraryState, PermanentDeletionState]]:
    def opened(key: str = "") -> tuple[LibraryState, PermanentDeletionState]:
        root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
        found = [
            in_tab(root.get_substate(kind.get_full_name().split(".")), key or cookie(user.id))
            for kind in (LibraryState, PermanentDeletionState)
        ]
        return tuple(found)  # type: ignore[return-value]

    return opened


async def run(handler: Any) -> str:
    """Run a handler; return the arguments of the events that it yields."""
    if hasattr(handler, "__aiter__"):
        events = [event async for event in handler]
        return " ".join(str(event.args) for event in events if event is not None)
    return str(await handler)


def put_on_pads(user: User, name: str, *ids: uuid.UUID) -> uuid.UUID:
    with transaction() as session:
        return projects.create_project(session, user.id, name, MK2, ids).project.id


async def test_the_notice_says_on_which_pads_a_trashed_sample_stays(
    open_tab: Callable[..., Any], keep: Keep, user: User
) -> None:
    kick, snare, hat = keep("Kick.wav"), keep("Snare.wav"), keep("Hat.wav")
    put_on_pads(user, "Night set", kick, snare)
    old = put_on_pads(user, "Old", snare)
    with transaction() as session:
        trash.move_to_trash(session, user.id, old)
    library, _ = open_tab()
    said = await run(library.act_on("delete", str(kick)))
    assert "1 sound moved to the trash. It stays on pad A1 of Night set until it’s" in said
    library._selected = {str(snare), str(hat)}
    said = await run(library.act("delete", ""))
    assert "2 sounds moved to the trash. 1 of them stays on pad A2 of Night set" in said


async def test_a_sample_on_no_pad_gets_a_short_notice(
    open_tab: Callable[..., Any], keep: Keep
) -> None:
    library, _ = open_tab()
    said = await run(library.act_on("delete", str(keep())))
    assert "1 sound moved to the trash.'" in said.replace('"', "'")


async def test_a_permanent_deletion_asks_and_names_the_pads(
    open_tab: Callable[..., Any], keep: Keep, user: User
) -> None:
    kick, snare = keep("Kick.wav"), keep("Snare.wav")
    project = put_on_pads(user, "Night set", kick)
    with transaction() as session:
        samples.move_to_trash(session, user.id, [kick, snare])
    library, dialog = open_tab()
    library.query = SampleQuery(trash=True)
    library._selected = {str(kick), str(snare)}
    await run(library.act("delete_for_good", ""))  # does nothing without the question
    await run(dialog.ask())
    assert dialog.title == "Delete 2 sounds permanently?"
    assert dialog.question == (
        "1 of them is on pad A1 of Night set. This pad will have no sound. This can’t be undone."
    )
    await run(dialog.close())
    await run(dialog.confirm())
    with transaction() as session:
        assert session.get(Sample, kick)
    await run(dialog.ask())
    said = await run(dialog.confirm())
    assert "2 sounds permanently deleted." in said
    assert dialog.count == 0
    with transaction() as session:
        assert session.get(Sample, kick) is None
        kit = history.load_kit(session, history.get_project(session, user.id, project))
        (pad,) = kit.pads.values()
        assert (pad.name, pad.sample_id) == ("Kick", None)


async def test_samples_in_use_and_of_others_are_not_deleted(
    open_tab: Callable[..., Any], keep: Keep, person: Callable[..., User]
) -> None:
    mine, theirs = keep("Mine.wav"), keep("Theirs.wav", owner=person().id)
    _, dialog = open_tab()
    dialog._sample_ids = [str(mine), str(theirs)]
    assert await run(dialog.confirm()) == ""
    with transaction() as session:
        assert session.get(Sample, mine)
        assert session.get(Sample, theirs)


async def test_every_handler_requires_a_session(open_tab: Callable[..., Any]) -> None:
    _, nobody = open_tab("nonsense")
    for attempt in (nobody.ask(), nobody.confirm(), nobody.close()):
        with pytest.raises(Unauthenticated):
            await run(attempt)

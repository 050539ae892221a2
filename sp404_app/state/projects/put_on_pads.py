"""The dialog that puts samples on the free pads of a project."""

import uuid
from collections.abc import AsyncIterator, Sequence

import reflex as rx
from reflex.event import EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.models.columns import now
from sp404_app.services.projects import history, pads, projects
from sp404_app.services.projects.kit import PadPosition
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library.bulk_messages import format_sounds
from sp404_app.state.library.selection import list_results, list_selected
from sp404_app.state.projects.project_cards import ProjectCard, card_of, describe_positions
from sp404_app.state.toast import ToastState, undo_handlers

FIRST_PAD = PadPosition(0, 1)
UNDO_FILL = "pads"


class PutOnPadsState(SessionState):
    """Which samples go on pads, and the projects to choose from."""

    is_open: bool = False
    sounds: str = ""  # "3 sounds", or the name of the only one
    choices: rx.Field[list[ProjectCard]] = rx.field(default_factory=list)
    _sample_ids: list[str] = []
    _filled: tuple[str, int] | None = None  # the project, and its revision after the fill

    @rx.event
    async def open_dialog(self, sample_id: str = "") -> None:
        """Ask for a project for the selection of the library, or without one for one sample."""
        user_id = await self._user_id()
        chosen = await list_selected(self, user_id)
        if not chosen and sample_id:
            chosen = [validation.validate_id(sample_id)]
        await self._open(user_id, chosen)

    @rx.event
    async def open_for_sample(self, sample_id: str) -> None:
        """Ask for a project for one sample."""
        await self._open(await self._user_id(), [validation.validate_id(sample_id)])

    @rx.event
    async def open_for_results(self) -> None:
        """Ask for a project for all samples that the library's search finds."""
        user_id = await self._user_id()
        found, _ = await list_results(self, user_id)
        await self._open(user_id, found)

    @rx.event
    async def choose(self, project_id: str) -> AsyncIterator[EventType[()] | None]:
        """Put the samples on the free pads of a project."""
        user_id, chosen = await self._user_id(), validation.validate_id(project_id)
        ids = [validation.validate_id(each) for each in self._sample_ids]
        if not ids:
            return
        fillable = ids[: projects.MAX_LISTED_SAMPLES]  # more than any device has pads
        target = history.Target(user_id, chosen)
        done = await in_transaction(pads.fill, target, FIRST_PAD, fillable)
        missed = len(ids) - len(done.filled)
        message = fill_message(done, self.sounds, missed)
        self._close()
        if done.filled:
            self._filled = (str(chosen), done.project.revision)
        yield ToastState.show(  # type: ignore[misc]
            message,
            "bad" if missed else "ok",
            UNDO_FILL if done.filled else "",
            f"/projects/{chosen}",
        )

    @rx.event
    async def undo_fill(self) -> None:
        """Take the samples that were put on pads last off again, unless the project changed."""
        user_id, filled = await self._user_id(), self._filled
        self._filled = None
        if filled:
            project_id, revision = validation.validate_id(filled[0]), filled[1]
            target = history.Target(user_id, project_id, revision)
            await in_transaction(history.undo_step, target)

    @rx.event
    async def close(self) -> None:
        """Close the dialog."""
        await self._user_id()
        self._close()

    async def _open(self, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> None:
        if not ids:
            return
        self.sounds, self.choices = await in_transaction(_load_choices, user_id, ids)
        self._sample_ids = [str(each) for each in ids]
        self.is_open = True

    def _close(self) -> None:
        self.is_open, self.choices, self._sample_ids = False, [], []


def fill_message(done: pads.FillResult, sounds: str, missed: int) -> str:
    """Return the notice after a fill: which pads of a project were filled, and what didn't fit."""
    project = f"“{done.project.name[:60]}”"
    if not done.filled:
        return f"{project} has no free pads."
    where = f"on {describe_positions(done.filled)} of {project}"
    if not missed:
        return f"{sounds} put {where}."
    return f"{format_sounds(len(done.filled))} put {where}. {format_sounds(missed)} didn’t fit."


async def take_samples(state: rx.State) -> list[uuid.UUID]:
    """Close the dialog of this tab and return the samples that it was opened for."""
    dialog = await state.get_state(PutOnPadsState)
    ids = [validation.validate_id(each) for each in dialog._sample_ids]  # noqa: SLF001
    dialog._close()  # noqa: SLF001 - defined above
    return ids


def _load_choices(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> tuple[str, list[ProjectCard]]:
    """Return what goes on pads, in words, and the projects to choose from.

    Raises:
        NotFound: If the only sample does not exist, is in the trash or belongs to another user.
    """
    words = format_sounds(len(ids))
    if len(ids) == 1:
        (sample,) = pads.load_placeable(session, user_id, ids)
        words = f"“{sample.name[:60]}”"
    at = now()
    return words, [card_of(each, at) for each in projects.list_projects(session, user_id)]


undo_handlers[UNDO_FILL] = PutOnPadsState.undo_fill

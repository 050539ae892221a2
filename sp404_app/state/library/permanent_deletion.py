"""The dialog that asks before samples in the trash are permanently deleted."""

import uuid
from collections.abc import AsyncIterator, Sequence

import reflex as rx
from reflex.event import EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.services.library import samples, search
from sp404_app.services.sample import pad_usage
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library import bulk_messages
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.selection import list_selected
from sp404_app.state.toast import ToastState

TRASH = search.SampleQuery(trash=True)


class PermanentDeletionState(SessionState):
    """How many samples are to be deleted, and which pads they are on."""

    count: int = 0  # the dialog is open unless it is 0
    title: str = ""
    question: str = ""
    _sample_ids: list[str] = []

    @rx.event
    async def ask(self) -> None:
        """Ask about the selection of the library, naming the pads that it is on."""
        user_id = await self._user_id()
        ids = await list_selected(self, user_id)
        await self._ask(user_id, ids)

    @rx.event
    async def ask_about(self, sample_id: str) -> None:
        """Ask about one sample."""
        user_id = await self._user_id()
        await self._ask(user_id, [validation.validate_id(sample_id)])

    @rx.event
    async def ask_about_trash(self) -> None:
        """Ask about all samples in the trash, also those that a search does not show."""
        user_id = await self._user_id()
        await self._ask(user_id, await in_transaction(search.search_ids, user_id, TRASH))

    async def _ask(self, user_id: uuid.UUID, ids: list[uuid.UUID]) -> None:
        self.question = await in_transaction(_ask_about, user_id, ids)
        self.count, self._sample_ids = len(ids), [str(each) for each in ids]
        self.title = f"Delete {bulk_messages.format_sounds(len(ids))} permanently?"

    @rx.event
    async def confirm(self) -> AsyncIterator[EventType[()] | None]:
        """Delete the samples that were asked about."""
        user_id = await self._user_id()
        ids = [validation.validate_id(each) for each in self._sample_ids]
        self._forget()
        deleted = await in_transaction(samples.delete_for_good, user_id, ids)
        if deleted:
            yield LibraryState.select_rows("none", 0, 0)
            message = f"{bulk_messages.format_sounds(len(deleted))} permanently deleted."
            yield ToastState.show(message)  # type: ignore[misc]

    @rx.event
    async def close(self) -> None:
        """Close the dialog."""
        await self._user_id()
        self._forget()

    def _forget(self) -> None:
        self.count, self._sample_ids = 0, []


def _ask_about(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> str:
    uses = pad_usage.pads_of_samples(session, user_id, ids)
    return bulk_messages.deletion_question(len(ids), uses)

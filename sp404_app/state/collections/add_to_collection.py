"""The dialog that adds samples to a collection, and samples that are dropped on one."""

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec, EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.models import Collection, ProcessingJob
from sp404_app.services.bulk import bulk_edits
from sp404_app.services.bulk.batches import BATCH_SOUNDS
from sp404_app.services.bulk.edits import CollectEdit
from sp404_app.services.collections import collection_samples, collections
from sp404_app.services.library import samples
from sp404_app.state import double_click, validation
from sp404_app.state.base import SessionState
from sp404_app.state.bulk.bulk_progress import BulkProgressState
from sp404_app.state.collections.collection_cards import CollectionChoice, choice_of
from sp404_app.state.library.bulk_messages import addition_message, format_sounds
from sp404_app.state.library.selection import list_selected, picked_samples
from sp404_app.state.toast import ToastState, undo_handlers

UNDO_ADDITION = "collection addition"
UNNAMED = "Untitled collection"
ADDED_AT_ONCE: Final = BATCH_SOUNDS  # more are added by a job, with progress
Stream = AsyncIterator[EventType[()] | EventSpec | None]


class AddToCollectionState(SessionState):
    """Which samples are to be added, and the manual collections to choose from."""

    is_open: bool = False
    sounds: str = ""  # "3 sounds", or the name of the only one
    choices: rx.Field[list[CollectionChoice]] = rx.field(default_factory=list)
    _sample_ids: list[str] = []
    _added: tuple[str, list[str]] | None = None  # the collection, and the samples added last
    _acts: double_click.RecentActions = {}

    @rx.event
    async def open_dialog(self, sample_id: str = "") -> None:
        """Ask for a collection for the selection of the library, or without one for one sample."""
        user_id = await self._user_id()
        chosen = await list_selected(self, user_id)
        if not chosen and sample_id:
            chosen = [validation.validate_id(sample_id)]
        await self._open(user_id, chosen)

    @rx.event
    async def open_for_sample(self, sample_id: str) -> None:
        """Ask for a collection for one sample."""
        await self._open(await self._user_id(), [validation.validate_id(sample_id)])

    @rx.event
    async def choose(self, collection_id: str) -> Stream:
        """Add the samples to a collection."""
        user_id, chosen = await self._user_id(), validation.validate_id(collection_id)
        ids = [validation.validate_id(each) for each in self._sample_ids]
        if ids:
            notice = await self._add(user_id, chosen, ids)
            self._close()
            yield notice

    @rx.event
    async def create(self, name: str) -> Stream:
        """Add the samples to a new collection."""
        user_id, name = await self._user_id(), validation.validate_text(name, 200)
        ids = [validation.validate_id(each) for each in self._sample_ids]
        if not ids or double_click.is_repeated(self._acts, "create", name, ids):
            return
        if len(ids) > ADDED_AT_ONCE:
            job = await in_transaction(_create_by_job, user_id, name.strip() or UNNAMED, ids)
            self._acts = double_click.remember_action("create", name, ids)
            self._close()
            yield await self._follow(job)
            return
        made = await in_transaction(_create, user_id, name.strip() or UNNAMED, ids)
        self._acts = double_click.remember_action("create", name, ids)
        self._close()
        yield ToastState.show(  # type: ignore[misc]
            f"“{made.name[:60]}” created with {format_sounds(len(ids))}.",
            "ok",
            "",
            f"/collections/{made.id}",
        )

    @rx.event
    async def drop(self, collection_id: str, sample_id: str) -> Stream:
        """Add a dragged sample to a collection, with the selection if it is part of it."""
        user_id, chosen = await self._user_id(), validation.validate_id(collection_id)
        ids = await picked_samples(self, user_id, validation.validate_id(sample_id))
        yield await self._add(user_id, chosen, ids)

    @rx.event
    async def undo_addition(self) -> None:
        """Remove the samples that were added last."""
        user_id, added = await self._user_id(), self._added
        self._added = None
        if added:
            ids = [validation.validate_id(each) for each in added[1]]
            chosen = validation.validate_id(added[0])
            await in_transaction(collection_samples.remove_samples, user_id, chosen, ids)

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

    async def _add(
        self, user_id: uuid.UUID, collection_id: uuid.UUID, ids: Sequence[uuid.UUID]
    ) -> Any:
        if len(ids) > ADDED_AT_ONCE:
            return await self._add_by_job(user_id, collection_id, ids)
        name, result = await in_transaction(_add_samples, user_id, collection_id, ids)
        self._added = (str(collection_id), [str(each) for each in result.added])
        return ToastState.show(
            addition_message(name, len(result.added), len(result.already)),
            "ok",
            UNDO_ADDITION if result.added else "",
            f"/collections/{collection_id}",
        )

    async def _add_by_job(
        self, user_id: uuid.UUID, collection_id: uuid.UUID, ids: Sequence[uuid.UUID]
    ) -> EventType[()]:
        edit = CollectEdit(collection=collection_id)
        job = await in_transaction(bulk_edits.request_edit, user_id, edit, ids)
        return await self._follow(job)

    async def _follow(self, job: ProcessingJob) -> EventType[()]:
        progress = await self.get_state(BulkProgressState)
        return progress._follow(job)  # noqa: SLF001 - a public method could be called by anybody

    def _close(self) -> None:
        self.is_open, self.choices, self._sample_ids = False, [], []


async def take_samples(state: rx.State) -> list[uuid.UUID]:
    """Close the dialog of this tab and return the samples that it was opened for."""
    dialog = await state.get_state(AddToCollectionState)
    ids = [validation.validate_id(each) for each in dialog._sample_ids]  # noqa: SLF001
    dialog._close()  # noqa: SLF001 - defined above
    return ids


def _add_samples(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> tuple[str, collection_samples.AddedSamples]:
    collection = collections.get_collection(session, user_id, collection_id)
    return collection.name, collection_samples.add_samples(session, user_id, collection_id, ids)


def _create(
    session: Session, user_id: uuid.UUID, name: str, ids: Sequence[uuid.UUID]
) -> Collection:
    return collections.create_collection(session, user_id, name=name, sample_ids=ids)


def _create_by_job(
    session: Session, user_id: uuid.UUID, name: str, ids: Sequence[uuid.UUID]
) -> ProcessingJob:
    """Create a collection and queue the addition, both or neither."""
    made = collections.create_collection(session, user_id, name=name)
    return bulk_edits.request_edit(session, user_id, CollectEdit(collection=made.id), ids)


def _load_choices(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> tuple[str, list[CollectionChoice]]:
    """Return what is added, in words, and the manual collections to choose from.

    Raises:
        NotFound: If the only sample does not exist or belongs to another user.
    """
    words = format_sounds(len(ids))
    if len(ids) == 1:
        words = f"“{samples.get_sample(session, user_id, ids[0]).name[:60]}”"
    found = collections.list_collections(session, user_id, count_smart=False)
    members = collection_samples.count_memberships(session, user_id, ids)
    return words, [
        choice_of(each, is_full=members.get(each.id, 0) == len(ids))
        for each in found
        if not each.is_smart
    ]


undo_handlers[UNDO_ADDITION] = AddToCollectionState.undo_addition

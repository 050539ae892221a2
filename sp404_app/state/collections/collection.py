"""State of the page of one collection: its header, and the order of its sounds."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.event import EventSpec, EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.services.collections import collection_samples, collection_totals, collections
from sp404_app.services.collections.collection_samples import RemovedSample
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Topic
from sp404_app.services.library import search
from sp404_app.services.library.search import SampleQuery
from sp404_app.state import formatting, validation
from sp404_app.state.base import SessionState
from sp404_app.state.collections import route
from sp404_app.state.collections.collection_list import (
    UNDO_COLLECTION_DELETION,
    offer_collection_undo,
    trash_collection,
)
from sp404_app.state.library.bulk_messages import format_sounds
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.search_params import POSITION_SORT
from sp404_app.state.library.selection import list_selected, picked_samples
from sp404_app.state.page_watching import begin_again_after_outages
from sp404_app.state.toast import ToastState, undo_handlers

UNDO_REMOVAL = "removal from collection"
UNDO_SORT = "collection sort"
MAX_UNDO_SAMPLES = 20_000  # of which the order is kept in the state of the tab
MAX_STEP = 100_000
NOT_IN_ORDER = "Clear the filters and sort by # to move sounds."
Stream = AsyncIterator[EventType[()] | EventSpec | None]


@dataclass(frozen=True, slots=True)
class CollectionSheet:
    """The header of a collection; `count` and `total_length` are texts."""

    id: str = ""
    name: str = ""
    note: str = ""
    colour: str = ""
    is_smart: bool = False
    is_trashed: bool = False
    count: str = ""
    total_length: str = ""


class CollectionState(SessionState):
    """The collection of this page."""

    phase: str = "loading"  # or "here", "missing"
    sheet: CollectionSheet = CollectionSheet()
    name_error: str = ""
    note_error: str = ""
    _removed: list[RemovedSample] = []  # the samples removed last, with their places
    _removed_from: str = ""  # their collection: the tab may show another page by now
    _order: list[str] = []  # the order before the last sort
    _sorted: str = ""  # the collection that was sorted

    @rx.event
    async def load(self) -> Stream:
        """Load the collection of this URL, then its sounds."""
        user_id = await self._user_id()
        self.name_error = self.note_error = ""
        try:
            collection_id = route.collection_id(self)
            self.sheet = await in_transaction(_load_sheet, user_id, collection_id)
        except NotFound:
            self.phase, self.sheet = "missing", CollectionSheet()
            return
        self.phase = "here"
        yield [LibraryState.load, CollectionState.watch]

    @rx.event(background=True)
    @begin_again_after_outages
    async def watch(self) -> None:
        """Follow the changes of the collection until the tab leaves the page."""
        user_id, collection_id = await self._user_id(), route.collection_id(self)
        async for burst in events.listen(user_id):
            if burst and all(item.topic is Topic.PROJECT for item in burst):
                continue
            try:
                sheet = await in_transaction(_load_sheet, user_id, collection_id)
            except NotFound:
                sheet = CollectionSheet()
            async with self:
                self.sheet, self.phase = sheet, "here" if sheet.id else "missing"
            if not sheet.id:
                return

    @rx.event
    async def rename(self, value: str) -> None:
        """Rename the collection."""
        name = validation.validate_text(value, 200).strip()
        self.name_error = "" if name else "Enter a name."
        if name == self.sheet.name:
            return
        if name:
            await self._update(name=name)

    @rx.event
    async def save_note(self, value: str) -> None:
        """Save the note."""
        note = validation.validate_text(value, 5000)
        if note == self.sheet.note:
            return
        try:
            await self._update(note=note)
            self.note_error = ""
        except ValidationFailed as error:
            self.note_error = str(error)

    @rx.event
    async def sort(self, by: str) -> Stream:
        """Sort the collection; the order that it had can be restored."""
        user_id, chosen = await self._user_id(), route.collection_id(self)
        order = await in_transaction(collection_samples.list_order, user_id, chosen)
        wanted = validation.validate_text(by, 20)
        await in_transaction(collection_samples.sort_collection, user_id, chosen, wanted)
        self._order = [str(each) for each in order] if len(order) <= MAX_UNDO_SAMPLES else []
        self._sorted = str(chosen)
        undo = UNDO_SORT if self._order else ""
        yield ToastState.show(f"Sorted by {wanted}.", "ok", undo)  # type: ignore[misc]
        yield LibraryState.sort_by_position

    @rx.event
    async def undo_sort(self) -> Stream:
        """Restore the order before the last sort."""
        user_id = await self._user_id()
        order, self._order = [validation.validate_id(each) for each in self._order], []
        if order:
            chosen = validation.validate_id(self._sorted)
            await in_transaction(_restore_order, user_id, chosen, order)
        yield LibraryState.refresh

    @rx.event
    async def step(self, sample_id: str, by: int) -> Stream:
        """Move a sample, or the selection that it is part of, by some places down or up."""
        distance = validation.validate_integer(by, -MAX_STEP, MAX_STEP)
        async for event in self._move(sample_id, lambda order, ids: _step(order, ids, distance)):
            yield event

    @rx.event
    async def place(self, sample_id: str, other_id: str, where: str) -> Stream:
        """Move a sample, or the selection that it is part of, before or after another one."""
        other = validation.validate_id(other_id)
        is_after = validation.validate_text(where, 10) == "after"
        async for event in self._move(
            sample_id, lambda order, ids: _place(order, ids, other, is_after=is_after)
        ):
            yield event

    @rx.event
    async def remove(self, sample_id: str = "") -> Stream:
        """Remove the selection from the collection, or without one a sample."""
        user_id = await self._user_id()
        ids = await list_selected(self, user_id)
        if not ids and sample_id:
            ids = [validation.validate_id(sample_id)]
        async for event in self._remove(user_id, ids):
            yield event

    @rx.event
    async def remove_one(self, sample_id: str) -> Stream:
        """Remove one sample from the collection."""
        user_id = await self._user_id()
        async for event in self._remove(user_id, [validation.validate_id(sample_id)]):
            yield event

    @rx.event
    async def undo_removal(self) -> Stream:
        """Put the samples that were removed last back to their places."""
        user_id, removed = await self._user_id(), self._removed
        self._removed = []
        if removed:
            put_back = collection_samples.put_back_samples
            chosen = validation.validate_id(self._removed_from)
            await in_transaction(put_back, user_id, chosen, removed)
        yield LibraryState.refresh

    @rx.event
    async def throw_away(self) -> Stream:
        """Move the collection to the trash and show the list, which offers to undo it."""
        user_id, chosen = await self._user_id(), route.collection_id(self)
        name = await in_transaction(trash_collection, user_id, chosen)
        if not name:
            raise NotFound("This collection is already in the trash.")
        await offer_collection_undo(self, chosen)
        message = f"“{name[:60]}” moved to the trash. Its sounds stay in the library."
        yield ToastState.show(message, "ok", UNDO_COLLECTION_DELETION)  # type: ignore[misc]
        yield rx.redirect("/collections")

    @rx.event
    async def restore(self) -> None:
        """Restore the collection from the trash."""
        user_id, chosen = await self._user_id(), route.collection_id(self)
        await in_transaction(collections.restore_collection, user_id, chosen)
        self.sheet = await in_transaction(_load_sheet, user_id, chosen)

    async def _update(self, **values: Any) -> None:
        user_id, chosen = await self._user_id(), route.collection_id(self)
        await in_transaction(_update_collection, user_id, chosen, values)
        self.sheet = await in_transaction(_load_sheet, user_id, chosen)

    async def _list_order(self, user_id: uuid.UUID, collection_id: uuid.UUID) -> list[uuid.UUID]:
        query = SampleQuery(collection=collection_id, sort=POSITION_SORT)
        return await in_transaction(search.search_ids, user_id, query)

    async def _move(self, sample_id: str, arrange: Any) -> Stream:
        """Move samples to where `arrange(order, ids)` says: before a sample, or to the end."""
        user_id, chosen = await self._user_id(), route.collection_id(self)
        ids = await picked_samples(self, user_id, validation.validate_id(sample_id))
        library = await self.get_state(LibraryState)
        if library.query != SampleQuery(collection=chosen, sort=POSITION_SORT):
            yield ToastState.show(NOT_IN_ORDER, "bad")  # type: ignore[misc]
            return
        order = await self._list_order(user_id, chosen)
        moving = set(ids)
        found, before = arrange(order, [each for each in order if each in moving])
        if found:
            move = collection_samples.move_samples
            await in_transaction(move, user_id, chosen, found, before)
        yield LibraryState.refresh

    async def _remove(self, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Stream:
        chosen = route.collection_id(self)
        if not ids:
            return
        remove = collection_samples.remove_samples
        removed = await in_transaction(remove, user_id, chosen, ids)
        self._removed = list(removed) if len(removed) <= MAX_UNDO_SAMPLES else []
        self._removed_from = str(chosen)
        yield LibraryState.select_rows("none", 0, 0)
        yield LibraryState.refresh
        message = f"Removed {format_sounds(len(removed))} from “{self.sheet.name[:60]}”."
        undo = UNDO_REMOVAL if self._removed else ""
        yield ToastState.show(message, "ok", undo)  # type: ignore[misc]


def _step(
    order: Sequence[uuid.UUID], ids: Sequence[uuid.UUID], distance: int
) -> tuple[list[uuid.UUID], uuid.UUID | None]:
    """Return the samples to move, and the one that they are moved before (None: the end)."""
    if not ids:
        return [], None
    moving = set(ids)
    others = [each for each in order if each not in moving]
    edge = order.index(ids[0] if distance < 0 else ids[-1])
    passed = sum(each not in moving for each in order[:edge])
    target = max(0, min(len(others), passed + distance))
    return list(ids), others[target] if target < len(others) else None


def _place(
    order: Sequence[uuid.UUID], ids: Sequence[uuid.UUID], other: uuid.UUID, *, is_after: bool
) -> tuple[list[uuid.UUID], uuid.UUID | None]:
    """Return the samples to move, and the one that they are moved before (None: the end)."""
    if other not in order or not ids:
        return [], None
    moving = set(ids)
    start = order.index(other) + (1 if is_after else 0)
    return list(ids), next((each for each in order[start:] if each not in moving), None)


def _load_sheet(session: Session, user_id: uuid.UUID, collection_id: uuid.UUID) -> CollectionSheet:
    found = collections.get_collection(session, user_id, collection_id)
    totals = collection_totals.measure_collection(session, user_id, found.id)
    return CollectionSheet(
        id=str(found.id),
        name=found.name,
        note=found.note,
        colour=found.colour,
        is_smart=found.rules is not None,
        is_trashed=found.deleted_at is not None,
        count=format_sounds(totals.count),
        total_length=formatting.format_length(totals.seconds),
    )


def _update_collection(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID, values: dict[str, Any]
) -> None:
    collections.update_collection(session, user_id, collection_id, **values)


def _restore_order(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID, order: Sequence[uuid.UUID]
) -> None:
    """Put samples into an order; those that were added meanwhile come first."""
    present = set(collection_samples.list_order(session, user_id, collection_id))
    wanted = [each for each in order if each in present]
    collection_samples.move_samples(session, user_id, collection_id, wanted, None)


undo_handlers[UNDO_REMOVAL] = CollectionState.undo_removal
undo_handlers[UNDO_SORT] = CollectionState.undo_sort

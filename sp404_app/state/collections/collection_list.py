"""State of the list of collections: cards, trash, duplicate, merge, delete and restore."""

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import reflex as rx
from reflex.event import EventSpec, EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models.columns import now
from sp404_app.services.collections import collections
from sp404_app.services.collections.collection_summaries import CollectionSummary
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Topic
from sp404_app.state import double_click, validation
from sp404_app.state.base import SessionState
from sp404_app.state.collections.collection_cards import CollectionCard, card_of
from sp404_app.state.collections.collection_form import CollectionFormState
from sp404_app.state.library.bulk_messages import format_sounds
from sp404_app.state.library.smart_counts import SmartCountState
from sp404_app.state.page_watching import begin_again_after_outages
from sp404_app.state.toast import ToastState, undo_handlers

REFRESH_S = 60.0  # so that "5 min ago" stays true
UNDO_COLLECTION_DELETION = "collection deletion"
MERGED = "Merged collection"
Stream = AsyncIterator[EventType[()] | EventSpec | None]


class CollectionListState(SessionState):
    """State of one tab's list of collections."""

    loaded: bool = False
    trash: bool = False
    address: str = ""  # of a view that was chosen; empty if the URL was there first
    cards: rx.Field[list[CollectionCard]] = rx.field(default_factory=list)
    trash_count: int = 0
    chosen: rx.Field[list[str]] = rx.field(default_factory=list)  # ids of the collections to merge
    merging: bool = False  # whether the dialog asks for the name
    deleting_id: str = ""  # the collection that the dialog asks to delete permanently
    deleting_name: str = ""
    _deleted: str = ""
    _acts: double_click.RecentActions = {}

    @rx.event
    async def load(self) -> list[EventType[()]]:
        """Load the collections, or the trash if the URL says so, and follow their changes."""
        user_id = await self._user_id()
        self.trash = self.router.url.query_parameters.get("view") == "trash"
        self.address = ""
        self.chosen, self.merging = [], False
        self.deleting_id = self.deleting_name = ""
        await self._show(user_id)
        self.loaded = True
        return [CollectionListState.watch, SmartCountState.watch]

    @rx.event(background=True)
    @begin_again_after_outages
    async def watch(self) -> None:
        """Refresh the list at every change of the library, until the tab leaves the page."""
        user_id = await self._user_id()
        async for burst in events.listen(user_id, patience=REFRESH_S):
            if burst and all(item.topic is Topic.PROJECT for item in burst):
                continue
            async with self:
                in_trash = self.trash
            cards, count = await in_transaction(_load_cards, user_id, in_trash)
            async with self:
                if self.trash == in_trash and (self.cards, self.trash_count) != (cards, count):
                    self._set_cards(cards, count)

    @rx.event
    async def show_trash(self, is_shown: bool) -> None:
        """Show the trash, or the collections in use."""
        user_id = await self._user_id()
        self.trash, self.chosen = is_shown is True, []
        self.address = "/collections?view=trash" if self.trash else "/collections"
        await self._show(user_id)

    @rx.event
    async def act(self, action: str, collection_id: str) -> Stream:
        """Run the action of a key or a menu on one collection."""
        user_id, name = await self._user_id(), validation.validate_text(action, 20)
        chosen = validation.validate_id(collection_id)
        actions = {
            "duplicate": self._duplicate,
            "delete": self._move_to_trash,
            "restore": self._restore,
            "ask": self._ask_to_delete,
        }
        if name == "rename":  # the key F2
            yield CollectionFormState.open_edit(str(chosen))
            return
        if name not in actions:
            raise ValidationFailed("Unknown action.")
        yield await actions[name](user_id, chosen)
        await self._show(user_id)

    @rx.event
    async def toggle_chosen(self, collection_id: str) -> None:
        """Choose a collection to merge, or not."""
        await self._user_id()
        chosen = str(validation.validate_id(collection_id))
        others = [each for each in self.chosen if each != chosen]
        shown = {card.id for card in self.cards}
        if chosen in self.chosen:
            self.chosen = others
        elif chosen in shown:
            self.chosen = [*others, chosen]

    @rx.event
    async def clear_chosen(self) -> None:
        """Choose no collection."""
        await self._user_id()
        self.chosen = []

    @rx.event
    async def ask_to_merge(self) -> None:
        """Ask for the name of the merged collection."""
        await self._user_id()
        self.merging = len(self.chosen) > 1

    @rx.event
    async def merge(self, form: dict[str, Any]) -> Stream:
        """Create a collection with the sounds of the chosen ones."""
        user_id, fields = await self._user_id(), validation.validate_form(form)
        name = validation.validate_text(fields.get("name", ""), 200)
        ids = [validation.validate_id(each) for each in self.chosen]
        if len(ids) < 2 or double_click.is_repeated(self._acts, "merge", name, ids):
            return
        made = await in_transaction(_merge, user_id, ids, name.strip() or MERGED)
        self._acts = double_click.remember_action("merge", name, ids)
        self.chosen, self.merging = [], False
        await self._show(user_id)
        yield ToastState.show(  # type: ignore[misc]
            f"“{made.name[:60]}” created with {format_sounds(made.count)}.",
            "ok",
            "",
            f"/collections/{made.id}",
        )

    @rx.event
    async def delete_for_good(self) -> Stream:
        """Permanently delete the collection that the dialog asks about."""
        user_id, deleting, name = await self._user_id(), self.deleting_id, self.deleting_name
        self.deleting_id = self.deleting_name = ""
        if deleting:
            chosen = validation.validate_id(deleting)
            await in_transaction(_delete_for_good, user_id, chosen)
            await self._show(user_id)
            yield ToastState.show(f"“{name[:60]}” permanently deleted.")  # type: ignore[misc]

    @rx.event
    async def close_dialogs(self) -> None:
        """Close the open dialog."""
        await self._user_id()
        self.merging, self.deleting_id, self.deleting_name = False, "", ""

    @rx.event
    async def undo_deletion(self) -> None:
        """Restore the collection that was deleted last."""
        user_id, deleted = await self._user_id(), self._deleted
        self._deleted = ""
        if deleted:
            chosen = validation.validate_id(deleted)
            await in_transaction(collections.restore_collection, user_id, chosen)
        await self._show(user_id)

    async def _duplicate(self, user_id: uuid.UUID, collection_id: uuid.UUID) -> EventSpec | None:
        if double_click.is_repeated(self._acts, "duplicate", collection_id):
            return None
        copy = await in_transaction(collections.duplicate_collection, user_id, collection_id)
        self._acts = double_click.remember_action("duplicate", collection_id)
        link = f"/collections/{copy.id}"
        return ToastState.show(f"“{copy.name[:60]}” created.", "ok", "", link)  # type: ignore[return-value]

    async def _move_to_trash(
        self, user_id: uuid.UUID, collection_id: uuid.UUID
    ) -> EventSpec | None:
        name = await in_transaction(trash_collection, user_id, collection_id)
        if not name:
            return None
        self._deleted = str(collection_id)
        message = f"“{name[:60]}” moved to the trash. Its sounds stay in the library."
        return ToastState.show(message, "ok", UNDO_COLLECTION_DELETION)  # type: ignore[return-value]

    async def _restore(self, user_id: uuid.UUID, collection_id: uuid.UUID) -> EventSpec | None:
        found = await in_transaction(collections.restore_collection, user_id, collection_id)
        message, link = f"“{found.name[:60]}” restored.", f"/collections/{found.id}"
        return ToastState.show(message, "ok", "", link)  # type: ignore[return-value]

    async def _ask_to_delete(self, user_id: uuid.UUID, collection_id: uuid.UUID) -> None:
        found = await in_transaction(collections.get_collection, user_id, collection_id)
        if found.deleted_at is None:
            raise NotFound("This collection isn’t in the trash.")
        self.deleting_id, self.deleting_name = str(collection_id), found.name

    async def _show(self, user_id: uuid.UUID) -> None:
        self._set_cards(*await in_transaction(_load_cards, user_id, self.trash))

    def _set_cards(self, cards: list[CollectionCard], trash_count: int) -> None:
        self.cards, self.trash_count = cards, trash_count
        shown = {card.id for card in cards}
        self.chosen = [each for each in self.chosen if each in shown]


async def offer_collection_undo(state: rx.State, collection_id: uuid.UUID) -> None:
    """Let `undo_deletion` of this tab restore a collection that another page deleted."""
    page = await state.get_state(CollectionListState)
    page._deleted = str(collection_id)  # noqa: SLF001 - defined above


def _load_cards(
    session: Session, user_id: uuid.UUID, in_trash: bool
) -> tuple[list[CollectionCard], int]:
    """Return the cards of the collections in use or in the trash, and the number in the trash."""
    at = now()
    found = collections.list_collections(session, user_id, trash=in_trash, count_smart=False)
    count = len(found) if in_trash else collections.count_collections(session, user_id, trash=True)
    return [card_of(summary, at) for summary in found], count


def trash_collection(session: Session, user_id: uuid.UUID, collection_id: uuid.UUID) -> str:
    """Move a collection to the trash; return its name, or "" if it is there already."""
    found = collections.get_collection(session, user_id, collection_id, lock=True)
    if found.deleted_at is not None:
        return ""
    collections.delete_collection(session, user_id, collection_id)
    return found.name


def _delete_for_good(session: Session, user_id: uuid.UUID, collection_id: uuid.UUID) -> None:
    """Delete a collection permanently, unless it was restored meanwhile."""
    found = collections.get_collection(session, user_id, collection_id, lock=True)
    if found.deleted_at is not None:
        collections.delete_collection(session, user_id, collection_id)


def _merge(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID], name: str
) -> CollectionSummary:
    made = collections.merge_collections(session, user_id, ids, name)
    return collections.get_summary(session, user_id, made.id)


undo_handlers[UNDO_COLLECTION_DELETION] = CollectionListState.undo_deletion

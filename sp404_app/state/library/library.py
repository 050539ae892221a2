"""State of the library page: search, the visible window of the list, selection and actions."""

import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec, EventType

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.services.bulk.batches import BATCH_SOUNDS
from sp404_app.services.infra import cache_version, events
from sp404_app.services.infra.events import Topic
from sp404_app.services.library import bulk_actions, samples, scrolling, search
from sp404_app.services.library.bulk_actions import Action
from sp404_app.services.library.likeness_words import parse_like
from sp404_app.services.library.samples import Change
from sp404_app.services.sample import pad_usage
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library import bulk_messages
from sp404_app.state.library.filter_chips import Chip, chips_of, validate_chips, without_chips
from sp404_app.state.library.likeness_query import (
    ANCHOR_GONE,
    Spoken,
    window_of,
    with_known_anchor,
    with_text,
)
from sp404_app.state.library.long_actions import long_actions
from sp404_app.state.library.search_params import (
    DUPLICATES_SORT,
    EMPTY_QUERY,
    NUMBER_FIELDS,
    POSITION_SORT,
    TYPED_FIELDS,
    api_parameters,
    collection_in_path,
    empty_query,
    format_field,
    library_url,
    map_url,
    order_of,
    parse_cursor,
    parse_field,
    parse_library_url,
    with_sort,
    with_spelling,
)
from sp404_app.state.library.selected_tags import SelectedTag, selected_tags
from sp404_app.state.library.sidebar import SidebarView, load_sidebar
from sp404_app.state.library.smart_counts import SmartCountState
from sp404_app.state.rows import WINDOW_ROWS, Window
from sp404_app.state.toast import ToastState, undo_handlers

EARLY_CHOICE_S = 5.0  # that a page takes to load
TOGGLE: Final = "favourite"
MARKS: Final = {TOGGLE: None, "mark": True, "unmark": False}  # what they make of favourites
MAX_LASSO = 5000  # sounds that the map sends in one event
UNDO_DELETION, UNDO_RESTORATION, UNDO_FAVOURITE = "deletion", "restoration", "favourite"
BULK_ACTIONS = set(Action) - {Action.DELETE_FOR_GOOD}  # `PermanentDeletionState` asks first


class LibraryState(SessionState):
    """State of one tab's library page."""

    query: rx.Field[search.SampleQuery] = rx.field(EMPTY_QUERY)
    address: str = ""  # of a search that was chosen; empty if the URL was there first
    is_step: bool = True  # whether Back returns to the search before it, which typing replaces
    window: rx.Field[Window] = rx.field(default_factory=lambda: Window([]))
    epoch: int = 0
    changes: int = 0  # grows with every change of the library that was seen; the map follows it
    refreshed: int = 0  # grows when the present rows were read again after a change of their order
    cursor_row: int = -1  # the row of the sample that the address names, or -1
    cursor_id: str = ""
    answered: int = 0  # the id of the last window request that was answered
    loaded: bool = False
    sidebar: rx.Field[SidebarView] = rx.field(default_factory=SidebarView)
    selected_ids: rx.Field[list[str]] = rx.field(default_factory=list)
    selected_count: rx.Field[int] = rx.field(0)
    all_favourites: bool = False  # whether all that is selected is shown and is a favourite
    renaming: str = ""
    selection_tags: list[SelectedTag] = []
    tags_open: bool = False
    filters_open: bool = False
    _selected: set[str] = set()
    _is_left_for_sample: bool = False  # then Back restores the selection
    _spoken: Spoken | None = None  # what "like NAME but faster" in the search field changed
    _tag_targets: list[str] = []
    _deleted: list[str] = []
    _restored: list[str] = []
    _starred: tuple[list[str], bool] = ([], True)  # whose favourite mark was changed, and to what
    # The search chosen before `load` ran, which takes it in place of the URL's. Reflex queues
    # `load` only when the page's first event was handled, behind the clicks that came meanwhile.
    _early_choice: search.SampleQuery | None = None
    _early_until: float = 0.0  # Unix time: later it belongs to an earlier visit

    @rx.var
    def filtered(self) -> bool:
        """Return whether a search or filter is active."""
        usual = with_sort(self.query, EMPTY_QUERY.sort)  # that of a collection is invalid elsewhere
        return replace(usual, trash=False, collection=None) != EMPTY_QUERY

    @rx.var
    def unknown_name(self) -> str:
        """Return the name in a text such as "like NAME" that no sound has."""
        phrase = None if self.window.total else parse_like(self.query.q)
        return phrase.name if phrase else ""

    @rx.var
    def chips(self) -> list[Chip]:
        """Return what limits the list."""
        return chips_of(self.query)

    @rx.var
    def map_url(self) -> str:
        """Return the URL of the map of this search."""
        return map_url(with_spelling(self.query, self.window.corrected))

    @rx.var
    def map_address(self) -> str:
        """Return the address of a search that was chosen on the map."""
        return self.address.replace("/library", "/map", 1)

    @rx.var
    def list_url(self) -> str:
        """Return the URL of the list of this search."""
        return library_url(self.query)

    @rx.var
    def api_parameters(self) -> str:
        """Return what the map asks the API for."""
        return api_parameters(with_spelling(self.query, self.window.corrected))

    @rx.event
    async def load(self) -> AsyncIterator[EventType[()] | None]:
        """Run the search that the URL describes, or that was chosen while the page loaded."""
        user_id = await self._user_id()
        former, is_typed = self.query, self._take_early_choice()
        if not is_typed:
            await self._take_url(user_id)
        is_changed = is_typed or self._spoken is not None  # then the URL does not say the search
        named, self.query = self.query.like, await with_known_anchor(user_id, self.query)
        if self.query != former or not self._is_left_for_sample:
            self._clear_selection()
        self._is_left_for_sample = False
        # The spelling was corrected for the former search only.
        corrected = self.window.corrected if self.query == former else ""
        shown = with_spelling(self.query, corrected)
        if self._selected:  # some may be gone
            found = await in_transaction(search.search_ids, user_id, shown)
            self._selected &= set(map(str, found))
        await self._show(user_id, await self._find_cursor(user_id, shown))
        self.epoch += 1
        self.address = library_url(self.query) if is_changed else ""
        self.loaded = True
        # A text such as "like dusty break" is typed on, though the search has no words of it.
        shown_fields = NUMBER_FIELDS if is_typed and self._spoken else TYPED_FIELDS
        texts = {field: format_field(getattr(self.query, field)) for field in shown_fields}
        if self._spoken and not is_typed:
            texts["q"] = self._spoken.text
        yield [rx.set_value(field, text) for field, text in texts.items()]
        if named != self.query.like:
            yield ToastState.show(ANCHOR_GONE, "bad")  # type: ignore[misc]
        # These load the sidebar in the background: clicks need not wait.
        yield [LibraryState.watch, SmartCountState.watch]

    @rx.event
    async def prepare_return(self) -> None:
        """Let the next `load` run the search of the URL to which Back or Forward returned."""
        await self._user_id()
        self._early_choice = None  # it was made before the step that was undone

    @rx.event(background=True)
    async def watch(self) -> None:
        """Refresh the list and the sidebar at every change of the library, until the tab closes."""
        user_id = await self._user_id()
        async with self:
            self._early_choice = None  # a choice made after `load` ran is shown already
        async for burst in events.listen(user_id):
            if burst and all(item.topic is Topic.PROJECT for item in burst):
                continue  # pads are not shown in the library
            async with self:
                query, start, chosen = self.query, self.window.start, frozenset(self._selected)
                shown = with_spelling(query, self.window.corrected)
            try:
                found = await in_transaction(
                    search.search_window, user_id, query, start, WINDOW_ROWS
                )
                left = await in_transaction(search.search_among, user_id, shown, chosen)
            except NotFound:
                if query.like is None:
                    return  # the collection was deleted; its page says so
                async with self:
                    if self.query == query:
                        await self._show(user_id, 0)  # without the sample to compare with
                continue
            sidebar = await in_transaction(load_sidebar, user_id)
            async with self:
                self.sidebar = sidebar
                # Nothing may have happened since `load`, before events were listened to.
                self.changes += bool(burst) or window_of(found) != self.window
                if self.query == query:  # some may be in the trash now, or no longer match
                    self._selected = self._selected - (chosen - set(map(str, left)))
                    self._show_selection()
                if self.query == query and self.window.start == start:
                    self._set_window(found)

    @rx.event
    async def show_from(self, start: int, ticket: int, epoch: int) -> None:
        """Show the rows from `start`, unless `epoch` says that the list was replaced meanwhile."""
        user_id, start = await self._user_id(), validation.validate_integer(start)
        if validation.validate_integer(epoch) == self.epoch:
            await self._scroll(user_id, start, moving=True)
        self.answered = validation.validate_integer(ticket)

    @rx.event
    async def set_filter(self, field: str, value: str) -> AsyncIterator[EventType[()] | None]:
        """Set one field of the search; an empty value removes the filter."""
        user_id, former = await self._user_id(), self.query
        changed = parse_field(field, value)
        # The map has no order, in which to show what sounds alike.
        if field == "q" and not self.router.url.path.startswith("/map"):
            self.query, self._spoken = await with_text(
                user_id, self.query, changed.pop("q"), self._spoken
            )
        usual = with_sort(self.query, EMPTY_QUERY.sort) if "sort" in changed else self.query
        self.query = replace(usual, **changed)
        await self._show_from_start(user_id, is_step=field not in TYPED_FIELDS)
        yield [
            rx.set_value(name, format_field(getattr(self.query, name)))
            for name in NUMBER_FIELDS
            if name != field and getattr(self.query, name) != getattr(former, name)
        ]

    @rx.event
    async def toggle_duplicates_filter(self) -> None:
        """Show only samples with duplicates, grouped, or all samples in the previous order."""
        user_id, has_copies = await self._user_id(), not self.query.has_copies
        order = self.query.sort
        if has_copies and self.query.like is None:
            order = DUPLICATES_SORT
        elif order == DUPLICATES_SORT:
            order = empty_query(self.query.collection).sort
        self.query = replace(self.query, has_copies=has_copies, sort=order)
        await self._show_from_start(user_id)

    @rx.event
    async def remove_chips(self, chips: list[list[str]]) -> AsyncIterator[EventType[()] | None]:
        """Remove limits of the list: the groups and values of chips."""
        user_id = await self._user_id()
        self.query = without_chips(self.query, validate_chips(chips))
        self._spoken = None
        await self._show_from_start(user_id)
        yield [
            rx.set_value(field, format_field(getattr(self.query, field))) for field in TYPED_FIELDS
        ]

    @rx.event
    async def toggle_tag(self, name: str) -> None:
        """Add a tag to the search, or remove it."""
        user_id, name = await self._user_id(), validation.validate_text(name, 60)
        tags = self.query.tags
        others = tuple(tag for tag in tags if tag != name)
        self.query = replace(self.query, tags=others if name in tags else (*tags, name))
        await self._show_from_start(user_id)

    @rx.event
    async def sort_by(self, column: str) -> None:
        """Sort by a column; a second click on it reverses the order."""
        user_id, column = await self._user_id(), validation.validate_text(column, 20)
        sort = f"-{column}" if self.query.sort == column else column
        self.query = with_sort(self.query, sort)
        await self._show_from_start(user_id)

    @rx.event
    async def sort_by_position(self) -> None:
        """Show a collection in its own order, from its start."""
        user_id = await self._user_id()
        if self.query.collection is not None:
            self.query = with_sort(self.query, POSITION_SORT)
            await self._show_from_start(user_id)

    @rx.event
    async def refresh(self) -> None:
        """Read the visible rows again, after their order has changed."""
        user_id = await self._user_id()
        await self._show(user_id, self.window.start)
        self.refreshed += 1

    @rx.event
    async def open_view(self, view: str) -> AsyncIterator[EventType[()] | None]:
        """Open a view of the library: all, favourites, loops, one-shots or trash.

        On the page of a collection, all of its sounds.
        """
        user_id = await self._user_id()
        views: dict[str, dict[str, Any]] = {
            "favourites": {"favourite": True},
            "loops": {"kind": "loop"},
            "one_shots": {"kind": "one_shot"},
            "trash": {"trash": True},
        }
        shown = views.get(validation.validate_text(view, 20), {})
        yield await self._open_view(user_id, shown, order_of(self.query))

    @rx.event
    async def clear_filters(self) -> AsyncIterator[EventType[()] | None]:
        """Remove all limits of the search, and the order that a text such as "like NAME" chose."""
        user_id, spoken = await self._user_id(), self._spoken
        is_spoken = spoken is not None and spoken.after.like == self.query.like
        order = order_of(spoken.before if spoken and is_spoken else self.query)
        yield await self._open_view(user_id, {"trash": self.query.trash}, order)

    @rx.event
    async def select_rows(self, mode: str, index: int, other: int) -> None:
        """Change the selection: toggle one row, or select a range, all or none."""
        user_id, mode = await self._user_id(), validation.validate_text(mode, 10)
        first, last = sorted(
            (validation.validate_integer(index), validation.validate_integer(other))
        )
        if mode == "none":
            self._clear_selection()
            return
        found = await in_transaction(
            search.search_ids, user_id, with_spelling(self.query, self.window.corrected)
        )
        chosen = {str(i) for i in (found if mode == "all" else found[first : last + 1])}
        self._selected = self._selected ^ chosen if mode == "toggle" else self._selected | chosen
        self._show_selection()

    @rx.event
    async def select_samples(self, sample_ids: list[str]) -> None:
        """Select these of the samples that the search finds, and no others."""
        user_id = await self._user_id()
        chosen = {str(each) for each in validation.validate_ids(sample_ids, MAX_LASSO)}
        query = with_spelling(self.query, self.window.corrected)
        found = await in_transaction(search.search_ids, user_id, query) if chosen else []
        self._selected = chosen & set(map(str, found))
        self._show_selection()

    @rx.event
    async def open_sample(self, sample_id: str) -> EventSpec:
        """Open the page of one sample."""
        await self._user_id()
        return rx.redirect(f"/samples/{validation.validate_id(sample_id)}")

    @rx.event
    async def act(self, action: str, sample_id: str = "") -> AsyncIterator[EventType[()] | None]:
        """Apply the action of a key or button to the selection, or else to the given sample."""
        user_id = await self._user_id()
        yield await self._run_action(
            user_id, validation.validate_text(action, 20), self._target_ids(sample_id)
        )

    @rx.event
    async def act_on(self, action: str, sample_id: str) -> AsyncIterator[EventType[()] | None]:
        """Apply the action of a button in a row to that sample only."""
        user_id = await self._user_id()
        yield await self._run_action(
            user_id, validation.validate_text(action, 20), [validation.validate_id(sample_id)]
        )

    @rx.event
    async def undo(self) -> None:
        """Restore the samples that were deleted last."""
        user_id = await self._user_id()
        ids = [validation.validate_id(i) for i in self._deleted]
        self._deleted = []
        await in_transaction(samples.restore_samples, user_id, ids)
        await self._refresh_sidebar(user_id)
        await self._show(user_id, self.window.start)

    @rx.event
    async def undo_restoration(self) -> EventSpec | None:
        """Move the samples that were restored last to the trash again."""
        user_id = await self._user_id()
        ids = [validation.validate_id(i) for i in self._restored]
        self._restored = []
        notice = await self._move_to_trash(user_id, ids) if ids else None
        await self._show(user_id, self.window.start)
        return notice

    @rx.event
    async def undo_favourite(self) -> None:
        """Give the samples whose favourite mark was changed last the mark that they had."""
        user_id = await self._user_id()
        ids, favourite = self._starred
        self._starred = [], favourite
        parsed = [validation.validate_id(i) for i in ids]
        await in_transaction(bulk_actions.set_favourite, user_id, parsed, favourite=not favourite)
        await self._show(user_id, self.window.start)

    @rx.event
    async def rename(self, form: dict[str, Any]) -> None:
        """Rename the sample of the form."""
        user_id, fields = await self._user_id(), validation.validate_form(form)
        sample_id = validation.validate_id(fields.get("sample_id"))
        name = validation.validate_text(fields.get("name", ""))
        self.renaming = ""
        await in_transaction(samples.change_sample, user_id, sample_id, Change(name=name))
        await self._show(user_id, self.window.start)

    @rx.event
    async def stop_renaming(self) -> None:
        """Cancel renaming."""
        await self._user_id()
        self.renaming = ""

    @rx.event
    async def add_tags(self, form: dict[str, Any]) -> EventSpec | None:
        """Add the tags that were typed, separated by commas, to the selected samples."""
        names = validation.validate_text(validation.validate_form(form).get("tags", "")).split(",")
        return await self._change_tags(Action.TAG, [name for name in names if name.strip()])

    @rx.event
    async def drop_tag(self, name: str) -> None:
        """Remove a tag from the selected samples."""
        await self._change_tags(Action.UNTAG, [validation.validate_text(name, 60)])

    @rx.event
    async def close_dialogs(self) -> None:
        """Close the open dialog."""
        await self._user_id()
        self.tags_open = False

    @rx.event
    async def toggle_filters(self) -> None:
        """Show or hide the filters."""
        await self._user_id()
        self.filters_open = not self.filters_open

    @rx.event
    async def close_filters(self) -> None:
        """Hide the filters; a second tap does not show them again."""
        await self._user_id()
        self.filters_open = False

    async def _open_view(
        self, user_id: uuid.UUID, shown: dict[str, Any], order: dict[str, Any]
    ) -> list[EventSpec]:
        """Show a view of the library, or a whole collection; return what empties the fields."""
        collection = self.query.collection
        if self.query.has_copies and order["like"] is None:
            order["sort"] = empty_query(collection).sort
        usual = replace(empty_query(collection), **order)
        self.query, self._spoken = replace(usual, **({} if collection else shown)), None
        await self._show_from_start(user_id)
        return [rx.set_value(field, "") for field in TYPED_FIELDS]

    async def _change_tags(self, action: Action, names: list[str]) -> EventSpec | None:
        """Change the tags; return a notice if some sounds would have too many."""
        user_id = await self._user_id()
        ids = [validation.validate_id(i) for i in self._tag_targets]
        if not names or not ids:
            return None
        done = await in_transaction(bulk_actions.run_bulk_action, user_id, action, ids, None, names)
        await self._list_tags(user_id, ids)
        await self._show(user_id, self.window.start)
        await self._refresh_sidebar(user_id)
        refused = bulk_messages.tag_limit_message(done.values())
        return ToastState.show(refused, "bad") if refused else None  # type: ignore[return-value]

    async def _run_action(
        self, user_id: uuid.UUID, action: str, ids: list[uuid.UUID]
    ) -> EventSpec | None:
        notice = None
        if action == "close":
            self.tags_open = False
        elif action == "rename" and ids:
            self.renaming = str(ids[0])
        elif action == "tag" and ids:
            await self._open_tag_dialog(user_id, ids)
        elif action.startswith("rate-") and ids:
            await in_transaction(
                bulk_actions.rate_samples,
                user_id,
                ids,
                int(validation.parse_number(action[5:]) or 0),
            )
        elif action in MARKS and ids:
            notice = await self._mark(user_id, action, ids)
        elif action in BULK_ACTIONS and ids:
            notice = await self._run_bulk(user_id, Action(action), ids)
        await self._show(user_id, self.window.start)
        return notice

    async def _mark(
        self, user_id: uuid.UUID, action: str, ids: list[uuid.UUID]
    ) -> EventSpec | None:
        """Change the favourite mark; return a notice unless the star of a row tells it."""
        favourite = MARKS[action]
        if favourite is None:
            changed, favourite = await in_transaction(bulk_actions.toggle_favourite, user_id, ids)
        else:
            changed = await in_transaction(
                bulk_actions.set_favourite, user_id, ids, favourite=favourite
            )
        if not changed or (action == TOGGLE and len(ids) == 1):
            return None
        self._starred = [str(each) for each in changed], favourite
        message = bulk_messages.favourite_message(len(changed), favourite=favourite)
        return ToastState.show(message, "ok", UNDO_FAVOURITE)  # type: ignore[return-value]

    async def _run_bulk(
        self, user_id: uuid.UUID, action: Action, ids: list[uuid.UUID]
    ) -> EventSpec | None:
        if action in long_actions and len(ids) > BATCH_SOUNDS:
            return long_actions[action]
        if action is Action.DELETE:
            return await self._move_to_trash(user_id, ids)
        done = await in_transaction(bulk_actions.run_bulk_action, user_id, action, ids, None)
        changed = [str(sample_id) for sample_id, result in done.items() if result == "ok"]
        self._clear_selection()
        await self._refresh_sidebar(user_id)
        if action is Action.ANALYSE:
            return ToastState.show(*bulk_messages.analysis_message(done.values()))  # type: ignore[return-value]
        if action is Action.RESTORE:
            self._restored = changed
            message = f"{bulk_messages.format_sounds(len(changed))} restored."
            return ToastState.show(message, "ok", UNDO_RESTORATION if changed else "")  # type: ignore[return-value]
        return None

    async def _move_to_trash(self, user_id: uuid.UUID, ids: list[uuid.UUID]) -> EventSpec | None:
        result, uses = await in_transaction(pad_usage.trash_samples, user_id, ids)
        self._clear_selection()
        await self._refresh_sidebar(user_id)
        if not result.moved:
            return None
        self._deleted = [str(each) for each in result.moved]
        what = bulk_messages.format_sounds(len(result.moved))
        message = bulk_messages.trashed_message(what, result, uses)
        return ToastState.show(message, "ok", UNDO_DELETION)  # type: ignore[return-value]

    async def _open_tag_dialog(self, user_id: uuid.UUID, ids: list[uuid.UUID]) -> None:
        self._tag_targets = [str(i) for i in ids]
        await self._list_tags(user_id, ids)
        self.tags_open = True

    async def _list_tags(self, user_id: uuid.UUID, ids: list[uuid.UUID]) -> None:
        found = await in_transaction(samples.tags_of_samples, user_id, ids)
        self.selection_tags = selected_tags(found, len(ids[: samples.MAX_TAGGED_SAMPLES]))

    async def _find_cursor(self, user_id: uuid.UUID, query: search.SampleQuery) -> int:
        """Find the sample that the address names; return the first row to read."""
        wanted = parse_cursor(dict(self.router.url.query_parameters))
        version = await cache_version.cache_version_or_none(user_id) if wanted else None
        found = (
            await in_transaction(scrolling.find_row, user_id, query, wanted, version)
            if wanted
            else None
        )
        self.cursor_row = -1 if found is None else found
        self.cursor_id = "" if found is None else str(wanted)
        return max(0, self.cursor_row - WINDOW_ROWS // 2)

    async def _show_from_start(self, user_id: uuid.UUID, *, is_step: bool = True) -> None:
        self._clear_selection()
        self.is_step = is_step
        await self._show(user_id, 0)
        self.epoch += 1
        self.address, self.cursor_row = library_url(self.query), -1
        self._early_choice = None if self.is_hydrated else self.query
        self._early_until = time.time() + EARLY_CHOICE_S

    def _take_early_choice(self) -> bool:
        """Take the search that was chosen while this page loaded; return whether there is one."""
        chosen, self._early_choice = self._early_choice, None
        collection = collection_in_path(self.router.url.path or "/")
        is_recent = time.time() < self._early_until
        if chosen is None or chosen.collection != collection or not is_recent:
            return False
        self.query = chosen
        return True

    async def _take_url(self, user_id: uuid.UUID) -> None:
        """Take the search that the URL describes, whose text may name a sound to compare with."""
        url = self.router.url
        query = parse_library_url(dict(url.query_parameters), collection_in_path(url.path or "/"))
        self.query, self._spoken = query, None
        if not url.path.startswith("/map"):  # it has no order
            self.query, self._spoken = await with_text(user_id, query, query.q, None)
            self.is_step = self.is_step and self._spoken is None

    async def _show(self, user_id: uuid.UUID, start: int) -> None:
        try:
            await self._read(user_id, start)
        except NotFound:
            if self.query.like is None:
                raise
            # The sample to compare with was deleted.
            self.query = with_sort(self.query, empty_query(self.query.collection).sort)
            await self._show_from_start(user_id, is_step=False)

    async def _read(self, user_id: uuid.UUID, start: int) -> None:
        if start > 0:
            await self._scroll(user_id, start)
        else:
            self._set_window(
                await in_transaction(search.search_window, user_id, self.query, start, WINDOW_ROWS)
            )

    async def _scroll(self, user_id: uuid.UUID, start: int, *, moving: bool = False) -> None:
        """Show the rows from `start`, using the cached order of the result."""
        corrected = self.window.corrected
        query = with_spelling(self.query, self.window.corrected)
        version = await cache_version.cache_version_or_none(user_id)
        found = await in_transaction(
            scrolling.scroll_window, user_id, query, start, WINDOW_ROWS, version, moving=moving
        )
        self._set_window(replace(found, corrected=corrected))

    async def _refresh_sidebar(self, user_id: uuid.UUID) -> None:
        self.sidebar = await in_transaction(load_sidebar, user_id)

    def _set_window(self, found: search.SearchResult) -> None:
        self.window = window_of(found)
        self._show_selection()

    def _show_selection(self) -> None:
        shown = [row for row in self.window.rows if row.id in self._selected]
        self.selected_ids = [row.id for row in shown]
        self.selected_count = len(self._selected)
        is_all_shown = 0 < len(shown) == len(self._selected)
        self.all_favourites = is_all_shown and all(row.favourite for row in shown)

    def _clear_selection(self) -> None:
        self._selected = set()
        self._show_selection()

    def _target_ids(self, sample_id: str) -> list[uuid.UUID]:
        """Return the selected ids, or without a selection the given one."""
        if self._selected:
            return [validation.validate_id(i) for i in sorted(self._selected)]
        return [validation.validate_id(sample_id)] if sample_id else []


undo_handlers[UNDO_DELETION] = LibraryState.undo
undo_handlers[UNDO_FAVOURITE] = LibraryState.undo_favourite
undo_handlers[UNDO_RESTORATION] = LibraryState.undo_restoration

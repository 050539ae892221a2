"""State of the library page: load it, follow its changes, search, order, scroll and select."""

import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import reflex as rx
from reflex.event import EventSpec, EventType

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.services.infra import cache_version, events
from sp404_app.services.infra.events import Topic
from sp404_app.services.library import scrolling, search
from sp404_app.services.library.likeness_words import parse_like
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library.filter_chips import (
    Chip,
    chips_of,
    explain_empty_range,
    validate_chips,
    without_chips,
)
from sp404_app.state.library.library_actions import (
    UNDO_DELETION,
    UNDO_FAVOURITE,
    UNDO_RESTORATION,
    LibraryActions,
)
from sp404_app.state.library.likeness_query import (
    ANCHOR_GONE,
    window_of,
    with_known_anchor,
    with_text,
)
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
from sp404_app.state.library.sidebar import load_sidebar
from sp404_app.state.library.smart_counts import SmartCountState
from sp404_app.state.page_watching import begin_again_after_outages
from sp404_app.state.rows import WINDOW_ROWS
from sp404_app.state.toast import ToastState, undo_handlers

MAX_LASSO = 5000  # sounds that the map sends in one event


class LibraryState(LibraryActions, SessionState):
    """State of one tab's library page."""

    changes: int = 0  # grows with every change of the library that was seen; the map follows it
    refreshed: int = 0  # grows when the present rows were read again after a change of their order
    cursor_id: str = ""
    answered: int = 0  # the id of the last window request that was answered
    loaded: bool = False
    filters_open: bool = False
    map_selection: list[str] = []  # what was selected when the map was opened
    _is_selection_kept: bool = False  # by the next `load`: of Back from a sample, or of the map

    @rx.var
    def filtered(self) -> bool:
        """Return whether a search or filter is active."""
        usual = with_sort(self.query, EMPTY_QUERY.sort)  # that of a collection is invalid elsewhere
        return replace(usual, trash=False, collection=None) != EMPTY_QUERY

    @rx.var
    def empty_reason(self) -> str:
        """Return why nothing is found, or what to do about it; empty if there are sounds."""
        if self.window.total:
            return ""
        if phrase := parse_like(self.query.q):
            return f"No sound is named “{phrase.name}”."
        return explain_empty_range(self.query) or "Remove a filter or try another search."

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
        is_same = _without_order(self.query) == _without_order(former)
        if not is_same or not self._is_selection_kept:
            self._clear_selection()
        self._is_selection_kept = False
        # The spelling was corrected for the former search only.
        corrected = self.window.corrected if self.query == former else ""
        shown = with_spelling(self.query, corrected)
        if self._selected:  # some may be gone
            found = await in_transaction(search.search_ids, user_id, shown)
            self._selected &= set(map(str, found))
        is_map = self.router.url.path.startswith("/map")
        self.map_selection = sorted(self._selected)[:MAX_LASSO] if is_map else []
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
    @begin_again_after_outages
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
    async def keep_selection(self) -> None:
        """Keep the selection when the list shows as a map, or the map as a list."""
        await self._user_id()
        self._is_selection_kept = True

    @rx.event
    async def open_sample(self, sample_id: str) -> EventSpec:
        """Open the page of one sample."""
        await self._user_id()
        return rx.redirect(f"/samples/{validation.validate_id(sample_id)}")

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


def _without_order(query: search.SampleQuery) -> search.SampleQuery:
    return with_sort(query, EMPTY_QUERY.sort)  # the only one of the map


undo_handlers[UNDO_DELETION] = LibraryState.undo
undo_handlers[UNDO_FAVOURITE] = LibraryState.undo_favourite
undo_handlers[UNDO_RESTORATION] = LibraryState.undo_restoration

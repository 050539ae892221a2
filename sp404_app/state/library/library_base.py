"""What the states of the library page share: the search, the visible window, and the selection."""

import time
import uuid
from dataclasses import replace

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.services.infra import cache_version
from sp404_app.services.library import scrolling, search
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library.likeness_query import Spoken, window_of
from sp404_app.state.library.search_params import (
    EMPTY_QUERY,
    empty_query,
    library_url,
    with_sort,
    with_spelling,
)
from sp404_app.state.library.sidebar import SidebarView, load_sidebar
from sp404_app.state.rows import WINDOW_ROWS, Window

EARLY_CHOICE_S = 5.0  # that a page takes to load


class LibraryBase(SessionState, mixin=True):
    """One tab's search of the library: its rows around the visible ones, and what is selected."""

    query: rx.Field[search.SampleQuery] = rx.field(EMPTY_QUERY)
    address: str = ""  # of a search that was chosen; empty if the URL was there first
    is_step: bool = True  # whether Back returns to the search before it, which typing replaces
    window: rx.Field[Window] = rx.field(default_factory=lambda: Window([]))
    epoch: int = 0
    cursor_row: int = -1  # the row of the sample that the address names, or -1
    sidebar: rx.Field[SidebarView] = rx.field(default_factory=SidebarView)
    selected_ids: rx.Field[list[str]] = rx.field(default_factory=list)
    selected_count: rx.Field[int] = rx.field(0)
    all_favourites: bool = False  # whether all that is selected is shown and is a favourite
    _selected: set[str] = set()
    _spoken: Spoken | None = None  # what "like NAME but faster" in the search field changed
    # The search chosen before `load` ran, which takes it in place of the URL's. Reflex queues
    # `load` only when the page's first event was handled, behind the clicks that came meanwhile.
    _early_choice: search.SampleQuery | None = None
    _early_until: float = 0.0  # Unix time: later it belongs to an earlier visit

    async def _show_from_start(self, user_id: uuid.UUID, *, is_step: bool = True) -> None:
        self._clear_selection()
        self.is_step = is_step
        await self._show(user_id, 0)
        self.epoch += 1
        self.address, self.cursor_row = library_url(self.query), -1
        self._early_choice = None if self.is_hydrated else self.query
        self._early_until = time.time() + EARLY_CHOICE_S

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

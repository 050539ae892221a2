"""The library: what is looked for, which part of it is on screen, and what is done to it."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import reflex as rx
from reflex.event import EventSpec, EventType

from sp404_app.db import in_transaction
from sp404_app.services.infra import cache_version, events
from sp404_app.services.library import bulk_actions, samples, scrolling, search
from sp404_app.services.library.bulk_actions import Action
from sp404_app.services.library.samples import Change
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library import bulk_messages
from sp404_app.state.library.search_params import (
    BY_COPIES,
    EMPTY,
    NUMBERS,
    address_of,
    part,
    query_of,
    typed,
)
from sp404_app.state.library.sidebar import Facts, facts_of
from sp404_app.state.rows import WINDOW, Window, rows_of
from sp404_app.state.toast import NoticeState


class LibraryState(SessionState):
    """The main room."""

    query: rx.Field[search.Query] = rx.field(EMPTY)
    address: str = ""
    window: rx.Field[Window] = rx.field(default_factory=lambda: Window([]))
    epoch: int = 0
    answered: int = 0  # the number of the last window that the browser asked for and was given
    loaded: bool = False
    facts: rx.Field[Facts] = rx.field(default_factory=Facts)
    marked: rx.Field[list[str]] = rx.field(default_factory=list)
    marked_count: rx.Field[int] = rx.field(0)
    renaming: str = ""
    tagging: list[str] = []
    tags_open: bool = False
    help_open: bool = False
    filters_open: bool = False
    _marked: set[str] = set()
    _targets: list[str] = []
    _deleted: list[str] = []

    @rx.var
    def filtered(self) -> bool:
        """Say whether anything narrows the list."""
        return replace(self.query, sort=EMPTY.sort, trash=False) != EMPTY

    @rx.event
    async def load(self) -> AsyncIterator[EventType[()] | None]:
        """Read the address and show what it asks for."""
        user_id = await self._user_id()
        self.query = query_of(dict(self.router.url.query_parameters))
        self._unmark()
        await self._show(user_id, 0)
        self.epoch += 1
        self.loaded = True
        yield [rx.set_value(field, typed(getattr(self.query, field))) for field in ("q", *NUMBERS)]
        yield LibraryState.watch  # reads the rest; nothing that is clicked has to wait for it

    @rx.event(background=True)
    async def watch(self) -> None:
        """Follow what happens to the library, until the tab leaves."""
        user_id = await self._user_id()
        async for burst in events.listen(user_id):
            async with self:
                query, start = self.query, self.window.start
            found = await in_transaction(search.window, user_id, query, start, WINDOW)
            facts = await in_transaction(facts_of, user_id)
            async with self:
                self.facts = facts
                if self.query == query and self.window.start == start:
                    self._put(found)
            del burst

    @rx.event
    async def show_from(self, start: int, ticket: int, epoch: int) -> None:
        """Show another part of the list, unless it is of a list that was replaced meanwhile."""
        user_id, start = await self._user_id(), validation.whole(start)
        if validation.whole(epoch) == self.epoch:
            await self._scroll(user_id, start, moving=True)
        self.answered = validation.whole(ticket)

    @rx.event
    async def look_for(self, field: str, value: str) -> None:
        """Change one part of the search; an empty value removes it."""
        user_id = await self._user_id()
        self.query = replace(self.query, **part(field, value))
        await self._restart(user_id)

    @rx.event
    async def only_copies(self) -> None:
        """Show only what has copies, side by side, or everything again in the order of before."""
        user_id, wanted = await self._user_id(), not self.query.has_copies
        order = self.query.sort
        if wanted:
            order = BY_COPIES
        elif order == BY_COPIES:
            order = EMPTY.sort
        self.query = replace(self.query, has_copies=wanted, sort=order)
        await self._restart(user_id)

    @rx.event
    async def toggle_tag(self, name: str) -> None:
        """Add a tag to the search, or take it out."""
        user_id, name = await self._user_id(), validation.text(name, 60)
        here = self.query.tags
        kept = tuple(tag for tag in here if tag != name)
        self.query = replace(self.query, tags=kept if name in here else (*here, name))
        await self._restart(user_id)

    @rx.event
    async def sort_by(self, column: str) -> None:
        """Sort by a column; the same one again turns the order round."""
        user_id, column = await self._user_id(), validation.text(column, 20)
        turned = f"-{column}" if self.query.sort == column else column
        self.query = replace(self.query, sort=turned)
        await self._restart(user_id)

    @rx.event
    async def visit(self, view: str) -> AsyncIterator[EventType[()] | None]:
        """Go to one of the library's rooms: all, favourites, loops, one-shots, trash."""
        user_id = await self._user_id()
        rooms: dict[str, dict[str, Any]] = {
            "favourites": {"favourite": True},
            "loops": {"kind": "loop"},
            "one_shots": {"kind": "one_shot"},
            "trash": {"trash": True},
        }
        sort = EMPTY.sort if self.query.has_copies else self.query.sort
        self.query = search.Query(**rooms.get(validation.text(view, 20), {}), sort=sort)
        await self._restart(user_id)
        yield [rx.set_value(field, "") for field in ("q", *NUMBERS)]

    @rx.event
    async def mark(self, mode: str, index: int, other: int) -> None:
        """Select rows: toggle one, a range, all or none."""
        user_id, mode = await self._user_id(), validation.text(mode, 10)
        first, last = sorted((validation.whole(index), validation.whole(other)))
        if mode == "none":
            self._unmark()
            return
        found = await in_transaction(search.ids, user_id, self.query)
        chosen = {str(i) for i in (found if mode == "all" else found[first : last + 1])}
        self._marked = self._marked ^ chosen if mode == "toggle" else self._marked | chosen
        self._show_marks()

    @rx.event
    async def open_sample(self, sample_id: str) -> EventSpec:
        """Go to the page of one sound."""
        await self._user_id()
        return rx.redirect(f"/samples/{validation.identity(sample_id)}")

    @rx.event
    async def act(self, action: str, sample_id: str = "") -> AsyncIterator[EventType[()] | None]:
        """Do what a key or button asks, to the selection or else to one sound."""
        user_id = await self._user_id()
        yield await self._do(user_id, validation.text(action, 20), self._ids(sample_id))

    @rx.event
    async def act_on(self, action: str, sample_id: str) -> AsyncIterator[EventType[()] | None]:
        """Do what a button in a row asks, to that sound alone."""
        user_id = await self._user_id()
        yield await self._do(user_id, validation.text(action, 20), [validation.identity(sample_id)])

    @rx.event
    async def undo(self) -> AsyncIterator[EventType[()] | None]:
        """Bring back what was thrown away last."""
        user_id = await self._user_id()
        ids = [validation.identity(i) for i in self._deleted]
        self._deleted = []
        await in_transaction(samples.restore, user_id, ids)
        await self._show(user_id, self.window.start)
        yield NoticeState.close

    @rx.event
    async def rename(self, form: dict[str, Any]) -> None:
        """Give the sound that the form names another name."""
        user_id, fields = await self._user_id(), validation.form(form)
        sample_id = validation.identity(fields.get("sample_id"))
        name = validation.text(fields.get("name", ""))
        self.renaming = ""
        await in_transaction(samples.change, user_id, sample_id, Change(name=name))
        await self._show(user_id, self.window.start)

    @rx.event
    async def stop_renaming(self) -> None:
        """Leave a name as it is."""
        await self._user_id()
        self.renaming = ""

    @rx.event
    async def add_tags(self, form: dict[str, Any]) -> None:
        """Tag the chosen sounds with what was typed, separated by commas."""
        names = validation.text(validation.form(form).get("tags", "")).split(",")
        await self._tag(Action.TAG, [name for name in names if name.strip()])

    @rx.event
    async def drop_tag(self, name: str) -> None:
        """Take a tag off the chosen sounds."""
        await self._tag(Action.UNTAG, [validation.text(name, 60)])

    @rx.event
    async def close_dialogs(self) -> None:
        """Close whatever is open over the list."""
        await self._user_id()
        self.tags_open = self.help_open = False

    @rx.event
    async def toggle_filters(self) -> None:
        """Show or hide the filters, where the screen is small."""
        await self._user_id()
        self.filters_open = not self.filters_open

    async def _tag(self, action: Action, names: list[str]) -> None:
        user_id = await self._user_id()
        ids = [validation.identity(i) for i in self._targets]
        if names and ids:
            await in_transaction(bulk_actions.run, user_id, action, ids, None, names)
            await self._open_tags(user_id, ids)
            await self._show(user_id, self.window.start)
            await self._count(user_id)

    async def _do(self, user_id: uuid.UUID, action: str, ids: list[uuid.UUID]) -> EventSpec | None:
        said = None
        if action == "help":
            self.help_open = not self.help_open
        elif action == "close":
            self.tags_open = self.help_open = False
        elif action == "rename" and ids:
            self.renaming = str(ids[0])
        elif action == "tag" and ids:
            await self._open_tags(user_id, ids)
        elif action.startswith("rate-") and ids:
            await in_transaction(
                bulk_actions.rate, user_id, ids, int(validation.number(action[5:]) or 0)
            )
        elif action == "favourite" and ids:
            await in_transaction(bulk_actions.toggle_favourite, user_id, ids)
        elif action in set(Action) and ids:
            said = await self._run(user_id, Action(action), ids)
        await self._show(user_id, self.window.start)
        return said

    async def _run(
        self, user_id: uuid.UUID, action: Action, ids: list[uuid.UUID]
    ) -> EventSpec | None:
        if action is Action.DELETE:
            return await self._throw_away(user_id, ids)
        done = await in_transaction(bulk_actions.run, user_id, action, ids, None)
        count = sum(result == "ok" for result in done.values())
        self._unmark()
        await self._count(user_id)
        if action is Action.ANALYSE:
            return NoticeState.show(*bulk_messages.analysed(done.values()), False)  # type: ignore[return-value]
        said = {Action.RESTORE: "restored", Action.DELETE_FOR_GOOD: "deleted for good"}
        if action in said:
            return NoticeState.show(f"{bulk_messages.sounds(count)} {said[action]}.", "ok", False)  # type: ignore[return-value]
        return None

    async def _throw_away(self, user_id: uuid.UUID, ids: list[uuid.UUID]) -> EventSpec | None:
        thrown = await in_transaction(samples.discard, user_id, ids)
        self._unmark()
        await self._count(user_id)
        if not thrown.moved:
            return None
        self._deleted = [str(each) for each in thrown.moved]
        said = bulk_messages.thrown_away(bulk_messages.sounds(len(thrown.moved)), thrown)
        return NoticeState.show(said, "ok", True)  # type: ignore[return-value]

    async def _open_tags(self, user_id: uuid.UUID, ids: list[uuid.UUID]) -> None:
        self._targets = [str(i) for i in ids]
        self.tagging = await in_transaction(samples.tags_of_samples, user_id, ids)
        self.tags_open = True

    async def _restart(self, user_id: uuid.UUID) -> None:
        self._unmark()
        await self._show(user_id, 0)
        self.epoch += 1
        self.address = address_of(self.query)

    async def _show(self, user_id: uuid.UUID, start: int) -> None:
        if start > 0:
            await self._scroll(user_id, start)
        else:
            self._put(await in_transaction(search.window, user_id, self.query, start, WINDOW))

    async def _scroll(self, user_id: uuid.UUID, start: int, *, moving: bool = False) -> None:
        """Show a part of the list that may lie deep in it."""
        corrected = self.window.corrected
        query = replace(self.query, q=corrected) if corrected else self.query
        edition = await cache_version.known(user_id)
        found = await in_transaction(
            scrolling.window, user_id, query, start, WINDOW, edition, moving=moving
        )
        self._put(replace(found, corrected=corrected))

    async def _count(self, user_id: uuid.UUID) -> None:
        self.facts = await in_transaction(facts_of, user_id)

    def _put(self, found: search.Found) -> None:
        self.window = Window(rows_of(found.rows), found.start, found.total, found.corrected)
        self._show_marks()

    def _show_marks(self) -> None:
        self.marked = [row.id for row in self.window.rows if row.id in self._marked]
        self.marked_count = len(self._marked)

    def _unmark(self) -> None:
        self._marked = set()
        self._show_marks()

    def _ids(self, sample_id: str) -> list[uuid.UUID]:
        """Return the selection, or else the one sound that was meant."""
        if self._marked:
            return [validation.identity(i) for i in sorted(self._marked)]
        return [validation.identity(sample_id)] if sample_id else []


async def offer_undo(state: rx.State, deleted: Sequence[uuid.UUID]) -> None:
    """Let `LibraryState.undo` of this tab restore samples that another page moved to the trash."""
    library = await state.get_state(LibraryState)
    library._deleted = [str(sample_id) for sample_id in deleted]  # noqa: SLF001 - defined above

"""State of the pad page: the visible bank, the chosen pad, and every change to them."""

import uuid
from pathlib import PurePosixPath

import reflex as rx
from reflex.event import EventSpec

from sp404_app.db import in_transaction
from sp404_app.devices.capabilities import BANKS
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.services.account import preferences
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.projects import history, pads, projects
from sp404_app.services.projects.kit import PadPosition, parse_bank
from sp404_app.services.projects.pads import PadChange
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library.selection import picked_samples
from sp404_app.state.page_watching import begin_again_after_outages
from sp404_app.state.projects.chosen_pad import ChosenPad
from sp404_app.state.projects.kit_help import KitHelp
from sp404_app.state.projects.pad_view import (
    NO_PAD,
    PadSheet,
    ProjectHead,
    load_page,
    parse_key,
)
from sp404_app.state.projects.pads_base import UNDO_BANK_CHANGE, Stream
from sp404_app.state.toast import ToastState, undo_handlers

GATHER_S = 0.0  # shown at once; what happens while the page is read comes in one list
MOVES = {"swap": "swapped with", "copy": "copied to", "overwrite": "moved to"}


class PadsState(ChosenPad, KitHelp, SessionState):
    """The pad page of one tab: opening, watching, and moving samples and pads."""

    @rx.event
    async def load(self) -> Stream:
        """Open the project of this URL; `?pad=B3` chooses a pad."""
        user_id = await self._user_id()
        self.panel, self.similar_place = "", ""
        self.is_help_open = self.is_patterns_open = False
        self.suggestions, self.suggestions_for = [], ""
        try:
            project_id = validation.validate_id(PurePosixPath(self.router.url.path or "/").name)
            chosen = str(dict(self.router.url.query_parameters).get("pad", ""))[:4]
            letter = chosen[:1]
            self.bank = letter if letter and letter in BANKS else "A"
            self.sheet = PadSheet(key=chosen)
            self._project_id = str(project_id)
            self._anchors = {}
            await self._show(user_id)
            self.midi_notes = await in_transaction(preferences.get_midi_notes, user_id)
        except NotFound:
            self.phase, self.head, self.cells, self.banks = "missing", ProjectHead(), [], []
            return
        yield PadsState.watch

    @rx.event(background=True)
    @begin_again_after_outages
    async def watch(self) -> None:
        """Follow changes of the project and its samples until the tab leaves the page."""
        user_id, project_id = await self._user_id(), self._project_id
        if not project_id:
            return
        async for burst in events.listen(user_id, GATHER_S):
            changes = _changes_of_page(burst, project_id)
            if burst and not changes:
                continue
            if not await self._refresh(user_id, project_id, _newest_revision(changes)):
                return

    async def _refresh(self, user_id: uuid.UUID, project_id: str, revision: int) -> bool:
        """Show the project as it is now; return False if the tab has left it.

        A change that this tab shows already, since it made it, is not read again. The page is read
        while the state is not locked; if the user has chosen another bank or pad meanwhile, or
        changed the project, it is read again.
        """
        while True:
            async with self:
                if self._project_id != project_id:
                    return False
                if 0 < revision <= self.head.revision:
                    return True
                bank, chosen = self.bank, self.sheet.key
            try:
                page = await in_transaction(
                    load_page, user_id, uuid.UUID(project_id), BANKS.index(bank), chosen
                )
            except NotFound:
                async with self:
                    self.phase = "missing"
                return False
            async with self:
                if self._project_id != project_id:
                    return False
                is_old = page.head.revision < self.head.revision
                if (self.bank, self.sheet.key) == (bank, chosen) and not is_old:
                    self._put(page)
                    await self._close_stale_undo()
                    return True

    @rx.event
    async def open_bank(self, letter: str) -> None:
        """Show another bank."""
        user_id = await self._user_id()
        self.bank = BANKS[parse_bank(validation.validate_text(letter, 2))]
        # The same pad of this bank: the inspector and the keys act on a pad that is visible.
        await self._choose(user_id, self.sheet.key and f"{self.bank}{self.sheet.key[1:]}")

    @rx.event
    async def choose_pad(self, key: str) -> None:
        """Choose a pad for the inspector."""
        user_id = await self._user_id()
        key = validation.validate_text(key, 4)
        if key == self.sheet.key:
            return
        at = parse_key(key, self._device())
        await self._choose(user_id, str(at) if at else NO_PAD)

    @rx.event
    async def open_panel(self, name: str) -> None:
        """On a phone, show the sounds, the chosen pad, or only the pads."""
        await self._user_id()
        name = validation.validate_text(name, 10)
        self.panel = name if name in {"sounds", "pad"} else ""

    @rx.event
    async def act(self, action: str, key: str) -> Stream:
        """Run an action of a key or of a pad's menu."""
        await self._user_id()
        action = validation.validate_text(action, 20)
        if action in {"undo", "redo"}:
            yield await self._step_history(action)
        elif action in {"help", "patterns", "search", "rename"}:
            self._open(action)
        elif action == "fit":
            yield PadsState.suggest(key)
        elif action == "open":
            at = self._position(key)
            cell = next((each for each in self.cells if each.key == str(at)), None)
            if cell and cell.sample_id:
                yield rx.redirect(f"/samples/{cell.sample_id}")

    def _open(self, action: str) -> None:
        """Open a part of the page, or close it if it is open."""
        if action == "help":
            self.is_help_open = not self.is_help_open
        elif action == "patterns":
            self.is_patterns_open = self.head.patterns > 0 and not self.is_patterns_open
        else:
            self.panel = "sounds" if action == "search" else "pad"

    @rx.event
    async def close_help(self) -> None:
        """Close the list of keys."""
        await self._user_id()
        self.is_help_open = False

    @rx.event
    async def close_patterns(self) -> None:
        """Close the panel of patterns."""
        await self._user_id()
        self.is_patterns_open = False

    @rx.event
    async def save_midi(self, notes: dict[str, str]) -> None:
        """Keep the user's learned MIDI notes."""
        user_id = await self._user_id()
        await in_transaction(preferences.save_midi_notes, user_id, validation.validate_form(notes))
        self.midi_notes = await in_transaction(preferences.get_midi_notes, user_id)

    @rx.event
    async def put_sample(self, key: str, sample_id: str) -> Stream:
        """Put a sample on a pad; if it is selected in the library, put all selected ones onward."""
        user_id = await self._user_id()
        at = self._position(key)
        ids = await picked_samples(self, user_id, validation.validate_id(sample_id))
        if len(ids) == 1:
            change = PadChange(sample_id=ids[0])
            target = self._pad_target(user_id, at)
            refusal = await self._run(user_id, pads.set_pad, target, at, change)
        else:
            refusal = await self._fill(user_id, at, ids)
        yield refusal or self._say_put(at)
        await self._choose(user_id, str(at))

    @rx.event
    async def put_next(self, sample_id: str) -> Stream:
        """Put a sample, or the selected ones, on the next free pads from the chosen one on."""
        user_id = await self._user_id()
        ids = await picked_samples(self, user_id, validation.validate_id(sample_id))
        start = await in_transaction(self._next_free, user_id)
        if start is None:
            yield ToastState.show("All pads are taken.", "error")  # type: ignore[misc]
            return
        refusal = await self._fill(user_id, start, ids)
        yield refusal or self._say_put(start)
        self.bank = start.bank_letter
        await self._choose(user_id, str(start))

    def _say_put(self, at: PadPosition) -> EventSpec | None:
        """Say where a sound went if the list of sounds covers the pads, as on a phone."""
        if self.panel != "sounds":
            return None
        return ToastState.show(f"On pad {at}.")  # type: ignore[return-value]

    @rx.event
    async def move_pad(self, source: str, target: str, how: str) -> Stream:
        """Swap two pads, copy one, or move one over the other."""
        user_id, how = await self._user_id(), validation.validate_text(how, 10)
        if how not in MOVES:
            raise ValidationFailed("Choose swap, copy or overwrite.")
        start, goal = self._position(source), self._position(target)
        notice = await self._run(user_id, pads.move, self._target(user_id), start, goal, how)
        yield notice
        if not notice:
            self.bank = goal.bank_letter
            await self._choose(user_id, str(goal))

    @rx.event
    async def clear_pad(self, key: str) -> Stream:
        """Empty a pad."""
        user_id = await self._user_id()
        at = self._position(key)
        yield await self._run(user_id, pads.clear_pad, self._pad_target(user_id, at), at)

    @rx.event
    async def move_bank(self, source: str, target: str, how: str) -> Stream:
        """Swap two banks, copy one, or move one over the other."""
        await self._user_id()
        if (how := validation.validate_text(how, 10)) not in MOVES:
            raise ValidationFailed("Choose swap, copy or overwrite.")
        start, goal = (parse_bank(validation.validate_text(b, 2)) for b in (source, target))
        said = f"Bank {BANKS[start]} {MOVES[how]} {BANKS[goal]}."
        yield await self._run_on_bank(
            said, pads.move_whole_bank, start, goal, how, bank=BANKS[goal]
        )

    @rx.event
    async def clear_bank(self) -> Stream:
        """Empty all pads of the visible bank."""
        await self._user_id()
        name, bank = f"Bank {self.bank}", parse_bank(self.bank)
        yield await self._run_on_bank(
            f"{name} cleared.", pads.clear_whole_bank, bank, unchanged=f"{name} is empty."
        )

    @rx.event
    async def undo_bank_change(self) -> Stream:
        """Undo what the menu of a bank did last, unless the project was changed since."""
        user_id, changed = await self._user_id(), self._bank_change
        if changed and changed.user_id == user_id:
            yield await self._run(user_id, history.undo_step, changed)

    @rx.event
    async def undo(self) -> Stream:
        """Undo the last change of the project."""
        yield await self._step_history("undo")

    @rx.event
    async def redo(self) -> Stream:
        """Redo the change that was undone last."""
        yield await self._step_history("redo")

    async def _step_history(self, way: str) -> EventSpec | None:
        user_id = await self._user_id()
        step = history.undo_step if way == "undo" else history.redo_step
        return await self._run(user_id, step, self._target(user_id))

    @rx.event
    async def rename_project(self, name: str) -> Stream:
        """Rename the project."""
        name = validation.validate_text(name)
        if name.strip() and name != self.head.name:
            yield await self._change_details({"name": name})

    @rx.event
    async def set_tempo(self, value: str) -> Stream:
        """Set the project's tempo."""
        bpm = validation.parse_number(value)
        if bpm is not None:
            yield await self._change_details({"tempo": bpm})

    @rx.event
    async def restore(self) -> None:
        """Restore the project from the trash."""
        user_id = await self._user_id()
        await in_transaction(projects.restore_project, user_id, self._id())
        await self._show(user_id)


undo_handlers[UNDO_BANK_CHANGE] = PadsState.undo_bank_change


def _changes_of_page(burst: list[Event], project_id: str) -> list[Event]:
    """Return those of the events that may change what the page shows."""
    return [
        item
        for item in burst
        if item.topic in {Topic.LIBRARY, Topic.SAMPLE, Topic.JOB}
        or (item.topic is Topic.PROJECT and item.id in {project_id, ""})
    ]


def _newest_revision(changes: list[Event]) -> int:
    """Return the newest revision of the project, or 0 if anything else may have changed."""
    revisions = [item.revision for item in changes]
    return max(revisions) if revisions and min(revisions) > 0 else 0

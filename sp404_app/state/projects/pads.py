"""State of the pad page: the visible bank, the chosen pad, and every change to them."""

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import PurePosixPath
from typing import Any

import reflex as rx
from reflex.event import EventSpec, EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.devices.capabilities import BANKS, DEVICES, Device, DeviceKind
from sp404_app.errors import ChangedMeanwhile, Conflict, NotFound, ValidationFailed
from sp404_app.services.account import preferences
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.projects import history, pads, projects, renders
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition, free_positions, parse_bank
from sp404_app.services.projects.pads import PadChange
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library.library import picked_samples
from sp404_app.state.projects.pad_view import (
    NO_PAD,
    BankTab,
    EditView,
    PadCell,
    PadPage,
    PadSheet,
    ProjectHead,
    load_page,
    parse_key,
)
from sp404_app.state.toast import ToastState

Stream = AsyncIterator[EventType[()] | None]
GATHER_S = 0.02  # a change in another tab should be seen at once
CHANGED = "This was changed in another tab. Check it and try again."
# Values of an edit that change nothing.
NEUTRAL_EDIT = {
    "pitch": 0,
    "stretch": 1,
    "gain_db": 0,
    "fade_in": 0,
    "fade_out": 0,
    "resample_trick": 0,
    "reverse": False,
    "channels": "keep",
}
MOVES = ("swap", "copy", "overwrite")


class PadsState(SessionState):
    """One tab's view of one project."""

    phase: str = "loading"
    head: ProjectHead = ProjectHead()
    banks: list[BankTab] = []
    bank: str = "A"
    cells: list[PadCell] = []
    sheet: PadSheet = PadSheet()
    edit: EditView = EditView()
    is_snapping: bool = True
    has_chop_keys: bool = False
    colour: str = ""  # of the visible bank
    is_help_open: bool = False
    midi_notes: dict[str, str] = {}
    panel: str = ""  # on a phone: "sounds" or "pad"
    _project_id: str = ""
    _raw_edit: dict[str, Any] = {}

    @rx.event
    async def load(self) -> Stream:
        """Open the project of this URL; `?pad=B3` chooses a pad."""
        user_id = await self._user_id()
        self.panel = ""
        try:
            project_id = validation.validate_id(PurePosixPath(self.router.url.path or "/").name)
            chosen = str(dict(self.router.url.query_parameters).get("pad", ""))[:4]
            letter = chosen[:1]
            self.bank = letter if letter and letter in BANKS else "A"
            self.sheet = PadSheet(key=chosen)
            self._project_id = str(project_id)
            await self._show(user_id)
            self.midi_notes = await in_transaction(preferences.get_midi_notes, user_id)
        except NotFound:
            self.phase, self.head, self.cells, self.banks = "missing", ProjectHead(), [], []
            return
        yield PadsState.watch

    @rx.event(background=True)
    async def watch(self) -> None:
        """Follow changes of the project and its samples until the tab leaves the page."""
        user_id, project_id = await self._user_id(), self._project_id
        async for burst in events.listen(user_id, GATHER_S):
            if burst and not _affects_page(burst, project_id):
                continue
            async with self:
                bank, chosen, current = self.bank, self.sheet.key, self._project_id
            if current != project_id:
                return
            try:
                page = await in_transaction(
                    load_page, user_id, uuid.UUID(project_id), BANKS.index(bank), chosen
                )
            except NotFound:
                async with self:
                    self.phase = "missing"
                return
            async with self:
                if (self.bank, self.sheet.key, self._project_id) == (bank, chosen, project_id):
                    self._put(page)

    @rx.event
    async def open_bank(self, letter: str) -> None:
        """Show another bank."""
        user_id = await self._user_id()
        self.bank = BANKS[parse_bank(validation.validate_text(letter, 2))]
        await self._show(user_id)

    @rx.event
    async def choose_pad(self, key: str) -> None:
        """Choose a pad for the inspector."""
        user_id = await self._user_id()
        key = validation.validate_text(key, 4)
        if key == self.sheet.key:
            return
        at = parse_key(key, self._device())
        self.sheet = PadSheet(key=str(at) if at else NO_PAD)
        await self._show(user_id)

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
            yield getattr(PadsState, action)
        elif action == "help":
            self.is_help_open = not self.is_help_open
        elif action == "search":
            self.panel = "sounds"
        elif action == "rename":
            self.panel = "pad"
        elif action == "open":
            at = self._position(key)
            cell = next((each for each in self.cells if each.key == str(at)), None)
            if cell and cell.sample_id:
                yield rx.redirect(f"/samples/{cell.sample_id}")

    @rx.event
    async def close_help(self) -> None:
        """Close the list of keys."""
        await self._user_id()
        self.is_help_open = False

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
            yield await self._run(user_id, pads.set_pad, self._pad_target(user_id, at), at, change)
        else:
            yield await self._fill(user_id, at, ids)
        await self._choose(user_id, str(at))

    @rx.event
    async def put_next(self, sample_id: str) -> Stream:
        """Put a sample, or the selected ones, on the next free pads from the chosen one on."""
        user_id = await self._user_id()
        ids = await picked_samples(self, user_id, validation.validate_id(sample_id))
        start = await in_transaction(self._next_free, user_id)
        if start is None:
            yield ToastState.show("All pads are taken.", "error", False)  # type: ignore[misc]
            return
        yield await self._fill(user_id, start, ids)
        self.bank = start.bank_letter
        await self._choose(user_id, str(start))

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
        user_id, how = await self._user_id(), validation.validate_text(how, 10)
        if how not in MOVES:
            raise ValidationFailed("Choose swap, copy or overwrite.")
        start, goal = (parse_bank(validation.validate_text(b, 2)) for b in (source, target))
        notice = await self._run(
            user_id, pads.move_whole_bank, self._target(user_id), start, goal, how
        )
        yield notice
        if not notice:
            self.bank = BANKS[goal]
            await self._show(user_id)

    @rx.event
    async def clear_bank(self) -> Stream:
        """Empty all pads of the visible bank."""
        user_id = await self._user_id()
        bank = parse_bank(self.bank)
        yield await self._run(user_id, pads.clear_whole_bank, self._target(user_id), bank)

    @rx.event
    async def rename_pad(self, name: str) -> Stream:
        """Rename the chosen pad."""
        yield await self._change_chosen(PadChange(name=validation.validate_text(name)))

    @rx.event
    async def set_setting(self, name: str, value: Any) -> Stream:
        """Change one setting of the chosen pad."""
        name = validation.validate_text(name, 40)
        yield await self._change_chosen(PadChange(settings={name: _plain_value(value)}))

    @rx.event
    async def set_number(self, name: str, value: str) -> Stream:
        """Change one integer setting of the chosen pad, chosen from a list."""
        yield PadsState.set_setting(name, _integer(value))  # type: ignore[call-arg, misc]

    @rx.event
    async def set_pad_tempo(self, value: str) -> Stream:
        """Set the tempo of the chosen pad; empty means none."""
        bpm = validation.parse_number(value)
        yield await self._change_chosen(PadChange(settings={"bpm": bpm}))

    @rx.event
    async def set_positions(self, start: int, end: int, loop_top: int) -> Stream:
        """Set start, end and loop point of the chosen pad, in frames."""
        values = {"start": start, "end": end, "loop_top": loop_top}
        parsed = {k: validation.validate_integer(v, 0, 2**31 - 1) for k, v in values.items()}
        yield await self._change_chosen(PadChange(settings=parsed))

    @rx.event
    async def set_edit(self, name: str, value: Any) -> Stream:
        """Change one instruction of the chosen pad's edit; None removes it."""
        name = validation.validate_text(name, 40)
        edit = dict(self._raw_edit)
        edit.pop(name, None)
        if name == "stretch":
            edit.pop("stretch_to_bpm", None)
        elif name == "stretch_to_bpm":
            edit.pop("stretch", None)
        if value is not None and value != "" and value != NEUTRAL_EDIT.get(name):
            edit[name] = value
        yield await self._change_chosen(PadChange(edit=edit))

    @rx.event
    async def set_normalise(self, choice: str) -> Stream:
        """Set the level to reach: "peak -1", "lufs -14", or nothing."""
        to, _, value = validation.validate_text(choice, 20).partition(" ")
        level = {"to": to, "value": validation.parse_number(value)} if to else None
        yield PadsState.set_edit("normalise", level)  # type: ignore[call-arg, misc]

    @rx.event
    async def set_trim_silence(self, choice: str) -> Stream:
        """Set the level in dBFS below which silence is trimmed, or nothing."""
        yield PadsState.set_edit("trim_silence", validation.parse_number(choice))  # type: ignore[call-arg, misc]

    @rx.event
    async def set_channels(self, choice: str) -> Stream:
        """Set the channels of the chosen pad's audio."""
        yield PadsState.set_edit("channels", validation.validate_text(choice, 10))  # type: ignore[call-arg, misc]

    @rx.event
    async def stretch_to_tempo(self) -> Stream:
        """Stretch the chosen pad from its tempo to the project's."""
        await self._user_id()
        bpm = self.sheet.settings.get("bpm")
        if self.edit.tempo_match:
            yield PadsState.set_edit("stretch_to_bpm", None)  # type: ignore[call-arg, misc]
            return
        if not bpm:
            yield ToastState.show("Set this pad’s tempo first.", "error", False)  # type: ignore[misc]
            return
        change = {"from": float(bpm), "to": float(self.head.tempo)}
        yield PadsState.set_edit("stretch_to_bpm", change)  # type: ignore[call-arg, misc]

    @rx.event
    async def reset_edit(self) -> Stream:
        """Remove all instructions of the chosen pad's edit."""
        yield await self._change_chosen(PadChange(edit={}))

    @rx.event
    async def set_chops(self, frames: list[int]) -> Stream:
        """Set the chop markers of the chosen pad, in frames."""
        if not isinstance(frames, list):
            raise ValidationFailed("Send a list of frames.")
        yield await self._change_chosen(PadChange(chops=[_frame(each) for each in frames]))

    @rx.event
    async def retry_render(self) -> None:
        """Make the audio of the chosen pad again, after it failed."""
        user_id = await self._user_id()
        cell = next((each for each in self.cells if each.key == self.sheet.key), None)
        if cell and cell.error:
            await in_transaction(renders.retry_failed, user_id, cell.hash)
        await self._show(user_id)

    @rx.event
    async def toggle_snap(self) -> None:
        """Snap handles to zero crossings, or not."""
        await self._user_id()
        self.is_snapping = not self.is_snapping

    @rx.event
    async def toggle_chop_keys(self) -> None:
        """Let the keys of the pads play the chops of the chosen pad, or the pads."""
        await self._user_id()
        self.has_chop_keys = not self.has_chop_keys

    @rx.event
    async def undo(self) -> Stream:
        """Undo the last change of the project."""
        user_id = await self._user_id()
        yield await self._run(user_id, history.undo_step, self._target(user_id))

    @rx.event
    async def redo(self) -> Stream:
        """Redo the change that was undone last."""
        user_id = await self._user_id()
        yield await self._run(user_id, history.redo_step, self._target(user_id))

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
        if bpm:
            yield await self._change_details({"tempo": bpm})

    @rx.event
    async def restore(self) -> None:
        """Restore the project from the trash."""
        user_id = await self._user_id()
        await in_transaction(projects.restore_project, user_id, self._id())
        await self._show(user_id)

    async def _change_details(self, changes: dict[str, Any]) -> EventSpec | None:
        user_id = await self._user_id()
        return await self._run(user_id, projects.change_details, self._target(user_id), changes)

    async def _change_chosen(self, change: PadChange) -> EventSpec | None:
        user_id = await self._user_id()
        at = self._position(self.sheet.key)
        return await self._run(user_id, pads.set_pad, self._pad_target(user_id, at), at, change)

    async def _fill(
        self, user_id: uuid.UUID, start: PadPosition, ids: list[uuid.UUID]
    ) -> EventSpec | None:
        try:
            done = await in_transaction(pads.fill, self._target(user_id), start, ids)
        except (ChangedMeanwhile, Conflict) as refusal:
            await self._show(user_id)
            return _notice(refusal)
        await self._show(user_id)
        left = len(done.not_placed)
        if not left:
            return None
        text = f"{len(done.filled)} sounds on pads. {left} did not fit."
        return ToastState.show(text, "error", False)  # type: ignore[return-value]

    async def _run(
        self, user_id: uuid.UUID, service: Callable[..., Any], *arguments: Any
    ) -> EventSpec | None:
        """Call a service that changes the project, and show the result; return the refusal."""
        notice = None
        try:
            await in_transaction(service, *arguments)
        except (ChangedMeanwhile, Conflict, ValidationFailed) as refusal:
            notice = _notice(refusal)
        await self._show(user_id)
        return notice

    async def _choose(self, user_id: uuid.UUID, key: str) -> None:
        self.sheet = PadSheet(key=key)
        await self._show(user_id)

    async def _show(self, user_id: uuid.UUID) -> None:
        self._put(
            await in_transaction(
                load_page, user_id, self._id(), BANKS.index(self.bank), self.sheet.key
            )
        )

    def _put(self, page: PadPage) -> None:
        """Show what changed; what is equal is not sent again."""
        self.phase = "here"
        self._raw_edit = page.raw_edit
        for name in ("head", "banks", "cells", "sheet", "edit"):
            value = getattr(page, name)
            if getattr(self, name) != value:
                setattr(self, name, value)
        colour = page.banks[BANKS.index(self.bank)].colour
        if self.colour != colour:
            self.colour = colour

    def _id(self) -> uuid.UUID:
        return validation.validate_id(self._project_id)

    def _device(self) -> Device:
        return DEVICES[DeviceKind(self.head.device)]

    def _position(self, key: object) -> PadPosition:
        at = parse_key(validation.validate_text(key, 4), self._device())
        if at is None:
            raise ValidationFailed("Choose a pad first.")
        return at

    def _target(self, user_id: uuid.UUID) -> Target:
        return Target(user_id, self._id(), self.head.revision)

    def _pad_target(self, user_id: uuid.UUID, at: PadPosition) -> Target:
        """Return the target for a change of one pad, with the revision that this tab shows."""
        shown = {cell.key: cell.revision for cell in self.cells}
        if str(at) not in shown:
            return self._any(user_id)
        return Target(user_id, self._id(), shown[str(at)])

    def _any(self, user_id: uuid.UUID) -> Target:
        return Target(user_id, self._id())

    def _next_free(self, session: Session, user_id: uuid.UUID) -> PadPosition | None:
        """Return the first free pad from the chosen one on, or from the start of the bank."""
        project = history.get_project(session, user_id, self._id())
        kit = history.load_kit(session, project)
        chosen = parse_key(self.sheet.key, kit.device)
        bank = BANKS.index(self.bank)
        start = chosen if chosen and chosen.bank == bank else PadPosition(bank, 1)
        return next(free_positions(kit, start), None)


def _affects_page(burst: list[Event], project_id: str) -> bool:
    """Return whether any of these events may change what the page shows."""
    return any(
        item.topic in {Topic.LIBRARY, Topic.SAMPLE, Topic.JOB}
        or (item.topic is Topic.PROJECT and item.id in {project_id, ""})
        for item in burst
    )


def _notice(refusal: Exception) -> EventSpec:
    text = CHANGED if isinstance(refusal, ChangedMeanwhile) else str(refusal)
    return ToastState.show(text, "error", False)  # type: ignore[return-value]


def _plain_value(value: object) -> object:
    """Return a JSON number as int where it is whole, as browsers send 3.0 for 3."""
    if isinstance(value, float) and value == value and abs(value) < 1e12 and value == int(value):  # noqa: PLR0124
        return int(value)
    return value


def _frame(value: object) -> int:
    return validation.validate_integer(value, 0, 2**31 - 1)


def _integer(value: object) -> int:
    """Return the integer that a select field sent."""
    return validation.validate_integer(validation.parse_number(value) or 0, -1000, 1000)

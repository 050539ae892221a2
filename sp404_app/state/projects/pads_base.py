"""What the states of the pad page share: what one tab shows, and how a change is run and shown."""

import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

from reflex.event import EventSpec, EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.devices.capabilities import BANKS, DEVICES, Device, DeviceKind
from sp404_app.errors import AppError, BadAudio, ChangedMeanwhile, Conflict, ValidationFailed
from sp404_app.services.projects import history, pads, projects
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition, free_positions
from sp404_app.services.projects.pads import PadChange
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.projects.pad_view import (
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
CHANGED = "This was changed in another tab. Check it and try again."
REFUSALS = (ChangedMeanwhile, Conflict, ValidationFailed, BadAudio)
UNDO_BANK_CHANGE = "bank"


class PadsBase(SessionState, mixin=True):
    """One tab's view of one project."""

    phase: str = "loading"
    head: ProjectHead = ProjectHead()
    banks: list[BankTab] = []
    bank: str = "A"
    cells: list[PadCell] = []
    sheet: PadSheet = PadSheet()
    edit: EditView = EditView()
    name_draft: str = ""  # the name that is being typed, as the device will write it
    is_snapping: bool = True
    has_chop_keys: bool = False
    colour: str = ""  # of the visible bank
    is_help_open: bool = False
    is_patterns_open: bool = False
    midi_notes: dict[str, str] = {}
    panel: str = ""  # on a phone: "sounds" or "pad"
    confirmed_edit: int = 0  # number of the last change of a control that was handled
    similar_place: str = ""  # "2 of 24" after the chosen pad was swapped
    _project_id: str = ""
    _raw_edit: dict[str, Any] = {}
    _bank_change: Target | None = None  # the project right after its bank menu changed it last

    async def _change_details(self, changes: dict[str, Any]) -> EventSpec | None:
        user_id = await self._user_id()
        return await self._run(user_id, projects.change_details, self._target(user_id), changes)

    async def _change_chosen(self, change: PadChange, key: str = "") -> EventSpec | None:
        """Change the pad that a control showed when it was used, by default the chosen one.

        Another pad may have been chosen since: a click on it also ends the typing of a name.
        """
        user_id = await self._user_id()
        at = self._position(key or self.sheet.key)
        return await self._run(user_id, pads.set_pad, self._pad_target(user_id, at), at, change)

    async def _fill(
        self, user_id: uuid.UUID, start: PadPosition, ids: list[uuid.UUID]
    ) -> EventSpec | None:
        try:
            done = await in_transaction(pads.fill, self._target(user_id), start, ids)
        except REFUSALS as refusal:
            await self._show(user_id)
            return refusal_notice(refusal)
        await self._show(user_id)
        left = len(done.not_placed)
        if not left:
            return None
        text = f"{len(done.filled)} sounds on pads. {left} did not fit."
        return ToastState.show(text, "error")  # type: ignore[return-value]

    async def _run(
        self, user_id: uuid.UUID, service: Callable[..., Any], *arguments: Any
    ) -> EventSpec | None:
        """Call a service that changes the project, and show the result; return the refusal."""
        notice = None
        try:
            await in_transaction(service, *arguments)
        except REFUSALS as refusal:
            notice = refusal_notice(refusal)
        await self._show(user_id)
        if notice is None:
            await self._close_notice("error")  # what it asked for was done
        return notice

    async def _run_on_bank(
        self,
        said: str,
        service: Callable[..., Any],
        *arguments: Any,
        bank: str = "",
        unchanged: str = "There was nothing to change.",
    ) -> EventSpec | None:
        """Call a service that changes a bank, and show `bank`; return the refusal or an undo."""
        user_id, shown = await self._user_id(), self.head.revision
        notice = await self._run(user_id, service, self._target(user_id), *arguments)
        if notice:
            return notice
        if bank:
            self.bank = bank
            await self._show(user_id)
        if self.head.revision == shown:  # an undo would be that of the step before
            return ToastState.show(unchanged)  # type: ignore[return-value]
        self._bank_change = Target(user_id, self._id(), shown + 1)
        return ToastState.show(said, "ok", UNDO_BANK_CHANGE)  # type: ignore[return-value]

    async def _choose(self, user_id: uuid.UUID, key: str) -> None:
        if key != self.sheet.key:
            self.similar_place = ""
        self.sheet = PadSheet(key=key)
        await self._show(user_id)

    async def _show(self, user_id: uuid.UUID) -> None:
        self._put(
            await in_transaction(
                load_page, user_id, self._id(), BANKS.index(self.bank), self.sheet.key
            )
        )
        await self._close_stale_undo()

    async def _close_stale_undo(self) -> None:
        """Hide the undo of a bank's change once another change followed."""
        if self._bank_change and self._bank_change.revision != self.head.revision:
            self._bank_change = None
            await self._close_notice("ok", UNDO_BANK_CHANGE)

    async def _close_notice(self, tone: str, undo: str = "") -> None:
        notice = await self.get_state(ToastState)
        if notice.message and (notice.tone, notice.undo) == (tone, undo):
            notice.message = ""

    def _put(self, page: PadPage) -> None:
        """Show what changed; what is equal is not sent again."""
        if self.phase != "here":
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


def refusal_notice(refusal: AppError) -> EventSpec:
    """Return the event that shows why a change was refused."""
    text = CHANGED if isinstance(refusal, ChangedMeanwhile) else str(refusal)
    return ToastState.show(text, "error")  # type: ignore[return-value]

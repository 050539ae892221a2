"""The check of a project: what is wrong, one click to mend it, and its size by bank."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.devices.capabilities import BANKS
from sp404_app.errors import AppError
from sp404_app.services.cards import doctor_fixes
from sp404_app.services.cards.doctor import OUTSIDE_HISTORY, Problem
from sp404_app.services.cards.doctor_fixes import Checkup
from sp404_app.services.projects import history
from sp404_app.services.projects.history import Target
from sp404_app.services.sample.pad_usage import bank_colour
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.cards.export_view import count_pads
from sp404_app.state.formatting import format_size
from sp404_app.state.projects.pads import PadsState
from sp404_app.state.toast import ToastState, undo_handlers

UNDO_FIX = "fix of a project"
MAX_PROBLEM_ID = 1_100  # of a file, it ends with the path
TITLES = {
    "missing_sound": "Missing sounds",
    "trashed_sound": "Sounds in the trash",
    "refused_file": "Files that the device refuses",
    "too_long": "Too long for the device",
    "name": "Names that the device cannot show",
    "tempo": "Tempos that can crash the device",
    "repeated_sound": "The same sound on several pads",
    "unused_sound": "Sounds on the card that no pad uses",
    "leftover": "Left over on the card",
    "marked_file": "Deleted with the next write",
}
NOTICES = frozenset({"repeated_sound", "unused_sound", "leftover", "marked_file"})


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A problem; `fix` is the text of the click that mends it, or empty."""

    id: str
    what: str
    fix: str
    key: str


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """Problems of one kind; a notice is no fault."""

    kind: str
    title: str
    is_notice: bool
    can_fix: bool
    count: int
    rows: list[ProblemRow]


@dataclass(frozen=True, slots=True)
class BankBar:
    """The size of a bank; `share` is per cent of the largest one."""

    letter: str
    colour: str
    size: str
    pads: str
    share: float


@dataclass(frozen=True, slots=True)
class CheckView:
    """What the dialog shows."""

    summary: str = ""
    is_well: bool = True
    size: str = ""
    capacity: str = ""
    groups: list[ProblemGroup] = field(default_factory=list)
    banks: list[BankBar] = field(default_factory=list)


class DoctorState(SessionState):
    """The check of one project, in one tab."""

    is_open: bool = False
    view: CheckView = CheckView()
    mended: str = ""  # what the last click mended, while it can be undone; the toast is covered
    _project_id: str = ""
    _fixed_id: str = ""  # the project that the toast's undo is about

    @rx.event
    async def open_dialog(self, project_id: str) -> None:
        """Check a project, and show what was found."""
        await self._user_id()
        self._project_id = str(validation.validate_id(project_id))
        self.mended = ""
        await self._show()
        self.is_open = True

    @rx.event
    async def close(self) -> None:
        """Close the dialog."""
        await self._user_id()
        self.is_open = False

    @rx.event
    async def fix(self, problem: str) -> AsyncIterator[EventType[()] | None]:
        """Mend a problem, or all problems of one kind."""
        await self._user_id()
        chosen = validation.validate_text(problem, MAX_PROBLEM_ID)
        ids = [
            row.id
            for group in self.view.groups
            for row in group.rows
            if row.fix and chosen in {row.id, group.kind}
        ]
        if ids:
            yield await self._mend(ids)

    @rx.event
    async def undo_fix(self) -> None:
        """Undo the last fix."""
        user_id, project_id = await self._user_id(), self._fixed_id
        self._fixed_id = self.mended = ""
        if project_id:
            target = Target(user_id, validation.validate_id(project_id))
            await in_transaction(history.undo_step, target)
        if self.is_open:
            await self._show()

    @rx.event
    async def show_pad(self, key: str) -> AsyncIterator[EventType[()] | None]:
        """Close the dialog and show a pad."""
        await self._user_id()
        key = validation.validate_text(key, 4)
        self.is_open = False
        yield PadsState.open_bank(key[:1])
        yield PadsState.choose_pad(key)

    async def _mend(self, ids: list[str]) -> EventType[()]:
        user_id = await self._user_id()
        target = Target(user_id, validation.validate_id(self._project_id))
        try:
            mended = await in_transaction(doctor_fixes.fix_problems, target, ids)
        except AppError as error:
            await self._show()
            return ToastState.show(str(error), "error")
        await self._show()
        pads = [each for each in mended if each.kind not in OUTSIDE_HISTORY]
        self._fixed_id = self._project_id if pads else ""
        count = len(mended)
        text = f"{count} {'problem' if count == 1 else 'problems'} fixed."
        self.mended = text if pads else ""
        return ToastState.show(text, "ok", UNDO_FIX if pads else "")

    async def _show(self) -> None:
        user_id, project_id = await self._user_id(), validation.validate_id(self._project_id)
        project = await in_transaction(history.get_project, user_id, project_id)
        found = await in_transaction(doctor_fixes.check_project, user_id, project_id)
        colours = [bank_colour(project, number) for number in range(len(BANKS))]
        self.view = view_of(found, colours)


def view_of(found: Checkup, colours: list[str]) -> CheckView:
    """Return what the dialog shows of a check."""
    groups = [_group(kind, found.problems) for kind in TITLES]
    shown = [group for group in groups if group.rows]
    faults = sum(len(group.rows) for group in shown if not group.is_notice)
    largest = max((bank.bytes for bank in found.banks), default=0) or 1
    return CheckView(
        summary=_summary(faults),
        is_well=not faults,
        size=format_size(found.bytes),
        capacity=f"{found.device_bytes // 10**9} GB",
        groups=shown,
        banks=[
            BankBar(
                bank.bank,
                colours[BANKS.index(bank.bank)],
                format_size(bank.bytes) if bank.bytes else "–",
                count_pads(bank.pads),
                round(100 * bank.bytes / largest, 2),
            )
            for bank in found.banks
        ],
    )


def _summary(faults: int) -> str:
    if not faults:
        return "Everything is fine."
    return f"{faults} {'problem' if faults == 1 else 'problems'}"


def _group(kind: str, problems: list[Problem]) -> ProblemGroup:
    rows = [
        ProblemRow(
            each.id, each.what, each.fix if each.can_fix else "",
            f"{each.bank}{each.pad}" if each.bank else "",
        )
        for each in problems
        if each.kind == kind
    ]  # fmt: skip
    # Copies of a pad are often wanted, so they are not all taken away by one click.
    is_many = (
        kind not in {"marked_file", "repeated_sound"} and sum(1 for row in rows if row.fix) > 1
    )
    return ProblemGroup(kind, TITLES[kind], kind in NOTICES, is_many, len(rows), rows)


undo_handlers[UNDO_FIX] = DoctorState.undo_fix

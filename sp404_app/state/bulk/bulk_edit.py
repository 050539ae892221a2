"""The dialog that edits many sounds at once, with a preview of names."""

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Final

import reflex as rx
from reflex.event import EventSpec, EventType

from sp404_app.db import in_transaction
from sp404_app.errors import AppError, ValidationFailed
from sp404_app.services.bulk import bulk_edits, common_values
from sp404_app.services.bulk.common_values import CommonValues
from sp404_app.services.bulk.edits import NormaliseEdit
from sp404_app.services.bulk.preview import Preview, preview_edit
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.bulk.bulk_progress import BulkProgressState
from sp404_app.state.bulk.edit_form import (
    DEFAULTS,
    FIELDS,
    LEVELS,
    TABS,
    CommonView,
    NameRow,
    TagChip,
    build_edit,
    common_view,
    next_tag_state,
    tag_chips,
)
from sp404_app.state.library.bulk_messages import format_sounds
from sp404_app.state.library.selection import list_results, list_selected

MAX_PREVIEWED_SOUNDS: Final = 2_000  # a preview follows each key; more would take too long
SHOWN_NAMES: Final = 8
SHOWN_SUGGESTIONS: Final = 200  # only what was shown is changed
MAX_TEXT: Final = 4_000
# A change of one of these fields empties the other.
REPLACED_FIELDS: Final = {
    "bpm": "bpm_factor",
    "bpm_factor": "bpm",
    "note": "clear_note",
    "clear_note": "note",
}


class BulkEditState(SessionState):
    """The sounds to edit, what they have in common, and what was touched."""

    is_open: bool = False
    tab: str = "values"
    sounds: str = ""  # "1,284 sounds"
    apply_text: str = ""
    can_apply: bool = False
    common: rx.Field[CommonView] = rx.field(default_factory=CommonView)
    tags: rx.Field[list[TagChip]] = rx.field(default_factory=list)
    values: rx.Field[dict[str, str]] = rx.field(default_factory=lambda: dict(DEFAULTS))
    names: rx.Field[list[NameRow]] = rx.field(default_factory=list)
    summary: str = ""  # of the preview
    problem: str = ""
    _sample_ids: list[str] = []
    _touched: dict[str, str] = {}
    _added: list[str] = []
    _removed: list[str] = []
    _declined: list[str] = []  # ids of suggestions that were unticked

    @rx.event
    async def open_for_selection(self) -> None:
        """Edit the selection of the library."""
        user_id = await self._user_id()
        await self._open(user_id, await list_selected(self, user_id))

    @rx.event
    async def open_for_results(self) -> None:
        """Edit all sounds that the library's search finds."""
        user_id = await self._user_id()
        found, _ = await list_results(self, user_id)
        await self._open(user_id, found)

    @rx.event
    async def choose_tab(self, tab: str) -> None:
        """Show another kind of edit; values that were entered stay."""
        user_id, chosen = await self._user_id(), validation.validate_text(tab, 20)
        if chosen in TABS:
            self.tab = chosen
            await self._refresh(user_id)

    @rx.event
    async def set_value(self, field: str, value: str) -> EventSpec | None:
        """Enter the value of a field, and show what it does."""
        user_id, name = await self._user_id(), validation.validate_text(field, 20)
        if name not in FIELDS:
            raise ValidationFailed("There is no such field.")
        self._touched[name] = validation.validate_text(value, MAX_TEXT)
        other = self._update_other_field(name)
        self.values = {**DEFAULTS, **self._touched}
        await self._refresh(user_id)
        # Fields keep what is typed, so one that changes with another is set on the page.
        is_typed = other in {"bpm", "level", "note"}
        return rx.set_value(f"bulk-{other}", self.values[other]) if is_typed else None

    @rx.event
    async def toggle_tag(self, name: str) -> None:
        """Add a tag to all sounds, remove it from all, or leave it."""
        user_id, tag = await self._user_id(), validation.validate_text(name, 60)
        found = await self._read_common(user_id)
        if tag in {each.name for each in found.tags}:
            next_tag_state(found, tag, self._added, self._removed)
        self.tags = tag_chips(found, self._added, self._removed)
        await self._refresh(user_id)

    @rx.event
    async def toggle_suggestion(self, sample_id: str) -> None:
        """Accept or decline the suggestion for one name."""
        user_id, chosen = await self._user_id(), str(validation.validate_id(sample_id))
        if chosen in self._declined:
            self._declined.remove(chosen)
        elif chosen in self._sample_ids:
            self._declined.append(chosen)
        await self._refresh(user_id)

    @rx.event
    async def apply(self) -> AsyncIterator[EventType[()] | None]:
        """Start the edit as a job, and close the dialog."""
        user_id = await self._user_id()
        if not self.is_open:  # the second click of a double click
            return
        try:
            edit = build_edit(self.tab, self._touched, self._added, self._removed)
            ids = await self._target_ids(user_id)
            job = await in_transaction(bulk_edits.request_edit, user_id, edit, ids)
        except AppError as error:
            self.problem = _describe(error)
            return
        self.is_open = False
        progress = await self.get_state(BulkProgressState)
        yield progress._follow(job)  # noqa: SLF001 - of this package

    @rx.event
    async def close(self) -> None:
        """Close the dialog; nothing is changed."""
        await self._user_id()
        self.is_open = False

    def _update_other_field(self, name: str) -> str:
        """Set the field that a change of `name` replaces; return its name, or ""."""
        if name == "to":
            self._touched["level"] = LEVELS.get(self._touched["to"], LEVELS["peak"])
            return "level"
        other = REPLACED_FIELDS.get(name, "") if self._touched[name] else ""
        if other:
            self._touched[other] = ""
        return other

    async def _open(self, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> None:
        self._sample_ids = [str(each) for each in ids[: bulk_edits.MAX_SOUNDS]]
        self._touched, self._added, self._removed, self._declined = {}, [], [], []
        self.values, self.tab = dict(DEFAULTS), "values"
        found = await self._read_common(user_id)
        self.common, self.tags = common_view(found), tag_chips(found, [], [])
        self.sounds = format_sounds(found.count)
        await self._refresh(user_id)
        self.is_open = found.count > 0

    async def _read_common(self, user_id: uuid.UUID) -> CommonValues:
        return await in_transaction(common_values.read_common_values, user_id, self._ids())

    def _ids(self) -> list[uuid.UUID]:
        return [uuid.UUID(each) for each in self._sample_ids]

    async def _target_ids(self, user_id: uuid.UUID) -> list[uuid.UUID]:
        """Return the sounds to change: of suggestions, those that are shown and accepted."""
        if self.tab != "clean":
            return self._ids()
        await self._refresh(user_id)
        return [uuid.UUID(row.id) for row in self.names if row.is_accepted]

    async def _refresh(self, user_id: uuid.UUID) -> None:
        """Check the touched values, and show the names that result."""
        self.names, self.summary, self.problem = [], "", ""
        count = len(self._sample_ids)
        try:
            edit = build_edit(self.tab, self._touched, self._added, self._removed)
            self.can_apply = True
            if self.tab in {"rename", "replace", "clean"} and not isinstance(edit, NormaliseEdit):
                ids = self._ids()[:MAX_PREVIEWED_SOUNDS]
                limit = SHOWN_SUGGESTIONS if self.tab == "clean" else SHOWN_NAMES
                found = await in_transaction(_preview, user_id, edit, ids, limit)
                self._show_preview(found, len(ids))
                if self.tab == "clean":
                    count = sum(row.is_accepted for row in self.names)
        except AppError as error:
            self.can_apply = False
            self.problem = _describe(error) if self._is_touched() else ""
        self.can_apply = self.can_apply and count > 0
        self.apply_text = f"Apply to {format_sounds(count)}"

    def _is_touched(self) -> bool:
        return bool(self._touched) or self.tab in {"rename", "clean"}

    def _show_preview(self, found: Preview, previewed: int) -> None:
        self.names = [
            NameRow(
                str(row.id),
                row.name[:200],
                str(row.after.get("name", ""))[:200],
                row.problem,
                str(row.id) not in self._declined,
            )
            for row in found.rows
            if self.tab != "clean" or not row.problem
        ]
        of = "" if previewed == len(self._sample_ids) else f" Of the first {previewed:,}:"
        self.summary = f"{of} {_summarise(found)}".strip()


def _summarise(found: Preview) -> str:
    if not found.changed and not found.failed:
        return "No name changes."
    text = "1 name changes" if found.changed == 1 else f"{found.changed:,} names change"
    if found.failed:
        text += f", {found.failed:,} can’t be changed"
    return f"{text}." if found.changed + found.failed <= SHOWN_NAMES else f"{text}. The first ones:"


def _preview(
    session: object, user_id: uuid.UUID, edit: object, ids: list[uuid.UUID], limit: int
) -> Preview:
    return preview_edit(session, user_id, edit, ids, limit=limit)  # type: ignore[arg-type]


def _describe(error: AppError) -> str:
    """Return what is wrong: the message of the first invalid field, or that of the error."""
    messages = [
        each for value in error.details.values() if isinstance(value, list) for each in value
    ]
    return str(messages[0]) if messages else str(error)

"""The columns of the list of samples, as the person chose them."""

from dataclasses import dataclass
from typing import Final

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.services.account import list_columns
from sp404_app.services.account.list_columns import ALWAYS_SHOWN, COLUMNS, ListColumns
from sp404_app.state import validation
from sp404_app.state.base import SessionState

LABELS: Final = {
    "wave": "Waveform",
    "name": "Name",
    "tags": "Tags",
    "bpm": "BPM",
    "key": "Key",
    "length": "Length",
    "class": "Class",
    "added": "Added",
}


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """A line of the menu; a `fixed` column cannot be hidden."""

    name: str
    label: str
    shown: bool
    fixed: bool


class ColumnsState(SessionState):
    """All columns in their order, for the menu, and the names of those that are shown."""

    choices: rx.Field[list[ColumnChoice]] = rx.field(default_factory=list)
    shown: rx.Field[list[str]] = rx.field(default_factory=lambda: list(COLUMNS))

    @rx.event
    async def load(self) -> None:
        """Load the person's columns."""
        user_id = await self._user_id()
        self._show(await in_transaction(list_columns.get_columns, user_id))

    @rx.event
    async def set_shown(self, name: str, is_shown: bool) -> None:
        """Show or hide a column."""
        user_id, name = await self._user_id(), validation.validate_text(name, 20)
        self._show(
            await in_transaction(list_columns.show_column, user_id, name, is_shown=is_shown is True)
        )

    @rx.event
    async def move(self, name: str, by: int) -> None:
        """Move a column by some places, to the right if `by` is positive."""
        user_id, name = await self._user_id(), validation.validate_text(name, 20)
        distance = validation.validate_integer(by, -len(COLUMNS), len(COLUMNS))
        self._show(await in_transaction(list_columns.move_column, user_id, name, distance))

    @rx.event
    async def reset_all(self) -> None:
        """Show all columns in the usual order."""
        user_id = await self._user_id()
        self._show(await in_transaction(list_columns.reset_columns, user_id))

    def _show(self, columns: ListColumns) -> None:
        self.choices = [
            ColumnChoice(each, LABELS[each], each not in columns.hidden, each == ALWAYS_SHOWN)
            for each in columns.order
        ]
        self.shown = [each for each in columns.order if each not in columns.hidden]

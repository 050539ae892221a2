"""Deletions and restorations of many samples: jobs that can be cancelled and undone."""

from collections.abc import AsyncIterator, Mapping
from typing import Final

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.errors import ValidationFailed
from sp404_app.services.bulk import bulk_edits
from sp404_app.services.bulk.edits import BulkChange, RestoreEdit, TrashEdit
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.bulk.bulk_progress import BulkProgressState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.long_actions import long_actions
from sp404_app.state.library.selection import list_selected

EDITS: Final[Mapping[str, BulkChange]] = {"delete": TrashEdit(), "restore": RestoreEdit()}


class LongEditState(SessionState):
    """Starts jobs; `BulkProgressState` shows them."""

    @rx.event
    async def start(self, action: str) -> AsyncIterator[EventType[()]]:
        """Delete or restore the selection of the library."""
        user_id, name = await self._user_id(), validation.validate_text(action, 20)
        if name not in EDITS:
            raise ValidationFailed("Unknown action.")
        ids = await list_selected(self, user_id)
        if not ids:
            return
        job = await in_transaction(bulk_edits.request_edit, user_id, EDITS[name], ids)
        yield LibraryState.select_rows("none", 0, 0)
        progress = await self.get_state(BulkProgressState)
        yield progress._follow(job)  # noqa: SLF001 - a public method could be called by anybody


long_actions.update({name: LongEditState.start(name) for name in EDITS})

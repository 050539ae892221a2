"""Samples that the user chose in the library, in the order of its list."""

import uuid

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.services.library import search
from sp404_app.state.library.library import LibraryState


async def list_selected(state: rx.State, user_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the selected samples of this tab's library."""
    library = await state.get_state(LibraryState)
    selected = library._selected  # noqa: SLF001 - not sent to the browser
    if not selected:
        return []
    found = await in_transaction(search.search_ids, user_id, library.query)
    return [sample_id for sample_id in found if str(sample_id) in selected]


async def list_results(state: rx.State, user_id: uuid.UUID) -> tuple[list[uuid.UUID], str]:
    """Return all samples of the current search, and a name for them: its tags or its text."""
    library = await state.get_state(LibraryState)
    found = await in_transaction(search.search_ids, user_id, library.query)
    return found, ", ".join(library.query.tags) or library.query.q.strip()

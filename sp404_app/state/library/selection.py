"""What other pages share with the library of this tab: its selection, results and undo."""

import uuid
from collections.abc import Sequence

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.services.library import search
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.search_params import with_spelling


async def _find_shown(library: LibraryState, user_id: uuid.UUID) -> list[uuid.UUID]:
    query = with_spelling(library.query, library.window.corrected)
    return await in_transaction(search.search_ids, user_id, query)


async def list_selected(state: rx.State, user_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the selected samples of this tab's library."""
    library = await state.get_state(LibraryState)
    selected = library._selected  # noqa: SLF001 - not sent to the browser
    if not selected:
        return []
    found = await in_transaction(
        search.search_ids, user_id, with_spelling(library.query, library.window.corrected)
    )
    return [sample_id for sample_id in found if str(sample_id) in selected]


async def list_results(state: rx.State, user_id: uuid.UUID) -> tuple[list[uuid.UUID], str]:
    """Return all samples of the current search, and a name for them: its tags or its text."""
    library = await state.get_state(LibraryState)
    found = await in_transaction(
        search.search_ids, user_id, with_spelling(library.query, library.window.corrected)
    )
    return found, ", ".join(library.query.tags) or library.query.q.strip()


async def offer_undo(state: rx.State, deleted: Sequence[uuid.UUID]) -> None:
    """Let `LibraryState.undo` of this tab restore samples that another page moved to the trash."""
    library = await state.get_state(LibraryState)
    library._deleted = [str(sample_id) for sample_id in deleted]  # noqa: SLF001 - not sent to the browser


async def keep_selection(state: rx.State) -> None:
    """Keep the selection of this tab's list until the visitor returns from a sample."""
    library = await state.get_state(LibraryState)
    library._is_selection_kept = True  # noqa: SLF001 - not sent to the browser


async def picked_samples(
    state: rx.State, user_id: uuid.UUID, sample_id: uuid.UUID
) -> list[uuid.UUID]:
    """Return the samples selected in this tab, in the order of the list, if this is one of them.

    Otherwise return this sample alone.
    """
    library = await state.get_state(LibraryState)
    selected = library._selected  # noqa: SLF001 - not sent to the browser
    if len(selected) < 2 or str(sample_id) not in selected:
        return [sample_id]
    found = await in_transaction(
        search.search_ids, user_id, with_spelling(library.query, library.window.corrected)
    )
    return [each for each in found if str(each) in selected]

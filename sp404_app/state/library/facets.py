"""The numbers of sounds beside the values of the filters, counted while the filters are open."""

import uuid

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.services.library import facets
from sp404_app.services.library.search import SampleQuery
from sp404_app.services.library.tags import TagCount
from sp404_app.state.base import SessionState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.search_params import with_spelling


class FacetState(SessionState):
    """The numbers by filter and value, and the tags of what is found."""

    counts: rx.Field[dict[str, dict[str, int]]] = rx.field(default_factory=dict)
    tags: rx.Field[list[TagCount]] = rx.field(default_factory=list)

    @rx.event(background=True, supersedes=True)
    async def count(self) -> None:
        """Count for the search that this tab shows; a later call replaces an unfinished one."""
        user_id = await self._user_id()
        async with self:
            query = await self._query()
        found = await _count(user_id, query)
        async with self:
            if found and query == await self._query():
                self.counts, self.tags = found.values, found.tags

    async def _query(self) -> SampleQuery:
        library = await self.get_state(LibraryState)
        return with_spelling(library.query, library.window.corrected)


async def _count(user_id: uuid.UUID, query: SampleQuery) -> facets.FacetCounts | None:
    try:
        return await in_transaction(facets.count_facets, user_id, query)
    except NotFound:
        return None  # the collection was deleted; its page says so

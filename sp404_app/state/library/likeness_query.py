"""The sample that a list is sorted by likeness to: whether it exists, and what the page says."""

import uuid
from dataclasses import replace
from typing import Any, Final

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.services.library.likeness_order import get_anchor
from sp404_app.services.library.likeness_words import find_likeness
from sp404_app.services.library.search import SampleQuery, SearchResult
from sp404_app.state.library.search_params import empty_query, sorted_by_likeness, with_sort
from sp404_app.state.rows import MAX_NAME, Window, rows_of

ANCHOR_GONE: Final = "The sound to compare with doesn’t exist any more."


async def with_text(
    user_id: uuid.UUID, query: SampleQuery, text: str, spoken: dict[str, Any]
) -> tuple[SampleQuery, dict[str, Any]]:
    """Return the search with another text, and the fields that the text means.

    "like dusty break but faster" sorts by likeness and limits the tempo. `spoken` are the fields of
    the text before it: those that nobody has changed since go with it.
    """
    usual = empty_query(query.collection)
    gone = {name for name, value in spoken.items() if getattr(query, name) == value}
    if "like" in gone:
        query = with_sort(query, usual.sort)
    query = replace(query, **{name: getattr(usual, name) for name in gone - {"like"}})
    found = await in_transaction(find_likeness, user_id, query, text)
    if found is None:
        return replace(query, q=text), {}
    query = sorted_by_likeness(query, found.sample_id, query.weights)
    return replace(query, q=found.words, **found.limits), {"like": found.sample_id, **found.limits}


async def with_known_anchor(user_id: uuid.UUID, query: SampleQuery) -> SampleQuery:
    """Return the search, in the usual order if the sample that it compares with does not exist."""
    if query.like is None:
        return query
    try:
        await in_transaction(get_anchor, user_id, query.like)
    except NotFound:
        return with_sort(query, empty_query(query.collection).sort)
    return query


def window_of(found: SearchResult) -> Window:
    """Return what the page shows of a result."""
    anchor = found.anchor
    return Window(
        rows_of(found.rows),
        found.start,
        found.total,
        found.corrected,
        anchor=anchor.name[:MAX_NAME] if anchor else "",
        is_compared=anchor is not None and anchor.vector is not None,
    )

"""The sample that a list is sorted by likeness to: whether it exists, and what the page says."""

import uuid
from dataclasses import dataclass, replace
from typing import Final

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.services.library.likeness_order import get_anchor
from sp404_app.services.library.likeness_words import find_likeness
from sp404_app.services.library.search import SampleQuery, SearchResult
from sp404_app.state.library.search_params import (
    NUMBER_FIELDS,
    empty_query,
    order_of,
    sorted_by_likeness,
    with_sort,
)
from sp404_app.state.rows import MAX_NAME, Window, days_left_of, rows_of

ANCHOR_GONE: Final = "The sound to compare with doesn’t exist any more."


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a text such as "like dusty break but faster" changed: the search before and after."""

    text: str
    before: SampleQuery
    after: SampleQuery


async def with_text(
    user_id: uuid.UUID, query: SampleQuery, text: str, spoken: Spoken | None
) -> tuple[SampleQuery, Spoken | None]:
    """Return the search with another text, and what the text changed beside it.

    What the text before it had changed is as it was before that, unless it was changed again.
    """
    base = _without_spoken(query, spoken)
    found = await in_transaction(find_likeness, user_id, base, text)
    if found is None:
        return replace(base, q=text), None
    weights = base.weights if query.like is None else query.weights
    compared = sorted_by_likeness(base, found.sample_id, weights)
    compared = replace(compared, q=found.words, **found.limits)
    return compared, Spoken(text, base, compared)


def _without_spoken(query: SampleQuery, spoken: Spoken | None) -> SampleQuery:
    if spoken is None:
        return query
    before, after = spoken.before, spoken.after
    limits = {
        name: getattr(before, name)
        for name in NUMBER_FIELDS
        if getattr(query, name) == getattr(after, name)
    }
    order = order_of(before) if query.like == after.like else {}
    return replace(query, **limits, **order)


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
        days_left=days_left_of(found.rows),
    )

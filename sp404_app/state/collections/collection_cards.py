"""View models of collections: cards of the list, and choices of the picker."""

import datetime as dt
from dataclasses import dataclass

from sp404_app.services.collections.collection_summaries import CollectionSummary
from sp404_app.services.collections.collections import TRASH_DAYS
from sp404_app.state import formatting
from sp404_app.state.library.bulk_messages import format_sounds


@dataclass(frozen=True, slots=True)
class CollectionCard:
    """A collection in the list; `count` and `changed` are texts.

    `SmartCountState` has the count of a smart one.
    """

    id: str
    name: str
    note: str
    colour: str
    is_smart: bool
    count: str
    changed: str


@dataclass(frozen=True, slots=True)
class CollectionChoice:
    """A manual collection to choose; `is_full` if it has all sounds that are to be added."""

    id: str
    name: str
    colour: str
    count: int
    is_full: bool = False


def card_of(summary: CollectionSummary, at: dt.datetime) -> CollectionCard:
    """Return the card of a collection at a time."""
    return CollectionCard(
        id=str(summary.id),
        name=summary.name,
        note=summary.note[:160],
        colour=summary.colour,
        is_smart=summary.is_smart,
        count=format_sounds(summary.count),
        changed=_describe_change(summary, at),
    )


def choice_of(summary: CollectionSummary, *, is_full: bool = False) -> CollectionChoice:
    """Return the choice of a collection."""
    return CollectionChoice(str(summary.id), summary.name, summary.colour, summary.count, is_full)


def _describe_change(summary: CollectionSummary, at: dt.datetime) -> str:
    if summary.deleted_at is None:
        return f"Changed {formatting.format_age(summary.updated_at, at)}"
    left = (summary.deleted_at + dt.timedelta(days=TRASH_DAYS) - at).days + 1
    if left <= 1:
        return "Permanently deleted within a day"
    return f"Permanently deleted in {left} days"

"""Chips for what limits the list: each says one limit and can be removed by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sp404_app.errors import ValidationFailed
from sp404_app.services.library import heard_words
from sp404_app.services.library.search import SampleQuery
from sp404_app.state import validation
from sp404_app.state.library.search_params import DUPLICATES_SORT, empty_query

MAX_REMOVED: Final = 8  # chips at once
QUOTES_HINT: Final = "Remove this word. In quotes it finds names, tags and notes only."
HEARD, TAG, FILTER = "heard", "tag", "filter"
RANGES: Final = {
    "bpm": ("bpm_min", "bpm_max", " BPM"),
    "duration": ("duration_min", "duration_max", " s"),
}
FLAGS: Final = {"favourite": "Favourites", "has_copies": "Has copies"}
KINDS: Final = {"loop": "Loops", "one_shot": "One-shots"}
TEXTS: Final = {"key": "", "compatible_key": "Fits ", "sound_class": "", "status": ""}
STATUSES: Final = {"waiting_for_quota": "monthly limit reached"}


@dataclass(frozen=True, slots=True)
class Chip:
    """One limit: its group and value for the server, its text, and what it means."""

    group: str
    value: str
    text: str
    title: str = ""


def chips_of(query: SampleQuery) -> list[Chip]:
    """Return the chips of a search: words that are measured, tags and filters."""
    heard = [
        Chip(HEARD, each.text, f"{each.text}: {each.meaning}", QUOTES_HINT)
        for each in heard_words.explain_words(query.q)
    ]
    tags = [Chip(TAG, name, name) for name in query.tags]
    return [*heard, *tags, *_filters(query)]


def _filters(query: SampleQuery) -> Iterator[Chip]:
    for name, (lower, upper, unit) in RANGES.items():
        least, most = getattr(query, lower), getattr(query, upper)
        if least is not None or most is not None:
            yield Chip(FILTER, name, _range_text(least, most, unit))
    for name, before in TEXTS.items():
        if value := getattr(query, name):
            yield Chip(FILTER, name, f"{before}{STATUSES.get(value, value)}")
    if query.kind:
        yield Chip(FILTER, "kind", KINDS[query.kind])
    yield from _marks(query)


def _marks(query: SampleQuery) -> Iterator[Chip]:
    """Yield the chips of what the person or the copies of a sound mark."""
    if query.rating_min:
        yield Chip(FILTER, "rating_min", f"{'★' * int(query.rating_min)} or more")
    for name, text in FLAGS.items():
        if getattr(query, name):
            yield Chip(FILTER, name, text)


def _range_text(least: float | None, most: float | None, unit: str) -> str:
    if least is None:
        return f"up to {most:g}{unit}"
    return f"from {least:g}{unit}" if most is None else f"{least:g}–{most:g}{unit}"


def explain_empty_range(query: SampleQuery) -> str:
    """Return a sentence about a range that ends before it begins, or ""."""
    for lower, upper, unit in RANGES.values():
        least, most = getattr(query, lower), getattr(query, upper)
        if least is not None and most is not None and least > most:
            return f"No sound has {least:g}{unit} or more and {most:g}{unit} or less."
    return ""


def validate_chips(chips: object) -> list[tuple[str, str]]:
    """Return the groups and values of chips to remove.

    Raises:
        ValidationFailed: If it is no list of at most `MAX_REMOVED` pairs of text.
    """
    if not isinstance(chips, list) or len(chips) > MAX_REMOVED:
        raise ValidationFailed("Unknown filter.")
    if any(not isinstance(chip, list) or len(chip) != 2 for chip in chips):
        raise ValidationFailed("Unknown filter.")
    return [
        (validation.validate_text(group, 10), validation.validate_text(value))
        for group, value in chips
    ]


def without_chips(query: SampleQuery, chips: Sequence[tuple[str, str]]) -> SampleQuery:
    """Return a search without the limits of chips: groups and values."""
    for group, value in chips:
        query = without_chip(query, group, value)
    return query


def without_chip(query: SampleQuery, group: str, value: str) -> SampleQuery:
    """Return a search without the limit of a chip; that of a measured word has its word.

    Raises:
        ValidationFailed: If there is no such kind of limit.
    """
    if group == HEARD:
        return replace(query, q=heard_words.without_word(query.q, value))
    if group == TAG:
        return replace(query, tags=tuple(tag for tag in query.tags if tag != value))
    if group != FILTER or value not in {*RANGES, *TEXTS, "kind", "rating_min", *FLAGS}:
        raise ValidationFailed("Unknown filter.")
    fields = RANGES[value][:2] if value in RANGES else (value,)
    usual = empty_query(query.collection)
    removed: dict[str, Any] = {field: getattr(usual, field) for field in fields}
    if value == "has_copies" and query.sort == DUPLICATES_SORT:
        removed["sort"] = usual.sort
    return replace(query, **removed)

"""SQL conditions on samples that searches and rules of smart collections share."""

import uuid
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, String, and_, func, literal, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.models import Sample
from sp404_app.services.infra.text import clean_name, sort_key
from sp404_app.services.library import heard_words, search_terms


def is_favourite() -> ColumnElement[bool]:
    """Return the condition; PostgreSQL does not use its index for "favourite is true"."""
    return cast("ColumnElement[bool]", col(Sample.favourite))


def has_any_tag(tags: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a sample has at least one of some tags."""
    return cast("Any", col(Sample.tags)).overlap(list(tags))


def matches_text(q: str) -> ColumnElement[bool]:
    """Return the condition for a search text; without letters or digits it must be the exact name.

    A pasted name may contain a minus: "Sunrise -8A" also finds the sample of exactly this name.
    "Around 90" limits the tempo; "88 bpm" does, too, but also finds names that say it.
    """
    tempo = heard_words.parse_tempo(q)
    if tempo is None:
        return _matches_words(q)
    within: ColumnElement[bool] = col(Sample.bpm).between(tempo.lowest, tempo.highest)
    if tempo.may_be_name:
        within = or_(within, _matches_tsquery([search_terms.tempo_tsquery(tempo.number)]))
    words = heard_words.without_tempo(q)
    return and_(within, _matches_words(words)) if words.strip() else within


def _matches_words(q: str) -> ColumnElement[bool]:
    matches = _matches_tsquery([search_terms.build_tsquery(q)])
    if not compares_names(q):
        return matches
    name = clean_name(split_extension(q.strip())[0])
    has_name = col(Sample.sort_key) == sort_key(name)
    return or_(matches, has_name) if any(search_terms.parse_terms(q)) else has_name


def matches_any_text(texts: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition for any of some search texts.

    Those that are only words become one tsquery: PostgreSQL takes a third of the time for it.
    """
    names = [text for text in texts if compares_names(text)]
    words = [search_terms.build_tsquery(text) for text in texts if text not in names]
    conditions = [matches_text(text) for text in names]
    return or_(*conditions, _matches_tsquery(words)) if words else or_(*conditions)


def compares_names(q: str) -> bool:
    """Return whether a search text is compared with more than the words of samples.

    That is their whole name, or their tempo.
    """
    if heard_words.parse_tempo(q):
        return True
    included, excluded = search_terms.parse_terms(q)
    return not included or bool(excluded)


def has_copies(user_id: uuid.UUID) -> ColumnElement[bool]:
    """Return the condition that another sample of the same duplicate group is not in the trash."""
    other = aliased(Sample)
    return (
        select(other.id)
        .where(
            other.user_id == user_id,
            other.duplicate_group_id == Sample.duplicate_group_id,
            other.id != Sample.id,
            col(other.deleted_at).is_(None),
        )
        .exists()
    )


def _matches_tsquery(alternatives: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that the words of a sample match one of some tsqueries.

    The tsquery is a literal in the SQL text, so that the planner knows its selectivity. With a
    parameter, PostgreSQL switches to a generic plan after a few executions, which took three times
    as long for common words.
    """
    terms = literal(" | ".join(alternatives), String, literal_execute=True)
    return cast(
        "ColumnElement[bool]", col(Sample.search).op("@@")(func.to_tsquery("simple", terms))
    )

"""How many sounds each value of a filter would find, for the present search."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import union_all
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from sp404_app.audio.features.musical_keys import KEYS, compatible_keys
from sp404_app.models import Sample
from sp404_app.models.sample import EXCEEDS_FILTER_INDEX, FITS_FILTER_INDEX
from sp404_app.services.library import search
from sp404_app.services.library.search import SampleQuery
from sp404_app.services.library.tags import TagCount

MAX_FACET_TAGS: Final = 12
GROUPED: Final = (
    col(Sample.key),
    col(Sample.sound_class),
    col(Sample.kind),
    col(Sample.status),
    col(Sample.rating),
)
RATINGS: Final = ("1", "2", "3", "4", "5")
# The keys that a key is compatible with, in both directions.
FITTING_KEYS: Final = {key: frozenset(compatible_keys(key)) for key in KEYS}
KEYS_THAT_FIT: Final[dict[str | None, list[str]]] = {
    key: [each for each in KEYS if key in FITTING_KEYS[each]] for key in KEYS
}


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """Sounds by filter and value; a value without sounds is missing.

    Each filter is counted as if it were not set, and all others as they are. Tags are counted
    within the present search, because a further tag limits it further. The values of
    `rating_min` are "1" to "5", that of `has_copies` is "1".
    """

    values: dict[str, dict[str, int]]
    tags: list[TagCount] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Group:
    """Sounds that are equal in all that is grouped."""

    key: str | None
    sound_class: str | None
    kind: str | None
    status: str
    rating: int
    count: int


# Which filters a group passes, and the values of each under which it is counted.
_PASSES: Final[dict[str, Callable[[_Group, Any], bool]]] = {
    "key": lambda group, value: group.key == value,
    "compatible_key": lambda group, value: group.key in FITTING_KEYS[value],
    "sound_class": lambda group, value: group.sound_class == value,
    "kind": lambda group, value: group.kind == value,
    "status": lambda group, value: group.status == value,
    "rating_min": lambda group, value: group.rating >= value,
}
_VALUES: Final[dict[str, Callable[[_Group], Sequence[str | None]]]] = {
    "key": lambda group: (group.key,),
    "compatible_key": lambda group: KEYS_THAT_FIT.get(group.key, ()),
    "sound_class": lambda group: (group.sound_class,),
    "kind": lambda group: (group.kind,),
    "status": lambda group: (group.status,),
    "rating_min": lambda group: RATINGS[: group.rating],
}


def count_facets(session: Session, user_id: uuid.UUID, query: SampleQuery) -> FacetCounts:
    """Count the values of all filters; three statements, each over what the search finds.

    The spelling is not corrected.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
    """
    usual = SampleQuery()
    unset: dict[str, Any] = {name: getattr(usual, name) for name in _PASSES}
    groups = _read_groups(session, user_id, replace(query, **unset))
    values = _count_values(query, groups)
    copies = search.matching_samples(session, user_id, replace(query, has_copies=True))
    values["has_copies"] = {"1": search.count_samples(session, copies)}
    return FacetCounts(values, _count_tags(session, user_id, query))


def _read_groups(session: Session, user_id: uuid.UUID, query: SampleQuery) -> list[_Group]:
    parts = [
        each.with_only_columns(*GROUPED, func.count()).group_by(*GROUPED)  # type: ignore[call-overload]
        for each in _halves(session, user_id, query)
    ]
    return [_Group(*row) for row in session.execute(union_all(*parts))]


def _halves(
    session: Session, user_id: uuid.UUID, query: SampleQuery
) -> list[SelectOfScalar[Sample]]:
    """Return statements that together find what a search finds.

    PostgreSQL reads most samples from an index with all values, and only the others, which it
    leaves out, from the table: counting 100,000 takes half of the time.
    """
    matching = search.matching_samples(session, user_id, query)
    if query.trash:
        return [matching]  # the index is without the trash
    return [matching.where(FITS_FILTER_INDEX), matching.where(EXCEEDS_FILTER_INDEX)]


def _count_values(query: SampleQuery, groups: Sequence[_Group]) -> dict[str, dict[str, int]]:
    wanted = {name: value for name in _PASSES if (value := getattr(query, name))}
    found: dict[str, dict[str, int]] = {name: defaultdict(int) for name in _PASSES}
    for group in groups:
        failed = [name for name, value in wanted.items() if not _PASSES[name](group, value)]
        if len(failed) > 1:
            continue
        for name in failed or _PASSES:
            for value in _VALUES[name](group):
                if value is not None:
                    found[name][value] += group.count
    return {name: dict(counts) for name, counts in found.items()}


def _count_tags(session: Session, user_id: uuid.UUID, query: SampleQuery) -> list[TagCount]:
    name = func.unnest(Sample.tags).label("name")
    parts = [each.with_only_columns(name) for each in _halves(session, user_id, query)]
    names = union_all(*parts).subquery()
    rows = session.execute(
        select(names.c.name, func.count())
        .group_by(names.c.name)
        .order_by(func.count().desc(), names.c.name)
        .limit(MAX_FACET_TAGS + len(query.tags))
    )
    return [TagCount(name, count) for name, count in rows if name not in query.tags]

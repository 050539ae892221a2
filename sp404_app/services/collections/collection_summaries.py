"""Collections as they are listed, with the number of their samples."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from sp404_app.models import Collection, CollectionSample, Sample
from sp404_app.models.sample import EXCEEDS_FILTER_INDEX, FITS_FILTER_INDEX
from sp404_app.services.library.collection_filter import (
    compares_all_samples,
    rules_condition,
    split_excluded_tags,
)
from sp404_app.services.library.collection_rules import Rules, parse_rules
from sp404_app.services.library.search_conditions import has_any_tag

# For the transaction of a count only. By default PostgreSQL expects a disk on which pages apart
# cost four times those in a row, rows as cheap to take apart as if they were narrow, tests of words
# and tags as cheap as those of numbers, and a second process to start slowly. It then reads all
# rows of the user alone where an index or two processes are faster. A plan for any values is slower
# than one for those of the rules.
FEW_MATCHES = {
    "random_page_cost": "1.1",
    "cpu_operator_cost": "0.02",
    "cpu_tuple_cost": "0.2",
    "parallel_setup_cost": "500",
    "min_parallel_table_scan_size": "0",
    "min_parallel_index_scan_size": "0",
    "max_parallel_workers_per_gather": "1",
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
    "enable_bitmapscan": "on",
}
# Reads an index with all values of all the user's samples, and no row of the table.
ALL_VALUES = FEW_MATCHES | {
    "cpu_operator_cost": "0.0025",
    "cpu_tuple_cost": "0.01",
    "max_parallel_workers_per_gather": "0",
    "enable_bitmapscan": "off",
}
MAX_EXCEEDING = 10_000  # samples that this index leaves out: reading them takes 15 ms


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """A collection in a list, with the number of its samples outside the trash.

    That of a smart one is 0 if it was not counted.
    """

    id: uuid.UUID
    name: str
    note: str
    colour: str
    is_smart: bool
    count: int
    updated_at: dt.datetime
    created_at: dt.datetime
    deleted_at: dt.datetime | None
    revision: int
    rules: dict[str, Any] | None


def summarize(
    session: Session, user_id: uuid.UUID, found: Sequence[Collection], *, count_smart: bool = True
) -> list[CollectionSummary]:
    """Return the summaries of a user's collections, in the same order.

    Without `count_smart`, smart ones are not counted: each takes a search over the library.
    """
    rows = (
        select(CollectionSample.collection_id, func.count())
        .join(Sample, col(Sample.id) == col(CollectionSample.sample_id))
        .where(
            CollectionSample.user_id == user_id,
            col(CollectionSample.collection_id).in_([each.id for each in found]),
            col(Sample.deleted_at).is_(None),
        )
        .group_by(col(CollectionSample.collection_id))
    )
    counts = dict(session.exec(rows).all())
    if count_smart:
        smart = {each.id: parse_rules(each.rules) for each in found if each.rules is not None}
        counts |= _count_each(session, user_id, smart)
    return [
        CollectionSummary(
            id=each.id,
            name=each.name,
            note=each.note,
            colour=each.colour,
            is_smart=each.rules is not None,
            count=counts.get(each.id, 0),
            updated_at=each.updated_at,
            created_at=each.created_at,
            deleted_at=each.deleted_at,
            revision=each.revision,
            rules=each.rules,
        )
        for each in found
    ]


def count_rules(session: Session, user_id: uuid.UUID, rules: Rules) -> int:
    """Return how many of the user's samples match rules, without those in the trash."""
    kept, excluded_tags = split_excluded_tags(rules)
    matching = looked_up = _matching(user_id, kept)
    if excluded_tags:
        looked_up = matching.where(has_any_tag(excluded_tags))
    _set_locally(session, FEW_MATCHES)
    if compares_all_samples(rules):
        everything = _matching(user_id, Rules("all", ()))
        if not _has_more(session, everything.where(EXCEEDS_FILTER_INDEX), MAX_EXCEEDING):
            return _count_in_one_index(session, _matching(user_id, rules))
    found = _count(session, looked_up)
    # Another transaction may have added tags between the two statements.
    return max(0, _count(session, matching) - found) if excluded_tags else found


def _has_more(session: Session, matching: SelectOfScalar[uuid.UUID], number: int) -> bool:
    return bool(session.exec(matching.offset(number).limit(1)).first())


def _count_in_one_index(session: Session, matching: SelectOfScalar[uuid.UUID]) -> int:
    _set_locally(session, ALL_VALUES)
    parts = matching.where(FITS_FILTER_INDEX), matching.where(EXCEEDS_FILTER_INDEX)
    return sum(_count(session, part) for part in parts)


def _matching(user_id: uuid.UUID, rules: Rules) -> SelectOfScalar[uuid.UUID]:
    return select(Sample.id).where(
        Sample.user_id == user_id,
        col(Sample.deleted_at).is_(None),
        rules_condition(user_id, rules),
    )


def _count(session: Session, matching: SelectOfScalar[uuid.UUID]) -> int:
    return session.exec(matching.with_only_columns(func.count())).one()  # type: ignore[arg-type]


def _set_locally(session: Session, values: Mapping[str, str]) -> None:
    """Set variables of PostgreSQL for the rest of the transaction."""
    session.execute(select(*(func.set_config(name, value, True) for name, value in values.items())))


def _count_each(
    session: Session, user_id: uuid.UUID, rules_by_id: Mapping[uuid.UUID, Rules]
) -> dict[uuid.UUID, int]:
    return {key: count_rules(session, user_id, rules) for key, rules in rules_by_id.items()}

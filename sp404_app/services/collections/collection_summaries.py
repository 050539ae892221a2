"""Collections as they are listed, with the number of their samples."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from sp404_app.models import Collection, CollectionSample, Sample
from sp404_app.services.collections.collection_totals import count_rules
from sp404_app.services.library.collection_rules import Rules, parse_rules


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


def _count_each(
    session: Session, user_id: uuid.UUID, rules_by_id: Mapping[uuid.UUID, Rules]
) -> dict[uuid.UUID, int]:
    return {key: count_rules(session, user_id, rules) for key, rules in rules_by_id.items()}

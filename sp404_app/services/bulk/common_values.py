"""Which values many samples have in common, for the dialog that edits them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Integer, cast
from sqlmodel import Session, col, func, select

from sp404_app.models import Sample
from sp404_app.services.infra.text import sort_key
from sp404_app.services.library.samples import has_id_in

MAX_TAGS_SHOWN: Final = 60
FIELDS: Final = ("bpm", "key", "kind", "sound_class", "rating", "favourite", "note")


@dataclass(frozen=True, slots=True)
class CommonValue:
    """The value that all samples have; None if none has one, and whether they differ."""

    value: Any = None
    is_mixed: bool = False


@dataclass(frozen=True, slots=True)
class CommonTag:
    """A tag, and how many of the samples have it."""

    name: str
    samples: int


@dataclass(frozen=True, slots=True)
class CommonValues:
    """The values of samples that exist: their number, fields, tags, and bytes in the store."""

    count: int
    size: int
    fields: dict[str, CommonValue]
    tags: list[CommonTag]


def read_common_values(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> CommonValues:
    """Return the common values of a user's samples; missing and foreign ids do not count.

    Of many tags, those that most of the samples have are listed.
    """
    owned = (col(Sample.user_id) == user_id) & has_id_in(ids)
    aggregates = [func.count(), func.coalesce(func.sum(Sample.size), 0)]
    for name in FIELDS:
        column: Any = col(getattr(Sample, name))
        if name == "favourite":
            column = cast(column, Integer)
        aggregates += [func.min(column), func.max(column), func.count(column)]
    row = list(session.execute(select(*aggregates).where(owned)).one())  # type: ignore[call-overload]
    count, size = row[:2]
    fields = {
        name: _common_value(count, *row[2 + 3 * at : 5 + 3 * at]) for at, name in enumerate(FIELDS)
    }
    return CommonValues(count, int(size), fields, _read_tags(session, owned))


def _common_value(count: int, least: Any, most: Any, given: int) -> CommonValue:
    if not given:
        return CommonValue()
    return CommonValue(is_mixed=True) if least != most or given < count else CommonValue(least)


def _read_tags(session: Session, owned: Any) -> list[CommonTag]:
    name = func.unnest(Sample.tags).label("name")
    number = func.count().label("number")
    found = (
        select(name, number)  # type: ignore[call-overload]
        .where(owned)
        .group_by(name)
        .order_by(number.desc(), name)
        .limit(MAX_TAGS_SHOWN)
    )
    tags = [CommonTag(*row) for row in session.execute(found)]
    return sorted(tags, key=lambda tag: (-tag.samples, sort_key(tag.name)))

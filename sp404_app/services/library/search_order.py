"""Sort orders of searches: what to order by, and what comes after a cursor."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, func, literal, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from sp404_app.models import CollectionSample, Sample
from sp404_app.services.infra.text import sort_key
from sp404_app.services.library.likeness_order import LikenessOrder
from sp404_app.services.library.search_cursor import decode_cursor, encode_cursor

SORTS: dict[str, Any] = {
    "created": col(Sample.id),  # UUIDv7 sorts by time
    "name": col(Sample.sort_key),
    "bpm": col(Sample.bpm),
    "key": col(Sample.key),
    "duration": col(Sample.duration),
    "size": col(Sample.size),
    "copies": col(Sample.duplicate_group_id),
}
COLLECTION_SORTS = {**SORTS, "position": col(CollectionSample.position)}  # of a manual collection
DEFAULT_SORT = "-created"
POSITION_SORTS = frozenset({"position", "-position"})
LIKENESS_SORT = "likeness"  # to one sample: nearest first, and in no other direction


@dataclass(frozen=True, slots=True)
class SearchOrder:
    """A sort order; `likeness` has the sample of `LIKENESS_SORT`."""

    sort: str
    likeness: LikenessOrder | None = None

    @property
    def is_one_column(self) -> bool:
        """Return whether samples are sorted by a column of their own."""
        return self.likeness is None and self.sort not in POSITION_SORTS

    def join(self, matching: SelectOfScalar[Sample]) -> SelectOfScalar[Sample]:
        """Join a statement with what it is sorted by; the position of a collection is there."""
        return matching if self.likeness is None else self.likeness.join(matching)

    def columns(self) -> list[Any]:
        """Return what to order a joined statement by."""
        if self.likeness is not None:
            return self.likeness.columns()
        column, descending = COLLECTION_SORTS[self.sort.removeprefix("-")], self._is_descending
        if column is SORTS["created"]:
            return [column.desc() if descending else column.asc()]
        first = column.desc() if descending else column.asc()
        return [first.nulls_last(), col(Sample.id).asc()]

    def after(self, cursor: str) -> ColumnElement[bool]:
        """Return the condition for the samples after a cursor, in a joined statement.

        Raises:
            ValidationFailed: If the cursor is invalid, or of another order.
        """
        value, last_id = decode_cursor(cursor, self._cursor_name)
        if self.likeness is not None:
            return self.likeness.after(value, last_id)
        column, descending = COLLECTION_SORTS[self.sort.removeprefix("-")], self._is_descending
        id_column = col(Sample.id)
        if column is SORTS["created"]:
            return id_column < last_id if descending else id_column > last_id
        if self.sort in POSITION_SORTS:
            return _after_position(value, last_id, descending=descending)
        if value is None:
            return and_(column.is_(None), id_column > last_id)
        if self.sort.removeprefix("-") == "name":
            value = sort_key(value)
        beyond = column < value if descending else column > value
        return or_(beyond, and_(column == value, id_column > last_id), column.is_(None))

    def cursor_of(self, session: Session, last: Sample, collection: uuid.UUID | None) -> str:
        """Return the cursor after a sample of a result, in this collection if one is given."""
        value: object
        if self.likeness is not None:
            row = self.likeness.join(select(Sample)).where(col(Sample.id) == last.id)
            value = session.scalars(row.with_only_columns(self.likeness.distance())).one()
        elif self.sort in POSITION_SORTS and collection:
            value = _position_of(session, collection, last.id)
        else:
            value = getattr(last, sort_column(self.sort))
        return encode_cursor(self._cursor_name, last.id, value)

    @property
    def _cursor_name(self) -> str:
        return self.sort if self.likeness is None else self.likeness.cursor_name

    @property
    def _is_descending(self) -> bool:
        return self.sort.startswith("-")


def sort_column(sort: str) -> str:
    """Return the name of the column whose value a cursor of this sort order contains."""
    name = sort.removeprefix("-")
    return {"created": "id", "copies": "duplicate_group_id"}.get(name, name)


def _position_of(session: Session, collection_id: uuid.UUID, sample_id: uuid.UUID) -> int:
    query = select(CollectionSample.position).where(
        CollectionSample.collection_id == collection_id, CollectionSample.sample_id == sample_id
    )
    return session.exec(query).one()


def _after_position(
    former: int | None, last_id: uuid.UUID, *, descending: bool
) -> ColumnElement[bool]:
    """Return the condition for the samples after one, at its present position in the collection.

    Of a sample that is no longer in the collection, it is the former position.
    """
    last = aliased(CollectionSample)
    present = (
        select(last.position)
        .where(last.collection_id == col(CollectionSample.collection_id), last.sample_id == last_id)
        .scalar_subquery()
    )
    position = func.coalesce(present, literal(former, BigInteger))
    here = col(CollectionSample.position)
    beyond = here < position if descending else here > position
    return or_(beyond, and_(here == position, col(Sample.id) > last_id))

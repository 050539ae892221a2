"""The rows of manual collections: insert them, and write their order.

Positions have gaps, so that most moves change only the rows that move. The caller holds the lock
of the collection; samples are locked after it, in the order of their ids.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Uuid, any_, literal
from sqlalchemy import column as sql_column
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, func, insert, select, update

from sp404_app.errors import Conflict, NotFound
from sp404_app.models import Collection, CollectionSample, Sample
from sp404_app.models.columns import now

MAX_SAMPLES = 100_000  # in one collection, with those in the trash
POSITION_GAP = 1 << 20


def insert_rows(
    session: Session,
    collection: Collection,
    sample_ids: Sequence[uuid.UUID],
    *,
    skip_missing: bool = False,
) -> list[uuid.UUID]:
    """Append samples to a collection in this order; return those that were not in it.

    Raises:
        NotFound: Unless `skip_missing`, if a sample does not exist, is in the trash or belongs
            to another user.
        Conflict: If the collection would hold more than `MAX_SAMPLES`.
    """
    wanted = list(dict.fromkeys(sample_ids))
    if not wanted:
        return []
    if len(wanted) > MAX_SAMPLES:
        raise _too_many()
    existing = lock_live_samples(session, collection.user_id, wanted)
    if len(existing) < len(wanted) and not skip_missing:
        raise NotFound("There is no such sample.")
    among = is_one_of(CollectionSample.sample_id, wanted)
    members = set(session.exec(_rows(CollectionSample.sample_id, collection).where(among)))
    new = [each for each in wanted if each in existing and each not in members]
    ensure_room(session, collection, len(new))
    last = session.exec(_rows(func.max(CollectionSample.position), collection)).one() or 0
    _insert(session, collection, new, int(last))
    return new


def lock_live_samples(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> frozenset[uuid.UUID]:
    """Lock samples against deletion; return the ids of those that are live and the user's."""
    live = select(Sample.id).where(
        Sample.user_id == user_id, is_one_of(Sample.id, ids), col(Sample.deleted_at).is_(None)
    )
    locked = live.order_by(col(Sample.id)).with_for_update(read=True, key_share=True)
    return frozenset(session.exec(locked))


def ensure_room(session: Session, collection: Collection, new: int) -> None:
    """Check that a collection can hold `new` more samples.

    Raises:
        Conflict: If it would hold more than `MAX_SAMPLES`.
    """
    if session.exec(_rows(func.count(), collection)).one() + new > MAX_SAMPLES:
        raise _too_many()


def write_order(session: Session, collection: Collection, ids: Sequence[uuid.UUID]) -> None:
    """Give the samples of a collection new positions, in this order."""
    write_positions(session, collection, ids, POSITION_GAP, POSITION_GAP)


def write_positions(
    session: Session, collection: Collection, ids: Sequence[uuid.UUID], first: int, step: int
) -> None:
    """Give some samples of a collection the positions `first`, `first + step` and so on."""
    order = _numbered(ids)
    session.exec(
        update(CollectionSample)
        .where(
            col(CollectionSample.collection_id) == collection.id,
            col(CollectionSample.sample_id) == order.c.sample_id,
        )
        .values(position=_big(first) + (order.c.number - 1) * _big(step))
    )


def is_one_of(column: Any, ids: Sequence[uuid.UUID]) -> Any:
    """Return the SQL condition that a column has one of these ids, passed as one array."""
    return col(column) == any_(literal(list(ids), ARRAY(Uuid)))


def _rows(what: Any, collection: Collection) -> Any:
    return select(what).where(CollectionSample.collection_id == collection.id)


def _insert(session: Session, collection: Collection, ids: Sequence[uuid.UUID], last: int) -> None:
    order = _numbered(ids)
    values = sql_select(
        literal(collection.id, Uuid),
        order.c.sample_id,
        literal(collection.user_id, Uuid),
        _big(last) + order.c.number * _big(POSITION_GAP),
        literal(now(), DateTime(timezone=True)),
    )
    names = ["collection_id", "sample_id", "user_id", "position", "added_at"]
    session.exec(insert(CollectionSample).from_select(names, values))


def _numbered(ids: Sequence[uuid.UUID]) -> Any:
    """Return ids as a table with the columns `sample_id` and `number`, which counts from one."""
    table = func.unnest(literal(list(ids), ARRAY(Uuid))).table_valued(
        sql_column("sample_id", Uuid), with_ordinality="number"
    )
    return table.render_derived(name="numbered")


def _big(number: int) -> Any:
    """Return a number as `bigint`: those of Python are `integer` to SQLAlchemy, up to 2^31."""
    return literal(number, BigInteger)


def _too_many() -> Conflict:
    return Conflict(f"A collection can hold up to {MAX_SAMPLES:,} samples.")

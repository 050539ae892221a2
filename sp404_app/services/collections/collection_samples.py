"""The samples of manual collections: add, remove, move, sort; list those of any collection.

Every change locks the collection, so changes at the same time follow each other and none is lost.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, func, select, update

from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import Collection, CollectionSample, Sample
from sp404_app.services.collections import collection_rows
from sp404_app.services.collections.collection_rows import MAX_SAMPLES, POSITION_GAP, is_one_of
from sp404_app.services.collections.collections import (
    get_collection,
    lock_collection,
    mark_changed,
)
from sp404_app.services.library import search
from sp404_app.services.library.search import SampleQuery

# What a collection can be sorted by, each with its column.
SORT_COLUMNS: dict[str, Any] = {
    "name": col(Sample.sort_key),
    "tempo": col(Sample.bpm),
    "key": col(Sample.key),
    "length": col(Sample.duration),
    "added": col(CollectionSample.added_at),
    "class": col(Sample.sound_class),
}


@dataclass(frozen=True, slots=True)
class AddedSamples:
    """The samples that were added, those that were in the collection, and those that are gone."""

    added: list[uuid.UUID]
    already: list[uuid.UUID]
    missing: list[uuid.UUID]


@dataclass(frozen=True, slots=True)
class RemovedSample:
    """A sample that was removed, with its place, for `put_back_samples`."""

    sample_id: uuid.UUID
    position: int
    added_at: dt.datetime


def add_samples(
    session: Session,
    user_id: uuid.UUID,
    collection_id: uuid.UUID,
    sample_ids: Sequence[uuid.UUID],
    *,
    skip_missing: bool = False,
) -> AddedSamples:
    """Append samples to a manual collection, in this order; those that are in it keep their place.

    Raises:
        NotFound: If the collection does not exist or belongs to another user; unless
            `skip_missing`, if a sample does, or is in the trash. Nothing is added then.
        Conflict: If the collection is in the trash, is smart, or would hold too many samples.
    """
    collection = lock_collection(session, user_id, collection_id, manual=True)
    added = collection_rows.insert_rows(session, collection, sample_ids, skip_missing=skip_missing)
    if added:
        mark_changed(session, collection)
    new = set(added)
    others = [each for each in dict.fromkeys(sample_ids) if each not in new]
    live = set(others)
    if skip_missing:
        live = collection_rows.lock_live_samples(session, user_id, others)
    return AddedSamples(
        added,
        already=[each for each in others if each in live],
        missing=[each for each in others if each not in live],
    )


def ensure_addable(
    session: Session,
    user_id: uuid.UUID,
    collection_id: uuid.UUID,
    sample_ids: Sequence[uuid.UUID],
) -> str:
    """Check that a collection takes samples, before a job adds them; return its name.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
        Conflict: If the collection is in the trash, is smart, or would hold too many samples.
    """
    collection = lock_collection(session, user_id, collection_id, manual=True)
    members = count_memberships(session, user_id, sample_ids).get(collection.id, 0)
    collection_rows.ensure_room(session, collection, len(set(sample_ids)) - members)
    return collection.name


def remove_samples(
    session: Session,
    user_id: uuid.UUID,
    collection_id: uuid.UUID,
    sample_ids: Sequence[uuid.UUID],
    *,
    added_until: dt.datetime | None = None,
) -> list[RemovedSample]:
    """Remove samples from a manual collection; return those that were in it, with their places.

    With `added_until`, those that were added later stay.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
        Conflict: If the collection is in the trash, or is smart.
    """
    collection = lock_collection(session, user_id, collection_id, manual=True)
    row = CollectionSample
    chosen = [col(row.collection_id) == collection.id, is_one_of(row.sample_id, sample_ids)]
    if added_until is not None:
        chosen.append(col(row.added_at) <= added_until)
    removed = session.exec(
        delete(row)
        .where(*chosen)
        .returning(col(row.sample_id), col(row.position), col(row.added_at))
    ).all()
    if removed:
        mark_changed(session, collection)
    return [RemovedSample(*values) for values in removed]


def put_back_samples(
    session: Session,
    user_id: uuid.UUID,
    collection_id: uuid.UUID,
    removed: Sequence[RemovedSample],
) -> list[uuid.UUID]:
    """Undo a removal; return the samples that were put back. Samples that are gone are left out.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
        Conflict: If the collection is in the trash, is smart, or would hold too many samples.
    """
    collection = lock_collection(session, user_id, collection_id, manual=True)
    ids = [each.sample_id for each in removed]
    live = collection_rows.lock_live_samples(session, user_id, ids)
    collection_rows.ensure_room(session, collection, len(live))
    rows = [
        {
            "collection_id": collection.id,
            "sample_id": each.sample_id,
            "user_id": user_id,
            "position": each.position,
            "added_at": each.added_at,
        }
        for each in removed
        if each.sample_id in live
    ]
    if not rows:
        return []
    statement = insert(CollectionSample).on_conflict_do_nothing()
    restored = statement.returning(col(CollectionSample.sample_id))
    found = session.scalars(restored, rows).all()
    mark_changed(session, collection)
    return list(found)


def move_samples(
    session: Session,
    user_id: uuid.UUID,
    collection_id: uuid.UUID,
    sample_ids: Sequence[uuid.UUID],
    before: uuid.UUID | None,
) -> None:
    """Move samples of a manual collection, in this order, before another one, or to the end.

    If `before` moves itself, they go before the first one after it that does not.

    Raises:
        NotFound: If the collection does not exist or belongs to another user, or a sample is not
            in it.
        Conflict: If the collection is in the trash, or is smart.
    """
    collection = lock_collection(session, user_id, collection_id, manual=True)
    order = _load_order(session, collection)
    moved = list(dict.fromkeys(sample_ids))
    known = dict(order)
    if not known.keys() >= {*moved, *([before] if before else [])}:
        raise NotFound("There is no such sample in this collection.")
    if not moved:
        return
    moving = set(moved)
    start = len(order) if before is None else [each for each, _ in order].index(before)
    left = [pair for pair in order[:start] if pair[0] not in moving]
    right = [pair for pair in order[start:] if pair[0] not in moving]
    _place(session, collection, left, moved, right)
    mark_changed(session, collection)


def sort_collection(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID, by: object
) -> None:
    """Sort a manual collection by one of `SORT_COLUMNS`, descending with `-` before it.

    Samples without the value come last; equal ones are sorted by name.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
        ValidationFailed: If there is no such order.
        Conflict: If the collection is in the trash, or is smart.
    """
    if not isinstance(by, str) or by.removeprefix("-") not in SORT_COLUMNS:
        message = f"Choose one of {', '.join(SORT_COLUMNS)}."
        raise ValidationFailed(message, {"by": [message]})
    collection = lock_collection(session, user_id, collection_id, manual=True)
    column = SORT_COLUMNS[by.removeprefix("-")]
    first = column.desc() if by.startswith("-") else column.asc()
    names = (col(Sample.sort_key), col(Sample.id))
    number = func.row_number().over(order_by=(first.nulls_last(), *names)).label("number")
    sorted_rows = (
        select(CollectionSample.sample_id, number)
        .join(Sample, col(Sample.id) == col(CollectionSample.sample_id))
        .where(CollectionSample.collection_id == collection.id)
        .subquery()
    )
    session.exec(
        update(CollectionSample)
        .where(
            col(CollectionSample.collection_id) == collection.id,
            col(CollectionSample.sample_id) == sorted_rows.c.sample_id,
        )
        .values(position=sorted_rows.c.number * POSITION_GAP)
    )
    mark_changed(session, collection)


def list_sample_ids(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID, limit: int = MAX_SAMPLES
) -> list[uuid.UUID]:
    """Return the ids of a collection's samples outside the trash, up to `limit`.

    Those of a manual collection are in its order, those that match rules newest first.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
    """
    query = SampleQuery(collection=collection_id, sort="position")
    return search.search_ids(session, user_id, query, limit)


def list_order(session: Session, user_id: uuid.UUID, collection_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the ids of a manual collection's samples in order, with those in the trash.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
    """
    collection = get_collection(session, user_id, collection_id)
    return [sample_id for sample_id, _ in _load_order(session, collection)]


def count_memberships(
    session: Session, user_id: uuid.UUID, sample_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, int]:
    """Return how many of some samples each manual collection contains, by its id."""
    row = CollectionSample
    counts = (
        select(row.collection_id, func.count())
        .where(row.user_id == user_id, is_one_of(row.sample_id, sample_ids))
        .group_by(col(row.collection_id))
    )
    return dict(session.exec(counts).all())


Order = list[tuple[uuid.UUID, int]]


def _load_order(session: Session, collection: Collection) -> Order:
    """Return the samples of a collection with their positions, in order."""
    row = CollectionSample
    rows = select(row.sample_id, row.position).where(row.collection_id == collection.id)
    ordered = rows.order_by(col(row.position), col(row.sample_id))
    return [(sample_id, position) for sample_id, position in session.exec(ordered)]


def _place(
    session: Session, collection: Collection, left: Order, moved: list[uuid.UUID], right: Order
) -> None:
    """Write positions between two parts of an order; all are written anew if there is no room."""
    if not right:
        first = (left[-1][1] if left else 0) + POSITION_GAP
        collection_rows.write_positions(session, collection, moved, first, POSITION_GAP)
        return
    end = right[0][1]
    start = left[-1][1] if left else end - POSITION_GAP * (len(moved) + 1)
    step = (end - start) // (len(moved) + 1)
    if step:
        collection_rows.write_positions(session, collection, moved, start + step, step)
        return
    ids = [each for each, _ in left] + moved + [each for each, _ in right]
    collection_rows.write_order(session, collection, ids)

"""The number and the length of a collection's sounds together."""

import uuid

from sqlmodel import Session, col, func, select

from sp404_app.models import Sample
from sp404_app.services.library.collection_filter import load_scope


def measure_collection(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID
) -> tuple[int, float]:
    """Return how many samples a collection has outside the trash, and their length in seconds.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
    """
    scope = load_scope(session, user_id, collection_id)
    live = select(Sample).where(col(Sample.user_id) == user_id, col(Sample.deleted_at).is_(None))
    length = func.coalesce(func.sum(col(Sample.duration)), 0.0)
    totals = scope.limit_samples(live).with_only_columns(func.count(), length)
    count, seconds = session.execute(totals).one()
    return int(count), float(seconds)

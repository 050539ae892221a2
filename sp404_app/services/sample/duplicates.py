"""Copies of one recording in a person's library: the same sound at another rate, gain or codec."""

import uuid
from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, select

from sp404_app.audio.similarity import fingerprint
from sp404_app.audio.similarity.embedding import Aspect, weighted
from sp404_app.audio.similarity.fingerprint import PRINT_VERSION, Print
from sp404_app.db import after_commit
from sp404_app.models import Sample, SamplePrint, SampleVector
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.library import duplicate_groups, samples
from sp404_app.services.sample import similarity

NEAREST = 50  # prints that are compared: those of a fitting length that sound most alike
MOST_NEWS = 50  # sounds that are named one by one; of more, the whole library is news


def remember(
    session: Session,
    user_id: uuid.UUID,
    sample_id: uuid.UUID,
    vector: npt.NDArray[np.float32],
    taken: Print | None,
) -> None:
    """Keep what a sound is compared by, and put it together with its copies.

    `vector` is its likeness; what has no print (silence, clicks) has no copies. Call it before
    any sample is locked: those concerned are locked here, in one order.
    """
    duplicate_groups.take_turns(session, user_id)
    found = _found(session, user_id, sample_id, vector, taken) if taken else []
    touched = duplicate_groups.join(session, user_id, sample_id, found)
    similarity.remember(session, user_id, sample_id, vector)
    _keep(session, user_id, sample_id, taken)
    news = [Event(Topic.SAMPLE, str(each)) for each in sorted(touched)]
    if news:
        few = len(news) <= MOST_NEWS
        after_commit(
            session, partial(events.publish, user_id, *(news if few else [Event(Topic.LIBRARY)]))
        )


def list_duplicates(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, limit: int
) -> Sequence[Sample]:
    """Return the copies of one of a person's sounds that are not in the trash, the oldest first.

    Raises:
        NotFound: If the sample does not exist or belongs to someone else.
    """
    sample = samples.get(session, user_id, sample_id)
    if sample.duplicate_group_id is None:  # or all that have none would be its copies
        return []
    others = select(Sample).where(
        Sample.user_id == user_id,
        Sample.duplicate_group_id == sample.duplicate_group_id,
        Sample.id != sample_id,
        col(Sample.deleted_at).is_(None),
    )
    return session.exec(others.order_by(col(Sample.id)).limit(limit)).all()


def _found(
    session: Session,
    user_id: uuid.UUID,
    sample_id: uuid.UUID,
    vector: npt.NDArray[np.float32],
    taken: Print,
) -> list[uuid.UUID]:
    """Return the person's other sounds that are of the same recording, in the trash or not.

    Vectors of an older engine only say less well which prints to compare; without them, groups
    would fall apart while a library is heard again.
    """
    away, _ = similarity.gap(weighted(vector), Aspect.TIMBRE)
    near = (
        select(SamplePrint.sample_id)
        .join(SampleVector, col(SampleVector.sample_id) == col(SamplePrint.sample_id))
        .where(
            SamplePrint.user_id == user_id,
            SamplePrint.version == PRINT_VERSION,
            col(SamplePrint.length).between(*fingerprint.fitting(taken.length)),
            SamplePrint.sample_id != sample_id,
        )
        .order_by(away, col(SamplePrint.sample_id))
        .limit(NEAREST)
    )
    stored = select(SamplePrint.sample_id, SamplePrint.packed)
    rows = session.exec(stored.where(col(SamplePrint.sample_id).in_(near)))
    return [other for other, packed in rows if fingerprint.same(taken, Print.from_bytes(packed))]


def _keep(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, taken: Print | None) -> None:
    if taken is None:
        session.exec(delete(SamplePrint).where(col(SamplePrint.sample_id) == sample_id))
        return
    values = {"version": PRINT_VERSION, "length": taken.length, "packed": taken.to_bytes()}
    row = insert(SamplePrint).values(sample_id=sample_id, user_id=user_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["sample_id"], set_=values))

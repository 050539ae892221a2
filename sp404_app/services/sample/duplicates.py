"""Find duplicates: samples of one recording that differ in sample rate, gain, codec or silence."""

import uuid
from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, select

from sp404_app.audio.similarity import fingerprint
from sp404_app.audio.similarity.embedding import Aspect, apply_part_weights
from sp404_app.audio.similarity.fingerprint import FINGERPRINT_VERSION, Fingerprint
from sp404_app.db import after_commit
from sp404_app.models import Sample, SamplePrint, SampleVector
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.library import duplicate_groups, samples
from sp404_app.services.sample import similarity

MAX_CANDIDATES = 50  # fingerprints compared: of similar length, nearest in timbre
MAX_SAMPLE_EVENTS = 50  # if more samples change, one event for the whole library is published


def update_duplicates(
    session: Session,
    user_id: uuid.UUID,
    sample_id: uuid.UUID,
    vector: npt.NDArray[np.float32],
    taken: Fingerprint | None,
) -> None:
    """Save a sample's similarity vector and fingerprint, and update its duplicate group.

    A sample without a fingerprint (silence, clicks) has no duplicates. Call this before locking
    any sample: the members of the groups concerned are locked here, by id.
    """
    duplicate_groups.lock_duplicate_search(session, user_id)
    found = _find_duplicates(session, user_id, sample_id, vector, taken) if taken else []
    touched = duplicate_groups.join_duplicate_group(session, user_id, sample_id, found)
    similarity.save_vector(session, user_id, sample_id, vector)
    _save_fingerprint(session, user_id, sample_id, taken)
    changes = [Event(Topic.SAMPLE, str(each)) for each in sorted(touched)]
    if len(changes) > MAX_SAMPLE_EVENTS:
        changes = [Event(Topic.LIBRARY)]
    if changes:
        after_commit(session, partial(events.publish, user_id, *changes))


def list_duplicates(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, limit: int
) -> Sequence[Sample]:
    """Return the duplicates of a user's sample that are not in the trash, oldest first.

    Raises:
        NotFound: If the sample does not exist or belongs to someone else.
    """
    sample = samples.get_sample(session, user_id, sample_id)
    if sample.duplicate_group_id is None:  # `= NULL` must not match the other ungrouped samples
        return []
    others = select(Sample).where(
        Sample.user_id == user_id,
        Sample.duplicate_group_id == sample.duplicate_group_id,
        Sample.id != sample_id,
        col(Sample.deleted_at).is_(None),
    )
    return session.exec(others.order_by(col(Sample.id)).limit(limit)).all()


def _find_duplicates(
    session: Session,
    user_id: uuid.UUID,
    sample_id: uuid.UUID,
    vector: npt.NDArray[np.float32],
    taken: Fingerprint,
) -> list[uuid.UUID]:
    """Return the user's other samples of the same recording, including those in the trash.

    Vectors of an older engine version are compared too. They only choose the candidates, and
    without them groups would dissolve while a library is being analysed again.
    """
    distance, _ = similarity.distance_expression(session, apply_part_weights(vector), Aspect.TIMBRE)
    near = (
        select(SamplePrint.sample_id)
        .join(SampleVector, col(SampleVector.sample_id) == col(SamplePrint.sample_id))
        .where(
            SamplePrint.user_id == user_id,
            SamplePrint.version == FINGERPRINT_VERSION,
            col(SamplePrint.length).between(*fingerprint.matching_length_range(taken.length)),
            SamplePrint.sample_id != sample_id,
        )
        .order_by(distance, col(SamplePrint.sample_id))
        .limit(MAX_CANDIDATES)
    )
    stored = select(SamplePrint.sample_id, SamplePrint.packed)
    rows = session.exec(stored.where(col(SamplePrint.sample_id).in_(near)))
    return [
        other
        for other, packed in rows
        if fingerprint.is_same_recording(taken, Fingerprint.from_bytes(packed))
    ]


def _save_fingerprint(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, taken: Fingerprint | None
) -> None:
    if taken is None:
        session.exec(delete(SamplePrint).where(col(SamplePrint.sample_id) == sample_id))
        return
    values = {"version": FINGERPRINT_VERSION, "length": taken.length, "packed": taken.to_bytes()}
    row = insert(SamplePrint).values(sample_id=sample_id, user_id=user_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["sample_id"], set_=values))

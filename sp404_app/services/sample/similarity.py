"""What in a person's library sounds like this? Exact search over their own vectors."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pgvector.sqlalchemy import Vector
from sqlalchemy import ColumnElement, Float, cast, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.audio.similarity.embedding import PARTS, Aspect, weighted
from sp404_app.models import Sample, SampleVector
from sp404_app.services.library import samples
from sp404_app.services.processing.sandbox import Heard


@dataclass(frozen=True, slots=True)
class Alike:
    """A sample and how unlike it is: 0 the same, 1 unrelated."""

    sample: Sample
    distance: float


def remember(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, vector: npt.NDArray[np.float32]
) -> None:
    """Keep the vector of a sample, in place of an older one."""
    values = {"engine_version": ENGINE_VERSION, "vector": weighted(vector).tolist()}
    row = insert(SampleVector).values(sample_id=sample_id, user_id=user_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["sample_id"], set_=values))


def similar(
    session: Session,
    user_id: uuid.UUID,
    sample_id: uuid.UUID,
    limit: int,
    aspect: Aspect = Aspect.OVERALL,
) -> list[Alike]:
    """Return the person's sounds nearest to one of theirs, the most alike first.

    Empty where the sample has not been analysed. While a library is being analysed again, only
    sounds heard by the same version of the engine are compared: vectors of two do not compare.

    Raises:
        NotFound: If the sample does not exist or belongs to someone else.
    """
    samples.get(session, user_id, sample_id)
    mine = (SampleVector.sample_id == sample_id, SampleVector.user_id == user_id)
    stored = session.exec(select(SampleVector).where(*mine)).first()
    if stored is None:
        return []
    wanted = Wanted(user_id, stored.engine_version, np.asarray(stored.vector, np.float32))
    near = _near(session, wanted, limit + 1, aspect)
    return [alike for alike in near if alike.sample.id != sample_id][:limit]


def like(
    session: Session, user_id: uuid.UUID, heard: Heard, limit: int, aspect: Aspect = Aspect.OVERALL
) -> list[Alike]:
    """Return the person's sounds nearest to one that is not kept; nothing is like silence."""
    if heard.silent:
        return []
    wanted = Wanted(user_id, heard.engine_version, weighted(heard.likeness))
    return _near(session, wanted, limit, aspect)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose sounds are compared with what: a weighted vector, as they are stored."""

    user_id: uuid.UUID
    engine_version: str
    vector: npt.NDArray[np.float32]


def gap(vector: npt.NDArray[np.float32], aspect: Aspect) -> tuple[ColumnElement[float], float]:
    """Return the SQL for how far stored vectors are from one, and its square's greatest value."""
    column = col(SampleVector.vector)
    wanted: Sequence[float] = vector.tolist()
    scale = 2 * sum(weight for _, weight in PARTS.values())
    if aspect is not Aspect.OVERALL:
        part, weight = PARTS[aspect]
        # PostgreSQL counts from one; `<->` is pgvector's L2 distance.
        column = func.subvector(column, part.start + 1, part.stop - part.start)
        wanted, scale = vector[part].tolist(), 2 * weight
    return column.op("<->", return_type=Float())(cast(wanted, Vector(len(wanted)))), scale


def _near(session: Session, near: Wanted, limit: int, aspect: Aspect) -> list[Alike]:
    away, scale = gap(near.vector, aspect)
    vector_of = col(SampleVector.sample_id)
    gone = select(Sample.id).where(
        Sample.id == vector_of, Sample.user_id == near.user_id, col(Sample.deleted_at).is_not(None)
    )
    # Ids and distances are sorted, and whole samples read for the few that are left.
    nearest = (
        select(vector_of, away.label("gap"))
        .where(
            SampleVector.user_id == near.user_id,
            SampleVector.engine_version == near.engine_version,
            ~gone.exists(),
        )
        .order_by(away, vector_of)
        .limit(limit)
        .subquery()
    )
    found = session.execute(
        select(Sample, nearest.c.gap)
        .join(nearest, nearest.c.sample_id == col(Sample.id))
        .order_by(nearest.c.gap, col(Sample.id))
    )
    return [Alike(sample, round(float(distance) ** 2 / scale, 4)) for sample, distance in found]

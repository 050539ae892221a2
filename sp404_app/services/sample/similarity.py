"""Similarity search: exact nearest neighbours among the vectors of one user."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from pgvector.sqlalchemy import Vector
from sqlalchemy import ARRAY, REAL, ColumnElement, Engine, Float, cast, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import Grouping
from sqlmodel import Session, col, select

from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.audio.similarity.embedding import VECTOR_PARTS, Aspect, apply_part_weights
from sp404_app.models import Sample, SampleVector
from sp404_app.services.library import samples
from sp404_app.services.processing.sandbox import QuerySound


@dataclass(frozen=True, slots=True)
class SimilarSample:
    """A sample and its distance: 0 for the same sound, 1 for unrelated ones."""

    sample: Sample
    distance: float


def save_vector(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, vector: npt.NDArray[np.float32]
) -> None:
    """Save the similarity vector of a sample, replacing an older one."""
    values = {"engine_version": ENGINE_VERSION, "vector": apply_part_weights(vector).tolist()}
    row = insert(SampleVector).values(sample_id=sample_id, user_id=user_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["sample_id"], set_=values))


def find_similar(
    session: Session,
    user_id: uuid.UUID,
    sample_id: uuid.UUID,
    limit: int,
    aspect: Aspect = Aspect.OVERALL,
) -> list[SimilarSample]:
    """Return the user's samples nearest to one of them, nearest first.

    The list is empty if the sample has not been analysed. Vectors of different engine versions
    are not comparable, so while a library is being analysed again only samples of the same
    version are searched.

    Raises:
        NotFound: If the sample does not exist or belongs to someone else.
    """
    samples.get_sample(session, user_id, sample_id)
    mine = (SampleVector.sample_id == sample_id, SampleVector.user_id == user_id)
    stored = session.exec(select(SampleVector).where(*mine)).first()
    if stored is None:
        return []
    query = SimilarityQuery(user_id, stored.engine_version, np.asarray(stored.vector, np.float32))
    found = _nearest(session, query, limit + 1, aspect)
    return [alike for alike in found if alike.sample.id != sample_id][:limit]


def find_similar_to_file(
    session: Session,
    user_id: uuid.UUID,
    heard: QuerySound,
    limit: int,
    aspect: Aspect = Aspect.OVERALL,
) -> list[SimilarSample]:
    """Return the user's samples nearest to a file that is not stored; empty for silence."""
    if heard.silent:
        return []
    query = SimilarityQuery(user_id, heard.engine_version, apply_part_weights(heard.likeness))
    return _nearest(session, query, limit, aspect)


@dataclass(frozen=True, slots=True)
class SimilarityQuery:
    """Whose samples to search, and the weighted vector to search for."""

    user_id: uuid.UUID
    engine_version: str
    vector: npt.NDArray[np.float32]


def distance_expression(
    session: Session, vector: npt.NDArray[np.float32], aspect: Aspect
) -> tuple[ColumnElement[float], float]:
    """Return the SQL distance of the stored vectors from one, and the maximum of its square."""
    column = col(SampleVector.vector)
    wanted: Sequence[float] = vector.tolist()
    scale = 2 * sum(weight for _, weight in VECTOR_PARTS.values())
    if aspect is not Aspect.OVERALL:
        part, weight = VECTOR_PARTS[aspect]
        # PostgreSQL counts from one; `<->` is pgvector's L2 distance.
        if has_subvector(session):
            column = func.subvector(column, part.start + 1, part.stop - part.start)
        else:  # four times as slow
            cut = Grouping(cast(column, ARRAY(REAL)))[part.start + 1 : part.stop]
            column = cast(cut, Vector(part.stop - part.start))
        wanted, scale = vector[part].tolist(), 2 * weight
    return column.op("<->", return_type=Float())(cast(wanted, Vector(len(wanted)))), scale


def has_subvector(session: Session) -> bool:
    """Return whether the database's pgvector is 0.7 or newer; asked once for each database."""
    engine = session.get_bind().engine
    if engine not in _has_subvector:
        known = text("select exists (select from pg_proc where proname = 'subvector')")
        _has_subvector[engine] = bool(session.execute(known).scalar())
    return _has_subvector[engine]


_has_subvector: WeakKeyDictionary[Engine, bool] = WeakKeyDictionary()


def _nearest(
    session: Session, query: SimilarityQuery, limit: int, aspect: Aspect
) -> list[SimilarSample]:
    distance, scale = distance_expression(session, query.vector, aspect)
    vector_of = col(SampleVector.sample_id)
    in_trash = select(Sample.id).where(
        Sample.id == vector_of, Sample.user_id == query.user_id, col(Sample.deleted_at).is_not(None)
    )
    # Sort ids and distances first; read whole rows only for the nearest.
    nearest = (
        select(vector_of, distance.label("gap"))
        .where(
            SampleVector.user_id == query.user_id,
            SampleVector.engine_version == query.engine_version,
            ~in_trash.exists(),
        )
        .order_by(distance, vector_of)
        .limit(limit)
        .subquery()
    )
    found = session.execute(
        select(Sample, nearest.c.gap)
        .join(nearest, nearest.c.sample_id == col(Sample.id))
        .order_by(nearest.c.gap, col(Sample.id))
    )
    return [SimilarSample(sample, round(float(apart) ** 2 / scale, 4)) for sample, apart in found]

"""The order of samples by their likeness to one of them, as SQL.

Distances are exact: PostgreSQL compares the vector of the sample with all others of one user. They
are weighted by aspect; vectors of different engine versions are not comparable.
"""

import uuid
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pgvector.sqlalchemy import Vector
from sqlalchemy import ColumnElement, Float, and_, case, cast, literal, null, or_
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import Grouping
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from sp404_app.audio.similarity.embedding import DIMENSIONS, VECTOR_PARTS, Aspect
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import Sample, SampleVector

MAX_WEIGHT: Final = 100
Weights = tuple[int, ...]  # of timbre, envelope, pitch and rhythm, in percent of their usual weight
DEFAULT_WEIGHTS: Final[Weights] = (MAX_WEIGHT,) * len(VECTOR_PARTS)
WEIGHTS_MESSAGE: Final = (
    f"Enter {len(VECTOR_PARTS)} whole numbers from 0 to {MAX_WEIGHT}, not all of them 0."
)
ANCHOR_DISTANCE: Final = -1.0  # the sample itself comes first, also before identical ones
stored_vectors = aliased(SampleVector)


def are_weights(weights: Weights) -> bool:
    """Return whether there is a percentage for each aspect, and one above 0."""
    return (
        len(weights) == len(VECTOR_PARTS)
        and all(type(each) is int and 0 <= each <= MAX_WEIGHT for each in weights)
        and any(weights)
    )


def parse_weights(text: str) -> Weights:
    """Parse percentages of timbre, envelope, pitch and rhythm: "100,50,0,100".

    Raises:
        ValidationFailed: If the text is something else, or all are 0.
    """
    parts = text.split(",")
    if len(parts) == len(VECTOR_PARTS) and all(
        part.isascii() and part.isdecimal() and len(part) <= len(str(MAX_WEIGHT)) for part in parts
    ):
        weights = tuple(map(int, parts))
        if are_weights(weights):
            return weights
    raise ValidationFailed("These weights aren’t valid.", {"weights": [WEIGHTS_MESSAGE]})


def format_weights(weights: Weights) -> str:
    """Write percentages as `parse_weights` reads them; the usual ones are empty."""
    return "" if weights in ((), DEFAULT_WEIGHTS) else ",".join(map(str, weights))


def only_aspect(aspect: Aspect) -> Weights:
    """Return the weights that compare by one aspect, which is not `OVERALL`."""
    return tuple(MAX_WEIGHT if part is aspect else 0 for part in VECTOR_PARTS)


@dataclass(frozen=True, slots=True)
class Anchor:
    """The sample that others are compared with; `vector` is None before its analysis."""

    id: uuid.UUID
    name: str
    engine_version: str | None = None
    vector: npt.NDArray[np.float32] | None = None


def get_anchor(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> Anchor:
    """Return a user's sample, whether or not it is in the trash, with its vector.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    columns = (Sample.name, SampleVector.engine_version, SampleVector.vector)
    found = session.execute(
        select(*columns)
        .select_from(Sample)
        .outerjoin(SampleVector, col(SampleVector.sample_id) == col(Sample.id))
        .where(col(Sample.id) == sample_id, col(Sample.user_id) == user_id)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such sample.")
    name, engine_version, vector = found
    stored = None if vector is None else np.asarray(vector, np.float32)
    return Anchor(sample_id, name, engine_version, stored)


@dataclass(frozen=True, slots=True)
class LikenessOrder:
    """Nearest first, the sample itself before all others.

    Samples without a vector of the same engine version come last, newest first; so do all if the
    sample itself has none.
    """

    user_id: uuid.UUID
    anchor: Anchor
    weights: Weights = ()

    @property
    def cursor_name(self) -> str:
        """Return the name of the order in cursors, which are of one sample and its weights."""
        return f"likeness {self.anchor.id} {format_weights(self.weights)}"

    def join(self, matching: SelectOfScalar[Sample]) -> SelectOfScalar[Sample]:
        """Join a statement with the vectors that the columns of the order read."""
        if self.anchor.vector is None:
            return matching
        comparable = and_(
            col(stored_vectors.sample_id) == col(Sample.id),
            col(stored_vectors.user_id) == self.user_id,
            col(stored_vectors.engine_version) == self.anchor.engine_version,
        )
        return matching.outerjoin(stored_vectors, comparable)

    def columns(self) -> list[Any]:
        """Return what to order a joined statement by."""
        return [self.distance().asc().nulls_last(), col(Sample.id).desc()]

    def distance(self) -> ColumnElement[Any]:
        """Return the distance from the sample, NULL for samples that are not comparable."""
        is_anchor = col(Sample.id) == self.anchor.id
        return case((is_anchor, literal(ANCHOR_DISTANCE, Float)), else_=self._gap())

    def after(self, distance: float | None, last_id: uuid.UUID) -> ColumnElement[bool]:
        """Return the condition for the samples after one, in a joined statement."""
        here, is_older = self.distance(), col(Sample.id) < last_id
        if distance is None:
            return and_(here.is_(None), is_older)
        last = literal(distance, Float)
        return or_(here > last, and_(here == last, is_older), here.is_(None))

    def _gap(self) -> ColumnElement[Any]:
        if self.anchor.vector is None:
            return null()
        column: Any = col(stored_vectors.vector)
        wanted = self.anchor.vector
        if len(set(self.weights)) > 1:  # equal ones change no order
            scales = _scales(self.weights)
            weighted = column.op("*", return_type=Vector(DIMENSIONS))(_as_vector(scales))
            column, wanted = Grouping(weighted), wanted * scales
        return column.op("<->", return_type=Float())(_as_vector(wanted))


def _scales(weights: Weights) -> npt.NDArray[np.float32]:
    """Return factors for vectors, so that their L2 distance has these weights."""
    scales = np.zeros(DIMENSIONS, np.float32)
    for weight, (cut, _) in zip(weights, VECTOR_PARTS.values(), strict=True):
        scales[cut] = np.sqrt(weight / MAX_WEIGHT)
    return scales


def _as_vector(values: npt.NDArray[np.float32]) -> ColumnElement[Any]:
    return cast(values.tolist(), Vector(DIMENSIONS))

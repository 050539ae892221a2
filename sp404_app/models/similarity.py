"""Tables for similarity search (one embedding per sample) and duplicates (one fingerprint)."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import uuid
from typing import Any

from pgvector.sqlalchemy import Vector
from sqlalchemy import Index, LargeBinary
from sqlmodel import Column, Field, SQLModel

from sp404_app.models.columns import Owner, Parent

VECTOR_DIMENSIONS = 64  # equal to that of `audio.similarity.embedding`, which a test checks


class SampleVector(SQLModel, table=True):
    """Embedding of a sample, weighted so that the L2 distance measures similarity."""

    __tablename__ = "sample_vectors"

    sample_id: uuid.UUID = Parent("samples.id", primary_key=True, index=False)
    user_id: uuid.UUID = Owner()
    engine_version: str
    vector: Any = Field(sa_column=Column(Vector(VECTOR_DIMENSIONS), nullable=False))


class SamplePrint(SQLModel, table=True):
    """Acoustic fingerprint of a sample; see `audio.similarity.fingerprint`."""

    __tablename__ = "prints"
    # Covers the search by length with an index-only scan; few fingerprints are then read.
    __table_args__ = (Index("prints_by_length", "user_id", "version", "length", "sample_id"),)

    sample_id: uuid.UUID = Parent("samples.id", primary_key=True, index=False)
    user_id: uuid.UUID = Owner()
    version: int
    length: float
    packed: bytes = Field(sa_type=LargeBinary)

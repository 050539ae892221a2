"""What sounds alike, one vector a sample, and what is a copy of what, one print a sample."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import uuid
from typing import Any

from pgvector.sqlalchemy import Vector
from sqlalchemy import Index, LargeBinary
from sqlmodel import Column, Field, SQLModel

from sp404_app.models.columns import Owner, Parent

DIMENSIONS = 64  # those of `audio.likeness`; a test holds the two together


class SampleVector(SQLModel, table=True):
    """The likeness of a sample, scaled so that the nearest by L2 is the most alike."""

    __tablename__ = "sample_vectors"

    sample_id: uuid.UUID = Parent("samples.id", primary_key=True, index=False)
    user_id: uuid.UUID = Owner()
    engine_version: str
    vector: Any = Field(sa_column=Column(Vector(DIMENSIONS), nullable=False))


class SamplePrint(SQLModel, table=True):
    """What a sample is known by, whatever is done to its file: see `audio.prints`."""

    __tablename__ = "prints"
    # Lengths are searched in the index alone; few of the prints are then read.
    __table_args__ = (Index("prints_by_length", "user_id", "version", "length", "sample_id"),)

    sample_id: uuid.UUID = Parent("samples.id", primary_key=True, index=False)
    user_id: uuid.UUID = Owner()
    version: int
    length: float
    packed: bytes = Field(sa_type=LargeBinary)

"""What sounds alike: one vector a sample."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import uuid
from typing import Any

from pgvector.sqlalchemy import Vector
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

"""Tables of collections: samples in an order of the user's, or all that match rules."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from sp404_app.models.columns import Created, Id, Moment, Owner, Updated


class Collection(SQLModel, table=True):
    """A collection of a user: manual, or smart if it has rules.

    `rules` is what `services.library.collection_rules.parse_rules` returns; a smart collection
    has no `CollectionSample`. `revision` grows with every change of the collection, its order
    included. `colour` is empty or one of `services.infra.colours.BANK_COLOURS`.
    """

    __tablename__ = "collections"
    __table_args__ = (
        UniqueConstraint("id", "user_id", name="collections_owner_key"),  # for foreign keys
        Index("collections_by_user", "user_id", "id", postgresql_where=text("deleted_at IS NULL")),
        CheckConstraint("name <> ''", "collections_name_not_empty"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    name: str = Field(max_length=200)
    note: str = Field(default="", max_length=4000)
    colour: str = Field(default="", max_length=7)
    # SQL NULL, not the JSON value, means manual.
    rules: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))  # type: ignore[call-overload]
    revision: int = Field(default=1, sa_type=BigInteger)
    deleted_at: dt.datetime | None = Moment()
    created_at: dt.datetime = Created()
    updated_at: dt.datetime = Updated()


class CollectionSample(SQLModel, table=True):
    """A sample in a manual collection; the foreign keys keep both with one owner.

    Rows are ordered by `position`, which has gaps, then by sample id. A sample in the trash keeps
    its place. Whoever inserts, changes or deletes rows holds the lock of the collection.
    """

    __tablename__ = "collection_samples"
    __table_args__ = (
        ForeignKeyConstraint(
            ["collection_id", "user_id"],
            ["collections.id", "collections.user_id"],
            name="collection_samples_collection_of_owner",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["sample_id", "user_id"],
            ["samples.id", "samples.user_id"],
            name="collection_samples_sample_of_owner",
            ondelete="CASCADE",
        ),
        Index("collection_samples_by_position", "collection_id", "position", "sample_id"),
        Index("collection_samples_by_sample", "sample_id"),
    )

    collection_id: uuid.UUID = Field(primary_key=True)
    sample_id: uuid.UUID = Field(primary_key=True)
    user_id: uuid.UUID = Owner()
    position: int = Field(sa_type=BigInteger)
    added_at: dt.datetime = Created()

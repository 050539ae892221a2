"""Tables of bulk edits: what was asked, and what each sample was before."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from sp404_app.models.columns import Created, Id, Moment, Owner


def _job() -> Any:
    """A job; the edit stays when the row of its job is deleted."""
    return Field(
        default=None,
        sa_type=Uuid,
        sa_column_args=[ForeignKey("processing_jobs.id", ondelete="SET NULL")],
        nullable=True,
        index=True,
    )


class BulkEdit(SQLModel, table=True):
    """One change of many samples.

    `parameters` is an edit of `services.bulk.edits` as JSON. `sample_ids` are in the order of the
    person's list, which numbers them. The job works in the order of the ids; `position` says how
    many of them are done.
    """

    __tablename__ = "bulk_edits"
    __table_args__ = (
        UniqueConstraint("id", "user_id", name="bulk_edits_owner_key"),  # for foreign keys
        Index("bulk_edits_by_user", "user_id", "id"),
        CheckConstraint("position >= 0", "bulk_edits_position_not_negative"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    job_id: uuid.UUID | None = _job()
    undo_job_id: uuid.UUID | None = _job()
    action: str
    parameters: dict[str, Any] = Field(sa_type=JSONB)
    sample_ids: list[uuid.UUID] = Field(sa_type=ARRAY(Uuid))  # type: ignore[call-overload]
    position: int = 0
    changed: int = 0
    skipped: int = 0
    failed: int = 0
    problem: str = ""  # why the first of the failed samples was not changed
    created_at: dt.datetime = Created()
    undone_at: dt.datetime | None = Moment()


class BulkEditItem(SQLModel, table=True):
    """The values of a sample that an edit has changed, before and after it.

    It is written with the change, and deleted when the change is undone.
    """

    __tablename__ = "bulk_edit_items"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bulk_edit_id", "user_id"],
            ["bulk_edits.id", "bulk_edits.user_id"],
            name="bulk_edit_items_edit_of_owner",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["sample_id", "user_id"],
            ["samples.id", "samples.user_id"],
            name="bulk_edit_items_sample_of_owner",
            ondelete="CASCADE",
        ),
        Index("bulk_edit_items_by_sample", "sample_id"),
    )

    bulk_edit_id: uuid.UUID = Field(primary_key=True)
    sample_id: uuid.UUID = Field(primary_key=True)
    user_id: uuid.UUID = Owner()
    before: dict[str, Any] = Field(sa_type=JSONB)
    after: dict[str, Any] = Field(sa_type=JSONB)

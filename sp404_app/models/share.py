"""Tables of public links, their daily counts, and reports of abuse."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from sp404_app.models.columns import Created, Id, Moment, Owner, Parent, Updated


class ShareDownload(StrEnum):
    """What visitors of a link may download."""

    NONE = "none"
    ORIGINAL = "original"
    SP404 = "sp404"


class Share(SQLModel, table=True):
    """A public link to one sample, collection or project of its owner.

    A link is found by `token_hash`, the SHA-256 of its token. `token_encrypted` is the token
    itself, for its owner to copy again. `password_hash` is empty without a password.
    """

    __tablename__ = "shares"
    __table_args__ = (
        UniqueConstraint("id", "user_id", name="shares_owner_key"),  # for foreign keys
        ForeignKeyConstraint(
            ["sample_id", "user_id"],
            ["samples.id", "samples.user_id"],
            name="shares_sample_of_owner",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["collection_id", "user_id"],
            ["collections.id", "collections.user_id"],
            name="shares_collection_of_owner",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["project_id", "user_id"],
            ["projects.id", "projects.user_id"],
            name="shares_project_of_owner",
            ondelete="CASCADE",
        ),
        Index("shares_by_sample", "sample_id", postgresql_where=text("sample_id IS NOT NULL")),
        Index("shares_by_project", "project_id", postgresql_where=text("project_id IS NOT NULL")),
        Index(
            "shares_by_collection",
            "collection_id",
            postgresql_where=text("collection_id IS NOT NULL"),
        ),
        CheckConstraint(
            "num_nonnulls(sample_id, collection_id, project_id) = 1", "shares_one_target"
        ),
        CheckConstraint("allow_download in ('none', 'original', 'sp404')", "shares_download_known"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    token_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    token_encrypted: bytes = Field(sa_type=LargeBinary)
    sample_id: uuid.UUID | None = None
    collection_id: uuid.UUID | None = None
    project_id: uuid.UUID | None = None
    expires_at: dt.datetime | None = Moment()
    password_hash: str = ""
    allow_download: str = ShareDownload.NONE
    allow_indexing: bool = False
    revoked_at: dt.datetime | None = Moment()
    taken_down_at: dt.datetime | None = Moment()
    created_at: dt.datetime = Created()
    updated_at: dt.datetime = Updated()


class ShareDay(SQLModel, table=True):
    """How often the sounds of a link were played and downloaded on one day, in UTC."""

    __tablename__ = "share_days"
    __table_args__ = (
        ForeignKeyConstraint(
            ["share_id", "user_id"], ["shares.id", "shares.user_id"], ondelete="CASCADE"
        ),
    )

    share_id: uuid.UUID = Field(primary_key=True)
    day: dt.date = Field(primary_key=True)
    user_id: uuid.UUID = Owner()
    plays: int = Field(default=0, sa_type=BigInteger)
    downloads: int = Field(default=0, sa_type=BigInteger)


class ShareReport(SQLModel, table=True):
    """A visitor's report of abuse. It is open until an operator closes it with an outcome.

    Nothing of the visitor is kept. There is no `user_id`: the data export of the link's owner must
    not contain what a visitor wrote about them.
    """

    __tablename__ = "share_reports"
    __table_args__ = (
        Index("share_reports_open", "id", postgresql_where=text("closed_at IS NULL")),
        CheckConstraint(
            "outcome in ('', 'taken_down', 'dismissed')", "share_reports_outcome_known"
        ),
    )

    id: uuid.UUID = Id()
    share_id: uuid.UUID = Parent("shares.id")
    reason: str = Field(max_length=40)
    note: str = Field(default="", max_length=2000)
    created_at: dt.datetime = Created()
    closed_at: dt.datetime | None = Moment()
    outcome: str = ""

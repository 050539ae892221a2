"""Tables of background jobs, monthly usage and the audit log."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from sp404_app.models.columns import Created, Id, Moment, Owner, Parent


class JobKind(StrEnum):
    """What a job does."""

    ANALYSE = "analyse"
    EXPORT = "export"
    IMPORT = "import"
    BULK = "bulk"
    ACCOUNT_EXPORT = "account_export"
    SPECTROGRAM = "spectrogram"
    RENDER = "render"
    CONVERT = "convert"


class JobStatus(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = text("status in ('queued', 'running')")


class ProcessingJob(SQLModel, table=True):
    """A background job. The row holds its state; the RQ job only starts a worker on it."""

    __tablename__ = "processing_jobs"
    __table_args__ = (
        Index(
            "processing_jobs_one_active",
            "sample_id",
            "kind",
            unique=True,
            postgresql_where=ACTIVE,
        ),
        Index("processing_jobs_active", "status", "heartbeat_at", postgresql_where=ACTIVE),
        Index("processing_jobs_by_user", "user_id", "id"),
        CheckConstraint("progress between 0 and 1", "processing_jobs_progress_range"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    sample_id: uuid.UUID | None = Parent("samples.id", nullable=True, default=None)
    kind: str
    status: str = JobStatus.QUEUED
    queue: str
    progress: float = 0.0
    attempts: int = 0
    usage_period_start: dt.datetime | None = Moment()  # start of the month whose quota it used
    error: str = ""
    result: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    created_at: dt.datetime = Created()
    heartbeat_at: dt.datetime = Created()
    started_at: dt.datetime | None = Moment()
    finished_at: dt.datetime | None = Moment()


class UsagePeriod(SQLModel, table=True):
    """The number of analyses that a user has used in one billing month."""

    __tablename__ = "usage_periods"
    __table_args__ = (
        UniqueConstraint("user_id", "period_start"),
        CheckConstraint("analyses >= 0", "usage_periods_not_negative"),
        CheckConstraint("period_end > period_start", "usage_periods_forward"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    period_start: dt.datetime = Moment(nullable=False)
    period_end: dt.datetime = Moment(nullable=False)
    analyses: int = Field(default=0, sa_type=BigInteger)


class AuditEntry(SQLModel, table=True):
    """An audit event. Its ids are no foreign keys, because the log outlives the account."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("audit_log_by_user", "user_id", "id"),)

    id: uuid.UUID = Id()
    at: dt.datetime = Created()
    user_id: uuid.UUID | None = None
    action: str
    ip: str = ""
    request_id: str = ""
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)

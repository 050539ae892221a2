"""Tables of projects, their pads, their undo history, and rendered pad audio."""

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
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from sp404_app.models.columns import Created, Id, Moment, Owner, Updated


class Project(SQLModel, table=True):
    """What one SP-404 project holds: ten banks of pads.

    `revision` grows with every change. `history_position` is the number of the last step that is
    in force; steps after it can be redone.
    """

    __tablename__ = "projects"
    __table_args__ = (
        UniqueConstraint("id", "user_id", name="projects_owner_key"),  # for foreign keys
        Index("projects_by_user", "user_id", "id", postgresql_where=text("deleted_at IS NULL")),
        CheckConstraint("device in ('mk2', 'sx')", "projects_device_known"),
        CheckConstraint("tempo between 40 and 200", "projects_tempo_range"),
        CheckConstraint("tempo_source in ('project', 'bank')", "projects_tempo_source_known"),
        CheckConstraint("name <> ''", "projects_name_not_empty"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    name: str = Field(max_length=200)
    device: str
    tempo: float = 90.0
    tempo_source: str = "project"
    banks: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB, nullable=False)
    revision: int = Field(default=1, sa_type=BigInteger)
    history_position: int = Field(default=0, sa_type=BigInteger)
    is_demo: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    deleted_at: dt.datetime | None = Moment()
    created_at: dt.datetime = Created()
    updated_at: dt.datetime = Updated()


class ProjectPad(SQLModel, table=True):
    """A pad that holds a sample; the foreign keys keep pad, project and sample with one owner.

    `revision` is the project's revision of the pad's last change. A sample that is permanently
    deleted leaves its pad with its name. `frames` is the length of the pad's audio at the
    project's rate, or null until it is rendered. `source_id` is what the pad was read from.
    """

    __tablename__ = "project_pads"
    __table_args__ = (
        ForeignKeyConstraint(
            ["project_id", "user_id"], ["projects.id", "projects.user_id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["sample_id", "user_id"],
            ["samples.id", "samples.user_id"],
            name="project_pads_sample_of_owner",
            ondelete="SET NULL (sample_id)",
        ),
        ForeignKeyConstraint(
            ["source_id", "user_id"],
            ["pad_sources.id", "pad_sources.user_id"],
            name="project_pads_source_of_owner",
            ondelete="SET NULL (source_id)",
        ),
        Index("project_pads_by_source", "source_id"),
        Index("project_pads_by_sample", "sample_id"),
        CheckConstraint("bank between 0 and 9", "project_pads_bank_range"),
        CheckConstraint("pad between 1 and 16", "project_pads_pad_range"),
    )

    project_id: uuid.UUID = Field(primary_key=True)
    bank: int = Field(primary_key=True, sa_type=SmallInteger)
    pad: int = Field(primary_key=True, sa_type=SmallInteger)
    user_id: uuid.UUID = Owner()
    sample_id: uuid.UUID | None = None
    name: str = Field(max_length=200)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, nullable=False)
    edit: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    chops: list[int] = Field(default_factory=list, sa_type=ARRAY(BigInteger), nullable=False)
    frames: int | None = Field(default=None, sa_type=BigInteger)
    source_id: uuid.UUID | None = None
    revision: int = Field(sa_type=BigInteger)
    updated_at: dt.datetime = Updated()


class ProjectStep(SQLModel, table=True):
    """One step of a project's undo history: what it changed, before and after.

    `before` and `after` hold `{"project": {column: value}, "pads": {"0-1": content or null}}`,
    with bank index and pad number.
    """

    __tablename__ = "project_steps"
    __table_args__ = (
        ForeignKeyConstraint(
            ["project_id", "user_id"], ["projects.id", "projects.user_id"], ondelete="CASCADE"
        ),
    )

    project_id: uuid.UUID = Field(primary_key=True)
    position: int = Field(primary_key=True, sa_type=BigInteger)
    user_id: uuid.UUID = Owner()
    label: str = Field(max_length=200)
    before: dict[str, Any] = Field(sa_type=JSONB)
    after: dict[str, Any] = Field(sa_type=JSONB)
    created_at: dt.datetime = Created()


class PadRender(SQLModel, table=True):
    """A rendered pad audio file in the object store. It is a cache and may be dropped at any time.

    `render_key` is the hash of what determines the audio: sample, edit, rate, loop and the
    versions of the renderer. `peaks` is the waveform, encoded as `audio.io.peaks` does.
    `job_id` names the job that makes it while `size_bytes` is null; `error` says why it failed.
    """

    __tablename__ = "pad_renders"
    __table_args__ = (
        ForeignKeyConstraint(
            ["sample_id", "user_id"], ["samples.id", "samples.user_id"], ondelete="CASCADE"
        ),
        Index("pad_renders_by_use", "last_used_at"),
        Index("pad_renders_by_sample", "sample_id"),
    )

    user_id: uuid.UUID = Owner(primary_key=True)
    render_key: str = Field(primary_key=True, max_length=64)
    sample_id: uuid.UUID
    instructions: dict[str, Any] = Field(sa_type=JSONB)  # {"edit", "rate", "loop"}
    job_id: uuid.UUID | None = None
    error: str = ""
    frames: int | None = Field(default=None, sa_type=BigInteger)
    channels: int | None = None
    size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str = ""
    peak_dbfs: float | None = None
    frames_held: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    peaks: bytes | None = None
    created_at: dt.datetime = Created()
    last_used_at: dt.datetime = Created()

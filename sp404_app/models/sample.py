"""Tables of samples, waveforms, analyses and tags."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Computed,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlmodel import Column, Field, SQLModel

from sp404_app.models.columns import Created, Id, Moment, Owner, Parent, Updated


class SampleStatus(StrEnum):
    """Processing status of a sample."""

    QUEUED = "queued"
    ANALYSING = "analysing"
    READY = "ready"
    FAILED = "failed"
    WAITING_FOR_QUOTA = "waiting_for_quota"


class Kind(StrEnum):
    """Loop or one-shot."""

    LOOP = "loop"
    ONE_SHOT = "one_shot"


class Source(StrEnum):
    """Where a value comes from. Values from the user are never overwritten.

    Name, folder and length are of samples that wait for their analysis.
    """

    ANALYSIS = "analysis"
    FILE = "file"
    NAME = "name"
    FOLDER = "folder"
    LENGTH = "length"
    USER = "user"


NOT_DELETED = text("deleted_at IS NULL")
MEASURED = ["bpm", "duration", "key", "kind", "sound_class", "duplicate_group_id"]
# An entry of a B-tree takes at most 2,704 bytes: 200 of text are at most 900 of `search`, and six
# tags at most 1,500.
FITS_FILTER_INDEX = text("octet_length(search_text) <= 200 AND cardinality(tags) <= 6")
EXCEEDS_FILTER_INDEX = text("(octet_length(search_text) > 200 OR cardinality(tags) > 6)")


class Sample(SQLModel, table=True):
    """A sample of a user, with its current tempo, key and kind."""

    __tablename__ = "samples"
    __table_args__ = (
        UniqueConstraint("id", "user_id", name="samples_owner_key"),  # for foreign keys
        Index("samples_digest_key", "user_id", "digest", unique=True, postgresql_where=NOT_DELETED),
        Index("samples_by_created", "user_id", "id", postgresql_where=NOT_DELETED),
        Index("samples_by_name", "user_id", "sort_key", "id", postgresql_where=NOT_DELETED),
        Index("samples_by_bpm", "user_id", "bpm", "id", postgresql_where=NOT_DELETED),
        Index("samples_by_key", "user_id", "key", "id", postgresql_where=NOT_DELETED),
        Index("samples_by_duration", "user_id", "duration", "id", postgresql_where=NOT_DELETED),
        Index("samples_by_size", "user_id", "size", "id", postgresql_where=NOT_DELETED),
        # Rules of smart collections are counted from this index alone.
        Index(
            "samples_by_values",
            "user_id",
            "id",
            postgresql_include=MEASURED,
            postgresql_where=NOT_DELETED,
        ),
        # For rules of which one must be met: all that they compare. A row of the table is three
        # times as wide, and `deleted_at` a late column of it.
        Index(
            "samples_by_filters",
            "user_id",
            "id",
            postgresql_include=[*MEASURED, "favourite", "rating", "status", "tags", "search"],
            postgresql_where=text(f"{NOT_DELETED} AND {FITS_FILTER_INDEX}"),
        ),
        Index(
            "samples_beside_filters",
            "user_id",
            "id",
            postgresql_where=text(f"{NOT_DELETED} AND {EXCEEDS_FILTER_INDEX}"),
        ),
        # The loops of a folder: the name itself may be longer than an index takes.
        Index(
            "samples_tempi_by_folder",
            "user_id",
            func.md5(Column("folder")),
            postgresql_where=text("deleted_at IS NULL AND bpm IS NOT NULL"),
        ),
        Index(
            "samples_by_copies",
            "user_id",
            "duplicate_group_id",
            "id",
            postgresql_where=text("duplicate_group_id IS NOT NULL"),
        ),
        # The pages show how full the trash is, and it holds few of a user's samples.
        Index(
            "samples_in_trash",
            "user_id",
            "deleted_at",
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
        # Few samples have a rating or are favourites: a search for them reads no others.
        Index(
            "samples_by_rating",
            "user_id",
            "rating",
            "id",
            postgresql_where=text("deleted_at IS NULL AND rating > 0"),
        ),
        Index(
            "samples_favourites",
            "user_id",
            "id",
            postgresql_where=text("deleted_at IS NULL AND favourite"),
        ),
        # Without the trash, so that `deleted_at`, a late column of a wide row, need not be read.
        # No fastupdate: every search would scan the pending list until the next vacuum.
        Index(
            "samples_search",
            "search",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            postgresql_where=NOT_DELETED,
        ),
        Index("samples_tags", "tags", postgresql_using="gin", postgresql_where=NOT_DELETED),
        CheckConstraint("size >= 0", "samples_size_not_negative"),
        CheckConstraint("rating between 0 and 5", "samples_rating_range"),
        CheckConstraint("bpm is null or bpm between 20 and 999", "samples_bpm_range"),
        CheckConstraint("name <> ''", "samples_name_not_empty"),
        CheckConstraint("duration is null or duration >= 0", "samples_duration_not_negative"),
        CheckConstraint("kind is null or kind in ('loop', 'one_shot')", "samples_kind_known"),
        CheckConstraint(
            "root_note is null or root_note between 0 and 127", "samples_root_note_range"
        ),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    name: str = Field(max_length=200)
    filename: str = Field(max_length=300)
    folder: str = Field(default="", max_length=1000)
    storage_key: str = Field(unique=True)
    preview_key: str | None = None
    size: int = Field(sa_type=BigInteger)
    digest: str = Field(max_length=64)
    format: str = Field(max_length=40)
    sample_rate: int | None = None
    channels: int | None = None
    duration: float | None = None
    status: str = SampleStatus.QUEUED
    error: str = ""
    thumbnail: str = ""
    loudness_lufs: float | None = None
    peak_dbfs: float | None = None
    kind: str | None = None
    kind_source: str = Source.ANALYSIS
    # A value of `audio.features.sound_class.SoundClass`, or of an older engine.
    sound_class: str | None = None
    sound_class_source: str = Field(
        default=Source.ANALYSIS, sa_column_kwargs={"server_default": Source.ANALYSIS}
    )
    root_note: int | None = None  # MIDI note, for tonal one-shots
    bpm: float | None = None
    bpm_source: str = Source.ANALYSIS
    bpm_confidence: float | None = None
    key: str | None = None
    key_source: str = Source.ANALYSIS
    key_confidence: float | None = None
    duplicate_group_id: uuid.UUID | None = None  # shared by all duplicates of one recording
    favourite: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    rating: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    note: str = Field(default="", max_length=4000)
    tags: list[str] = Field(
        default_factory=list,
        sa_type=ARRAY(Text),
        sa_column_kwargs={"server_default": "{}"},
        nullable=False,
    )
    # What it sounds like, by its measurements: `audio.features.sound_words`.
    sound_words: list[str] = Field(
        default_factory=list,
        sa_type=ARRAY(Text),
        sa_column_kwargs={"server_default": "{}"},
        nullable=False,
    )
    # The place on the map of sounds, 0 to 1: `audio.similarity.sound_map`.
    map_x: float | None = Field(default=None, sa_type=REAL)
    map_y: float | None = Field(default=None, sa_type=REAL)
    search_text: str = ""
    # `services.infra.text.sort_key` of the name. Collation C gives the same order everywhere.
    sort_key: str = Field(
        default="", sa_column=Column(Text(collation="C"), nullable=False, server_default="")
    )
    search: Any = Field(
        default=None,
        sa_column=Column(TSVECTOR, Computed("to_tsvector('simple', search_text)", persisted=True)),
    )
    # The demo project finds its sounds by it. They count like all others.
    is_demo: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    # The name of the person from whose link the sample was saved; empty for all other samples.
    shared_by: str = Field(default="", max_length=200, sa_column_kwargs={"server_default": ""})
    deleted_at: dt.datetime | None = Moment()
    created_at: dt.datetime = Created()
    updated_at: dt.datetime = Updated()


class Waveform(SQLModel, table=True):
    """Waveform peaks of a sample at several resolutions, encoded as bytes."""

    __tablename__ = "waveforms"

    sample_id: uuid.UUID = Parent("samples.id", primary_key=True, index=False)
    user_id: uuid.UUID = Owner()
    peaks: bytes = Field(sa_type=LargeBinary)


class Analysis(SQLModel, table=True):
    """Results of one engine version for one sample."""

    __tablename__ = "analyses"
    __table_args__ = (UniqueConstraint("sample_id", "engine_version"),)

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    sample_id: uuid.UUID = Parent("samples.id")
    engine_version: str
    status: str
    error: str = ""
    started_at: dt.datetime | None = Moment()
    finished_at: dt.datetime | None = Moment()
    kind: str | None = None
    kind_confidence: float | None = None
    bpm: float | None = None
    bpm_confidence: float | None = None
    bpm_candidates: list[Any] = Field(default_factory=list, sa_type=JSONB)
    key: str | None = None
    key_confidence: float | None = None
    key_candidates: list[Any] = Field(default_factory=list, sa_type=JSONB)
    beats: list[float] = Field(default_factory=list, sa_type=ARRAY(REAL))
    onsets: list[float] = Field(default_factory=list, sa_type=ARRAY(REAL))
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    created_at: dt.datetime = Created()


class Tag(SQLModel, table=True):
    """A tag of a user. `Sample.tags` holds the names of the tags."""

    __tablename__ = "tags"
    __table_args__ = (
        Index("tags_name_key", "user_id", func.lower(Column("name")), unique=True),
        CheckConstraint("name <> ''", "tags_name_not_empty"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    name: str = Field(max_length=60)
    created_at: dt.datetime = Created()

"""Tables of what was read from a card, what is written to one, and uploads of cards."""

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
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from sp404_app.models.columns import Created, Id, Moment, Owner


def _project_of_owner() -> ForeignKeyConstraint:
    """Keep a row and its project with one owner; the row is deleted with the project."""
    return ForeignKeyConstraint(
        ["project_id", "user_id"], ["projects.id", "projects.user_id"], ondelete="CASCADE"
    )


class PadSource(SQLModel, table=True):
    """What a pad was read from, byte for byte; never changed.

    `record`, `name` and `chops` are the pad's parts of PADCONF.BIN, or of PAD_INFO.BIN (record
    only). `audio_header` is what stands before the PCM in the pad's audio file, `audio_tail` what
    stands after its last frame (null if that is not known), `audio_sha256` the hash of that whole
    file, and `sample_id` the sample that it became. An export writes these bytes again where the
    pad still says the same.
    """

    __tablename__ = "pad_sources"
    __table_args__ = (
        UniqueConstraint("id", "user_id", name="pad_sources_owner_key"),  # for foreign keys
        ForeignKeyConstraint(
            ["sample_id", "user_id"],
            ["samples.id", "samples.user_id"],
            name="pad_sources_sample_of_owner",
            ondelete="SET NULL (sample_id)",
        ),
        Index("pad_sources_by_audio", "user_id", "audio_sha256"),
        Index("pad_sources_by_sample", "sample_id"),
        CheckConstraint("device in ('mk2', 'sx')", "pad_sources_device_known"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    device: str
    record: bytes = Field(sa_type=LargeBinary)
    name: bytes = Field(default=b"", sa_type=LargeBinary)
    chops: bytes = Field(default=b"", sa_type=LargeBinary)
    audio_header: bytes = Field(default=b"", sa_type=LargeBinary)
    audio_tail: bytes | None = Field(default=None, sa_type=LargeBinary)
    audio_sha256: str = Field(
        default="", max_length=64, sa_column_kwargs={"server_default": text("''")}
    )
    sample_id: uuid.UUID | None = None
    created_at: dt.datetime = Created()


class ProjectSource(SQLModel, table=True):
    """The PADCONF.BIN or PAD_INFO.BIN that a project was read from, and the folder it was in."""

    __tablename__ = "project_sources"
    __table_args__ = (
        _project_of_owner(),
        CheckConstraint("device in ('mk2', 'sx')", "project_sources_device_known"),
    )

    project_id: uuid.UUID = Field(primary_key=True)
    user_id: uuid.UUID = Owner()
    device: str
    config: bytes = Field(sa_type=LargeBinary)
    folder: str = ""
    created_at: dt.datetime = Created()


class ProjectFile(SQLModel, table=True):
    """A pattern, pattern chain or picture that came with a project, byte for byte.

    `path` is relative to the project's folder, with "/": "PTN/PTN00001.BIN".
    """

    __tablename__ = "project_files"
    __table_args__ = (_project_of_owner(),)

    project_id: uuid.UUID = Field(primary_key=True)
    path: str = Field(primary_key=True, max_length=200)
    user_id: uuid.UUID = Owner()
    data: bytes = Field(sa_type=LargeBinary)


class ProjectCard(SQLModel, table=True):
    """The files of a project on its card, as they were last read or written and verified.

    `files` is `[{"path", "bytes", "sha256"}]`, with paths from the card's root; `"unused": true` if
    no pad used the file when it was read, `"remove": true` if the user wants it to be deleted.
    """

    __tablename__ = "project_cards"
    __table_args__ = (_project_of_owner(),)

    project_id: uuid.UUID = Field(primary_key=True)
    user_id: uuid.UUID = Owner()
    files: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB, nullable=False)
    seen_at: dt.datetime = Created()


class ProjectExport(SQLModel, table=True):
    """A ZIP archive of a project for a device. It is a cache and may be dropped at any time.

    `content_key` is the hash of everything that determines the bytes, so an unchanged project is
    not exported twice. `size_bytes` is null until the archive is made and compared; until then,
    `files` is the plan, as `services.cards.export_plan` writes it. Afterwards it is
    `[{"path", "bytes", "sha256", "offset"}]`, with the offset of the file in the archive.
    """

    __tablename__ = "project_exports"
    __table_args__ = (
        _project_of_owner(),
        UniqueConstraint("user_id", "content_key", name="project_exports_content_key"),
        Index("project_exports_by_use", "last_used_at"),
        CheckConstraint("device in ('mk2', 'sx', 'import')", "project_exports_device_known"),
        CheckConstraint("place in ('', 'import', 'export')", "project_exports_place_known"),
        CheckConstraint("slot between 0 and 16", "project_exports_slot_range"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    project_id: uuid.UUID = Field(index=True)
    device: str
    place: str = ""
    slot: int = 0
    content_key: str = Field(max_length=64)
    job_id: uuid.UUID | None = None
    size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str = ""
    files: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB, nullable=False)
    created_at: dt.datetime = Created()
    last_used_at: dt.datetime = Created()


class CardImport(SQLModel, table=True):
    """An upload of a card or of a project's folder, file by file.

    `kind` is the device if the client knows it, else empty. `finished_at` is set when the client
    has sent all files; the job then reads the projects in `folders`, or all. `sample_keys` are the
    objects that the job stores and that belong to no sample yet. Uploads are deleted after a day.
    """

    __tablename__ = "card_imports"
    __table_args__ = (
        UniqueConstraint("id", "user_id", name="card_imports_owner_key"),  # for foreign keys
        Index("card_imports_by_age", "created_at"),
        CheckConstraint("kind in ('', 'mk2', 'sx')", "card_imports_kind_known"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    kind: str = ""
    job_id: uuid.UUID | None = None
    folders: list[str] | None = Field(default=None, sa_type=JSONB)
    sample_keys: list[str] = Field(
        default_factory=list,
        sa_type=JSONB,
        nullable=False,
        sa_column_kwargs={"server_default": text("'[]'")},
    )
    created_at: dt.datetime = Created()
    finished_at: dt.datetime | None = Moment()


class CardImportFile(SQLModel, table=True):
    """One file of an upload. Without `storage_key` only its size and hash are known.

    `path` is relative to what was chosen, with "/". `folded_path` is the path without case, as FAT
    compares names.
    """

    __tablename__ = "card_import_files"
    __table_args__ = (
        ForeignKeyConstraint(
            ["import_id", "user_id"],
            ["card_imports.id", "card_imports.user_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("size_bytes >= 0", "card_import_files_size_range"),
    )

    import_id: uuid.UUID = Field(primary_key=True)
    folded_path: str = Field(primary_key=True, max_length=1024)
    user_id: uuid.UUID = Owner()
    path: str = Field(max_length=1024)
    size_bytes: int = Field(sa_type=BigInteger)
    sha256: str = Field(default="", max_length=64)
    storage_key: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    created_at: dt.datetime = Created()

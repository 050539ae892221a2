"""Column kinds that several tables share."""

import datetime as dt
import uuid
from typing import Any

import uuid_utils
from sqlalchemy import DateTime, ForeignKey, Uuid, func
from sqlmodel import Field


def uuid7() -> uuid.UUID:
    """Return an id that sorts by the time of its creation (RFC 9562, version 7)."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)


def now() -> dt.datetime:
    """Return the current time in UTC."""
    return dt.datetime.now(dt.UTC)


def Id() -> Any:  # noqa: N802 - reads as a type where tables are declared
    """A UUIDv7 primary key, created by the app."""
    return Field(default_factory=uuid7, primary_key=True)


def Owner(**options: Any) -> Any:  # noqa: N802
    """The id of the user that a row belongs to; deleted with the user."""
    return Field(
        sa_type=Uuid,
        sa_column_args=[ForeignKey("users.id", ondelete="CASCADE")],
        nullable=False,
        index=True,
        **options,
    )


def Parent(target: str, **options: Any) -> Any:  # noqa: N802
    """A foreign key; the row is deleted with its parent."""
    return Field(
        sa_type=Uuid,
        sa_column_args=[ForeignKey(target, ondelete="CASCADE")],
        **{"nullable": False, "index": True, **options},
    )


def Moment(**options: Any) -> Any:  # noqa: N802
    """An optional timestamp with time zone."""
    return Field(default=None, sa_type=DateTime(timezone=True), **options)  # type: ignore[call-overload]


def Created() -> Any:  # noqa: N802
    """When the row was created."""
    return Field(
        default_factory=now,
        sa_type=DateTime(timezone=True),  # type: ignore[call-overload]
        nullable=False,
        sa_column_kwargs={"server_default": func.now()},
    )


def Updated() -> Any:  # noqa: N802
    """When the row was last changed."""
    return Field(
        default_factory=now,
        sa_type=DateTime(timezone=True),  # type: ignore[call-overload]
        nullable=False,
        sa_column_kwargs={"server_default": func.now(), "onupdate": now},
    )

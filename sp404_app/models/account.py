"""Tables of users, their preferences, sessions, one-time tokens and unsent e-mails."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, LargeBinary, SQLModel

from sp404_app.models.columns import Created, Id, Moment, Owner, Parent, Updated


class User(SQLModel, table=True):
    """A user account."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_email_key", func.lower(Column("email")), unique=True),
        CheckConstraint("length(email) between 3 and 254", "users_email_length"),
    )

    id: uuid.UUID = Id()
    email: str
    password_hash: str
    first_name: str = Field(default="", max_length=100)
    last_name: str = Field(default="", max_length=100)
    avatar_url: str | None = None
    email_verified_at: dt.datetime | None = Moment()
    is_demo: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    created_at: dt.datetime = Created()
    updated_at: dt.datetime = Updated()


class Theme(StrEnum):
    """The colour theme; `system` follows the device."""

    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"


class UserPreferences(SQLModel, table=True):
    """A user's preferences; without a row the defaults apply."""

    __tablename__ = "user_preferences"

    user_id: uuid.UUID = Parent("users.id", primary_key=True, index=False)
    theme: str = Theme.DARK
    autoplay: bool = True
    level_previews: bool = True
    folders_become_tags: bool = True
    # Learned notes of a MIDI controller: "channel:note" → pad, such as "10:36" → "A1".
    midi_notes: dict[str, str] = Field(
        default_factory=dict,
        sa_type=JSONB,
        sa_column_kwargs={"server_default": "{}"},
        nullable=False,
    )
    # Of the list of samples: {"order": [...], "hidden": [...]}; `services.account.list_columns`.
    list_columns: dict[str, list[str]] = Field(
        default_factory=dict,
        sa_type=JSONB,
        sa_column_kwargs={"server_default": "{}"},
        nullable=False,
    )
    updated_at: dt.datetime = Updated()


class SignIn(SQLModel, table=True):
    """A signed-in device: a browser session (cookie) or a token family of an API client."""

    __tablename__ = "sign_ins"

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    cookie_hash: bytes | None = Field(default=None, sa_type=LargeBinary, unique=True)
    user_agent: str = Field(default="", max_length=400)
    ip: str = Field(default="", max_length=45)
    created_at: dt.datetime = Created()
    last_seen_at: dt.datetime = Created()
    expires_at: dt.datetime = Moment(nullable=False)
    revoked_at: dt.datetime | None = Moment()
    # When the user last confirmed the password; sensitive actions need it again.
    confirmed_at: dt.datetime | None = Moment()


class RefreshToken(SQLModel, table=True):
    """The hash of a refresh token; used ones are kept to detect reuse."""

    __tablename__ = "refresh_tokens"

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    sign_in_id: uuid.UUID = Parent("sign_ins.id")
    hash: bytes = Field(sa_type=LargeBinary, unique=True)
    parent_id: uuid.UUID | None = Field(default=None)
    used_at: dt.datetime | None = Moment()
    expires_at: dt.datetime = Moment(nullable=False)
    created_at: dt.datetime = Created()


class Purpose(StrEnum):
    """The one action that a one-time token allows."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password
    CHANGE_EMAIL = "change_email"
    REVERT_EMAIL = "revert_email"
    TWO_FACTOR = "two_factor"


class OneTimeToken(SQLModel, table=True):
    """The hash of a token that was sent by e-mail and works once."""

    __tablename__ = "one_time_tokens"

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    purpose: str
    hash: bytes = Field(sa_type=LargeBinary, unique=True)
    new_email: str | None = None
    used_at: dt.datetime | None = Moment()
    expires_at: dt.datetime = Moment(nullable=False)
    created_at: dt.datetime = Created()


class UnsentMail(SQLModel, table=True):
    """An e-mail that the mail server has not accepted yet, or has refused; deleted once sent.

    It has no user id: a mail to an address without an account is recorded in the same way.
    """

    __tablename__ = "unsent_mails"

    id: uuid.UUID = Id()
    recipient: str = Field(index=True)
    subject: str
    # Text and HTML, encrypted; null once the e-mail was given up.
    encrypted_body: bytes | None = Field(default=None, sa_type=LargeBinary)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    # When the next attempt may start; null once the e-mail was given up.
    due_at: dt.datetime | None = Moment()
    reason: str = Field(default="", sa_column_kwargs={"server_default": ""})
    failed_at: dt.datetime | None = Moment()
    created_at: dt.datetime = Created()

"""Tables of two-factor authentication and personal access tokens."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import datetime as dt
import uuid

from sqlalchemy import BigInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, LargeBinary, SQLModel

from sp404_app.models.columns import Created, Id, Moment, Owner, Parent


class TotpFactor(SQLModel, table=True):
    """The TOTP secret (RFC 6238) of an authenticator app; active after its first valid code."""

    __tablename__ = "totp_factors"

    user_id: uuid.UUID = Parent("users.id", primary_key=True, index=False)
    sealed_secret: bytes = Field(sa_type=LargeBinary)
    confirmed_at: dt.datetime | None = Moment()
    # The 30 s time step of the last accepted code, so that no code works twice.
    last_step: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    created_at: dt.datetime = Created()


class RecoveryCode(SQLModel, table=True):
    """The hash of a recovery code, which works once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "hash"),)

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    hash: bytes = Field(sa_type=LargeBinary)
    used_at: dt.datetime | None = Moment()
    created_at: dt.datetime = Created()


class PersonalToken(SQLModel, table=True):
    """The hash of a personal access token and its scopes (`abilities`)."""

    __tablename__ = "personal_tokens"

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    name: str = Field(max_length=100)
    hash: bytes = Field(sa_type=LargeBinary, unique=True)
    ending: str = Field(max_length=4)
    abilities: list[str] = Field(default_factory=list, sa_type=ARRAY(Text), nullable=False)
    last_used_at: dt.datetime | None = Moment()
    expires_at: dt.datetime | None = Moment()
    created_at: dt.datetime = Created()

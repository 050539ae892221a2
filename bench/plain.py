"""The sample list as in most FastAPI apps, as the baseline of bench/load.py.

A synchronous route, rows as SQLModel objects, a response model, a signed token whose user is
read on each request; no middleware, no limits, no revocation.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlmodel import Session, col, func, select

from sp404_app.db import engine
from sp404_app.models import Sample, User
from sp404_app.services.auth import access_tokens, signing_keys

app = FastAPI()


class SampleOut(BaseModel):
    """A sample."""

    id: uuid.UUID
    name: str
    filename: str
    folder: str
    status: str
    error: str
    kind: str | None
    duration: float | None
    sample_rate: int | None
    channels: int | None
    format: str
    size: int
    bpm: float | None
    bpm_source: str
    bpm_confidence: float | None
    key: str | None
    key_source: str
    key_confidence: float | None
    loudness_lufs: float | None
    peak_dbfs: float | None
    tags: list[str]
    favourite: bool
    rating: int
    note: str
    deleted_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


class SamplePage(BaseModel):
    """One page of a list."""

    samples: list[SampleOut]
    total: int


def database_session() -> Iterator[Session]:
    """Provide the route with a session."""
    with Session(engine()) as session:
        yield session


Database = Annotated[Session, Depends(database_session)]
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


def current_user(session: Database, bearer: Bearer) -> User:
    """Verify the token and read its user."""
    try:
        claims = jwt.decode(
            bearer.credentials,
            signing_keys.current_signing_key()[1].public_key(),
            ["RS256"],
            audience=access_tokens.AUDIENCE,
        )
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error
    user = session.get(User, uuid.UUID(claims["sub"]))
    if user is None:
        raise HTTPException(401)
    return user


@app.get("/api/samples", response_model=SamplePage)
def list_samples(
    session: Database,
    user: Annotated[User, Depends(current_user)],
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> object:
    """List the samples, newest first."""
    mine = (col(Sample.user_id) == user.id, col(Sample.deleted_at).is_(None))
    rows = select(Sample).where(*mine).order_by(col(Sample.id).desc()).offset(offset).limit(limit)
    total = session.exec(select(func.count()).select_from(Sample).where(*mine)).one()
    return {"samples": session.exec(rows).all(), "total": total}

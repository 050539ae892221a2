"""A function that inserts samples without files, for tests of collections."""

import uuid
from collections.abc import Callable
from itertools import count

import pytest
from sqlmodel import Session

from sp404_app.models import Sample, User
from sp404_app.services.library import samples

Add = Callable[..., uuid.UUID]


@pytest.fixture
def add(session: Session, user: User) -> Add:
    """Insert a sample row of the user, or of `owner`."""
    numbers = count(1)

    def add_one(name: str = "", *, owner: uuid.UUID | None = None, **fields: object) -> uuid.UUID:
        name = name or f"Sound {next(numbers)}"
        sample = Sample(
            user_id=owner or user.id, name=name, filename=name, storage_key=uuid.uuid4().hex,
            size=1000, digest=uuid.uuid4().hex, format="WAV 16-bit", **fields,  # type: ignore[arg-type]
        )  # fmt: skip
        samples.update_search_fields(sample)
        session.add(sample)
        session.flush()
        return sample.id

    return add_one

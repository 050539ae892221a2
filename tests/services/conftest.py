"""A function that adds samples to a library."""

import uuid
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from sp404_app.models import User
from sp404_app.settings import Settings
from tests.sounds import Keep
from tests.sounds import keep as put


@pytest.fixture
def keep(services: Settings, tmp_path: Path, user: User) -> Keep:
    """Return a function that adds a new sound to a library: the user's, or that of `owner`."""
    pitches: Iterator[int] = count(200)

    def keep_one(name: str = "Kick.wav", *, owner: uuid.UUID | None = None) -> uuid.UUID:
        return put(owner or user.id, tmp_path, name, float(next(pitches)))

    return keep_one

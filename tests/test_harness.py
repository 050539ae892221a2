"""The fixtures give each test an empty database and its own home."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import Session, select

from sp404_app.models import User
from sp404_app.settings import Settings


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_starts_with_an_empty_database(session: Session, user: User, turn: int) -> None:
    assert session.exec(select(User)).all() == [user]


def test_users_made_by_the_fixture_differ(person: Callable[..., User]) -> None:
    assert person().email != person().email


def test_every_test_has_its_own_home(services: Settings, tmp_path: Path) -> None:
    assert services.home == tmp_path

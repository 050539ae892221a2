"""Fixtures of the tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import Session, select

from sp404_app.models import User
from sp404_app.settings import Settings


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_starts_with_an_empty_database(session: Session, user: User, turn: int) -> None:
    assert session.exec(select(User)).all() == [user]


def test_each_new_user_has_an_email_of_their_own(person: Callable[..., User]) -> None:
    assert person().email != person().email


def test_each_test_has_its_own_sp404_home(services: Settings, tmp_path: Path) -> None:
    assert services.home == tmp_path

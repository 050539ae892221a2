"""The columns of the list of samples: shown, moved, reset, kept for each person."""

import pytest
from sqlmodel import Session

from sp404_app.errors import ValidationFailed
from sp404_app.models import User, UserPreferences
from sp404_app.services.account import preferences
from sp404_app.services.account.list_columns import (
    COLUMNS,
    ListColumns,
    get_columns,
    move_column,
    reset_columns,
    show_column,
)


def test_without_a_choice_all_columns_are_shown(session: Session, user: User) -> None:
    assert get_columns(session, user.id) == ListColumns(COLUMNS, frozenset())


def test_a_hidden_column_stays_hidden_until_it_is_shown(session: Session, user: User) -> None:
    show_column(session, user.id, "tags", is_shown=False)
    show_column(session, user.id, "added", is_shown=False)
    assert get_columns(session, user.id).hidden == {"tags", "added"}
    show_column(session, user.id, "tags", is_shown=True)
    assert get_columns(session, user.id).hidden == {"added"}


def test_a_column_moves_and_stops_at_the_ends(session: Session, user: User) -> None:
    assert move_column(session, user.id, "added", -1).order[-2:] == ("added", "class")
    assert move_column(session, user.id, "added", -99).order[0] == "added"
    assert move_column(session, user.id, "added", 99).order == COLUMNS


def test_reset_shows_all_columns_in_the_usual_order(session: Session, user: User) -> None:
    show_column(session, user.id, "wave", is_shown=False)
    move_column(session, user.id, "key", -2)
    assert reset_columns(session, user.id) == ListColumns() == get_columns(session, user.id)


def test_the_name_cannot_be_hidden(session: Session, user: User) -> None:
    with pytest.raises(ValidationFailed):
        show_column(session, user.id, "name", is_shown=False)


@pytest.mark.parametrize("name", ["", "password", "Tags"])
def test_an_unknown_column_is_refused(session: Session, user: User, name: str) -> None:
    with pytest.raises(ValidationFailed):
        show_column(session, user.id, name, is_shown=True)
    with pytest.raises(ValidationFailed):
        move_column(session, user.id, name, 1)


def test_other_preferences_stay(session: Session, user: User) -> None:
    preferences.change_preferences(session, user.id, {"autoplay": False})
    move_column(session, user.id, "key", 1)
    assert preferences.get_preferences(session, user.id).autoplay is False


def test_stored_columns_of_another_version_are_completed(session: Session, user: User) -> None:
    stored = {"order": ["key", "mood", "key", "name"], "hidden": ["mood", "name", "bpm"]}
    session.add(UserPreferences(user_id=user.id, list_columns=stored))
    session.flush()
    found = get_columns(session, user.id)
    assert found.order == ("key", "name", "wave", "tags", "bpm", "length", "class", "added")
    assert found.hidden == {"bpm"}

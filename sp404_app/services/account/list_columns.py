"""The columns of the list of samples that a person chose, and their order."""

import uuid
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from sp404_app.errors import ValidationFailed
from sp404_app.models import UserPreferences
from sp404_app.services.auth.account_lock import lock_account

COLUMNS: Final = ("wave", "name", "tags", "bpm", "key", "length", "class", "added")
ALWAYS_SHOWN: Final = "name"


@dataclass(frozen=True, slots=True)
class ListColumns:
    """All columns in their order, and those of them that are hidden."""

    order: tuple[str, ...] = COLUMNS
    hidden: frozenset[str] = frozenset()


def get_columns(session: Session, user_id: uuid.UUID) -> ListColumns:
    """Return the columns of a user; what is stored and unknown is ignored."""
    row = session.get(UserPreferences, user_id)
    return _parse_columns(row.list_columns) if row else ListColumns()


def show_column(session: Session, user_id: uuid.UUID, name: str, *, is_shown: bool) -> ListColumns:
    """Show or hide a column and return all.

    Raises:
        ValidationFailed: If the column is unknown, or the name, which is always shown.
        Unauthenticated: If the account is gone.
    """
    _check_name(name)
    if name == ALWAYS_SHOWN:
        raise ValidationFailed("The name is always shown.")
    row = _lock_preferences(session, user_id)
    now = _parse_columns(row.list_columns)
    hidden = now.hidden - {name} if is_shown else now.hidden | {name}
    return _save(session, row, ListColumns(now.order, hidden))


def move_column(session: Session, user_id: uuid.UUID, name: str, by: int) -> ListColumns:
    """Move a column by some places, to the right if `by` is positive, and return all.

    Raises:
        ValidationFailed: If the column is unknown.
        Unauthenticated: If the account is gone.
    """
    _check_name(name)
    row = _lock_preferences(session, user_id)
    now = _parse_columns(row.list_columns)
    others = [each for each in now.order if each != name]
    target = max(0, min(len(others), now.order.index(name) + by))
    return _save(session, row, ListColumns((*others[:target], name, *others[target:]), now.hidden))


def reset_columns(session: Session, user_id: uuid.UUID) -> ListColumns:
    """Show all columns in the usual order and return them.

    Raises:
        Unauthenticated: If the account is gone.
    """
    return _save(session, _lock_preferences(session, user_id), ListColumns())


def _check_name(name: str) -> None:
    if name not in COLUMNS:
        raise ValidationFailed("Unknown column.")


def _lock_preferences(session: Session, user_id: uuid.UUID) -> UserPreferences:
    lock_account(session, user_id)  # concurrent first changes create one row
    row = session.get(UserPreferences, user_id, populate_existing=True)
    return row or UserPreferences(user_id=user_id)


def _save(session: Session, row: UserPreferences, columns: ListColumns) -> ListColumns:
    row.list_columns = {"order": list(columns.order), "hidden": sorted(columns.hidden)}
    session.add(row)
    session.flush()
    return columns


def _parse_columns(stored: dict[str, list[str]]) -> ListColumns:
    """Return the columns of a stored value; those that it does not name follow at the end."""
    known = [each for each in dict.fromkeys(stored.get("order", ())) if each in COLUMNS]
    order = (*known, *(each for each in COLUMNS if each not in known))
    hidden = frozenset(stored.get("hidden", ())) & {*COLUMNS} - {ALWAYS_SHOWN}
    return ListColumns(order, hidden)

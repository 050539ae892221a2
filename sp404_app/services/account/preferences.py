"""User preferences: theme, autoplay, levelled previews, tags from folder names."""

import uuid
from dataclasses import dataclass

from sqlmodel import Session

from sp404_app.errors import ValidationFailed
from sp404_app.models import Theme, UserPreferences
from sp404_app.services.auth.account_lock import lock_account


@dataclass(frozen=True, slots=True)
class Preferences:
    """The user's preferences; defaults are those of the table."""

    theme: str
    autoplay: bool
    level_previews: bool
    folders_become_tags: bool


def get_preferences(session: Session, user_id: uuid.UUID) -> Preferences:
    """Return the user's preferences, or the defaults."""
    row = session.get(UserPreferences, user_id) or UserPreferences(user_id=user_id)
    return _to_preferences(row)


def change_preferences(
    session: Session, user_id: uuid.UUID, changes: dict[str, str | bool]
) -> Preferences:
    """Change some preferences and return all.

    Raises:
        ValidationFailed: If the theme is unknown.
        Unauthenticated: If the account is gone.
    """
    if "theme" in changes and changes["theme"] not in set(Theme):
        message = "Choose the dark or the light theme."
        raise ValidationFailed(message, {"theme": [message]})
    lock_account(session, user_id)  # concurrent first changes create one row
    row = session.get(UserPreferences, user_id, populate_existing=True)
    row = row or UserPreferences(user_id=user_id)
    for name in Preferences.__dataclass_fields__.keys() & changes.keys():
        setattr(row, name, changes[name])
    session.add(row)
    session.flush()
    return _to_preferences(row)


def _to_preferences(row: UserPreferences) -> Preferences:
    return Preferences(row.theme, row.autoplay, row.level_previews, row.folders_become_tags)

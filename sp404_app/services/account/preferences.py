"""How a person likes the app to behave."""

import uuid
from dataclasses import dataclass

from sqlmodel import Session

from sp404_app.errors import ValidationFailed
from sp404_app.models import Theme, UserPreferences
from sp404_app.services.auth.account_lock import lock_account


@dataclass(frozen=True, slots=True)
class Preferences:
    """A person's choices; the defaults are those of the table."""

    theme: str
    autoplay: bool
    level_previews: bool
    folders_become_tags: bool


def preferences_of(session: Session, user_id: uuid.UUID) -> Preferences:
    """Return a person's choices, or the defaults."""
    row = session.get(UserPreferences, user_id) or UserPreferences(user_id=user_id)
    return _shown(row)


def change(session: Session, user_id: uuid.UUID, changes: dict[str, str | bool]) -> Preferences:
    """Change some choices and return all of them.

    Raises:
        ValidationFailed: If a theme is unknown.
        Unauthenticated: If the account is gone.
    """
    if "theme" in changes and changes["theme"] not in set(Theme):
        message = "The theme is either dark or light."
        raise ValidationFailed(message, {"theme": [message]})
    lock_account(session, user_id)  # of two first changes at once, one makes the row
    row = session.get(UserPreferences, user_id, populate_existing=True)
    row = row or UserPreferences(user_id=user_id)
    for name in Preferences.__dataclass_fields__.keys() & changes.keys():
        setattr(row, name, changes[name])
    session.add(row)
    session.flush()
    return _shown(row)


def _shown(row: UserPreferences) -> Preferences:
    return Preferences(row.theme, row.autoplay, row.level_previews, row.folders_become_tags)

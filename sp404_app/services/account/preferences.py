"""User preferences: theme, autoplay, levelled previews, tags from folder names."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from sp404_app.errors import ValidationFailed
from sp404_app.models import Theme, UserPreferences
from sp404_app.services.auth.account_lock import lock_account

MIDI_NOTE = re.compile(r"([1-9]|1[0-6]):(\d|[1-9]\d|1[01]\d|12[0-7])")
MIDI_PAD = re.compile(r"[A-J]([1-9]|1[0-6])")
MAX_MIDI_NOTES = 160


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
        message = "Choose the theme system, dark or light."
        raise ValidationFailed(message, {"theme": [message]})
    lock_account(session, user_id)  # concurrent first changes create one row
    row = session.get(UserPreferences, user_id, populate_existing=True)
    row = row or UserPreferences(user_id=user_id)
    for name in Preferences.__dataclass_fields__.keys() & changes.keys():
        setattr(row, name, changes[name])
    session.add(row)
    session.flush()
    return _to_preferences(row)


def get_midi_notes(session: Session, user_id: uuid.UUID) -> dict[str, str]:
    """Return the user's learned MIDI notes: "channel:note" → pad, such as "10:36" → "A1"."""
    row = session.get(UserPreferences, user_id)
    return dict(row.midi_notes) if row else {}


def save_midi_notes(session: Session, user_id: uuid.UUID, notes: Mapping[str, object]) -> None:
    """Replace the user's learned MIDI notes.

    Raises:
        ValidationFailed: If a note or pad is invalid, or there are more than 160.
    """
    is_valid = all(
        isinstance(note, str)
        and isinstance(pad, str)
        and MIDI_NOTE.fullmatch(note)
        and MIDI_PAD.fullmatch(pad)
        for note, pad in notes.items()
    )
    if not is_valid or len(notes) > MAX_MIDI_NOTES:
        message = "These MIDI notes can't be saved."
        raise ValidationFailed(message, {"midi_notes": [message]})
    lock_account(session, user_id)
    row = session.get(UserPreferences, user_id, populate_existing=True)
    row = row or UserPreferences(user_id=user_id)
    row.midi_notes = {str(note): str(pad) for note, pad in notes.items()}
    session.add(row)
    session.flush()


def _to_preferences(row: UserPreferences) -> Preferences:
    return Preferences(row.theme, row.autoplay, row.level_previews, row.folders_become_tags)

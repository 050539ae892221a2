"""Parse what a person enters of a collection: name, note and cover colour."""

from typing import NoReturn

from sp404_app.errors import ValidationFailed
from sp404_app.services.infra.colours import BANK_COLOURS
from sp404_app.services.infra.text import clean_name, clean_text

MAX_NOTE_LENGTH = 4000
UNTITLED = "Untitled collection"


def parse_name(value: object) -> str:
    """Return a name on one line; an empty one is `UNTITLED`.

    Raises:
        ValidationFailed: If it is not a text.
    """
    if not isinstance(value, str):
        refuse("name", "Enter a name.")
    return clean_name(value, UNTITLED)


def parse_note(value: object) -> str:
    """Return a note.

    Raises:
        ValidationFailed: If it is not a text, or too long.
    """
    note = clean_text(value) if isinstance(value, str) else None
    if note is None or len(note) > MAX_NOTE_LENGTH:
        refuse("note", f"Use at most {MAX_NOTE_LENGTH:,} characters.")
    return note


def parse_colour(value: object) -> str:
    """Return a cover colour.

    Raises:
        ValidationFailed: If it is neither empty nor one of `BANK_COLOURS`.
    """
    if value != "" and value not in BANK_COLOURS:
        refuse("colour", f"Choose one of {', '.join(BANK_COLOURS)}.")
    return str(value)


def refuse(field: str, message: str) -> NoReturn:
    """Raise the error of an invalid value of a field.

    Raises:
        ValidationFailed: Always.
    """
    raise ValidationFailed(message, {field: [message]})

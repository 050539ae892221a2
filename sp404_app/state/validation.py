"""What arrives from a browser may be anything: read it as what it should be, or refuse it."""

import uuid
from collections.abc import Mapping
from typing import Any

from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.services.infra.text import clean_text


def text(value: object, longest: int = 400) -> str:
    """Return a bounded string.

    Raises:
        ValidationFailed: If it is something else.
    """
    if not isinstance(value, str):
        raise ValidationFailed("That is not a text.")
    return clean_text(value[:longest])


def whole(value: object, least: int = 0, most: int = 10**9) -> int:
    """Return a whole number between two bounds.

    Raises:
        ValidationFailed: If it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        raise ValidationFailed("That is not a number.")
    return int(min(max(value, least), most))


def number(value: object) -> float | None:
    """Return what was typed as a number, or None for an empty field.

    Raises:
        ValidationFailed: If it cannot be read as a finite number.
    """
    typed = str(value).strip().replace(",", ".")
    if not typed:
        return None
    try:
        found = float(typed)
    except ValueError as error:
        raise ValidationFailed(f"“{typed[:20]}” is not a number.") from error
    if not abs(found) < 1e6:
        raise ValidationFailed("This number is out of range.")
    return found


def identity(value: object) -> uuid.UUID:
    """Return an id.

    Raises:
        NotFound: If it cannot be one of ours.
    """
    try:
        return uuid.UUID(str(value))
    except ValueError as error:
        raise NotFound("There is no such thing.") from error


def form(values: object) -> Mapping[str, Any]:
    """Return the fields of a form.

    Raises:
        ValidationFailed: If it is not one.
    """
    if not isinstance(values, Mapping):
        raise ValidationFailed("That is not a form.")
    return values

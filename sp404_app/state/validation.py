"""Validate handler arguments: a browser may send anything."""

import uuid
from collections.abc import Mapping
from typing import Any

from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.services.infra.text import clean_text


def validate_text(value: object, max_length: int = 400) -> str:
    """Return a storable text, cut to a length.

    Raises:
        ValidationFailed: If the value is not text.
    """
    if not isinstance(value, str):
        raise ValidationFailed("This must be text.")
    return clean_text(value[:max_length])


def validate_integer(value: object, least: int = 0, most: int = 10**9) -> int:
    """Return an integer, clamped to `least` and `most`.

    Raises:
        ValidationFailed: If the value is not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        raise ValidationFailed("This must be a number.")
    return int(min(max(value, least), most))


def parse_number(value: object) -> float | None:
    """Return a number as typed (with a decimal point or comma), or None for an empty field.

    Raises:
        ValidationFailed: If it is not a finite number below a million.
    """
    typed = str(value).strip().replace(",", ".")
    if not typed:
        return None
    try:
        parsed = float(typed)
    except ValueError as error:
        raise ValidationFailed(f"“{typed[:20]}” isn't a number.") from error
    if not abs(parsed) < 1e6:
        raise ValidationFailed("This number is out of range.")
    return parsed


def validate_id(value: object) -> uuid.UUID:
    """Return a UUID.

    Raises:
        NotFound: If the value is not a UUID.
    """
    try:
        return uuid.UUID(str(value))
    except ValueError as error:
        raise NotFound("This doesn't exist.") from error


def validate_ids(values: object, most: int) -> list[uuid.UUID]:
    """Return a list of at most `most` UUIDs.

    Raises:
        NotFound: If a value is not a UUID.
        ValidationFailed: If this is no list, or longer.
    """
    if not isinstance(values, list) or len(values) > most:
        raise ValidationFailed(f"Choose at most {most:,} sounds.")
    return [validate_id(value) for value in values]


def validate_form(values: object) -> Mapping[str, Any]:
    """Return the fields of a form.

    Raises:
        ValidationFailed: If the value is not a mapping.
    """
    if not isinstance(values, Mapping):
        raise ValidationFailed("This form is incomplete. Reload the page and try again.")
    return values

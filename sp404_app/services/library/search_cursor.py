"""Cursors of pages of samples: the last row of a page, as text for the client."""

import base64
import binascii
import json
import uuid
from typing import Any

from sp404_app.errors import ValidationFailed
from sp404_app.services.infra.text import clean_text

INVALID_CURSOR = "This cursor is invalid or belongs to another sort order."


def encode_cursor(sort: str, last_id: uuid.UUID, value: object) -> str:
    """Return the cursor after a row with this id and this value of the sort column."""
    plain = str(value) if isinstance(value, uuid.UUID) else value
    parts = [sort, None if value == last_id else plain, str(last_id)]
    payload = json.dumps(parts, ensure_ascii=False)  # unescaped, so that 200 emoji fit into a URL
    return base64.urlsafe_b64encode(payload.encode()).decode()


def decode_cursor(cursor: str, sort: str) -> tuple[Any, uuid.UUID]:
    """Return the value of the sort column and the id that a cursor contains.

    Raises:
        ValidationFailed: If it is invalid, or of another sort order.
    """
    name = sort.removeprefix("-")
    is_valid = CURSOR_CHECKS.get(name, _is_cursor_number)
    try:
        cursor_sort, value, last_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if cursor_sort == sort and (value is None or is_valid(value)):
            return uuid.UUID(value) if value and name == "copies" else value, uuid.UUID(last_id)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise ValidationFailed(INVALID_CURSOR) from error
    raise ValidationFailed(INVALID_CURSOR)


def _is_cursor_text(value: object) -> bool:
    return isinstance(value, str) and value == clean_text(value)


def _is_cursor_number(value: object) -> bool:
    """Return whether a column could contain the value; False for NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63


def _is_cursor_position(value: object) -> bool:
    return isinstance(value, int) and _is_cursor_number(value)


CURSOR_CHECKS = {
    **dict.fromkeys(("name", "key", "copies"), _is_cursor_text),
    "position": _is_cursor_position,
}

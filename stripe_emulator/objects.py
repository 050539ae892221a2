"""Stripe objects as JSON dicts: ids, public copies, and changed keys."""

import secrets
import string
from typing import Any

Object = dict[str, Any]
ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    """Return an id in Stripe's format, such as `sub_` and 24 letters and digits."""
    return f"{prefix}_{random_token(length)}"


def random_token(length: int) -> str:
    """Return a random string of letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def nulls(names: str) -> Object:
    """Return a dict whose keys, given as one space-separated string, are all None."""
    return dict.fromkeys(names.split())


def public_copy(value: Any) -> Any:
    """Return a deep copy without the emulator's private keys, which begin with `_`."""
    if isinstance(value, dict):
        return {key: public_copy(item) for key, item in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [public_copy(item) for item in value]
    return value


def previous_attributes(before: Object, after: Object) -> Object:
    """Return `previous_attributes` of an event: the old values of changed keys.

    Nested objects are compared key by key, lists as a whole.
    """
    previous: Object = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if key.startswith("_") or old == new:
            continue
        if not (isinstance(old, dict) and isinstance(new, dict)):
            previous[key] = public_copy(old)
        elif inner := previous_attributes(old, new):
            previous[key] = inner
    return previous


def list_object(data: list[Object], url: str, *, has_more: bool = False) -> Object:
    """Return a list object with one page of data."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def empty_to_none(value: Any) -> Any:
    """Return None for the empty string, which clears a field, and other values unchanged."""
    return None if value == "" else value

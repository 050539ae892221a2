"""Stripe objects as plain JSON: identifiers, what the outside may see, what changed."""

import secrets
import string
from typing import Any

Object = dict[str, Any]
ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    """Return an identifier as Stripe writes them, such as `sub_` and 24 letters and digits."""
    return f"{prefix}_{token(length)}"


def token(length: int) -> str:
    """Return random letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def nulls(names: str) -> Object:
    """Return an object whose named keys, separated by spaces, are null."""
    return dict.fromkeys(names.split())


def public(value: Any) -> Any:
    """Return a deep copy without the emulator's private keys, which begin with `_`."""
    if isinstance(value, dict):
        return {key: public(item) for key, item in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [public(item) for item in value]
    return value


def changes(before: Object, after: Object) -> Object:
    """Return `previous_attributes`: old values of what differs, lists as a whole."""
    previous: Object = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if key.startswith("_") or old == new:
            continue
        if not (isinstance(old, dict) and isinstance(new, dict)):
            previous[key] = public(old)
        elif inner := changes(old, new):
            previous[key] = inner
    return previous


def listing(data: list[Object], url: str, *, has_more: bool = False) -> Object:
    """Return a list object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def unset(value: Any) -> Any:
    """Return None for the empty string, with which a request clears a field."""
    return None if value == "" else value

"""Stripe's form encoding: `items[0][price]=…` as nested dicts of strings."""

import re
from typing import Any
from urllib.parse import parse_qsl

from stripe_emulator.errors import invalid

DEPTH = 10
MOST_FIELDS = 5000


def decode(text: str) -> dict[str, Any]:
    """Return the fields as nested dicts; lists are dicts by position, see `parameters`."""
    decoded: dict[str, Any] = {}
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    for name, value in pairs:
        place(decoded, keys_of(name), value, name)
    return decoded


def keys_of(name: str) -> list[str]:
    """Split `a[b][0]` into its keys."""
    if not re.fullmatch(r"[^\[\]]+(\[[^\[\]]*\])*", name):
        raise invalid(f"Invalid parameter name: {name}", name)
    keys = [name.split("[", 1)[0], *re.findall(r"\[([^\[\]]*)\]", name)]
    if len(keys) > DEPTH:
        raise invalid(f"Parameter is nested too deeply: {name}", name)
    return keys


def place(into: dict[str, Any], keys: list[str], value: str, name: str) -> None:
    """Put a value where its keys say; an empty key appends."""
    for key in keys[:-1]:
        into = into.setdefault(key or str(len(into)), {})
        if not isinstance(into, dict):
            raise invalid(f"Invalid parameter: {name}", name)
    last = keys[-1] or str(len(into))
    into[last] = value

"""Decode Stripe's form encoding: `items[0][price]=…` becomes nested dicts of strings."""

import re
from typing import Any
from urllib.parse import parse_qsl

from stripe_emulator.errors import invalid_request

MAX_DEPTH = 10
MAX_FIELDS = 5000


def decode_form(text: str) -> dict[str, Any]:
    """Decode a form body or query string.

    Lists become dicts by position; `parameters.read_params` turns them into lists.
    """
    decoded: dict[str, Any] = {}
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    for name, value in pairs:
        set_nested(decoded, split_name(name), value, name)
    return decoded


def split_name(name: str) -> list[str]:
    """Split a field name such as `a[b][0]` into its keys."""
    if not re.fullmatch(r"[^\[\]]+(\[[^\[\]]*\])*", name):
        raise invalid_request(f"Invalid parameter name: {name}", name)
    keys = [name.split("[", 1)[0], *re.findall(r"\[([^\[\]]*)\]", name)]
    if len(keys) > MAX_DEPTH:
        raise invalid_request(f"Parameter is nested too deeply: {name}", name)
    return keys


def set_nested(into: dict[str, Any], keys: list[str], value: str, name: str) -> None:
    """Set a value in nested dicts; an empty key appends."""
    for key in keys[:-1]:
        into = into.setdefault(key or str(len(into)), {})
        if not isinstance(into, dict):
            raise invalid_request(f"Invalid parameter: {name}", name)
    last = keys[-1] or str(len(into))
    into[last] = value

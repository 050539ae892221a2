"""What is looked for in the library, as its fields and its address say it."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from sp404_app.errors import ValidationFailed
from sp404_app.services.library import search
from sp404_app.state import validation

NUMBERS = ("bpm_min", "bpm_max", "duration_min", "duration_max")
TEXTS = ("q", "key", "compatible_key", "kind", "sound_class", "status", "sort")
EMPTY = search.Query()
BY_COPIES = "copies"  # the order that puts copies side by side


def query_of(parameters: dict[str, str]) -> search.Query:
    """Read a search from an address; what it does not understand is left out."""
    query = EMPTY
    for field in (*TEXTS, *NUMBERS):
        try:
            query = replace(query, **part(field, parameters.get(field, getattr(query, field))))
        except ValidationFailed:
            continue
    names = tuple(filter(None, parameters.get("tags", "").split(",")))
    return replace(
        query,
        tags=names[:30],
        favourite=parameters.get("favourite") == "1",
        has_copies=parameters.get("copies") == "1",
        trash=parameters.get("view") == "trash",
    )


def address_of(query: search.Query) -> str:
    """Write a search as an address that can be kept."""
    plain = {field: getattr(query, field) for field in (*TEXTS, *NUMBERS)}
    parts = {k: v for k, v in plain.items() if v not in ("", None) and v != getattr(EMPTY, k)}
    if query.tags:
        parts["tags"] = ",".join(query.tags)
    if query.favourite:
        parts["favourite"] = "1"
    if query.has_copies:
        parts["copies"] = "1"
    if query.trash:
        parts["view"] = "trash"
    return "/library" + (f"?{urlencode(parts)}" if parts else "")


def part(field: str, value: object) -> dict[str, Any]:
    """Read one field of a search.

    Raises:
        ValidationFailed: If there is no such field, or it cannot have this value.
    """
    if field in NUMBERS:
        return {field: validation.number("" if value is None else value)}
    if field == "favourite":
        return {field: bool(value)}
    if field not in TEXTS:
        raise ValidationFailed("There is no such filter.")
    return {field: validation.text(value)}


def typed(value: object) -> str:
    """Write a value as it stands in a field."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

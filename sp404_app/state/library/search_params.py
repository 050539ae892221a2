"""Convert a library search to and from URL parameters and form fields."""

import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from sp404_app.errors import ValidationFailed
from sp404_app.services.library import likeness_order, search
from sp404_app.services.library.likeness_order import Weights
from sp404_app.services.library.search_order import LIKENESS_SORT
from sp404_app.state import validation

NUMBER_FIELDS = ("bpm_min", "bpm_max", "duration_min", "duration_max")
TYPED_FIELDS = ("q", *NUMBER_FIELDS)
VALUE_FIELDS = (*NUMBER_FIELDS, "rating_min")
TEXT_FIELDS = ("q", "key", "compatible_key", "kind", "sound_class", "status", "sort")
EMPTY_QUERY = search.SampleQuery()
DUPLICATES_SORT = "copies"  # groups duplicates
POSITION_SORT = "position"  # the order of a collection
COLLECTION_PATH = "/collections/"


def empty_query(collection: uuid.UUID | None) -> search.SampleQuery:
    """Return the query that finds the whole library, or a whole collection in its order."""
    if collection is None:
        return EMPTY_QUERY
    return search.SampleQuery(collection=collection, sort=POSITION_SORT)


def collection_in_path(path: str) -> uuid.UUID | None:
    """Return the collection that a path shows, None for any other page."""
    if not path.startswith(COLLECTION_PATH):
        return None
    return validation.validate_id(path.removeprefix(COLLECTION_PATH).strip("/"))


def parse_library_url(
    parameters: dict[str, str], collection: uuid.UUID | None = None
) -> search.SampleQuery:
    """Parse a search, in a collection if given, from URL parameters, ignoring invalid ones."""
    query = empty_query(collection)
    for field in (*TEXT_FIELDS, *VALUE_FIELDS):
        try:
            query = replace(
                query, **parse_field(field, parameters.get(field, getattr(query, field)))
            )
        except ValidationFailed:
            continue
    names = tuple(filter(None, parameters.get("tags", "").split(",")))
    return replace(
        query,
        tags=names[:30],
        favourite=parameters.get("favourite") == "1",
        has_copies=parameters.get("copies") == "1",
        trash=parameters.get("view") == "trash" and collection is None,
        **_parse_likeness(parameters),
    )


def _parse_likeness(parameters: dict[str, str]) -> dict[str, Any]:
    """Return the order by likeness that a URL names, or nothing."""
    try:
        order: dict[str, Any] = {"sort": LIKENESS_SORT, "like": uuid.UUID(parameters["like"])}
    except (KeyError, ValueError):
        return {}
    try:
        return order | {"weights": likeness_order.parse_weights(parameters.get("weights", ""))}
    except ValidationFailed:
        return order


def with_sort(query: search.SampleQuery, sort: str) -> search.SampleQuery:
    """Return the search sorted by a column."""
    return replace(query, sort=sort, like=None, weights=())


def sorted_by_likeness(
    query: search.SampleQuery, like: uuid.UUID, weights: Weights = ()
) -> search.SampleQuery:
    """Return the search sorted by likeness to a sample; without weights, by the usual ones.

    Raises:
        ValidationFailed: If the weights are invalid.
    """
    return replace(query, sort=LIKENESS_SORT, like=like, weights=weights)


def order_of(query: search.SampleQuery) -> dict[str, Any]:
    """Return the fields of a search that are its order."""
    return {"sort": query.sort, "like": query.like, "weights": query.weights}


def parse_cursor(parameters: dict[str, str]) -> uuid.UUID | None:
    """Return the sample at whose row the list opens (`?at=`), None without a valid one."""
    try:
        return uuid.UUID(parameters.get("at", ""))
    except ValueError:
        return None


def with_spelling(query: search.SampleQuery, corrected: str) -> search.SampleQuery:
    """Return the search whose results are shown: a misspelt text is searched as `corrected`."""
    return replace(query, q=corrected or query.q)


def library_url(query: search.SampleQuery) -> str:
    """Return the URL of a search, to share or bookmark."""
    values = {field: getattr(query, field) for field in (*TEXT_FIELDS, *VALUE_FIELDS)}
    usual = empty_query(query.collection)
    parts = {k: v for k, v in values.items() if v not in ("", None) and v != getattr(usual, k)}
    if query.like is not None:
        del parts["sort"]  # `like` says it
    if query.tags:
        parts["tags"] = ",".join(query.tags)
    if query.favourite:
        parts["favourite"] = "1"
    if query.has_copies:
        parts["copies"] = "1"
    if query.trash:
        parts["view"] = "trash"
    parts.update(_likeness_parameters(query))
    path = "/library" if query.collection is None else f"{COLLECTION_PATH}{query.collection}"
    return path + (f"?{urlencode(parts)}" if parts else "")


def _likeness_parameters(query: search.SampleQuery) -> dict[str, str]:
    if query.like is None:
        return {}
    weights = likeness_order.format_weights(query.weights)
    return {"like": str(query.like)} | ({"weights": weights} if weights else {})


def map_url(query: search.SampleQuery) -> str:
    """Return the URL of a search of the whole library on the map."""
    # The map has no order, and that of a collection is not valid in the library.
    whole = replace(with_sort(query, EMPTY_QUERY.sort), collection=None)
    return library_url(whole).replace("/library", "/map", 1)


def api_parameters(query: search.SampleQuery) -> str:
    """Return the parameters with which the API limits samples as a search does."""
    values = [(field, getattr(query, field)) for field in (*TEXT_FIELDS, *VALUE_FIELDS)]
    limits = [(field, value) for field, value in values if value not in ("", None)]
    flags = [
        (name, "true") for name in ("favourite", "has_copies", "trash") if getattr(query, name)
    ]
    scope = [("collection", str(query.collection))] if query.collection else []
    likeness = _likeness_parameters(query).items()
    return urlencode([*limits, *(("tag", tag) for tag in query.tags), *flags, *scope, *likeness])


def parse_field(field: str, value: object) -> dict[str, Any]:
    """Parse one field of a search.

    Raises:
        ValidationFailed: If the field is unknown or the value invalid.
    """
    if field in VALUE_FIELDS:
        return {field: validation.parse_number("" if value is None else value)}
    if field == "favourite":
        return {field: bool(value)}
    if field not in TEXT_FIELDS:
        raise ValidationFailed("Unknown filter.")
    return {field: validation.validate_text(value)}


def format_field(value: object) -> str:
    """Format a value for its form field."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

"""Middleware with a fast path for GET /api/samples, the most requested route, and its parameters.

The route itself is declared in `api/routes/samples.py`, which answers all unusual requests. The
fast path returns the same responses, without router and thread, or passes the request on.
"""

import uuid
from functools import lru_cache
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import ValidationError, validate_call
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from sp404_app.api import error_handlers
from sp404_app.api.deps import authenticate_and_count
from sp404_app.db import NotQuick
from sp404_app.errors import AppError, ValidationFailed
from sp404_app.services.library import sample_list, search

Text = Annotated[str, Query(max_length=400)]
Number = Annotated[float | None, Query(ge=0, le=1e6)]
Cursor = Annotated[str, Query(max_length=2000)]
Limit = Annotated[int, Query(ge=1, le=200)]

SAMPLE_LIST_PATH = "/api/samples"
RESOURCE = "samples"  # that personal access tokens need a scope for
MAX_CACHED_QUERY_BYTES = 300  # longer query strings are rare and not cached
MAX_CACHED_QUERIES = 2000


def sample_filters(  # noqa: PLR0913 - one parameter for each filter of the contract
    *,
    q: Text = "",
    bpm_min: Number = None,
    bpm_max: Number = None,
    key: Text = "",
    compatible_key: Text = "",
    kind: Text = "",
    sound_class: Text = "",
    tag: Annotated[list[str], Query(max_length=30)] = [],  # noqa: B006 - FastAPI copies it
    duration_min: Number = None,
    duration_max: Number = None,
    status: Text = "",
    favourite: bool = False,
    has_copies: bool = False,
    trash: bool = False,
    collection: uuid.UUID | None = None,
    sort: Annotated[str | None, Query(max_length=400)] = None,
) -> search.SampleQuery:
    """Build the search query from the URL parameters.

    Without `sort`, the newest samples come first; in a manual collection, its order applies.
    """
    return search.SampleQuery(
        q=q,
        bpm_min=bpm_min,
        bpm_max=bpm_max,
        key=key,
        compatible_key=compatible_key,
        kind=kind,
        sound_class=sound_class,
        tags=tuple(tag),
        duration_min=duration_min,
        duration_max=duration_max,
        status=status,
        favourite=favourite,
        has_copies=has_copies,
        trash=trash,
        collection=collection,
        sort=(search.DEFAULT_SORT if collection is None else "position") if sort is None else sort,
    )


@validate_call
def _validate_query(cursor: Cursor = "", limit: Limit = 50, **filters: Any) -> tuple[Any, str, int]:
    return _validate_filters(**filters), cursor, limit


_validate_filters = validate_call(sample_filters)
PARAMETER_NAMES = frozenset({*sample_filters.__annotations__, "cursor", "limit"}) - {"return"}


@lru_cache(maxsize=MAX_CACHED_QUERIES)
def parse_list_query(query_string: bytes) -> tuple[search.SampleQuery, str, int] | None:
    """Parse a query string into query, cursor and limit; None if the declared route rejects it."""
    parameters = QueryParams(query_string)
    names = PARAMETER_NAMES & parameters.keys()
    values: dict[str, Any] = {name: parameters[name] for name in names}
    if "tag" in values:
        values["tag"] = parameters.getlist("tag")
    try:
        return _validate_query(**values)
    except (ValidationError, ValidationFailed):
        return None


def serve_sample_list(app: ASGIApp) -> ASGIApp:
    """Wrap an app with the fast path for GET /api/samples."""

    async def with_fast_path(scope: Scope, receive: Receive, send: Send) -> None:
        is_list_request = (
            scope["type"] == "http"
            and scope["path"] == SAMPLE_LIST_PATH
            and scope["method"] == "GET"
        )
        response = await _answer_or_error(scope) if is_list_request else None
        await (response or app)(scope, receive, send)

    return with_fast_path


async def _answer_or_error(scope: Scope) -> Response | None:
    try:
        return await _answer(Request(scope))
    except AppError as error:
        return error_handlers.app_error_response(error)
    except (SQLAlchemyError, UnicodeError):
        return None  # the declared route meets the same error and reports it


async def _answer(request: Request) -> Response | None:
    """Answer a request; None if the fast path does not apply."""
    query_string: bytes = request.scope["query_string"]
    if len(query_string) > MAX_CACHED_QUERY_BYTES:
        return None
    parsed = parse_list_query(query_string)
    if parsed is None:
        return None
    # Set as a router would, so that metrics count errors for this route too.
    request.scope["endpoint"] = _answer
    request.state.token_resource = RESOURCE
    who = await authenticate_and_count(request, None)
    try:
        page = await sample_list.fetch_sample_page(who.user_id, *parsed)
    except NotQuick:
        return None
    return Response(page, media_type="application/json")

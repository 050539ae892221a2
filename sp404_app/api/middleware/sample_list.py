"""Middleware with fast paths for GET /api/samples and GET /api/samples/{id}, the busiest routes.

The routes themselves are declared in `api/routes/samples.py`, which answers all unusual requests.
The fast paths return the same responses, without router and thread, or pass the request on.
"""

import re
import uuid
from collections.abc import Awaitable
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
from sp404_app.services.library.likeness_order import parse_weights

Text = Annotated[str, Query(max_length=400)]
Number = Annotated[float | None, Query(ge=0, le=1e6)]
Cursor = Annotated[str, Query(max_length=2000)]
Limit = Annotated[int, Query(ge=1, le=200)]
Like = Annotated[
    uuid.UUID | None,
    Query(description="Sort by likeness to this sample: itself first, then the nearest."),
]
WeightsText = Annotated[
    str | None,
    Query(
        max_length=400,
        description="With `like`: weights of timbre, envelope, pitch and rhythm, 0 to 100 percent "
        "each and not all 0, separated by commas. Without, all are 100.",
    ),
]

SAMPLE_LIST_PATH = "/api/samples"
SAMPLE_PATH = re.compile("/api/samples/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
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
    rating_min: Number = None,
    has_copies: bool = False,
    trash: bool = False,
    collection: uuid.UUID | None = None,
    sort: Annotated[str | None, Query(max_length=400)] = None,
    like: Like = None,
    weights: WeightsText = None,
) -> search.SampleQuery:
    """Build the search query from the URL parameters.

    Without `sort`, the newest samples come first; in a manual collection, its order applies. With
    `like`, likeness is the only order.
    """
    usual = search.DEFAULT_SORT if collection is None else "position"
    if like is not None:
        usual = search.LIKENESS_SORT
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
        rating_min=rating_min,
        has_copies=has_copies,
        trash=trash,
        collection=collection,
        sort=usual if sort is None else sort,
        like=like,
        weights=() if weights is None else parse_weights(weights),
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
    """Wrap an app with the fast paths."""

    async def with_fast_path(scope: Scope, receive: Receive, send: Send) -> None:
        response = None
        if scope["type"] == "http" and scope["method"] == "GET":
            path: str = scope["path"]
            if path == SAMPLE_LIST_PATH:
                response = await _answer_or_error(_answer_list(Request(scope)))
            elif (sample_id := parse_sample_path(path)) is not None:
                response = await _answer_or_error(_answer_one(Request(scope), sample_id))
        await (response or app)(scope, receive, send)

    return with_fast_path


def parse_sample_path(path: str) -> uuid.UUID | None:
    """Return the id in `/api/samples/{id}`; None for any other path or spelling of an id."""
    found = SAMPLE_PATH.fullmatch(path)
    return uuid.UUID(found[1]) if found else None


async def _answer_or_error(answer: Awaitable[Response | None]) -> Response | None:
    try:
        return await answer
    except AppError as error:
        return error_handlers.app_error_response(error)
    except (SQLAlchemyError, UnicodeError):
        return None  # the declared route meets the same error and reports it


async def _answer_list(request: Request) -> Response | None:
    """Answer a request for a page; None if the fast path does not apply."""
    query_string: bytes = request.scope["query_string"]
    if len(query_string) > MAX_CACHED_QUERY_BYTES:
        return None
    parsed = parse_list_query(query_string)
    if parsed is None:
        return None
    # Set as a router would, so that metrics count errors for this route too.
    request.scope["endpoint"] = _answer_list
    request.state.token_resource = RESOURCE
    who = await authenticate_and_count(request, None)
    return await _json_response(sample_list.fetch_sample_page(who.user_id, *parsed))


async def _answer_one(request: Request, sample_id: uuid.UUID) -> Response | None:
    """Answer a request for one sample; None if there is none, or the fast path does not apply."""
    request.scope["endpoint"] = _answer_one
    request.scope["path_params"] = {"sample_id": str(sample_id)}
    request.state.token_resource = RESOURCE
    who = await authenticate_and_count(request, None)
    return await _json_response(sample_list.fetch_sample(who.user_id, sample_id))


async def _json_response(body: Awaitable[bytes]) -> Response | None:
    try:
        return Response(await body, media_type="application/json")
    except NotQuick:
        return None

"""What a list of samples may be asked for, and the quick way to answer: it is asked most of all.

The route is declared, described and, where anything is out of the ordinary, answered in
`samples.py`; the quick way gives the same answers without a router or a thread, or none.
"""

from functools import lru_cache
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import ValidationError, validate_call
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from sp404_app.api import error_handlers
from sp404_app.api.deps import is_personal, signed_in
from sp404_app.db import NotQuick
from sp404_app.errors import AppError, ValidationFailed
from sp404_app.services.library import sample_list, search

Text = Annotated[str, Query(max_length=400)]
Number = Annotated[float | None, Query(ge=0, le=1e6)]
Cursor = Annotated[str, Query(max_length=2000)]
Limit = Annotated[int, Query(ge=1, le=200)]

ADDRESS = "/api/samples"
LONGEST = 300  # bytes of an address's query; longer ones are rare, and not remembered
REMEMBERED = 2000


def wanted(  # noqa: PLR0913 - one parameter for each filter of the contract
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
    sort: Text = search.DEFAULT_SORT,
) -> search.Query:
    """Read the filters from the address."""
    return search.Query(
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
        sort=sort,
    )


@validate_call
def _asked(cursor: Cursor = "", limit: Limit = 50, **filters: Any) -> tuple[Any, str, int]:
    return _wanted(**filters), cursor, limit


_wanted = validate_call(wanted)
NAMES = frozenset({*wanted.__annotations__, "cursor", "limit"}) - {"return"}


@lru_cache(maxsize=REMEMBERED)
def asked(address: bytes) -> tuple[search.Query, str, int] | None:
    """Return query, cursor and limit as the declared route reads them, None if it refuses them."""
    given = QueryParams(address)
    values: dict[str, Any] = {name: given[name] for name in NAMES & given.keys()}
    if "tag" in values:
        values["tag"] = given.getlist("tag")
    try:
        return _asked(**values)
    except (ValidationError, ValidationFailed):
        return None


def straight(app: ASGIApp) -> ASGIApp:
    """Answer for the list of samples before any router looks at it, if there is a quick way."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        asks = scope["type"] == "http" and scope["path"] == ADDRESS and scope["method"] == "GET"
        response = await _response(scope) if asks else None
        await (response or app)(scope, receive, send)

    return guarded


async def _response(scope: Scope) -> Response | None:
    try:
        return await _quick(Request(scope))
    except AppError as error:
        return error_handlers.of_app_error(error)
    except (SQLAlchemyError, UnicodeError):
        return None  # the declared route meets it too, and has words for it


async def _quick(request: Request) -> Response | None:
    """Answer for somebody who is signed in and asks for something that is there."""
    address: bytes = request.scope["query_string"]
    known = asked(address) if len(address) <= LONGEST else None
    if known is None or is_personal(request):
        return None
    # As a router would say that somebody answers: refusals are counted for this route too.
    request.scope["endpoint"] = _quick
    who = await signed_in(request, None)
    try:
        page = await sample_list.page(who.user_id, *known)
    except NotQuick:
        return None
    return Response(page, media_type="application/json")

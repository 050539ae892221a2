"""A page of samples as JSON, straight from the columns: for the route that is asked most.

What is found, in which order, and what is shown of it is said in `search.py` and `views.py`; here
is only another way to the same answer, without an object for each row.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, cast

import orjson
import sqlalchemy
from cachetools import TLRUCache
from sqlalchemy import Text, Uuid, bindparam, literal_column
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from sp404_app.audio.features.musical_keys import KEYS, camelot
from sp404_app.db import NotQuick, quick
from sp404_app.models import Sample
from sp404_app.services.infra import cache_version
from sp404_app.services.infra.redis_counters import RedisUnavailable
from sp404_app.services.library import search
from sp404_app.services.library.schemas import COLUMNS, SampleView
from sp404_app.services.library.search import Query
from sp404_app.settings import MB

OWNER, NOBODY = "owner", uuid.UUID(int=0)
REMEMBERED = 1000  # statements, with their values
MOST, LARGEST = 64 * MB, MB  # bytes of all pages that are kept, and of one
AGAIN = (20.0, 40.0)  # seconds in which a page may be given again; not all end at once
KEY = 1000  # bytes that a page takes besides itself, roughly
SHOWN = tuple(field.name for field in fields(SampleView))
JSON_FIELDS = {column: field for field, column in COLUMNS.items()}
CAMELOT = {key: camelot(key) for key in KEYS}


def _until(_key: object, _page: bytes, moment: float) -> float:
    return moment + random.uniform(*AGAIN)  # noqa: S311 - no secret


def _weight(page: bytes) -> int:
    return len(page) + KEY


_given = TLRUCache[tuple[object, ...], bytes](MOST, _until, getsizeof=_weight)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with numbered places, and what stands in them; the owner's is filled in each time."""

    sql: str
    values: tuple[object, ...]
    owner: tuple[int, ...]

    def of(self, user_id: uuid.UUID) -> list[object]:
        """Return the values for one person."""
        values = list(self.values)
        for place in self.owner:
            values[place] = user_id
        return values


async def page(user_id: uuid.UUID, query: Query, cursor: str, limit: int) -> bytes:
    """Return a page of samples, the next cursor and the total, as `GET /api/samples` answers.

    A page is given again while the library is the same. As a change may not have been told while
    Redis was away, all pages are forgotten then, and each one is after half a minute.

    Raises:
        ValidationFailed: If the cursor is not one of ours.
        NotQuick: If nothing was found: words may have to be put right, or there is no quick way.
    """
    try:
        edition = await cache_version.current(user_id)  # before the rows are read, or it is too new
    except RedisUnavailable:
        _given.clear()
        return await _page(user_id, query, cursor, limit)
    asked = (user_id, edition, query, cursor, limit)
    given = _given.get(asked)
    if given is None:
        given = await _page(user_id, query, cursor, limit)
        if edition is not None and len(given) < LARGEST:
            _given[asked] = given
    return given


async def _page(user_id: uuid.UUID, query: Query, cursor: str, limit: int) -> bytes:
    statement = _statement(query, cursor, limit)
    rows = await quick(statement.sql, *statement.of(user_id))
    if not rows:
        raise NotQuick
    samples = [_shown(row) for row in rows[:limit]]
    following = None
    if len(rows) > limit:
        last, column = samples[-1], search.sorted_by(query.sort)
        value = None if column == "id" else last[JSON_FIELDS.get(column, column)]
        following = search.cursor_after(query.sort, uuid.UUID(last["id"]), value)
    answer = {"samples": samples, "next_cursor": following, "total": rows[0]["total"]}
    return orjson.dumps(answer, option=orjson.OPT_UTC_Z)


def _shown(row: Sequence[Any]) -> dict[str, Any]:
    shown = dict(zip(SHOWN, row, strict=False))  # the total comes after what is shown
    shown["camelot"] = CAMELOT.get(shown["key"])
    return shown


@lru_cache(maxsize=REMEMBERED)
def _statement(query: Query, cursor: str, limit: int) -> Statement:
    owner = cast("uuid.UUID", bindparam(OWNER, NOBODY, type_=Uuid()))
    rows, total = search.statements(owner, query, cursor, limit)
    columns = [_column(name) for name in SHOWN]
    whole = rows.with_only_columns(*columns, total.scalar_subquery().label("total"))
    compiled = whole.compile(
        dialect=PGDialect_asyncpg(), compile_kwargs={"render_postcompile": True}
    )
    names = compiled.positiontup or []
    return Statement(
        str(compiled),
        tuple(compiled.params[name] for name in names),
        tuple(place for place, name in enumerate(names) if name == OWNER),
    )


def _column(name: str) -> Any:
    """Return the column a view shows, ids as text; one that is made of another leaves its place."""
    column = getattr(Sample, COLUMNS.get(name, name), literal_column("null", Text))
    return sqlalchemy.cast(column, Text) if name in {"id", "copy_group"} else column

"""The fast paths of `GET /api/samples` and of one sample: JSON without ORM objects.

They are the most requested routes. Filters and order are defined in `search.py`, JSON fields in
`schemas.py`. SQL text is compiled once per query and pages are cached per user.
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
from sqlalchemy import Text, Uuid, bindparam, literal_column, select
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlmodel import col

from sp404_app.audio.features.musical_keys import KEYS, camelot
from sp404_app.db import NotQuick, quick
from sp404_app.models import Sample
from sp404_app.services.infra import cache_version
from sp404_app.services.infra.redis_counters import RedisUnavailable
from sp404_app.services.library import search, search_cursor, search_order
from sp404_app.services.library.schemas import SAMPLE_COLUMNS, SampleView
from sp404_app.services.library.search import SampleQuery
from sp404_app.settings import MB

OWNER_PARAMETER, NO_USER_ID = "owner", uuid.UUID(int=0)
MAX_CACHED_STATEMENTS = 1000  # compiled SQL with its values
MAX_CACHE_BYTES, MAX_CACHED_PAGE_BYTES = 64 * MB, MB
CACHE_TTL_RANGE_S = (20.0, 40.0)  # random, so that pages do not all expire at once
ENTRY_OVERHEAD_BYTES = 1000  # estimate for the key and bookkeeping of a cached page
FIELD_NAMES = tuple(field.name for field in fields(SampleView))
JSON_FIELDS = {column: field for field, column in SAMPLE_COLUMNS.items()}
CAMELOT_CODES = {key: camelot(key) for key in KEYS}


def _expires_at(_key: object, _page: bytes, moment: float) -> float:
    return moment + random.uniform(*CACHE_TTL_RANGE_S)  # noqa: S311 - not a secret


def _entry_bytes(page: bytes) -> int:
    return len(page) + ENTRY_OVERHEAD_BYTES


_page_cache = TLRUCache[tuple[object, ...], bytes](
    MAX_CACHE_BYTES, _expires_at, getsizeof=_entry_bytes
)


@dataclass(frozen=True, slots=True)
class CompiledStatement:
    """SQL with numbered parameters and their values; user ids are filled in per request."""

    sql: str
    values: tuple[object, ...]
    user_id_positions: tuple[int, ...]

    def values_for(self, user_id: uuid.UUID) -> list[object]:
        """Return the parameter values for one user."""
        values = list(self.values)
        for position in self.user_id_positions:
            values[position] = user_id
        return values


async def fetch_sample_page(
    user_id: uuid.UUID, query: SampleQuery, cursor: str, limit: int
) -> bytes:
    """Return the JSON body of `GET /api/samples`: samples, next cursor and total.

    Pages are cached until the user's library changes. A change may go unnoticed while Redis is
    down, so the cache is cleared then, and entries expire after 20 to 40 s.

    Raises:
        ValidationFailed: If the cursor is invalid.
        NotQuick: If nothing was found, as the spelling may need correction, if the query is
            limited to a collection or sorted by likeness, or if the database has no free fast
            connection.
    """
    if query.collection is not None or query.like is not None:
        raise NotQuick
    try:
        # Read before the rows: a version read after them could be newer than they are.
        version = await cache_version.current_cache_version(user_id)
    except RedisUnavailable:
        _page_cache.clear()
        return await _query_page(user_id, query, cursor, limit)
    cache_key = (user_id, version, query, cursor, limit)
    page = _page_cache.get(cache_key)
    if page is None:
        page = await _query_page(user_id, query, cursor, limit)
        if version is not None and len(page) < MAX_CACHED_PAGE_BYTES:
            _page_cache[cache_key] = page
    return page


async def fetch_sample(user_id: uuid.UUID, sample_id: uuid.UUID) -> bytes:
    """Return the JSON body of `GET /api/samples/{sample_id}`, also of a sample in the trash.

    Raises:
        NotQuick: If the user has no such sample, or the database has no free fast connection.
    """
    rows = await quick(_ONE_SAMPLE, sample_id, user_id)
    if not rows:
        raise NotQuick
    return orjson.dumps(_row_to_json(rows[0]), option=orjson.OPT_UTC_Z)


async def _query_page(user_id: uuid.UUID, query: SampleQuery, cursor: str, limit: int) -> bytes:
    statement = _compile_statement(query, cursor, limit)
    rows = await quick(statement.sql, *statement.values_for(user_id))
    if not rows:
        raise NotQuick
    samples = [_row_to_json(row) for row in rows[:limit]]
    next_cursor = None
    if len(rows) > limit:
        last, column = samples[-1], search_order.sort_column(query.sort)
        value = None if column == "id" else last[JSON_FIELDS.get(column, column)]
        next_cursor = search_cursor.encode_cursor(query.sort, uuid.UUID(last["id"]), value)
    answer = {"samples": samples, "next_cursor": next_cursor, "total": rows[0]["total"]}
    return orjson.dumps(answer, option=orjson.OPT_UTC_Z)


def _row_to_json(row: Sequence[Any]) -> dict[str, Any]:
    sample = dict(zip(FIELD_NAMES, row, strict=False))  # the row ends with the total
    sample["camelot"] = CAMELOT_CODES.get(sample["key"])
    return sample


@lru_cache(maxsize=MAX_CACHED_STATEMENTS)
def _compile_statement(query: SampleQuery, cursor: str, limit: int) -> CompiledStatement:
    owner = cast("uuid.UUID", bindparam(OWNER_PARAMETER, NO_USER_ID, type_=Uuid()))
    rows, total = search.page_statements(owner, query, cursor, limit)
    columns = [_select_column(name) for name in FIELD_NAMES]
    statement = rows.with_only_columns(*columns, total.scalar_subquery().label("total"))
    compiled = statement.compile(
        dialect=PGDialect_asyncpg(), compile_kwargs={"render_postcompile": True}
    )
    names = compiled.positiontup or []
    return CompiledStatement(
        str(compiled),
        tuple(compiled.params[name] for name in names),
        tuple(position for position, name in enumerate(names) if name == OWNER_PARAMETER),
    )


def _select_column(name: str) -> Any:
    """Return the column of a JSON field: ids as text, NULL for fields computed in Python."""
    column = getattr(Sample, SAMPLE_COLUMNS.get(name, name), literal_column("null", Text))
    return sqlalchemy.cast(column, Text) if name in {"id", "copy_group"} else column


def _compile_one_sample() -> str:
    columns = [_select_column(name) for name in FIELD_NAMES]
    found = select(*columns).where(
        col(Sample.id) == bindparam("sample", type_=Uuid()),
        col(Sample.user_id) == bindparam(OWNER_PARAMETER, type_=Uuid()),
    )
    compiled = found.compile(dialect=PGDialect_asyncpg())
    assert compiled.positiontup == ["sample", OWNER_PARAMETER]
    return str(compiled)


_ONE_SAMPLE = _compile_one_sample()

"""A page of samples as JSON, written by PostgreSQL: for the route that is asked most.

What is found, in which order, and what is shown of it is said in `search.py` and `views.py`; here
is only another way to the same answer, without an object for each row.
"""

import datetime as dt
import json
import uuid
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Text, Uuid, bindparam, case, func, literal_column, select
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlmodel import col

from sp404_app.audio.keys import KEYS, camelot
from sp404_app.db import NotQuick, quick
from sp404_app.models import Sample
from sp404_app.services import search
from sp404_app.services.search import Query
from sp404_app.services.views import SampleView

OWNER, NOBODY = "owner", uuid.UUID(int=0)
REMEMBERED = 1000  # statements, with their values
RFC3339 = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


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

    Raises:
        Invalid: If the cursor is not one of ours.
        NotQuick: If nothing was found: words may have to be put right, or there is no quick way.
    """
    statement = _statement(query, cursor, limit)
    rows = await quick(statement.sql, *statement.of(user_id))
    if not rows:
        raise NotQuick
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = search.cursor_after(query.sort, last["id"], last["sorted_by"])
    shown = ",".join([row["shown"] for row in rows[:limit]])
    rest = f'"next_cursor":{json.dumps(following)},"total":{rows[0]["total"]}'
    return f'{{"samples":[{shown}],{rest}}}'.encode()


@lru_cache(maxsize=REMEMBERED)
def _statement(query: Query, cursor: str, limit: int) -> Statement:
    owner = cast("uuid.UUID", bindparam(OWNER, NOBODY, type_=Uuid()))
    rows, total = search.statements(owner, query, cursor, limit)
    found = rows.with_only_columns(*_shown()).subquery("found")
    whole = select(
        func.row_to_json(literal_column("found")).cast(Text).label("shown"),
        found.c.id,
        found.c[search.sorted_by(query.sort)].label("sorted_by"),
        total.scalar_subquery().label("total"),
    )
    compiled = whole.compile(
        dialect=PGDialect_asyncpg(), compile_kwargs={"render_postcompile": True}
    )
    names = compiled.positiontup or []
    return Statement(
        str(compiled),
        tuple(compiled.params[name] for name in names),
        tuple(place for place, name in enumerate(names) if name == OWNER),
    )


def _shown() -> list[ColumnElement[Any]]:
    """Return what a view shows of a sample, in its order."""
    return [_column(field.name, field.type).label(field.name) for field in fields(SampleView)]


def _column(name: str, kind: object) -> ColumnElement[Any]:
    if name == "camelot":
        codes = {_quoted(key): _quoted(camelot(key)) for key in KEYS}
        return case(codes, value=col(Sample.key))
    column = cast("ColumnElement[Any]", getattr(Sample, name))
    if kind in (dt.datetime, dt.datetime | None):
        return func.to_char(func.timezone(_quoted("UTC"), column), _quoted(RFC3339))
    return column


def _quoted(word: str) -> ColumnElement[str]:
    """Write a word of ours into the statement, where a numbered place would only cost time."""
    return literal_column(f"'{word}'", Text)

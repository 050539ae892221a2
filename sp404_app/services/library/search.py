"""Search a user's samples: full text, filters, sort orders and pagination, as SQL."""

import base64
import binascii
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Select,
    String,
    and_,
    bindparam,
    func,
    literal,
    or_,
    text,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased, defer
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.audio.features.musical_keys import KEYS, compatible_keys
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.errors import ValidationFailed
from sp404_app.models import Kind, Sample, SampleStatus
from sp404_app.services.infra.text import clean_name, clean_text, sort_key
from sp404_app.services.library import search_terms
from sp404_app.services.library.search_terms import SearchTerm

SORTS: dict[str, Any] = {
    "created": col(Sample.id),  # UUIDv7 sorts by time
    "name": col(Sample.sort_key),
    "bpm": col(Sample.bpm),
    "key": col(Sample.key),
    "duration": col(Sample.duration),
    "size": col(Sample.size),
    "copies": col(Sample.duplicate_group_id),
}
DEFAULT_SORT = "-created"
# Lists do not show these columns, which are the larger part of a row.
DEFERRED_COLUMNS = (defer(Sample.search), defer(Sample.search_text), defer(Sample.note))  # type: ignore[arg-type]
MAX_NUMBER = 1_000_000
INVALID_CURSOR = "This cursor is invalid or belongs to another sort order."


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """Search text, filters and sort order; empty values do not filter."""

    q: str = ""
    bpm_min: float | None = None
    bpm_max: float | None = None
    key: str = ""
    compatible_key: str = ""
    kind: str = ""
    sound_class: str = ""
    tags: tuple[str, ...] = ()
    duration_min: float | None = None
    duration_max: float | None = None
    favourite: bool = False
    status: str = ""
    has_copies: bool = False
    trash: bool = False
    sort: str = DEFAULT_SORT

    def __post_init__(self) -> None:
        """Validate all fields.

        Raises:
            ValidationFailed: With a message for each invalid field.
        """
        faults = {
            "sort": self.sort.removeprefix("-") not in SORTS,
            "key": bool(self.key) and self.key not in KEYS,
            "compatible_key": bool(self.compatible_key) and self.compatible_key not in KEYS,
            "kind": bool(self.kind) and self.kind not in set(Kind),
            "sound_class": bool(self.sound_class) and self.sound_class not in set(SoundClass),
            "status": bool(self.status) and self.status not in set(SampleStatus),
        }
        errors = {field: ["Unknown value."] for field, invalid in faults.items() if invalid}
        for field in ("bpm_min", "bpm_max", "duration_min", "duration_max"):
            if not 0 <= (getattr(self, field) or 0) <= MAX_NUMBER:
                errors[field] = [f"Enter a number from 0 to {MAX_NUMBER:,}."]
        if errors:
            raise ValidationFailed("This search isn’t valid.", errors)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page of a result, and the number of rows in all of it.

    `corrected` is the search text after spelling correction, empty if none was needed.
    """

    rows: Sequence[Sample]
    total: int
    start: int = 0
    next_cursor: str | None = None
    corrected: str = ""


def search_window(
    session: Session, user_id: uuid.UUID, query: SampleQuery, start: int, limit: int
) -> SearchResult:
    """Return the rows `start` to `start + limit` of a result, for the scrolling list."""
    matching, total, corrected = _match_or_correct(session, user_id, query)
    start = max(0, min(start, max(0, total - limit)))
    part = matching.order_by(*_order_by(query.sort)).offset(start).limit(limit)
    return SearchResult(
        session.exec(part.options(*DEFERRED_COLUMNS)).all(), total, start, corrected=corrected
    )


def search_page(
    session: Session, user_id: uuid.UUID, query: SampleQuery, cursor: str, limit: int
) -> SearchResult:
    """Return the rows after a cursor (keyset pagination: stable if rows are added or deleted).

    Raises:
        ValidationFailed: If the cursor is invalid.
    """
    matching, total, corrected = _match_or_correct(session, user_id, query)
    rows = session.exec(_limit_page(matching, query.sort, cursor, limit)).all()
    next_cursor = None
    if len(rows) > limit:
        last = rows[limit - 1]
        next_cursor = encode_cursor(query.sort, last.id, getattr(last, sort_column(query.sort)))
    return SearchResult(rows[:limit], total, next_cursor=next_cursor, corrected=corrected)


def page_statements(
    user_id: uuid.UUID, query: SampleQuery, cursor: str, limit: int
) -> tuple[SelectOfScalar[Sample], Select[int]]:
    """Return the statements of `search_page`: `limit + 1` rows after a cursor, and the total.

    Raises:
        ValidationFailed: If the cursor is invalid.
    """
    matching = _where(user_id, query)
    return _limit_page(matching, query.sort, cursor, limit), _count_statement(matching)


def _limit_page(
    matching: SelectOfScalar[Sample], sort: str, cursor: str, limit: int
) -> SelectOfScalar[Sample]:
    if cursor:
        matching = matching.where(_after_cursor(sort, cursor))
    return matching.order_by(*_order_by(sort)).limit(limit + 1)


def search_ids(session: Session, user_id: uuid.UUID, query: SampleQuery) -> list[uuid.UUID]:
    """Return the ids of all samples a query finds, in its order."""
    matching, _, _ = _match_or_correct(session, user_id, query)
    only_ids = matching.with_only_columns(col(Sample.id)).order_by(*_order_by(query.sort))
    return list(session.scalars(only_ids))


def search_packed_ids(session: Session, user_id: uuid.UUID, query: SampleQuery) -> bytes:
    """Return the ids of all samples a query finds, in its order, concatenated, 16 bytes each."""
    packed = aggregate_order_by(literal(b"", LargeBinary), *_order_by(query.sort))
    agg = func.string_agg(func.uuid_send(col(Sample.id), type_=LargeBinary), packed)
    return session.scalars(_where(user_id, query).with_only_columns(agg)).one() or b""


def _match_or_correct(
    session: Session, user_id: uuid.UUID, query: SampleQuery
) -> tuple[SelectOfScalar[Sample], int, str]:
    """Return the statement, its number of rows, and the corrected text if nothing had matched."""
    matching = _where(user_id, query)
    total = _count(session, matching)
    if total or not query.q.strip():
        return matching, total, ""
    corrected = _correct_spelling(session, user_id, query.q)
    if not corrected:
        return matching, 0, ""
    matching = _where(user_id, replace(query, q=corrected))
    return matching, _count(session, matching), corrected


def _count(session: Session, matching: SelectOfScalar[Sample]) -> int:
    return session.scalars(_count_statement(matching)).one()


def _count_statement(matching: SelectOfScalar[Sample]) -> Select[int]:
    return matching.with_only_columns(func.count()).order_by(None)


def _where(user_id: uuid.UUID, query: SampleQuery) -> SelectOfScalar[Sample]:
    deleted_at = col(Sample.deleted_at)
    conditions: list[ColumnElement[bool]] = [
        col(Sample.user_id) == user_id,
        deleted_at.is_not(None) if query.trash else deleted_at.is_(None),
        *_range_filters(query),
        *_exact_filters(query),
    ]
    if query.q.strip():
        conditions.append(_matches_text(query.q))
    if query.compatible_key:
        conditions.append(col(Sample.key).in_(compatible_keys(query.compatible_key)))
    if query.tags:
        conditions.append(col(Sample.tags).contains(list(query.tags)))
    if query.favourite:
        conditions.append(col(Sample.favourite).is_(True))
    if query.has_copies:
        conditions.append(_has_copies(user_id))
    return select(Sample).where(*conditions)


def _tsquery_literal(terms: str) -> ColumnElement[Any]:
    """Return a tsquery as a literal in the SQL text, so that the planner knows its selectivity.

    With a parameter, PostgreSQL switches to a generic plan after a few executions, which took
    three times as long for common words.
    """
    return func.to_tsquery("simple", literal(terms, String, literal_execute=True))


def _has_copies(user_id: uuid.UUID) -> ColumnElement[bool]:
    """Return the condition that another sample of the same duplicate group is not in the trash."""
    other = aliased(Sample)
    return (
        select(other.id)
        .where(
            other.user_id == user_id,
            other.duplicate_group_id == Sample.duplicate_group_id,
            other.id != Sample.id,
            col(other.deleted_at).is_(None),
        )
        .exists()
    )


def _range_filters(query: SampleQuery) -> list[ColumnElement[bool]]:
    bounds = (
        (col(Sample.bpm), query.bpm_min, query.bpm_max),
        (col(Sample.duration), query.duration_min, query.duration_max),
    )
    lower = [column >= least for column, least, _ in bounds if least is not None]
    return lower + [column <= most for column, _, most in bounds if most is not None]


def _exact_filters(query: SampleQuery) -> list[ColumnElement[bool]]:
    filters = (
        (Sample.key, query.key),
        (Sample.kind, query.kind),
        (Sample.sound_class, query.sound_class),
        (Sample.status, query.status),
    )
    return [col(column) == value for column, value in filters if value]


def _matches_text(q: str) -> ColumnElement[bool]:
    """Return the condition for a search text; without letters or digits it must be the exact name.

    A pasted name may contain a minus: "Sunrise -8A" also finds the sample of exactly this name.
    """
    included, excluded = search_terms.parse_terms(q)
    matches = col(Sample.search).op("@@")(_tsquery_literal(search_terms.build_tsquery(q)))
    if included and not excluded:
        return matches
    name = clean_name(split_extension(q.strip())[0])
    has_name = col(Sample.sort_key) == sort_key(name)
    return or_(matches, has_name) if included or excluded else has_name


def _correct_spelling(session: Session, user_id: uuid.UUID, query: str) -> str:
    """Replace each word that no word in the library starts with by the most similar one.

    Returns an empty string if a word has no similar one, or if nothing needs correction.
    """
    included, excluded = search_terms.parse_terms(query)
    if not included:
        return ""
    # ts_stat takes a statement as text; a UUID cannot inject SQL.
    inner = f"select search from samples where user_id = '{uuid.UUID(str(user_id))}'"  # noqa: S608
    rows = session.connection().execute(
        text("select word from ts_stat(:inner)").bindparams(bindparam("inner", inner, String))
    )
    vocabulary = [row.word for row in rows]
    corrected = [_nearest_word(term, vocabulary) for term in included]
    if corrected == [term.text for term in included] or not all(corrected):
        return ""
    return " ".join([*corrected, *(f"-{term.text}" for term in excluded)])


def _nearest_word(term: SearchTerm, vocabulary: list[str]) -> str:
    if term.is_key or any(known.startswith(term.text) for known in vocabulary):
        return term.text
    return next(iter(search_terms.similar_words(term.text, vocabulary)), "")


def _order_by(sort: str) -> list[Any]:
    column, descending = SORTS[sort.removeprefix("-")], sort.startswith("-")
    if column is SORTS["created"]:
        return [column.desc() if descending else column.asc()]
    first = column.desc() if descending else column.asc()
    return [first.nulls_last(), col(Sample.id).asc()]


def _after_cursor(sort: str, cursor: str) -> ColumnElement[bool]:
    value, last_id = _decode_cursor(cursor, sort)
    column, descending = SORTS[sort.removeprefix("-")], sort.startswith("-")
    id_column = col(Sample.id)
    if column is SORTS["created"]:
        return id_column < last_id if descending else id_column > last_id
    if value is None:
        return and_(column.is_(None), id_column > last_id)
    if sort.removeprefix("-") == "name":
        value = sort_key(value)
    beyond = column < value if descending else column > value
    return or_(beyond, and_(column == value, id_column > last_id), column.is_(None))


def sort_column(sort: str) -> str:
    """Return the name of the column whose value a cursor of this sort order contains."""
    name = sort.removeprefix("-")
    return {"created": "id", "copies": "duplicate_group_id"}.get(name, name)


def encode_cursor(sort: str, last_id: uuid.UUID, value: object) -> str:
    """Return the cursor after a row with this id and this value of the sort column."""
    plain = str(value) if isinstance(value, uuid.UUID) else value
    parts = [sort, None if value == last_id else plain, str(last_id)]
    payload = json.dumps(parts, ensure_ascii=False)  # unescaped, so that 200 emoji fit into a URL
    return base64.urlsafe_b64encode(payload.encode()).decode()


def _decode_cursor(cursor: str, sort: str) -> tuple[Any, uuid.UUID]:
    name = sort.removeprefix("-")
    is_valid = _is_cursor_text if name in {"name", "key", "copies"} else _is_cursor_number
    try:
        cursor_sort, value, last_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if cursor_sort == sort and (value is None or is_valid(value)):
            return uuid.UUID(value) if value and name == "copies" else value, uuid.UUID(last_id)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise ValidationFailed(INVALID_CURSOR) from error
    raise ValidationFailed(INVALID_CURSOR)


def _is_cursor_text(value: object) -> bool:
    return isinstance(value, str) and value == clean_text(value)


def _is_cursor_number(value: object) -> bool:
    """Return whether a column could contain the value; False for NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63

"""Find samples: words, filters and order, as SQL over one person's library."""

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
from sp404_app.services.library.search_terms import Term

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
# No list on a page shows these, and they are the larger part of a row.
UNSEEN = (defer(Sample.search), defer(Sample.search_text), defer(Sample.note))  # type: ignore[arg-type]
MOST = 1_000_000
NOT_A_CURSOR = "This cursor is not one of ours, or belongs to another order."


@dataclass(frozen=True, slots=True)
class Query:
    """What a person is looking for; empty values do not filter."""

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
        """Refuse values that no sample can have.

        Raises:
            ValidationFailed: With a message for each field at fault.
        """
        faults = {
            "sort": self.sort.removeprefix("-") not in SORTS,
            "key": bool(self.key) and self.key not in KEYS,
            "compatible_key": bool(self.compatible_key) and self.compatible_key not in KEYS,
            "kind": bool(self.kind) and self.kind not in set(Kind),
            "sound_class": bool(self.sound_class) and self.sound_class not in set(SoundClass),
            "status": bool(self.status) and self.status not in set(SampleStatus),
        }
        wrong = {field: ["This value is not known."] for field, bad in faults.items() if bad}
        for field in ("bpm_min", "bpm_max", "duration_min", "duration_max"):
            if not 0 <= (getattr(self, field) or 0) <= MOST:
                wrong[field] = [f"A number from 0 to {MOST:,} is needed."]
        if wrong:
            raise ValidationFailed("This search asks for something we do not know.", wrong)


@dataclass(frozen=True, slots=True)
class Found:
    """One stretch of the result, and how long the whole is."""

    rows: Sequence[Sample]
    total: int
    start: int = 0
    next_cursor: str | None = None
    corrected: str = ""


def window(session: Session, user_id: uuid.UUID, query: Query, start: int, limit: int) -> Found:
    """Return the rows `start` to `start + limit` of a result, for a page that scrolls."""
    matching, total, corrected = _match(session, user_id, query)
    start = max(0, min(start, max(0, total - limit)))
    part = matching.order_by(*_order(query.sort)).offset(start).limit(limit)
    return Found(session.exec(part.options(*UNSEEN)).all(), total, start, corrected=corrected)


def page(session: Session, user_id: uuid.UUID, query: Query, cursor: str, limit: int) -> Found:
    """Return the rows after a cursor; rows that come or go meanwhile shift nothing.

    Raises:
        ValidationFailed: If the cursor is not one of ours.
    """
    matching, total, corrected = _match(session, user_id, query)
    rows = session.exec(_stretch(matching, query.sort, cursor, limit)).all()
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = cursor_after(query.sort, last.id, getattr(last, sorted_by(query.sort)))
    return Found(rows[:limit], total, next_cursor=following, corrected=corrected)


def statements(
    user_id: uuid.UUID, query: Query, cursor: str, limit: int
) -> tuple[SelectOfScalar[Sample], Select[int]]:
    """Return what `page` asks: the rows, one more than wanted, and what counts all of them.

    Raises:
        ValidationFailed: If the cursor is not one of ours.
    """
    matching = _where(user_id, query)
    return _stretch(matching, query.sort, cursor, limit), _counting(matching)


def _stretch(
    matching: SelectOfScalar[Sample], sort: str, cursor: str, limit: int
) -> SelectOfScalar[Sample]:
    if cursor:
        matching = matching.where(_after(sort, cursor))
    return matching.order_by(*_order(sort)).limit(limit + 1)


def ids(session: Session, user_id: uuid.UUID, query: Query) -> list[uuid.UUID]:
    """Return the ids of everything a query finds, in its order."""
    matching, _, _ = _match(session, user_id, query)
    only_ids = matching.with_only_columns(col(Sample.id)).order_by(*_order(query.sort))
    return list(session.scalars(only_ids))


def order(session: Session, user_id: uuid.UUID, query: Query) -> bytes:
    """Return the ids of everything a query finds, in its order, 16 bytes each."""
    packed = aggregate_order_by(literal(b"", LargeBinary), *_order(query.sort))
    agg = func.string_agg(func.uuid_send(col(Sample.id), type_=LargeBinary), packed)
    return session.scalars(_where(user_id, query).with_only_columns(agg)).one() or b""


def position(session: Session, user_id: uuid.UUID, query: Query, sample_id: uuid.UUID) -> int:
    """Return where in a result a sample stands; -1 when it is not in it."""
    found = ids(session, user_id, query)
    return found.index(sample_id) if sample_id in found else -1


def _match(
    session: Session, user_id: uuid.UUID, query: Query
) -> tuple[SelectOfScalar[Sample], int, str]:
    """Return the statement, its number of rows, and the words put right if none had matched."""
    matching = _where(user_id, query)
    total = _count(session, matching)
    if total or not query.q.strip():
        return matching, total, ""
    corrected = _put_right(session, user_id, query.q)
    if not corrected:
        return matching, 0, ""
    matching = _where(user_id, replace(query, q=corrected))
    return matching, _count(session, matching), corrected


def _count(session: Session, matching: SelectOfScalar[Sample]) -> int:
    return session.scalars(_counting(matching)).one()


def _counting(matching: SelectOfScalar[Sample]) -> Select[int]:
    return matching.with_only_columns(func.count()).order_by(None)


def _where(user_id: uuid.UUID, query: Query) -> SelectOfScalar[Sample]:
    gone = col(Sample.deleted_at)
    conditions: list[ColumnElement[bool]] = [
        col(Sample.user_id) == user_id,
        gone.is_not(None) if query.trash else gone.is_(None),
        *_ranges(query),
        *_exact(query),
    ]
    if query.q.strip():
        conditions.append(_says(query.q))
    if query.compatible_key:
        conditions.append(col(Sample.key).in_(compatible_keys(query.compatible_key)))
    if query.tags:
        conditions.append(col(Sample.tags).contains(list(query.tags)))
    if query.favourite:
        conditions.append(col(Sample.favourite).is_(True))
    if query.has_copies:
        conditions.append(_has_copies(user_id))
    return select(Sample).where(*conditions)


def _words(terms: str) -> ColumnElement[Any]:
    """Write the words into the statement: how many rows match decides how it is best run.

    As parameters, they would be unknown to the plan that PostgreSQL keeps for a statement that
    came a few times; that plan took three times as long for words that are common.
    """
    return func.to_tsquery("simple", literal(terms, String, literal_execute=True))


def _has_copies(user_id: uuid.UUID) -> ColumnElement[bool]:
    """Say that a copy of the same recording is in the library, not in the trash."""
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


def _ranges(query: Query) -> list[ColumnElement[bool]]:
    bounds = (
        (col(Sample.bpm), query.bpm_min, query.bpm_max),
        (col(Sample.duration), query.duration_min, query.duration_max),
    )
    low = [column >= least for column, least, _ in bounds if least is not None]
    return low + [column <= most for column, _, most in bounds if most is not None]


def _exact(query: Query) -> list[ColumnElement[bool]]:
    wanted = (
        (Sample.key, query.key),
        (Sample.kind, query.kind),
        (Sample.sound_class, query.sound_class),
        (Sample.status, query.status),
    )
    return [col(column) == value for column, value in wanted if value]


def _says(q: str) -> ColumnElement[bool]:
    """Find what was typed; symbols alone find only a sound that has just this name.

    A pasted name may look like a search: "Sunrise -8A" finds the sound of this name too.
    """
    wanted, unwanted = search_terms.terms(q)
    matches = col(Sample.search).op("@@")(_words(search_terms.tsquery(q)))
    if wanted and not unwanted:
        return matches
    name = clean_name(split_extension(q.strip())[0])
    named = col(Sample.sort_key) == sort_key(name)
    return or_(matches, named) if wanted or unwanted else named


def _put_right(session: Session, user_id: uuid.UUID, query: str) -> str:
    """Replace each word that starts nothing in the library by the nearest one that does."""
    wanted, unwanted = search_terms.terms(query)
    if not wanted:
        return ""
    # ts_stat takes a statement as text; a UUID holds nothing to inject.
    inner = f"select search from samples where user_id = '{uuid.UUID(str(user_id))}'"  # noqa: S608
    rows = session.connection().execute(
        text("select word from ts_stat(:inner)").bindparams(bindparam("inner", inner, String))
    )
    vocabulary = [row.word for row in rows]
    better = [_nearest(term, vocabulary) for term in wanted]
    if better == [term.text for term in wanted] or not all(better):
        return ""
    return " ".join([*better, *(f"-{term.text}" for term in unwanted)])


def _nearest(term: Term, vocabulary: list[str]) -> str:
    if term.is_key or any(known.startswith(term.text) for known in vocabulary):
        return term.text
    return next(iter(search_terms.near(term.text, vocabulary)), "")


def _order(sort: str) -> list[Any]:
    column, falling = SORTS[sort.removeprefix("-")], sort.startswith("-")
    if column is SORTS["created"]:
        return [column.desc() if falling else column.asc()]
    first = column.desc() if falling else column.asc()
    return [first.nulls_last(), col(Sample.id).asc()]


def _after(sort: str, cursor: str) -> ColumnElement[bool]:
    value, last_id = _read_cursor(cursor, sort)
    column, falling = SORTS[sort.removeprefix("-")], sort.startswith("-")
    identity = col(Sample.id)
    if column is SORTS["created"]:
        return identity < last_id if falling else identity > last_id
    if value is None:
        return and_(column.is_(None), identity > last_id)
    if sort.removeprefix("-") == "name":
        value = sort_key(value)
    beyond = column < value if falling else column > value
    return or_(beyond, and_(column == value, identity > last_id), column.is_(None))


def sorted_by(sort: str) -> str:
    """Name the column whose value a cursor of this order carries."""
    name = sort.removeprefix("-")
    return {"created": "id", "copies": "duplicate_group_id"}.get(name, name)


def cursor_after(sort: str, last_id: uuid.UUID, value: object) -> str:
    """Return the cursor that goes on after a row with this id and this value."""
    shown = str(value) if isinstance(value, uuid.UUID) else value
    parts = [sort, None if value == last_id else shown, str(last_id)]
    payload = json.dumps(parts, ensure_ascii=False)  # 200 emoji fit into an address
    return base64.urlsafe_b64encode(payload.encode()).decode()


def _read_cursor(cursor: str, sort: str) -> tuple[Any, uuid.UUID]:
    name = sort.removeprefix("-")
    possible = _is_text if name in {"name", "key", "copies"} else _is_number
    try:
        made_for, value, last_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if made_for == sort and (value is None or possible(value)):
            return uuid.UUID(value) if value and name == "copies" else value, uuid.UUID(last_id)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise ValidationFailed(NOT_A_CURSOR) from error
    raise ValidationFailed(NOT_A_CURSOR)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value == clean_text(value)


def _is_number(value: object) -> bool:
    """Say whether a column could hold it; this is false for not-a-number, too."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63

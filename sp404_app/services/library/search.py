"""Search a user's samples: full text, filters, sort orders and pagination, as SQL."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    LargeBinary,
    Select,
    String,
    Uuid,
    and_,
    any_,
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

from sp404_app.audio.features.musical_keys import KEYS, compatible_keys
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.errors import ValidationFailed
from sp404_app.models import CollectionSample, Kind, Sample, SampleStatus
from sp404_app.services.infra.text import sort_key
from sp404_app.services.library import heard_words, search_terms
from sp404_app.services.library.collection_filter import CollectionScope, load_scope
from sp404_app.services.library.search_conditions import has_copies, is_favourite, matches_text
from sp404_app.services.library.search_cursor import decode_cursor, encode_cursor
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
COLLECTION_SORTS = {**SORTS, "position": col(CollectionSample.position)}  # of a manual collection
DEFAULT_SORT = "-created"
POSITION_SORTS = frozenset({"position", "-position"})
# Lists do not show these columns, which are the larger part of a row.
DEFERRED_COLUMNS = (defer(Sample.search), defer(Sample.search_text), defer(Sample.note))  # type: ignore[arg-type]
MAX_NUMBER = 1_000_000
MAX_RATING = 5


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """Search text, filters and sort order; empty values do not filter.

    In a smart collection, which has no positions, the sort order `position` is the default one.
    """

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
    rating_min: float | None = None
    status: str = ""
    has_copies: bool = False
    trash: bool = False
    collection: uuid.UUID | None = None
    sort: str = DEFAULT_SORT

    def __post_init__(self) -> None:
        """Validate all fields.

        Raises:
            ValidationFailed: With a message for each invalid field.
        """
        faults = {
            "sort": self.sort.removeprefix("-")
            not in (SORTS if self.collection is None else COLLECTION_SORTS),
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
        if (self.rating_min or 0) not in range(MAX_RATING + 1):
            errors["rating_min"] = [f"Enter a whole number from 0 to {MAX_RATING}."]
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
    """Return the rows `start` to `start + limit` of a result, for the scrolling list.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
    """
    search = _match_or_correct(session, user_id, query)
    start = max(0, min(start, max(0, search.total - limit)))
    part = search.matching.order_by(*_order_by(search.sort)).offset(start).limit(limit)
    rows = session.exec(part.options(*DEFERRED_COLUMNS)).all()
    return SearchResult(rows, search.total, start, corrected=search.corrected)


def search_page(
    session: Session, user_id: uuid.UUID, query: SampleQuery, cursor: str, limit: int
) -> SearchResult:
    """Return the rows after a cursor (keyset pagination: stable if rows are added or deleted).

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
        ValidationFailed: If the cursor is invalid.
    """
    search = _match_or_correct(session, user_id, query)
    rows = session.exec(_limit_page(search.matching, search.sort, cursor, limit)).all()
    next_cursor = None
    if len(rows) > limit:
        last = rows[limit - 1]
        if search.sort in POSITION_SORTS and query.collection:
            value = _position_of(session, query.collection, last.id)
        else:
            value = getattr(last, sort_column(search.sort))
        next_cursor = encode_cursor(search.sort, last.id, value)
    return SearchResult(
        rows[:limit], search.total, next_cursor=next_cursor, corrected=search.corrected
    )


def page_statements(
    user_id: uuid.UUID, query: SampleQuery, cursor: str, limit: int
) -> tuple[SelectOfScalar[Sample], Select[int]]:
    """Return the statements of `search_page`: `limit + 1` rows after a cursor, and the total.

    The query must not name a collection.

    Raises:
        ValidationFailed: If the cursor is invalid.
    """
    matching = _where(user_id, query, None)
    return _limit_page(matching, query.sort, cursor, limit), _count_statement(matching)


def _limit_page(
    matching: SelectOfScalar[Sample], sort: str, cursor: str, limit: int
) -> SelectOfScalar[Sample]:
    if cursor:
        matching = matching.where(_after_cursor(sort, cursor))
    order = _order_by(sort)
    if sort in POSITION_SORTS:
        return matching.order_by(*order).limit(limit + 1)
    # The ids come from an index of the user's samples alone. With all columns, PostgreSQL may walk
    # through the samples of other users that are newer.
    ids = matching.with_only_columns(col(Sample.id)).order_by(*order).limit(limit + 1).subquery()
    return select(Sample).where(col(Sample.id).in_(ids.select())).order_by(*order)


def matching_samples(
    session: Session, user_id: uuid.UUID, query: SampleQuery
) -> SelectOfScalar[Sample]:
    """Return the statement of all samples that a query finds, without an order.

    The spelling is not corrected.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
    """
    return _where(user_id, query, _load_scope(session, user_id, query)[0])


def search_ids(
    session: Session, user_id: uuid.UUID, query: SampleQuery, limit: int | None = None
) -> list[uuid.UUID]:
    """Return the ids of all samples a query finds, or of the first `limit`, in its order.

    The spelling is not corrected: what is done to these samples must concern no others.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
    """
    scope, sort = _load_scope(session, user_id, query)
    matching = _where(user_id, query, scope)
    only_ids = matching.with_only_columns(col(Sample.id)).order_by(*_order_by(sort))
    return list(session.scalars(only_ids.limit(limit)))


def search_among(
    session: Session, user_id: uuid.UUID, query: SampleQuery, sample_ids: Collection[str]
) -> list[uuid.UUID]:
    """Return which of these samples a query finds. The spelling is not corrected.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
    """
    if not sample_ids:
        return []
    ids = literal([uuid.UUID(each) for each in sample_ids], ARRAY(Uuid))
    among = matching_samples(session, user_id, query).where(col(Sample.id) == any_(ids))
    return list(session.scalars(among.with_only_columns(col(Sample.id))))


def search_packed_ids(session: Session, user_id: uuid.UUID, query: SampleQuery) -> bytes:
    """Return the ids of all samples a query finds, in its order, concatenated, 16 bytes each.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
    """
    scope, sort = _load_scope(session, user_id, query)
    packed = aggregate_order_by(literal(b"", LargeBinary), *_order_by(sort))
    agg = func.string_agg(func.uuid_send(col(Sample.id), type_=LargeBinary), packed)
    matching = _where(user_id, query, scope)
    return session.scalars(matching.with_only_columns(agg)).one() or b""


@dataclass(frozen=True, slots=True)
class _Search:
    """A statement, its number of rows, its sort order, and the corrected text if there is one."""

    matching: SelectOfScalar[Sample]
    total: int
    sort: str
    corrected: str = ""


def _load_scope(
    session: Session, user_id: uuid.UUID, query: SampleQuery
) -> tuple[CollectionScope | None, str]:
    """Return the collection of a query, and the sort order in it."""
    if query.collection is None:
        return None, query.sort
    scope = load_scope(session, user_id, query.collection)
    is_unordered = scope.rules is not None and query.sort in POSITION_SORTS
    return scope, DEFAULT_SORT if is_unordered else query.sort


def _match_or_correct(session: Session, user_id: uuid.UUID, query: SampleQuery) -> _Search:
    """Search; if nothing matches, search for the text with corrected spelling."""
    scope, sort = _load_scope(session, user_id, query)
    matching = _where(user_id, query, scope)
    total = count_samples(session, matching)
    if total or not query.q.strip():
        return _Search(matching, total, sort)
    corrected = _correct_spelling(session, user_id, query.q)
    if not corrected:
        return _Search(matching, 0, sort)
    matching = _where(user_id, replace(query, q=corrected), scope)
    return _Search(matching, count_samples(session, matching), sort, corrected)


def count_samples(session: Session, matching: SelectOfScalar[Sample]) -> int:
    """Return the number of samples that a statement finds."""
    return session.scalars(_count_statement(matching)).one()


def _count_statement(matching: SelectOfScalar[Sample]) -> Select[int]:
    return matching.with_only_columns(func.count()).order_by(None)


def _where(
    user_id: uuid.UUID, query: SampleQuery, scope: CollectionScope | None
) -> SelectOfScalar[Sample]:
    deleted_at = col(Sample.deleted_at)
    conditions: list[ColumnElement[bool]] = [
        col(Sample.user_id) == user_id,
        deleted_at.is_not(None) if query.trash else deleted_at.is_(None),
        *_range_filters(query),
        *_exact_filters(query),
    ]
    if query.q.strip():
        conditions.append(matches_text(query.q))
    if query.compatible_key:
        conditions.append(col(Sample.key).in_(compatible_keys(query.compatible_key)))
    if query.tags:
        conditions.append(col(Sample.tags).contains(list(query.tags)))
    if query.favourite:
        conditions.append(is_favourite())
    if query.rating_min:
        conditions.append(col(Sample.rating) >= query.rating_min)
    if query.has_copies:
        conditions.append(has_copies(user_id))
    matching = select(Sample).select_from(Sample).where(*conditions)
    return matching if scope is None else scope.limit_samples(matching)


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


def _correct_spelling(session: Session, user_id: uuid.UUID, query: str) -> str:
    """Replace each word that no word in the library starts with by the most similar one.

    Returns an empty string if a word has no similar one, or if nothing needs correction.
    """
    included, excluded = search_terms.parse_terms(query)
    if not included or heard_words.parse_tempo(query) or '"' in query:
        return ""
    # ts_stat takes a statement as text; a UUID cannot inject SQL.
    inner = f"select search from samples where user_id = '{uuid.UUID(str(user_id))}'"  # noqa: S608
    rows = session.connection().execute(
        text("select word from ts_stat(:inner)").bindparams(bindparam("inner", inner, String))
    )
    vocabulary = [row.word for row in rows if not row.word.startswith(heard_words.HEARD_PREFIX)]
    corrected = [_nearest_word(term, vocabulary) for term in included]
    if corrected == [term.text for term in included] or not all(corrected):
        return ""
    return " ".join([*corrected, *(f"-{term.text}" for term in excluded)])


def _nearest_word(term: SearchTerm, vocabulary: list[str]) -> str:
    if term.is_known or any(known.startswith(term.text) for known in vocabulary):
        return term.text
    return next(iter(search_terms.similar_words(term.text, vocabulary)), "")


def _order_by(sort: str) -> list[Any]:
    column, descending = COLLECTION_SORTS[sort.removeprefix("-")], sort.startswith("-")
    if column is SORTS["created"]:
        return [column.desc() if descending else column.asc()]
    first = column.desc() if descending else column.asc()
    return [first.nulls_last(), col(Sample.id).asc()]


def _after_cursor(sort: str, cursor: str) -> ColumnElement[bool]:
    value, last_id = decode_cursor(cursor, sort)
    column, descending = COLLECTION_SORTS[sort.removeprefix("-")], sort.startswith("-")
    id_column = col(Sample.id)
    if column is SORTS["created"]:
        return id_column < last_id if descending else id_column > last_id
    if sort in POSITION_SORTS:
        return _after_position(value, last_id, descending=descending)
    if value is None:
        return and_(column.is_(None), id_column > last_id)
    if sort.removeprefix("-") == "name":
        value = sort_key(value)
    beyond = column < value if descending else column > value
    return or_(beyond, and_(column == value, id_column > last_id), column.is_(None))


def _position_of(session: Session, collection_id: uuid.UUID, sample_id: uuid.UUID) -> int:
    query = select(CollectionSample.position).where(
        CollectionSample.collection_id == collection_id, CollectionSample.sample_id == sample_id
    )
    return session.exec(query).one()


def _after_position(
    former: int | None, last_id: uuid.UUID, *, descending: bool
) -> ColumnElement[bool]:
    """Return the condition for the samples after one, at its present position in the collection.

    Of a sample that is no longer in the collection, it is the former position.
    """
    last = aliased(CollectionSample)
    present = (
        select(last.position)
        .where(last.collection_id == col(CollectionSample.collection_id), last.sample_id == last_id)
        .scalar_subquery()
    )
    position = func.coalesce(present, literal(former, BigInteger))
    here = col(CollectionSample.position)
    beyond = here < position if descending else here > position
    return or_(beyond, and_(here == position, col(Sample.id) > last_id))


def sort_column(sort: str) -> str:
    """Return the name of the column whose value a cursor of this sort order contains."""
    name = sort.removeprefix("-")
    return {"created": "id", "copies": "duplicate_group_id"}.get(name, name)

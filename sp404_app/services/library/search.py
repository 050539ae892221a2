"""Search a user's samples: full text, filters, sort orders and pagination, as SQL."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    LargeBinary,
    Select,
    String,
    Uuid,
    any_,
    bindparam,
    func,
    literal,
    text,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from sp404_app.audio.features.musical_keys import KEYS, compatible_keys
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.errors import ValidationFailed
from sp404_app.models import Kind, Sample, SampleStatus
from sp404_app.services.library import heard_words, search_terms
from sp404_app.services.library.collection_filter import CollectionScope, load_scope
from sp404_app.services.library.likeness_order import (
    WEIGHTS_MESSAGE,
    Anchor,
    LikenessOrder,
    Weights,
    are_weights,
    get_anchor,
)
from sp404_app.services.library.search_conditions import has_copies, is_favourite, matches_text
from sp404_app.services.library.search_order import (
    COLLECTION_SORTS,
    DEFAULT_SORT,
    LIKENESS_SORT,
    POSITION_SORTS,
    SORTS,
    SearchOrder,
)
from sp404_app.services.library.search_terms import SearchTerm

# Lists do not show these columns, which are the larger part of a row.
DEFERRED_COLUMNS = (defer(Sample.search), defer(Sample.search_text), defer(Sample.note))  # type: ignore[arg-type]
MAX_NUMBER = 1_000_000
MAX_RATING = 5


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """Search text, filters and sort order; empty values do not filter.

    In a smart collection, which has no positions, the sort order `position` is the default one.
    The sort order `likeness` is that to the sample `like`, which no other order has; `weights` are
    percentages of timbre, envelope, pitch and rhythm, or empty for the usual ones.
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
    like: uuid.UUID | None = None
    weights: Weights = ()

    def __post_init__(self) -> None:
        """Validate all fields.

        Raises:
            ValidationFailed: With a message for each invalid field.
        """
        faults = {
            "sort": self.like is None
            and self.sort.removeprefix("-")
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
        errors |= self._likeness_errors()
        if errors:
            raise ValidationFailed("This search isn’t valid.", errors)

    def _likeness_errors(self) -> dict[str, list[str]]:
        if self.like is None:
            needs_sample = ["This needs the sample to compare with, as “like”."]
            if self.sort == LIKENESS_SORT:
                return {"sort": needs_sample}
            return {"weights": needs_sample} if self.weights else {}
        errors: dict[str, list[str]] = {}
        if self.sort != LIKENESS_SORT:
            errors["sort"] = ["Samples like another one are sorted by likeness."]
        if self.weights and not are_weights(self.weights):
            errors["weights"] = [WEIGHTS_MESSAGE]
        return errors


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page of a result, and the number of rows in all of it.

    `corrected` is the search text after spelling correction, empty if none was needed. `anchor` is
    the sample that the others are compared with, if they are sorted by likeness.
    """

    rows: Sequence[Sample]
    total: int
    start: int = 0
    next_cursor: str | None = None
    corrected: str = ""
    anchor: Anchor | None = None


def search_window(
    session: Session, user_id: uuid.UUID, query: SampleQuery, start: int, limit: int
) -> SearchResult:
    """Return the rows `start` to `start + limit` of a result, for the scrolling list.

    Raises:
        NotFound: If the collection or the sample to compare with does not exist or belongs to
            another user.
    """
    search = _match_or_correct(session, user_id, query)
    start = max(0, min(start, max(0, search.total - limit)))
    part = _select_window(search.matching, search.order, start, limit)
    rows = session.exec(part.options(*DEFERRED_COLUMNS)).all()
    likeness = search.order.likeness
    anchor = likeness.anchor if likeness else None
    return SearchResult(rows, search.total, start, corrected=search.corrected, anchor=anchor)


def search_page(
    session: Session, user_id: uuid.UUID, query: SampleQuery, cursor: str, limit: int
) -> SearchResult:
    """Return the rows after a cursor (keyset pagination: stable if rows are added or deleted).

    Raises:
        NotFound: If the collection or the sample to compare with does not exist or belongs to
            another user.
        ValidationFailed: If the cursor is invalid.
    """
    search = _match_or_correct(session, user_id, query)
    rows = session.exec(_limit_page(search.matching, search.order, cursor, limit)).all()
    next_cursor = None
    if len(rows) > limit:
        next_cursor = search.order.cursor_of(session, rows[limit - 1], query.collection)
    return SearchResult(
        rows[:limit], search.total, next_cursor=next_cursor, corrected=search.corrected
    )


def page_statements(
    user_id: uuid.UUID, query: SampleQuery, cursor: str, limit: int
) -> tuple[SelectOfScalar[Sample], Select[int]]:
    """Return the statements of `search_page`: `limit + 1` rows after a cursor, and the total.

    The query must name neither a collection nor a sample to compare with.

    Raises:
        ValidationFailed: If the cursor is invalid.
    """
    matching = _where(user_id, query, None)
    order = SearchOrder(query.sort)
    return _limit_page(matching, order, cursor, limit), _count_statement(matching)


def _limit_page(
    matching: SelectOfScalar[Sample], order: SearchOrder, cursor: str, limit: int
) -> SelectOfScalar[Sample]:
    joined = order.join(matching)
    if cursor:
        joined = joined.where(order.after(cursor))
    if order.sort in POSITION_SORTS:
        return joined.order_by(*order.columns()).limit(limit + 1)
    return _select_first(joined, order, 0, limit + 1)


def _select_window(
    matching: SelectOfScalar[Sample], order: SearchOrder, start: int, limit: int
) -> SelectOfScalar[Sample]:
    if order.likeness is not None:  # whole rows beside the vectors take longer to sort
        return _select_first(order.join(matching), order, start, limit)
    return matching.order_by(*order.columns()).offset(start).limit(limit)


def _select_first(
    joined: SelectOfScalar[Sample], order: SearchOrder, start: int, limit: int
) -> SelectOfScalar[Sample]:
    # The ids come from an index of the user's samples alone. With all columns, PostgreSQL may walk
    # through the samples of other users that are newer.
    ids = joined.with_only_columns(col(Sample.id)).order_by(*order.columns())
    part = (ids.offset(start) if start else ids).limit(limit).subquery()
    rows = order.join(select(Sample)).where(col(Sample.id).in_(part.select()))
    return rows.order_by(*order.columns())


def matching_samples(
    session: Session, user_id: uuid.UUID, query: SampleQuery
) -> SelectOfScalar[Sample]:
    """Return the statement of all samples that a query finds, without an order.

    The spelling is not corrected.

    Raises:
        NotFound: If the collection or the sample to compare with does not exist or belongs to
            another user.
    """
    return _where(user_id, query, _load_scope(session, user_id, query)[0])


def search_ids(
    session: Session, user_id: uuid.UUID, query: SampleQuery, limit: int | None = None
) -> list[uuid.UUID]:
    """Return the ids of all samples a query finds, or of the first `limit`, in its order.

    The spelling is not corrected: what is done to these samples must concern no others.

    Raises:
        NotFound: If the collection or the sample to compare with does not exist or belongs to
            another user.
    """
    scope, order = _load_scope(session, user_id, query)
    matching = order.join(_where(user_id, query, scope))
    only_ids = matching.with_only_columns(col(Sample.id)).order_by(*order.columns())
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
        NotFound: If the collection or the sample to compare with does not exist or belongs to
            another user.
    """
    scope, order = _load_scope(session, user_id, query)
    packed = aggregate_order_by(literal(b"", LargeBinary), *order.columns())
    agg = func.string_agg(func.uuid_send(col(Sample.id), type_=LargeBinary), packed)
    matching = order.join(_where(user_id, query, scope))
    return session.scalars(matching.with_only_columns(agg)).one() or b""


@dataclass(frozen=True, slots=True)
class _Search:
    """A statement, its number of rows, its sort order, and the corrected text if there is one."""

    matching: SelectOfScalar[Sample]
    total: int
    order: SearchOrder
    corrected: str = ""


def _load_scope(
    session: Session, user_id: uuid.UUID, query: SampleQuery
) -> tuple[CollectionScope | None, SearchOrder]:
    """Return the collection of a query, and the sort order in it."""
    order = SearchOrder(query.sort)
    if query.like is not None:
        anchor = get_anchor(session, user_id, query.like)
        order = SearchOrder(query.sort, LikenessOrder(user_id, anchor, query.weights))
    if query.collection is None:
        return None, order
    scope = load_scope(session, user_id, query.collection)
    is_unordered = scope.rules is not None and query.sort in POSITION_SORTS
    return scope, SearchOrder(DEFAULT_SORT) if is_unordered else order


def _match_or_correct(session: Session, user_id: uuid.UUID, query: SampleQuery) -> _Search:
    """Search; if nothing matches, search for the text with corrected spelling."""
    scope, order = _load_scope(session, user_id, query)
    matching = _where(user_id, query, scope)
    total = count_samples(session, matching)
    if total or not query.q.strip():
        return _Search(matching, total, order)
    corrected = _correct_spelling(session, user_id, query.q)
    if not corrected:
        return _Search(matching, 0, order)
    matching = _where(user_id, replace(query, q=corrected), scope)
    return _Search(matching, count_samples(session, matching), order, corrected)


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
    if not included or '"' in query:
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
    tempo = heard_words.parse_tempo(query)
    # The tempo comes first: after another word it could mean something else ("around 88 bpm").
    before = [tempo.text] if tempo else []
    return " ".join([*before, *corrected, *(f"-{term.text}" for term in excluded)])


def _nearest_word(term: SearchTerm, vocabulary: list[str]) -> str:
    if term.is_known or any(known.startswith(term.text) for known in vocabulary):
        return term.text
    return next(iter(search_terms.similar_words(term.text, vocabulary)), "")

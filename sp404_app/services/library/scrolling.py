"""Windows of a long search result for the scrolling list, equally fast at any offset.

PostgreSQL reads 90,000 rows to return row 90,001. So the ordered ids of a result are read once and
cached in this process while a user scrolls: 16 bytes per row.
"""

import threading
import time
import uuid
from dataclasses import dataclass, field

from cachetools import TTLCache
from sqlmodel import Session, col, select

from sp404_app.models import Sample
from sp404_app.services.library import search
from sp404_app.services.library.likeness_order import get_anchor
from sp404_app.services.library.search import SampleQuery, SearchResult
from sp404_app.settings import MB

ID_BYTES = 16
MAX_CACHE_BYTES, CACHE_TTL_S = 32 * MB, 60.0
MAX_STALENESS_S = 2.0  # how old the cached order may be while a list scrolls


@dataclass(frozen=True, slots=True)
class ResultOrder:
    """The concatenated ids of a result, and the cache version of the library they are from."""

    ids: bytes
    version: bytes | None
    read_at: float = field(default_factory=time.monotonic)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids) // ID_BYTES

    def ids_between(self, start: int, limit: int) -> list[uuid.UUID]:
        """Return the ids of the rows `start` to `start + limit`."""
        part = self.ids[start * ID_BYTES : (start + limit) * ID_BYTES]
        return [uuid.UUID(bytes=part[at : at + ID_BYTES]) for at in range(0, len(part), ID_BYTES)]

    def row_of(self, sample_id: uuid.UUID) -> int | None:
        """Return the row of an id, or None."""
        at = self.ids.find(sample_id.bytes)
        while at >= 0 and at % ID_BYTES:  # within two ids
            at = self.ids.find(sample_id.bytes, at + 1)
        return at // ID_BYTES if at >= 0 else None


def _entry_bytes(order: ResultOrder) -> int:
    return len(order.ids) + 1000


_order_cache = TTLCache[tuple[uuid.UUID, SampleQuery], ResultOrder](
    MAX_CACHE_BYTES, CACHE_TTL_S, getsizeof=_entry_bytes
)
_cache_lock = threading.Lock()


def scroll_window(
    session: Session,
    user_id: uuid.UUID,
    query: SampleQuery,
    start: int,
    limit: int,
    version: bytes | None,
    *,
    moving: bool = False,
) -> SearchResult:
    """Return the rows `start` to `start + limit` of a result, without spelling correction.

    `version` is the current cache version of the user's library, None if unknown. While the list
    is `moving`, the order may be up to `MAX_STALENESS_S` old.

    Raises:
        NotFound: If the collection or the sample to compare with does not exist or belongs to
            another user.
    """
    anchor = get_anchor(session, user_id, query.like) if query.like else None
    order = _load_order(session, user_id, query, version, moving=moving)
    start = max(0, min(start, len(order) - limit))
    ids = order.ids_between(start, limit)
    statement = select(Sample).where(col(Sample.user_id) == user_id, col(Sample.id).in_(ids))
    rows = {row.id: row for row in session.exec(statement.options(*search.DEFERRED_COLUMNS))}
    live = [rows[i] for i in ids if i in rows and (rows[i].deleted_at is None) != query.trash]
    return SearchResult(live, len(order), start, anchor=anchor)


def find_row(
    session: Session,
    user_id: uuid.UUID,
    query: SampleQuery,
    sample_id: uuid.UUID,
    version: bytes | None,
) -> int | None:
    """Return the row of a sample in a result, without spelling correction; None if it is not in it.

    `version` is the current cache version of the user's library, None if unknown.
    """
    return _load_order(session, user_id, query, version, moving=False).row_of(sample_id)


def _load_order(
    session: Session, user_id: uuid.UUID, query: SampleQuery, version: bytes | None, *, moving: bool
) -> ResultOrder:
    key = (user_id, query)
    with _cache_lock:
        known = _order_cache.get(key)
    if known is not None:
        recent = moving and time.monotonic() - known.read_at < MAX_STALENESS_S
        if recent or (version is not None and known.version == version):
            return known
    order = ResultOrder(search.search_packed_ids(session, user_id, query), version)
    if _entry_bytes(order) <= MAX_CACHE_BYTES:
        with _cache_lock:
            _order_cache[key] = order
    return order

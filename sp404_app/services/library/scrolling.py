"""Windows of a long result, equally fast at any depth.

A database finds row 90,000 of a result by counting through the 90,000 before it. So the ids of a
result are read once, in order, and kept in this process while somebody scrolls: 16 bytes a row.
"""

import threading
import time
import uuid
from dataclasses import dataclass, field

from cachetools import TTLCache
from sqlmodel import Session, col, select

from sp404_app.models import Sample
from sp404_app.services.library import search
from sp404_app.services.library.search import Found, Query
from sp404_app.settings import MB

ID_BYTES = 16
KEPT_BYTES, KEPT_SECONDS = 32 * MB, 60.0
STALE_SECONDS = 2.0  # how long a list that moves may show the order from before a change


@dataclass(frozen=True, slots=True)
class Order:
    """The ids of a result, one after the other, and the edition of the library they are from."""

    ids: bytes
    edition: bytes | None
    read_at: float = field(default_factory=time.monotonic)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids) // ID_BYTES

    def part(self, start: int, limit: int) -> list[uuid.UUID]:
        """Return the ids of some rows."""
        whole = self.ids[start * ID_BYTES : (start + limit) * ID_BYTES]
        return [uuid.UUID(bytes=whole[at : at + ID_BYTES]) for at in range(0, len(whole), ID_BYTES)]


def _bytes_of(order: Order) -> int:
    return len(order.ids) + 1000


_orders = TTLCache[tuple[uuid.UUID, Query], Order](KEPT_BYTES, KEPT_SECONDS, getsizeof=_bytes_of)
_lock = threading.Lock()


def window(
    session: Session,
    user_id: uuid.UUID,
    query: Query,
    start: int,
    limit: int,
    edition: bytes | None,
    *,
    moving: bool = False,
) -> Found:
    """Return the rows `start` to `start + limit` of a result whose words need no correction.

    `edition` is the present one of the person's library, None if it is not known. While the list
    is `moving`, the order of its rows may be up to two seconds old.
    """
    order = _order(session, user_id, query, edition, moving=moving)
    start = max(0, min(start, len(order) - limit))
    wanted = order.part(start, limit)
    statement = select(Sample).where(col(Sample.user_id) == user_id, col(Sample.id).in_(wanted))
    rows = {row.id: row for row in session.exec(statement.options(*search.UNSEEN))}
    there = [rows[i] for i in wanted if i in rows and (rows[i].deleted_at is None) != query.trash]
    return Found(there, len(order), start)


def _order(
    session: Session, user_id: uuid.UUID, query: Query, edition: bytes | None, *, moving: bool
) -> Order:
    key = (user_id, query)
    with _lock:
        known = _orders.get(key)
    if known is not None:
        recent = moving and time.monotonic() - known.read_at < STALE_SECONDS
        if recent or (edition is not None and known.edition == edition):
            return known
    order = Order(search.order(session, user_id, query), edition)
    if _bytes_of(order) <= KEPT_BYTES:
        with _lock:
            _orders[key] = order
    return order

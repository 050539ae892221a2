"""Plays and downloads of links, by day: counted in Redis, written to the database by housekeeping.

A count is one command in Redis, so a thousand visitors at once do not wait for one row.
"""

import datetime as dt
import uuid
from collections import defaultdict
from functools import partial
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from sp404_app.db import after_commit, if_undone
from sp404_app.models import Share, ShareDay
from sp404_app.models.columns import now
from sp404_app.services.infra import redis_counters
from sp404_app.services.infra.events import connection
from sp404_app.services.infra.redis_counters import RedisUnavailable

COUNTS: Final = "sp404:share-counts"  # hash: "<share id> <day> <plays|downloads>" → number
WRITING: Final = "sp404:share-counts:writing"  # what one process is writing to the database
LOCK: Final = "sp404:share-counts:lock"
LOCK_TTL_S: Final = 30
PLAYS, DOWNLOADS = "plays", "downloads"


async def count(share_id: uuid.UUID, what: str) -> None:
    """Count a play or a download of today; while Redis is not available it is not counted."""
    try:
        field = f"{share_id} {now().date().isoformat()} {what}"
        await redis_counters.redis_batcher().run("HINCRBY", COUNTS, field, 1)
    except RedisUnavailable:
        return


def write_counts(session: Session) -> int:
    """Add what Redis counted to the rows of the days; return how many rows were written.

    One process at a time writes. If it is killed between the commit and what follows it, those
    numbers are added twice: a count is never lost, and an exact one is not promised.
    """
    redis = connection()
    if not redis.exists(COUNTS, WRITING) or not redis.set(LOCK, "1", nx=True, ex=LOCK_TTL_S):
        return 0
    if_undone(session, partial(redis.delete, LOCK))
    if not redis.exists(WRITING):
        if not redis.exists(COUNTS):  # another process has written them since
            redis.delete(LOCK)
            return 0
        redis.rename(COUNTS, WRITING)
    counts = _parse(redis.hgetall(WRITING))  # type: ignore[arg-type]  # the client is not async
    after_commit(session, partial(redis.delete, WRITING, LOCK))
    return _add(session, counts)


def _parse(fields: dict[bytes, bytes]) -> dict[tuple[uuid.UUID, dt.date], dict[str, int]]:
    counts: dict[tuple[uuid.UUID, dt.date], dict[str, int]] = defaultdict(dict)
    for field, number in fields.items():
        share_id, day, what = field.decode().split(" ")
        counts[uuid.UUID(share_id), dt.date.fromisoformat(day)][what] = int(number)
    return counts


def _add(session: Session, counts: dict[tuple[uuid.UUID, dt.date], dict[str, int]]) -> int:
    ids = sorted({share_id for share_id, _ in counts})
    known = select(Share.id, Share.user_id).where(col(Share.id).in_(ids))
    owners = dict(session.exec(known.order_by(col(Share.id)).with_for_update(key_share=True)).all())
    rows = sorted((key, numbers) for key, numbers in counts.items() if key[0] in owners)
    for (share_id, day), numbers in rows:
        plays, downloads = numbers.get(PLAYS, 0), numbers.get(DOWNLOADS, 0)
        row = insert(ShareDay).values(
            share_id=share_id,
            day=day,
            user_id=owners[share_id],
            plays=plays,
            downloads=downloads,
        )
        session.execute(
            row.on_conflict_do_update(
                index_elements=["share_id", "day"],
                set_={
                    "plays": ShareDay.plays + plays,
                    "downloads": ShareDay.downloads + downloads,
                },
            )
        )
    return len(rows)

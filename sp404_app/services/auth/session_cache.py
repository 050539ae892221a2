"""Whether a sign-in still lives: asked at every request, so Redis remembers it for a minute.

The database is the truth. A reader stores only where nothing is stored, and whoever ends a
sign-in overwrites, so a slow reader never brings one back to life. An emptied Redis costs one
query more; while Redis is away every request asks the database.
"""

import random
import uuid
from collections.abc import Iterable

import structlog
from redis.exceptions import RedisError

from sp404_app.services.infra.events import connection
from sp404_app.services.infra.redis_counters import RedisUnavailable, redis_batcher

REMEMBERED = (40, 60)  # seconds; not all of a busy minute's end at once
ENDED = b"ended"
ENDINGS = "sp404:endings"  # the channel on which `services/auth/session_revocation.py` listens
ENDED_FOR = 3700  # seconds, longer than an access token lives

log = structlog.get_logger()


async def remembered(sign_in_id: uuid.UUID) -> bytes | None:
    """Return the id of the person as stored, `ENDED`, or None when it is not known here."""
    try:
        found = await redis_batcher().run("GET", _key(sign_in_id))
    except RedisUnavailable:
        return None
    return found if isinstance(found, bytes) else None


async def remember(sign_in_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Store for a minute that a sign-in lives, unless it has been ended meanwhile."""
    try:
        await redis_batcher().run("SET", _key(sign_in_id), str(user_id), "EX", _a_while(), "NX")
    except RedisUnavailable:
        return


async def sign_in_of(cookie_hash: bytes) -> uuid.UUID | None:
    """Return which sign-in a cookie belongs to, if that was looked up in the last minute."""
    try:
        found = await redis_batcher().run("GET", _cookie_key(cookie_hash))
    except RedisUnavailable:
        return None
    return uuid.UUID(found.decode()) if isinstance(found, bytes) else None


async def remember_cookie(cookie_hash: bytes, sign_in_id: uuid.UUID) -> None:
    """Store for a minute which sign-in a cookie belongs to; that never changes."""
    try:
        await redis_batcher().run(
            "SET", _cookie_key(cookie_hash), str(sign_in_id), "EX", _a_while()
        )
    except RedisUnavailable:
        return


def end(sign_in_ids: Iterable[uuid.UUID]) -> None:
    """Make every process refuse these sign-ins from now on; call after commit."""
    try:
        pipeline = connection().pipeline(transaction=False)
        for sign_in_id in sign_in_ids:
            pipeline.set(_key(sign_in_id), ENDED, ex=ENDED_FOR)
            pipeline.publish(ENDINGS, str(sign_in_id))
        pipeline.execute()
    except RedisError:  # the row says so too, and what is remembered is a minute old at most
        log.warning("redis away, sign-ins end within a minute")


def _a_while() -> int:
    return random.randint(*REMEMBERED)  # noqa: S311 - no secret


def _key(sign_in_id: uuid.UUID) -> str:
    return f"sp404:alive:{sign_in_id}"


def _cookie_key(cookie_hash: bytes) -> str:
    return f"sp404:cookie:{cookie_hash.hex()}"

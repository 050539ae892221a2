"""Redis cache of active sessions, which every request checks. Entries expire after a minute.

The database is authoritative. Readers write with `NX` and a revocation overwrites, so a slow reader
never restores a revoked session. When Redis is empty or down, requests query the database.
"""

import random
import uuid
from collections.abc import Iterable

import structlog
from redis.exceptions import RedisError

from sp404_app.services.infra.events import connection
from sp404_app.services.infra.redis_counters import RedisUnavailable, redis_batcher

TTL_RANGE_S = (40, 60)  # random, so that cached sessions do not all expire at once
REVOKED = b"ended"
REVOCATIONS_CHANNEL = "sp404:endings"  # `services/auth/session_revocation.py` subscribes to it
REVOKED_TTL_S = 3700  # longer than an access token lives

log = structlog.get_logger()


async def cached_owner(sign_in_id: uuid.UUID) -> bytes | None:
    """Return the user's id as stored, `REVOKED`, or None if the session is not cached."""
    try:
        found = await redis_batcher().run("GET", _owner_key(sign_in_id))
    except RedisUnavailable:
        return None
    return found if isinstance(found, bytes) else None


async def cache_owner(sign_in_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Cache an active session for about a minute, unless it has been revoked meanwhile."""
    try:
        await redis_batcher().run(
            "SET", _owner_key(sign_in_id), str(user_id), "EX", _random_ttl_s(), "NX"
        )
    except RedisUnavailable:
        return


async def cached_sign_in_id(cookie_hash: bytes) -> uuid.UUID | None:
    """Return the cached session id of a cookie, or None."""
    try:
        found = await redis_batcher().run("GET", _cookie_key(cookie_hash))
    except RedisUnavailable:
        return None
    return uuid.UUID(found.decode()) if isinstance(found, bytes) else None


async def cache_cookie(cookie_hash: bytes, sign_in_id: uuid.UUID) -> None:
    """Cache for about a minute which session a cookie belongs to; that never changes."""
    try:
        await redis_batcher().run(
            "SET", _cookie_key(cookie_hash), str(sign_in_id), "EX", _random_ttl_s()
        )
    except RedisUnavailable:
        return


def publish_revocations(sign_in_ids: Iterable[uuid.UUID]) -> None:
    """Mark sessions as revoked in every process, wake their connections; call after commit."""
    try:
        pipeline = connection().pipeline(transaction=False)
        for sign_in_id in sign_in_ids:
            pipeline.set(_owner_key(sign_in_id), REVOKED, ex=REVOKED_TTL_S)
            pipeline.publish(REVOCATIONS_CHANNEL, str(sign_in_id))
        pipeline.execute()
    except RedisError:  # the row is revoked too; cached entries last a minute at most
        log.warning("redis unavailable: revoked sessions end within a minute")


def _random_ttl_s() -> int:
    return random.randint(*TTL_RANGE_S)  # noqa: S311 - not a secret


def _owner_key(sign_in_id: uuid.UUID) -> str:
    return f"sp404:alive:{sign_in_id}"


def _cookie_key(cookie_hash: bytes) -> str:
    return f"sp404:cookie:{cookie_hash.hex()}"

"""Per-user cache version: every write bumps it and so invalidates cached list pages.

The version is a random string in Redis. It is replaced after the commit and before any client is
told of the change. A random version is never reused; only a Redis that crashed may restore the
version of about a second earlier. While Redis is not available no version is known, and nothing
is answered from a cache.
"""

import secrets
import uuid

from redis.client import Pipeline

from sp404_app.services.infra.redis_counters import RedisUnavailable, redis_batcher

TTL_S = 3600


def bump_cache_version(pipeline: Pipeline, user_id: uuid.UUID) -> None:
    """Set a new version; call after commit."""
    pipeline.set(_key(user_id), _new_version(), ex=TTL_S)


async def current_cache_version(user_id: uuid.UUID) -> bytes | None:
    """Return the current version, or None if there was none; then one is created.

    Raises:
        RedisUnavailable: If Redis does not answer: writes may then fail to bump the version.
    """
    found = await redis_batcher().run("GET", _key(user_id))
    if found is None:
        await redis_batcher().run("SET", _key(user_id), _new_version(), "EX", TTL_S, "NX")
    return found if isinstance(found, bytes) else None


async def cache_version_or_none(user_id: uuid.UUID) -> bytes | None:
    """Return the current version, or None if there was none or Redis is not available."""
    try:
        return await current_cache_version(user_id)
    except RedisUnavailable:
        return None


def _new_version() -> str:
    return secrets.token_hex(8)


def _key(user_id: uuid.UUID) -> str:
    return f"sp404:edition:{user_id}"

"""Which edition of a person's library is the present one: a word that changes with all that does.

An answer may be given again as long as the edition is the one it was made from. Whoever changes
something renews the word in Redis after the commit, before anybody is told that it is done. Words
are random, so none is ever given twice; only a Redis that crashed may come back with the word of a
second before. While Redis is away nobody knows the edition.
"""

import secrets
import uuid

from redis.client import Pipeline

from sp404_app.services.infra.redis_counters import RedisUnavailable, redis_batcher

KEPT = 3600  # seconds


def bump(pipeline: Pipeline, user_id: uuid.UUID) -> None:
    """Begin a new edition; call after commit."""
    pipeline.set(_key(user_id), _word(), ex=KEPT)


async def current(user_id: uuid.UUID) -> bytes | None:
    """Return the word of the present edition; None if there was none until now.

    Raises:
        RedisUnavailable: If Redis does not answer: what changes meanwhile may begin no edition.
    """
    found = await redis_batcher().run("GET", _key(user_id))
    if found is None:
        await redis_batcher().run("SET", _key(user_id), _word(), "EX", KEPT, "NX")
    return found if isinstance(found, bytes) else None


async def known(user_id: uuid.UUID) -> bytes | None:
    """Return the word of the present edition, None if there was none or Redis is away."""
    try:
        return await current(user_id)
    except RedisUnavailable:
        return None


def _word() -> str:
    return secrets.token_hex(8)


def _key(user_id: uuid.UUID) -> str:
    return f"sp404:edition:{user_id}"

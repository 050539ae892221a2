"""A user's requests per minute, from the plan; cached per process for 30 to 45 seconds.

Every API request reads the limit. The random part of the lifetime keeps the entries from expiring
together. After an upgrade the higher limit applies within 45 seconds.
"""

import random
import time
import uuid

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.services.billing import quotas
from sp404_app.services.plans import PLANS, Tier
from sp404_app.settings import settings

CACHE_TTL_S = (30.0, 45.0)  # from, to
MAX_CACHED_USERS = 10_000

log = structlog.get_logger()
_cache: dict[uuid.UUID, tuple[float, int]] = {}  # expiry (monotonic), requests above Free


async def get_requests_per_minute(user_id: uuid.UUID) -> int:
    """Return the limit: the setting `requests_per_minute`, plus what the plan adds to Free's."""
    free = settings().requests_per_minute
    expires_at, extra = _cache.get(user_id, (0.0, 0))
    if expires_at < time.monotonic():
        extra = await _look_up(user_id)
    return free + extra


async def _look_up(user_id: uuid.UUID) -> int:
    """Read the plan from the database; while it is unavailable, keep the last value."""
    try:
        extra = await in_transaction(_extra_requests, user_id)
    except SQLAlchemyError as error:
        log.warning("plan lookup failed", error=type(error).__name__)
        return _cache.get(user_id, (0.0, 0))[1]
    while len(_cache) >= MAX_CACHED_USERS:
        _cache.pop(next(iter(_cache)))
    _cache[user_id] = time.monotonic() + random.uniform(*CACHE_TTL_S), extra  # noqa: S311
    return extra


def _extra_requests(session: Session, user_id: uuid.UUID) -> int:
    """Return how many requests per minute the user's plan allows above Free."""
    plan = quotas.get_plan(session, user_id)
    return plan.requests_per_minute - PLANS[Tier.FREE].requests_per_minute

"""How many requests a minute a person may make: what their plan gives, remembered for a while.

Asked at every request, so each process keeps it for half a minute or a little longer, so that not
all end at once; whoever has just paid waits no longer than that for more.
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

REMEMBERED = (30.0, 45.0)  # seconds
MOST = 10_000  # people remembered by one process

log = structlog.get_logger()
_known: dict[uuid.UUID, tuple[float, int]] = {}


async def a_minute(user_id: uuid.UUID) -> int:
    """Return the limit; the operator's setting is what Free gives, and paying people get more."""
    free = settings().requests_per_minute
    until, extra = _known.get(user_id, (0.0, 0))
    if until < time.monotonic():
        extra = await _looked_up(user_id)
    return free + extra


async def _looked_up(user_id: uuid.UUID) -> int:
    """Ask the database; while it is away, the last answer counts."""
    try:
        extra = await in_transaction(_extra, user_id)
    except SQLAlchemyError as error:
        log.warning("plan not looked up", error=type(error).__name__)
        return _known.get(user_id, (0.0, 0))[1]
    while len(_known) >= MOST:
        _known.pop(next(iter(_known)))
    _known[user_id] = time.monotonic() + random.uniform(*REMEMBERED), extra  # noqa: S311
    return extra


def _extra(session: Session, user_id: uuid.UUID) -> int:
    """Return how many more than Free a person's plan gives."""
    plan = quotas.plan_of(session, user_id)
    return plan.requests_per_minute - PLANS[Tier.FREE].requests_per_minute

"""May this person add n bytes, or start an analysis? Exact, also in parallel."""

import calendar
import datetime as dt
import uuid
from dataclasses import dataclass
from functools import partial

from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, func, select, update

from sp404_app.db import after_commit
from sp404_app.errors import NotFound, QuotaExceeded, SubscriptionRestricted
from sp404_app.models import Sample, UsageEvent, UsagePeriod, User
from sp404_app.models.columns import now, uuid7
from sp404_app.services.billing import entitlements
from sp404_app.services.billing.access_rules import Access
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.plans import Plan, Tier

ANALYSIS = "analysis"
# What a missing payment closes: first new analyses, after the grace everything that adds.
CLOSED = {
    "storage": frozenset({Access.RESTRICTED}),
    ANALYSIS: frozenset({Access.PAST_DUE, Access.RESTRICTED}),
}


@dataclass(frozen=True, slots=True)
class Period:
    """One month of a person's, from the day they joined."""

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Usage:
    """What is used of what; a limit of None means unlimited."""

    tier: Tier
    period: Period
    storage_used: int
    storage_limit: int | None
    analyses_used: int
    analyses_limit: int | None


@dataclass(frozen=True, slots=True)
class Reserved:
    """How many analyses were counted, for which month, and why no more."""

    month: dt.datetime | None
    count: int
    refusal: QuotaExceeded | None


def plan_of(session: Session, user_id: uuid.UUID) -> Plan:
    """Return the plan whose limits count for a person."""
    return entitlements.entitlement_of(session, user_id).plan


def is_closed(session: Session, user_id: uuid.UUID, metric: str = ANALYSIS) -> bool:
    """Say whether a missing payment keeps a person from adding."""
    return entitlements.entitlement_of(session, user_id).access in CLOSED[metric]


def _open_plan(session: Session, user_id: uuid.UUID, metric: str) -> Plan:
    found = entitlements.entitlement_of(session, user_id)
    if found.access in CLOSED[metric]:
        raise SubscriptionRestricted(
            "A payment is missing, so nothing can be added. Pay it, and everything works at once.",
            _details(metric, 0, 0, None) | {"upgrade_url": "/billing"},
        )
    return found.plan


def usage(session: Session, user_id: uuid.UUID) -> Usage:
    """Return the numbers against the plan.

    Raises:
        NotFound: If there is no such person.
    """
    plan, month = plan_of(session, user_id), period(session, user_id)
    used = session.exec(
        select(UsagePeriod.analyses).where(
            UsagePeriod.user_id == user_id, UsagePeriod.period_start == month.start
        )
    ).first()
    return Usage(
        plan.tier,
        month,
        stored(session, user_id),
        plan.storage_bytes,
        used or 0,
        plan.analyses_per_month,
    )


def reserve_storage(session: Session, user_id: uuid.UUID, size: int) -> None:
    """Raise unless `size` more bytes fit; holds the person's row until the commit.

    Raises:
        QuotaExceeded: If the plan is full, or a payment is missing.
        NotFound: If there is no such person.
    """
    hold(session, user_id)
    ensure_room(session, user_id, size)


def hold(session: Session, user_id: uuid.UUID) -> None:
    """Let one transaction at a time add to a person's library; others may read and refer to it.

    Raises:
        NotFound: If there is no such person.
    """
    locked = select(User.id).where(User.id == user_id).with_for_update(key_share=True)
    if session.exec(locked).first() is None:
        raise NotFound("No such person.")


def ensure_room(session: Session, user_id: uuid.UUID, size: int) -> None:
    """Raise unless `size` more bytes fit now; to keep it so, `reserve_storage`.

    Raises:
        QuotaExceeded: If the plan is full.
    """
    limit = _open_plan(session, user_id, "storage").storage_bytes
    used = stored(session, user_id)
    if limit is not None and used + size > limit:
        raise QuotaExceeded(
            "Your storage is full. Delete sounds or choose a larger plan.",
            _details("storage", used, limit, None),
        )


def reserve_analysis(session: Session, user_id: uuid.UUID) -> dt.datetime:
    """Count one analysis, by one conditional statement; return the start of its month.

    Raises:
        QuotaExceeded: If this month's are used up, or a payment is missing.
        NotFound: If there is no such person.
    """
    limit = _open_plan(session, user_id, ANALYSIS).analyses_per_month
    month = period(session, user_id)
    row = insert(UsagePeriod).values(
        id=uuid7(), user_id=user_id, period_start=month.start, period_end=month.end, analyses=1
    )
    counted = session.execute(
        row.on_conflict_do_update(
            index_elements=["user_id", "period_start"],
            set_={"analyses": UsagePeriod.analyses + 1},
            where=None if limit is None else col(UsagePeriod.analyses) < limit,
        ).returning(col(UsagePeriod.analyses))
    ).scalar()
    if counted is None:
        raise _used_up(limit or 0, month)
    session.add(_event(user_id, month.start, 1))
    publish_quota(session, user_id)
    return month.start


def reserve_analyses(session: Session, user_id: uuid.UUID, count: int) -> Reserved:
    """Count up to `count` analyses, as many as are left.

    Raises:
        SubscriptionRestricted: If a payment is missing.
        NotFound: If there is no such person.
    """
    limit = _open_plan(session, user_id, ANALYSIS).analyses_per_month
    month = period(session, user_id)
    if count <= 0:
        return Reserved(month.start, 0, None)
    blank = {"id": uuid7(), "user_id": user_id, "analyses": 0}
    row = insert(UsagePeriod).values(**blank, period_start=month.start, period_end=month.end)
    session.execute(row.on_conflict_do_nothing())
    mine = (col(UsagePeriod.user_id) == user_id) & (UsagePeriod.period_start == month.start)
    used = session.exec(select(UsagePeriod.analyses).where(mine).with_for_update()).one()
    taken = count if limit is None else max(0, min(count, limit - used))
    if taken:
        session.exec(update(UsagePeriod).where(mine).values(analyses=used + taken))
        session.add(_event(user_id, month.start, taken))
        publish_quota(session, user_id)
    return Reserved(month.start, taken, _used_up(limit or 0, month) if taken < count else None)


def ensure_analysis(session: Session, user_id: uuid.UUID) -> None:
    """Raise unless an analysis could start now; to count it, `reserve_analysis`.

    Raises:
        QuotaExceeded: If this month's are used up, or a payment is missing.
    """
    limit = _open_plan(session, user_id, ANALYSIS).analyses_per_month
    used = usage(session, user_id)
    if limit is not None and used.analyses_used >= limit:
        raise _used_up(limit, used.period)


def _used_up(limit: int, month: Period) -> QuotaExceeded:
    return QuotaExceeded(
        "This month's analyses are used up. The sound is kept and can be analysed later.",
        _details(ANALYSIS, limit, limit, month.end),
    )


def publish_quota(session: Session, user_id: uuid.UUID) -> None:
    """Tell the person's open pages that the numbers change, once they have."""
    after_commit(session, partial(events.publish, user_id, Event(Topic.QUOTA)))


def give_back_analyses(
    session: Session, user_id: uuid.UUID, month: dt.datetime, count: int
) -> None:
    """Undo `count` times `reserve_analysis` of the month that starts at `month`."""
    session.exec(
        update(UsagePeriod)
        .where(col(UsagePeriod.user_id) == user_id, col(UsagePeriod.period_start) == month)
        .values(analyses=func.greatest(0, UsagePeriod.analyses - count))
    )
    session.add(_event(user_id, month, -count))


def _event(user_id: uuid.UUID, month: dt.datetime, amount: int) -> UsageEvent:
    return UsageEvent(user_id=user_id, kind=ANALYSIS, amount=amount, period_start=month)


def period(session: Session, user_id: uuid.UUID) -> Period:
    """Return the person's current month.

    Raises:
        NotFound: If there is no such person.
    """
    joined = session.exec(select(User.created_at).where(User.id == user_id)).first()
    if joined is None:
        raise NotFound("No such person.")
    return month_of(joined, now())


def month_of(joined: dt.datetime, at: dt.datetime) -> Period:
    """Return the month around `at` that starts on the day of `joined`, clamped to short months."""
    joined, at = joined.astimezone(dt.UTC), at.astimezone(dt.UTC)
    this = _anniversary(joined, at.year, at.month)
    if at >= this:
        return Period(this, _anniversary(joined, *_step(at, 1)))
    return Period(_anniversary(joined, *_step(at, -1)), this)


def _anniversary(joined: dt.datetime, year: int, month: int) -> dt.datetime:
    day = min(joined.day, calendar.monthrange(year, month)[1])
    return dt.datetime(year, month, day, tzinfo=dt.UTC)


def _step(at: dt.datetime, months: int) -> tuple[int, int]:
    index = at.year * 12 + at.month - 1 + months
    return index // 12, index % 12 + 1


def counts() -> ColumnElement[bool]:
    """Return the condition that a sample counts as storage."""
    return col(Sample.deleted_at).is_(None)


def stored(session: Session, user_id: uuid.UUID) -> int:
    """Return how many bytes of a person count as storage."""
    total = select(func.coalesce(func.sum(Sample.size), 0)).where(
        Sample.user_id == user_id, counts(), col(Sample.is_demo).is_(False)
    )
    return int(session.exec(total).one())


def _details(
    metric: str, used: int, limit: int, resets_at: dt.datetime | None
) -> dict[str, object]:
    return {
        "metric": metric,
        "used": used,
        "limit": limit,
        "resets_at": resets_at.isoformat() if resets_at else None,
        "upgrade_url": "/plans",
    }

"""Storage and analysis quotas: check and count usage against the plan, exact under concurrency."""

import calendar
import datetime as dt
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, func, select, update

from sp404_app.db import after_commit
from sp404_app.errors import NotFound, QuotaExceeded, SubscriptionRestricted
from sp404_app.models import Project, ProjectPad, Sample, UsageEvent, UsagePeriod, User
from sp404_app.models.columns import now, uuid7
from sp404_app.services.billing import entitlements, limit_notices
from sp404_app.services.billing.access_rules import Access
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.plans import Plan, Tier, full_storage_advice, plans_url
from sp404_app.telemetry import metrics

ANALYSIS = "analysis"
Purpose = Literal["ask", "try", "add"]
# Access that blocks each metric: past due blocks analyses; after the grace period, uploads too.
BLOCKED_ACCESS = {
    "storage": frozenset({Access.RESTRICTED}),
    ANALYSIS: frozenset({Access.PAST_DUE, Access.RESTRICTED}),
}


@dataclass(frozen=True, slots=True)
class UsageMonth:
    """A usage month: starts on the day of the month on which the user signed up (UTC)."""

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class QuotaUsage:
    """Usage and limits of the current usage month; a limit of None means unlimited."""

    tier: Tier
    period: UsageMonth
    storage_used: int
    storage_limit: int | None
    analyses_used: int
    analyses_limit: int | None


@dataclass(frozen=True, slots=True)
class AnalysisReservation:
    """How many analyses were counted, in which month, and the refusal if fewer than requested."""

    month: dt.datetime | None
    count: int
    refusal: QuotaExceeded | None


def get_plan(session: Session, user_id: uuid.UUID) -> Plan:
    """Return the plan whose limits apply to the user."""
    return entitlements.get_entitlement(session, user_id).plan


def is_blocked(session: Session, user_id: uuid.UUID, metric: str = ANALYSIS) -> bool:
    """Return whether an unpaid subscription blocks a metric ("storage" or "analysis")."""
    return entitlements.get_entitlement(session, user_id).access in BLOCKED_ACCESS[metric]


def _unblocked_plan(session: Session, user_id: uuid.UUID, metric: str) -> Plan:
    found = entitlements.get_entitlement(session, user_id)
    if found.access in BLOCKED_ACCESS[metric]:
        metrics.QUOTA_REFUSALS.labels(metric).inc()
        raise SubscriptionRestricted(
            "Your subscription is past due. Pay the open invoice to add sounds again.",
            _quota_details(metric, 0, 0, None) | {"upgrade_url": "/billing"},
        )
    return found.plan


def get_quota_usage(session: Session, user_id: uuid.UUID) -> QuotaUsage:
    """Return the user's usage and limits.

    Raises:
        NotFound: If there is no such user.
    """
    plan, month = get_plan(session, user_id), current_usage_month(session, user_id)
    used = session.exec(
        select(UsagePeriod.analyses).where(
            UsagePeriod.user_id == user_id, UsagePeriod.period_start == month.start
        )
    ).first()
    return QuotaUsage(
        plan.tier,
        month,
        stored_bytes(session, user_id),
        plan.storage_bytes,
        used or 0,
        plan.analyses_per_month,
    )


def lock_library(session: Session, user_id: uuid.UUID) -> None:
    """Lock the user's row until the commit, so that one transaction at a time adds to the library.

    The lock (FOR NO KEY UPDATE) allows reads and inserts that reference the user.

    Raises:
        NotFound: If there is no such user.
    """
    query = select(User.id).where(User.id == user_id).with_for_update(key_share=True)
    if session.exec(query).first() is None:
        raise NotFound("There is no such user.")


def ensure_storage(
    session: Session, user_id: uuid.UUID, size: int, purpose: Purpose = "ask"
) -> None:
    """Raise unless `size` more bytes fit now; lock with `lock_library` first to keep that true.

    To "add" them in this transaction emails the user when a limit is near or reached, to "try" only
    when they are refused.

    Raises:
        QuotaExceeded: If they do not fit.
        SubscriptionRestricted: If a payment is missing.
    """
    plan = _unblocked_plan(session, user_id, "storage")
    limit, used = plan.storage_bytes, stored_bytes(session, user_id)
    if limit is not None and used + size > limit:
        if purpose != "ask":
            limit_notices.note_refusal(session, user_id, plan, used)
        metrics.QUOTA_REFUSALS.labels("storage").inc()
        raise QuotaExceeded(
            f"Your storage is full. {full_storage_advice()}",
            _quota_details("storage", used, limit, None),
        )
    if purpose == "add":
        limit_notices.note_storage(session, user_id, plan, used, used + size)


def reserve_analysis(session: Session, user_id: uuid.UUID) -> dt.datetime:
    """Count one analysis against the plan's monthly limit; return the start of its usage month.

    One conditional upsert, so that concurrent calls cannot exceed the limit: the eleventh analysis
    of a Free month is refused here. `reserve_analyses` counts several, for requests of a user.

    Raises:
        QuotaExceeded: If the monthly limit is reached.
        SubscriptionRestricted: If a payment is missing.
        NotFound: If there is no such user.
    """
    plan = _unblocked_plan(session, user_id, ANALYSIS)
    limit, month = plan.analyses_per_month, current_usage_month(session, user_id)
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
        raise _analysis_quota_exceeded(limit or 0, month)
    session.add(_usage_event(user_id, month.start, 1))
    limit_notices.note_analyses(session, user_id, plan, counted, 1, (month.start, month.end))
    publish_quota(session, user_id)
    return month.start


def reserve_analyses(session: Session, user_id: uuid.UUID, count: int) -> AnalysisReservation:
    """Count up to `count` analyses, as many as the plan's monthly limit allows.

    For analyses that a user requests again; the first one of a sample is `reserve_analysis`.

    Raises:
        SubscriptionRestricted: If a payment is missing.
        NotFound: If there is no such user.
    """
    plan = _unblocked_plan(session, user_id, ANALYSIS)
    limit, month = plan.analyses_per_month, current_usage_month(session, user_id)
    if count <= 0:
        return AnalysisReservation(month.start, 0, None)
    blank = {"id": uuid7(), "user_id": user_id, "analyses": 0}
    row = insert(UsagePeriod).values(**blank, period_start=month.start, period_end=month.end)
    session.execute(row.on_conflict_do_nothing())
    is_month = (col(UsagePeriod.user_id) == user_id) & (UsagePeriod.period_start == month.start)
    used = session.exec(select(UsagePeriod.analyses).where(is_month).with_for_update()).one()
    reserved = count if limit is None else max(0, min(count, limit - used))
    if reserved:
        session.exec(update(UsagePeriod).where(is_month).values(analyses=used + reserved))
        session.add(_usage_event(user_id, month.start, reserved))
        total, span = used + reserved, (month.start, month.end)
        limit_notices.note_analyses(session, user_id, plan, total, reserved, span)
        publish_quota(session, user_id)
    refusal = _analysis_quota_exceeded(limit or 0, month) if reserved < count else None
    return AnalysisReservation(month.start, reserved, refusal)


def ensure_analysis_quota(session: Session, user_id: uuid.UUID) -> None:
    """Raise unless an analysis could start now, without counting it (see `reserve_analysis`).

    Raises:
        QuotaExceeded: If the monthly limit is reached.
        SubscriptionRestricted: If a payment is missing.
    """
    limit = _unblocked_plan(session, user_id, ANALYSIS).analyses_per_month
    used = get_quota_usage(session, user_id)
    if limit is not None and used.analyses_used >= limit:
        raise _analysis_quota_exceeded(limit, used.period)


def _analysis_quota_exceeded(limit: int, month: UsageMonth) -> QuotaExceeded:
    metrics.QUOTA_REFUSALS.labels(ANALYSIS).inc()
    return QuotaExceeded(
        "Monthly limit reached. Your sound is saved and can be analysed later.",
        _quota_details(ANALYSIS, limit, limit, month.end),
    )


def publish_quota(session: Session, user_id: uuid.UUID) -> None:
    """Publish a quota event to the user's open pages after the commit."""
    after_commit(session, partial(events.publish, user_id, Event(Topic.QUOTA)))


def release_analyses(session: Session, user_id: uuid.UUID, month: dt.datetime, count: int) -> None:
    """Return `count` reserved analyses to the usage month that starts at `month`."""
    session.exec(
        update(UsagePeriod)
        .where(col(UsagePeriod.user_id) == user_id, col(UsagePeriod.period_start) == month)
        .values(analyses=func.greatest(0, UsagePeriod.analyses - count))
    )
    session.add(_usage_event(user_id, month, -count))


def _usage_event(user_id: uuid.UUID, month: dt.datetime, amount: int) -> UsageEvent:
    return UsageEvent(user_id=user_id, kind=ANALYSIS, amount=amount, period_start=month)


def current_usage_month(session: Session, user_id: uuid.UUID) -> UsageMonth:
    """Return the user's current usage month.

    Raises:
        NotFound: If there is no such user.
    """
    joined = session.exec(select(User.created_at).where(User.id == user_id)).first()
    if joined is None:
        raise NotFound("There is no such user.")
    return usage_month_at(joined, now())


def usage_month_at(joined: dt.datetime, at: dt.datetime) -> UsageMonth:
    """Return the month around `at` that starts on the day of `joined`, clamped to short months."""
    joined, at = joined.astimezone(dt.UTC), at.astimezone(dt.UTC)
    this = _anniversary(joined, at.year, at.month)
    if at >= this:
        return UsageMonth(this, _anniversary(joined, *_shift_month(at, 1)))
    return UsageMonth(_anniversary(joined, *_shift_month(at, -1)), this)


def _anniversary(joined: dt.datetime, year: int, month: int) -> dt.datetime:
    day = min(joined.day, calendar.monthrange(year, month)[1])
    return dt.datetime(year, month, day, tzinfo=dt.UTC)


def _shift_month(at: dt.datetime, months: int) -> tuple[int, int]:
    index = at.year * 12 + at.month - 1 + months
    return index // 12, index % 12 + 1


def counts_as_storage(user_id: uuid.UUID) -> ColumnElement[bool]:
    """Return the condition that a sample of this user counts as storage.

    A trashed sample counts while a pad uses it, unless that pad's project is in the trash, too.
    """
    is_on_pad = (
        select(ProjectPad.project_id)
        .join(Project, col(Project.id) == col(ProjectPad.project_id))
        .where(
            col(ProjectPad.user_id) == user_id,  # PostgreSQL may read all pads that match
            col(ProjectPad.sample_id) == col(Sample.id),
            col(Project.deleted_at).is_(None),
        )
        .exists()
    )
    return col(Sample.deleted_at).is_(None) | is_on_pad


def stored_bytes(session: Session, user_id: uuid.UUID) -> int:
    """Return how many bytes of the user's samples count as storage."""
    total = select(func.coalesce(func.sum(Sample.size), 0)).where(
        Sample.user_id == user_id, counts_as_storage(user_id)
    )
    return int(session.exec(total).one())


def _quota_details(
    metric: str, used: int, limit: int, resets_at: dt.datetime | None
) -> dict[str, object]:
    return {
        "metric": metric,
        "used": used,
        "limit": limit,
        "resets_at": resets_at.isoformat() if resets_at else None,
        "upgrade_url": plans_url(),
    }

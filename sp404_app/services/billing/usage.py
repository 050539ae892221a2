"""Daily storage and analyses, the largest samples, and forecasts of when a limit is reached."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from sp404_app.models import Sample, UsageEvent
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.billing.quotas import QuotaUsage

MAX_DAYS = 366
LARGEST_COUNT = 8

FORECAST_BASIS_DAYS = 14
FORECAST_HORIZON_DAYS = 366


@dataclass(frozen=True, slots=True)
class UsageDay:
    """One UTC day: analyses counted, bytes stored at its end, and samples added."""

    day: dt.date
    analyses: int
    stored_bytes: int
    added: int


@dataclass(frozen=True, slots=True)
class LargeSample:
    """One of the user's largest samples; `size` in bytes."""

    id: uuid.UUID
    name: str
    size: int


def daily_usage(session: Session, user_id: uuid.UUID, days: int = 30) -> list[UsageDay]:
    """Return the last `days` days including today, oldest first.

    Permanently deleted samples are missing from past days too, because their rows are gone. A
    trashed sample that a pad uses counts on all days since it was added.
    """
    today = now().date()
    dates = [today - dt.timedelta(days=back) for back in range(min(days, MAX_DAYS) - 1, -1, -1)]
    first = dt.datetime.combine(dates[0], dt.time(), dt.UTC)
    analyses = _analyses_by_day(session, user_id, first)
    changes, stored, added = _storage_changes(session, user_id, first)
    result: list[UsageDay] = []
    for day in dates:
        stored += changes.get(day, 0)
        result.append(UsageDay(day, max(0, analyses.get(day, 0)), stored, added.get(day, 0)))
    return result


def largest_samples(session: Session, user_id: uuid.UUID) -> list[LargeSample]:
    """Return the user's largest samples, largest first."""
    query = (
        select(Sample.id, Sample.name, Sample.size)
        .where(Sample.user_id == user_id, quotas.counts_as_storage(user_id))
        .order_by(col(Sample.size).desc(), col(Sample.id))
        .limit(LARGEST_COUNT)
    )
    return [LargeSample(*row) for row in session.exec(query)]


def forecast_storage_full(days: list[UsageDay], used: QuotaUsage) -> dt.date | None:
    """Return the day storage is full at the pace of the last 14 days, or None."""
    if used.storage_limit is None or len(days) < 2:
        return None
    recent = days[-FORECAST_BASIS_DAYS:]
    pace = (recent[-1].stored_bytes - recent[0].stored_bytes) / max(1, len(recent) - 1)
    return _forecast_date(days[-1].day, used.storage_limit - used.storage_used, pace)


def forecast_analyses_used_up(days: list[UsageDay], used: QuotaUsage) -> dt.date | None:
    """Return the day the monthly limit is reached at the pace of the last 14 days, or None."""
    if used.analyses_limit is None or not days:
        return None
    recent = days[-FORECAST_BASIS_DAYS:]
    pace = sum(day.analyses for day in recent) / len(recent)
    reached_on = _forecast_date(days[-1].day, used.analyses_limit - used.analyses_used, pace)
    return reached_on if reached_on and reached_on < used.period.end.date() else None


def _forecast_date(today: dt.date, remaining: float, pace: float) -> dt.date | None:
    """Return when `remaining` is used up at `pace` per day; None if never or too far ahead."""
    if remaining <= 0 or pace <= 0 or remaining / pace > FORECAST_HORIZON_DAYS:
        return None
    return today + dt.timedelta(days=int(remaining / pace) + 1)


def _analyses_by_day(
    session: Session, user_id: uuid.UUID, first: dt.datetime
) -> dict[dt.date, int]:
    day = func.date(func.timezone("UTC", UsageEvent.at))
    rows = session.exec(
        select(day, func.sum(UsageEvent.amount))
        .where(UsageEvent.user_id == user_id, UsageEvent.at >= first)
        .group_by(day)
    )
    return {row[0]: int(row[1]) for row in rows}


def _storage_changes(
    session: Session, user_id: uuid.UUID, first: dt.datetime
) -> tuple[dict[dt.date, int], int, dict[dt.date, int]]:
    """Return the change in bytes by day, the bytes stored before `first`, and samples by day."""
    changes: dict[dt.date, int] = {}
    added: dict[dt.date, int] = {}
    size = func.coalesce(func.sum(Sample.size), 0)
    created_on = func.date(func.timezone("UTC", Sample.created_at))
    deleted_on = func.date(func.timezone("UTC", Sample.deleted_at))
    new = select(created_on, size, func.count()).where(
        Sample.user_id == user_id, Sample.created_at >= first
    )
    for day, bytes_in, count in session.exec(new.group_by(created_on)):
        changes[day] = changes.get(day, 0) + int(bytes_in)
        added[day] = count
    gone = select(deleted_on, size).where(
        Sample.user_id == user_id,
        ~quotas.counts_as_storage(user_id),
        col(Sample.deleted_at) >= first,
    )
    for day, bytes_out in session.exec(gone.group_by(deleted_on)):
        changes[day] = changes.get(day, 0) - int(bytes_out)
    before = select(size).where(
        Sample.user_id == user_id,
        Sample.created_at < first,
        quotas.counts_as_storage(user_id) | (col(Sample.deleted_at) >= first),
    )
    return changes, int(session.exec(before).one()), added

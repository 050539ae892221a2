"""What was used, day by day, and when a limit will be met."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from sp404_app.models import Sample, UsageEvent
from sp404_app.models.columns import now
from sp404_app.services.billing.quotas import Usage

MOST_DAYS = 366
LARGEST = 8
# A forecast looks this far back, and no further ahead than a person would plan.
LOOK_BACK = 14
HORIZON = 366


@dataclass(frozen=True, slots=True)
class Day:
    """One day of UTC: analyses counted, and bytes kept at its end."""

    day: dt.date
    analyses: int
    stored_bytes: int
    added: int


@dataclass(frozen=True, slots=True)
class Large:
    """A sound that takes a lot of room."""

    id: uuid.UUID
    name: str
    size: int


def daily(session: Session, user_id: uuid.UUID, days: int = 30) -> list[Day]:
    """Return the last days, the oldest first, today included.

    What was deleted for good is not part of the past any more.
    """
    today = now().date()
    dates = [today - dt.timedelta(days=back) for back in range(min(days, MOST_DAYS) - 1, -1, -1)]
    first = dt.datetime.combine(dates[0], dt.time(), dt.UTC)
    counted = _counted(session, user_id, first)
    changes, start, added = _changes(session, user_id, first)
    found: list[Day] = []
    for day in dates:
        start += changes.get(day, 0)
        found.append(Day(day, max(0, counted.get(day, 0)), start, added.get(day, 0)))
    return found


def largest(session: Session, user_id: uuid.UUID) -> list[Large]:
    """Return the sounds that take the most room."""
    mine = (
        select(Sample.id, Sample.name, Sample.size)
        .where(*_kept(user_id), col(Sample.deleted_at).is_(None))
        .order_by(col(Sample.size).desc(), col(Sample.id))
        .limit(LARGEST)
    )
    return [Large(*row) for row in session.exec(mine)]


def storage_full_on(days: list[Day], used: Usage) -> dt.date | None:
    """Return when storage is full if it goes on as in the last two weeks."""
    if used.storage_limit is None or len(days) < 2:
        return None
    back = days[-LOOK_BACK:]
    pace = (back[-1].stored_bytes - back[0].stored_bytes) / max(1, len(back) - 1)
    return _reached(days[-1].day, used.storage_limit - used.storage_used, pace)


def analyses_full_on(days: list[Day], used: Usage) -> dt.date | None:
    """Return when this month's analyses are used up if it goes on so; None if they last."""
    if used.analyses_limit is None or not days:
        return None
    back = days[-LOOK_BACK:]
    pace = sum(day.analyses for day in back) / len(back)
    found = _reached(days[-1].day, used.analyses_limit - used.analyses_used, pace)
    return found if found and found < used.period.end.date() else None


def _reached(today: dt.date, room: float, pace: float) -> dt.date | None:
    if room <= 0 or pace <= 0 or room / pace > HORIZON:
        return None
    return today + dt.timedelta(days=int(room / pace) + 1)


def _counted(session: Session, user_id: uuid.UUID, first: dt.datetime) -> dict[dt.date, int]:
    day = func.date(func.timezone("UTC", UsageEvent.at))
    rows = session.exec(
        select(day, func.sum(UsageEvent.amount))
        .where(UsageEvent.user_id == user_id, UsageEvent.at >= first)
        .group_by(day)
    )
    return {row[0]: int(row[1]) for row in rows}


def _changes(
    session: Session, user_id: uuid.UUID, first: dt.datetime
) -> tuple[dict[dt.date, int], int, dict[dt.date, int]]:
    """Return bytes more or less by day, what was kept before the first, and sounds added by day."""
    changes: dict[dt.date, int] = {}
    added: dict[dt.date, int] = {}
    size = func.coalesce(func.sum(Sample.size), 0)
    came = func.date(func.timezone("UTC", Sample.created_at))
    went = func.date(func.timezone("UTC", Sample.deleted_at))
    new = select(came, size, func.count()).where(*_kept(user_id), Sample.created_at >= first)
    for day, bytes_in, count in session.exec(new.group_by(came)):
        changes[day] = changes.get(day, 0) + int(bytes_in)
        added[day] = count
    gone = select(went, size).where(*_kept(user_id), col(Sample.deleted_at) >= first)
    for day, bytes_out in session.exec(gone.group_by(went)):
        changes[day] = changes.get(day, 0) - int(bytes_out)
    before = select(size).where(
        *_kept(user_id),
        Sample.created_at < first,
        (col(Sample.deleted_at).is_(None)) | (col(Sample.deleted_at) >= first),
    )
    return changes, int(session.exec(before).one()), added


def _kept(user_id: uuid.UUID) -> tuple[Any, ...]:
    return (Sample.user_id == user_id, col(Sample.is_demo).is_(False))

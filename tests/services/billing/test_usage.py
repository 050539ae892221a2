"""Daily usage and the forecasts of when a limit is reached."""

import datetime as dt
import uuid
from collections.abc import Callable

import pytest

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.models import ProjectPad, Sample, UsageEvent, User
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas, usage
from sp404_app.services.billing.quotas import QuotaUsage, UsageMonth
from sp404_app.services.billing.usage import UsageDay
from sp404_app.services.library import trash
from sp404_app.services.plans import Tier
from sp404_app.services.projects import projects

TODAY = dt.date(2026, 11, 22)
MONTH = UsageMonth(
    dt.datetime(2026, 11, 10, tzinfo=dt.UTC), dt.datetime(2026, 12, 10, tzinfo=dt.UTC)
)


def add_sample(
    user: User,
    size: int,
    created_days_ago: int,
    deleted_days_ago: int | None = None,
    **fields: object,
) -> uuid.UUID:
    """Add a sample created and perhaps deleted some days ago; return its id."""
    at = now()
    sample = Sample(
        user_id=user.id,
        name="x",
        filename="x.wav",
        storage_key=uuid.uuid4().hex,
        size=size,
        digest=uuid.uuid4().hex,
        format="WAV",
        created_at=at - dt.timedelta(days=created_days_ago),
        deleted_at=None if deleted_days_ago is None else at - dt.timedelta(days=deleted_days_ago),
        **fields,  # type: ignore[arg-type]
    )
    with transaction() as session:
        session.add(sample)
    return sample.id


def put_on_pad(user: User, sample_id: uuid.UUID) -> None:
    with transaction() as session:
        made = projects.create_project(session, user.id, "Kit", MK2)
        session.add(
            ProjectPad(
                project_id=made.project.id, user_id=user.id, bank=0, pad=1, name="x", revision=1,
                sample_id=sample_id,
            )
        )  # fmt: skip


def test_a_trashed_sample_that_a_pad_uses_counts_in_every_figure(
    user: User, person: Callable[..., User]
) -> None:
    add_sample(user, 10, 3, 1)
    on_pad = add_sample(user, 5, 2, 1)
    put_on_pad(user, on_pad)
    other = person()
    put_on_pad(other, add_sample(other, 7, 2, 1))
    with transaction() as session:
        days = usage.daily_usage(session, user.id, 4)
        assert [day.stored_bytes for day in days] == [10, 15, 5, 5]
        assert quotas.get_quota_usage(session, user.id).storage_used == 5
        assert [row.id for row in usage.largest_samples(session, user.id)] == [on_pad]
        assert trash.get_trash_usage(session, user.id).used == 10


def test_stored_bytes_are_those_at_the_end_of_each_day(user: User) -> None:
    add_sample(user, 100, 60)
    add_sample(user, 10, 3)
    add_sample(user, 5, 2, 1)
    with transaction() as session:
        usage_days = usage.daily_usage(session, user.id, 5)
        assert [day.stored_bytes for day in usage_days] == [100, 110, 115, 110, 110]
        assert [day.added for day in usage_days] == [0, 1, 1, 0, 0]
        assert usage_days[-1].stored_bytes == quotas.get_quota_usage(session, user.id).storage_used
        assert [row.size for row in usage.largest_samples(session, user.id)] == [100, 10]


def test_released_analyses_are_not_counted(user: User) -> None:
    with transaction() as session:
        month = quotas.reserve_analysis(session, user.id)
        quotas.reserve_analysis(session, user.id)
        quotas.release_analyses(session, user.id, month, 1)
        session.add(
            UsageEvent(
                user_id=user.id,
                kind="analysis",
                amount=7,
                period_start=month,
                at=now() - dt.timedelta(days=2),
            )
        )
    with transaction() as session:
        assert [day.analyses for day in usage.daily_usage(session, user.id, 3)] == [7, 0, 1]


def usage_days(*stored: int, analyses: int = 0) -> list[UsageDay]:
    first = TODAY - dt.timedelta(days=len(stored) - 1)
    return [
        UsageDay(first + dt.timedelta(days=index), analyses, size, 0)
        for index, size in enumerate(stored)
    ]


@pytest.mark.parametrize(
    ("stored", "limit", "expected"),
    [
        ((0, 10, 20), 100, dt.date(2026, 12, 1)),
        ((20, 20, 20), 100, None),
        ((30, 20, 10), 100, None),
        ((0, 10, 20), None, None),
        ((0, 10, 20), 10**9, None),
        ((20,), 100, None),
    ],
)
def test_the_storage_forecast_continues_the_recent_pace(
    stored: tuple[int, ...], limit: int | None, expected: dt.date | None
) -> None:
    used = QuotaUsage(Tier.FREE, MONTH, stored[-1], limit, 0, 10)
    assert usage.forecast_storage_full(usage_days(*stored), used) == expected


@pytest.mark.parametrize(
    ("pace", "used", "expected"),
    [(1, 5, dt.date(2026, 11, 28)), (1, 0, dt.date(2026, 12, 3)), (0, 5, None), (1, 10, None)],
)
def test_the_analyses_forecast_is_none_if_they_last_until_the_reset(
    pace: int, used: int, expected: dt.date | None
) -> None:
    found = usage.forecast_analyses_used_up(
        usage_days(*[0] * 14, analyses=pace), QuotaUsage(Tier.FREE, MONTH, 0, 100, used, 10)
    )
    assert found == expected

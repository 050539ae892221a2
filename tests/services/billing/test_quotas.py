"""Quotas are exact, also under concurrency; usage months follow the sign-up day."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import Session

from sp404_app.db import transaction
from sp404_app.errors import NotFound, QuotaExceeded
from sp404_app.models import Sample, User
from sp404_app.services import plans
from sp404_app.services.billing import quotas
from sp404_app.services.library import samples
from tests.sounds import Keep


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("joined", "moment", "start", "end"),
    [
        ("2026-01-15", "2026-03-20", "2026-03-15", "2026-04-15"),
        ("2026-01-15", "2026-03-14T23:59:59", "2026-02-15", "2026-03-15"),
        ("2026-01-15", "2026-03-15", "2026-03-15", "2026-04-15"),
        ("2026-01-31", "2026-02-28", "2026-02-28", "2026-03-31"),
        ("2026-01-31", "2026-02-27", "2026-01-31", "2026-02-28"),
        ("2024-02-29", "2025-02-28", "2025-02-28", "2025-03-29"),
        ("2026-12-05", "2027-01-01", "2026-12-05", "2027-01-05"),
        ("2026-06-15T18:00", "2026-06-15T18:00:01", "2026-06-15", "2026-07-15"),
    ],
)
def test_a_usage_month_starts_on_the_sign_up_day(
    joined: str, moment: str, start: str, end: str
) -> None:
    month = quotas.usage_month_at(utc(joined), utc(moment))
    assert (month.start, month.end) == (utc(start), utc(end))


def test_usage_months_have_no_gap_or_overlap() -> None:
    joined, moment = utc("2023-10-31T12:00"), utc("2023-11-01")
    for _ in range(40):
        month = quotas.usage_month_at(joined, moment)
        following = quotas.usage_month_at(joined, month.end)
        assert month.start <= moment < month.end == following.start
        moment = following.start + dt.timedelta(days=1)


def set_free_limits(
    environment: pytest.MonkeyPatch, storage: int | None, analyses: int | None
) -> None:
    small = plans.Plan(plans.Tier.FREE, "Free", 0, storage, analyses, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, small)


def test_concurrent_reservations_grant_exactly_the_limit(
    user: User, environment: pytest.MonkeyPatch
) -> None:
    set_free_limits(environment, None, 5)

    def reserve(_: int) -> bool:
        try:
            with transaction() as session:
                quotas.reserve_analysis(session, user.id)
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(reserve, range(20))) == 5
    with transaction() as session:
        assert quotas.get_quota_usage(session, user.id).analyses_used == 5


def test_a_refusal_names_the_metric_the_limit_and_the_upgrade_url(
    session: Session, user: User, environment: pytest.MonkeyPatch
) -> None:
    set_free_limits(environment, 1000, 1)
    with pytest.raises(QuotaExceeded) as storage:
        quotas.ensure_storage(session, user.id, 1001)
    assert storage.value.code == "storage_quota_exceeded"
    assert storage.value.details == {
        "metric": "storage", "used": 0, "limit": 1000, "resets_at": None, "upgrade_url": "/plans",
    }  # fmt: skip
    quotas.ensure_storage(session, user.id, 1000)
    quotas.reserve_analysis(session, user.id)
    with pytest.raises(QuotaExceeded) as analyses:
        quotas.reserve_analysis(session, user.id)
    assert analyses.value.code == "analysis_quota_exceeded"
    assert (
        analyses.value.details["resets_at"]
        == quotas.current_usage_month(session, user.id).end.isoformat()
    )


def test_released_analyses_never_go_below_zero(session: Session, user: User) -> None:
    month = quotas.reserve_analysis(session, user.id)
    quotas.release_analyses(session, user.id, month, 3)
    assert quotas.get_quota_usage(session, user.id).analyses_used == 0


def test_storage_counts_own_samples_without_trash(
    session: Session, user: User, person: Callable[..., User], keep: Keep
) -> None:
    mine, trashed = keep(), keep()
    keep(owner=person().id)
    samples.delete_samples(session, user.id, [trashed])
    assert (
        quotas.get_quota_usage(session, user.id).storage_used == session.get_one(Sample, mine).size
    )


def test_an_unknown_user_is_not_found(session: Session) -> None:
    for call in (
        quotas.lock_library,
        quotas.current_usage_month,
        quotas.get_quota_usage,
        quotas.reserve_analysis,
    ):
        with pytest.raises(NotFound):
            call(session, uuid.uuid4())


def test_the_library_lock_does_not_block_reservations(
    session: Session, user: User, keep: Keep
) -> None:
    quotas.lock_library(session, user.id)
    with transaction() as other:  # the inserted usage month references the locked user
        quotas.reserve_analysis(other, user.id)

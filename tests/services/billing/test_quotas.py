"""Limits hold exactly, also when everything happens at once."""

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


def at(text: str) -> dt.datetime:
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
def test_a_month_begins_on_the_day_a_person_joined(
    joined: str, moment: str, start: str, end: str
) -> None:
    month = quotas.usage_month_at(at(joined), at(moment))
    assert (month.start, month.end) == (at(start), at(end))


def test_months_follow_each_other_without_gap_or_overlap() -> None:
    joined, moment = at("2023-10-31T12:00"), at("2023-11-01")
    for _ in range(40):
        month = quotas.usage_month_at(joined, moment)
        following = quotas.usage_month_at(joined, month.end)
        assert month.start <= moment < month.end == following.start
        moment = following.start + dt.timedelta(days=1)


def plan(environment: pytest.MonkeyPatch, storage: int | None, analyses: int | None) -> None:
    small = plans.Plan(plans.Tier.FREE, "Free", 0, storage, analyses, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, small)


def test_of_many_analyses_at_once_exactly_the_limit_is_granted(
    user: User, environment: pytest.MonkeyPatch
) -> None:
    plan(environment, None, 5)

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
        assert quotas.usage(session, user.id).analyses_used == 5


def test_a_refusal_says_what_is_full_and_the_way_out(
    session: Session, user: User, environment: pytest.MonkeyPatch
) -> None:
    plan(environment, 1000, 1)
    with pytest.raises(QuotaExceeded) as storage:
        quotas.ensure_room(session, user.id, 1001)
    assert storage.value.code == "storage_quota_exceeded"
    assert storage.value.details == {
        "metric": "storage", "used": 0, "limit": 1000, "resets_at": None, "upgrade_url": "/plans",
    }  # fmt: skip
    quotas.ensure_room(session, user.id, 1000)
    quotas.reserve_analysis(session, user.id)
    with pytest.raises(QuotaExceeded) as analyses:
        quotas.reserve_analysis(session, user.id)
    assert analyses.value.code == "analysis_quota_exceeded"
    assert (
        analyses.value.details["resets_at"]
        == quotas.current_usage_month(session, user.id).end.isoformat()
    )


def test_giving_back_never_goes_below_nothing(session: Session, user: User) -> None:
    month = quotas.reserve_analysis(session, user.id)
    quotas.give_back_analyses(session, user.id, month, 3)
    assert quotas.usage(session, user.id).analyses_used == 0


def test_only_living_sounds_of_ones_own_count(
    session: Session, user: User, person: Callable[..., User], keep: Keep
) -> None:
    mine, trashed, demo = keep(), keep(), keep()
    keep(owner=person().id)
    samples.throw_away(session, user.id, [trashed])
    session.get_one(Sample, demo).is_demo = True
    session.flush()
    assert quotas.usage(session, user.id).storage_used == session.get_one(Sample, mine).size


def test_nobody_has_no_room(session: Session) -> None:
    for ask in (quotas.hold, quotas.current_usage_month, quotas.usage, quotas.reserve_analysis):
        with pytest.raises(NotFound):
            ask(session, uuid.uuid4())


def test_a_library_that_is_being_added_to_can_still_be_worked_on(
    session: Session, user: User, keep: Keep
) -> None:
    quotas.hold(session, user.id)
    with transaction() as other:  # a worker notes a month: its row refers to the person's
        quotas.reserve_analysis(other, user.id)

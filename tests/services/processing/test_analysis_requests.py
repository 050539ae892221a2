"""Analyses that a person asks for: refused before anything changes, and counted exactly."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select, update

from sp404_app.db import transaction
from sp404_app.errors import QuotaExceeded, SubscriptionRestricted
from sp404_app.jobs import runner
from sp404_app.models import JobStatus, ProcessingJob, Sample, SampleStatus, User
from sp404_app.services import plans
from sp404_app.services.billing import entitlements, quotas
from sp404_app.services.billing.access_rules import Access
from sp404_app.services.infra import queue
from sp404_app.services.library import bulk_actions, samples
from sp404_app.services.library.bulk_actions import Action
from sp404_app.services.processing import analysis_requests, jobs
from tests.accounts import bearer
from tests.services.processing.test_jobs import job_of, kept, used
from tests.sounds import Keep

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def limit(environment: pytest.MonkeyPatch) -> Callable[[int], None]:
    def set_limit(count: int) -> None:
        plan = plans.Plan(plans.Tier.FREE, "Free", 0, None, count, 0, 100)
        environment.setitem(plans.PLANS, plans.Tier.FREE, plan)

    return set_limit


@pytest.fixture
def restrict(environment: pytest.MonkeyPatch) -> Callable[[Access], None]:
    def set_access(access: Access) -> None:
        given = entitlements.Entitlement(plans.PLANS[plans.Tier.PRO], access)
        environment.setattr(entitlements, "entitlement_of", lambda *_: given)

    return set_access


@pytest.fixture
def analysed(keep: Keep) -> Callable[[], uuid.UUID]:
    """Put a sound into the library that has been analysed."""

    def analysed_one() -> uuid.UUID:
        sample_id = keep()
        runner.run(str(job_of(sample_id).id))
        assert kept(sample_id).status == SampleStatus.READY
        return sample_id

    return analysed_one


def facts(sample_id: uuid.UUID) -> tuple[object, ...]:
    sample = kept(sample_id)
    return (sample.status, sample.error, sample.key, sample.bpm, sample.sound_class)


def ask(user: User, sample_id: uuid.UUID) -> None:
    with transaction() as session:
        analysis_requests.again(session, user.id, sample_id)


def waiting_jobs(user: User) -> int:
    with transaction() as session:
        mine = select(ProcessingJob).where(
            ProcessingJob.user_id == user.id, ProcessingJob.status == JobStatus.QUEUED
        )
        return len(session.exec(mine).all())


def test_over_quota_nothing_changes(
    user: User, analysed: Callable[[], uuid.UUID], limit: Callable[[int], None]
) -> None:
    limit(1)
    sample_id = analysed()
    before = facts(sample_id)
    with pytest.raises(QuotaExceeded) as refusal:
        ask(user, sample_id)
    assert (refusal.value.status, refusal.value.code) == (429, "analysis_quota_exceeded")
    assert facts(sample_id) == before
    assert (used(user), waiting_jobs(user)) == (1, 0)


@pytest.mark.parametrize("access", [Access.PAST_DUE, Access.RESTRICTED])
def test_while_a_payment_is_missing_nothing_changes(
    user: User,
    analysed: Callable[[], uuid.UUID],
    restrict: Callable[[Access], None],
    access: Access,
) -> None:
    sample_id = analysed()
    before = facts(sample_id)
    restrict(access)
    with pytest.raises(SubscriptionRestricted) as refusal:
        ask(user, sample_id)
    assert refusal.value.status == 402
    with transaction() as session:
        answers = bulk_actions.run(session, user.id, Action.ANALYSE, [sample_id], None)
    assert answers == {sample_id: "subscription_restricted"}
    assert facts(sample_id) == before


def test_many_get_what_is_left_and_the_others_stay_as_they_are(
    user: User, analysed: Callable[[], uuid.UUID], limit: Callable[[int], None]
) -> None:
    limit(6)
    ids = [analysed() for _ in range(4)]
    before = [facts(each) for each in ids]
    with transaction() as session:
        answers = bulk_actions.run(session, user.id, Action.ANALYSE, [*ids, uuid.uuid4()], None)
    refused = "analysis_quota_exceeded"
    assert list(answers.values()) == ["ok", "ok", refused, refused, "not_found"]
    assert [facts(each) for each in ids[2:]] == before[2:]
    assert (used(user), waiting_jobs(user)) == (6, 2)
    for each in ids[:2]:
        runner.run(str(job_of(each).id))
    assert [facts(each) for each in ids] == before
    assert used(user) == 6


def test_asking_in_parallel_counts_each_analysis_once(
    user: User, analysed: Callable[[], uuid.UUID], limit: Callable[[int], None]
) -> None:
    limit(5)
    ids = [analysed() for _ in range(4)]

    def attempt(number: int) -> bool:
        try:
            ask(user, ids[number % 4])
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(attempt, range(16)))
    assert used(user) == 5
    assert waiting_jobs(user) == 1
    assert 1 <= done <= 4  # the same sound again is the same job


def test_many_at_once_wait_for_each_other_and_never_for_ever(
    user: User, analysed: Callable[[], uuid.UUID]
) -> None:
    ids = [analysed() for _ in range(4)]

    def attempt(turn: int) -> None:
        order = ids[turn % 4 :] + ids[: turn % 4]
        with transaction() as session:
            bulk_actions.run(session, user.id, Action.ANALYSE, order, None)
        with transaction() as session:
            jobs.cancel_analyses(session, user.id, order[::-1])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(attempt, range(18)))
    assert {kept(each).status for each in ids} <= {SampleStatus.READY, SampleStatus.QUEUED}
    assert used(user) == 4 + waiting_jobs(user)


def test_a_cancelled_request_is_given_back(user: User, analysed: Callable[[], uuid.UUID]) -> None:
    sample_id = analysed()
    before = facts(sample_id)
    ask(user, sample_id)
    assert used(user) == 2
    with transaction() as session:
        jobs.cancel(session, user.id, job_of(sample_id).id)
    assert (facts(sample_id), used(user)) == (before, 1)


def test_a_renewal_over_quota_stays_a_renewal(
    user: User, analysed: Callable[[], uuid.UUID], limit: Callable[[int], None]
) -> None:
    limit(1)
    sample_id = analysed()
    with transaction() as session:
        jobs.add_analysis(session, user.id, sample_id, queue.LOW)
    with pytest.raises(QuotaExceeded):
        ask(user, sample_id)
    assert job_of(sample_id).queue == queue.LOW
    assert kept(sample_id).status == SampleStatus.READY


def test_what_was_found_outlives_a_refusal_in_the_worker(
    user: User, analysed: Callable[[], uuid.UUID], limit: Callable[[int], None]
) -> None:
    """A second analysis went to the trash and comes back when the month is used up."""
    limit(2)
    sample_id = analysed()
    before = facts(sample_id)
    ask(user, sample_id)
    with transaction() as session:
        samples.throw_away(session, user.id, [sample_id])
    with transaction() as session:
        quotas.reserve_analysis(session, user.id)
        samples.restore(session, user.id, [sample_id])
    runner.run(str(job_of(sample_id).id))
    assert facts(sample_id) == before


def test_demo_sounds_are_never_counted(
    user: User, analysed: Callable[[], uuid.UUID], limit: Callable[[int], None]
) -> None:
    sample_id = analysed()
    limit(1)
    with transaction() as session:
        session.exec(update(Sample).values(is_demo=True))
    ask(user, sample_id)
    runner.run(str(job_of(sample_id).id))
    assert used(user) == 1


def test_the_api_says_429_and_402(
    api: TestClient,
    user: User,
    analysed: Callable[[], uuid.UUID],
    limit: Callable[[int], None],
    restrict: Callable[[Access], None],
) -> None:
    limit(1)
    sample_id = analysed()
    answer = api.post(f"/api/samples/{sample_id}/analyze", headers=bearer(user.id))
    assert answer.status_code == 429
    assert answer.json()["code"] == "analysis_quota_exceeded"
    body = {"ids": [str(sample_id)], "action": "analyse"}
    answer = api.post("/api/samples/bulk", json=body, headers=bearer(user.id))
    assert answer.json()["results"] == {str(sample_id): "analysis_quota_exceeded"}
    restrict(Access.RESTRICTED)
    answer = api.post(f"/api/samples/{sample_id}/analyze", headers=bearer(user.id))
    assert answer.status_code == 402
    assert kept(sample_id).status == SampleStatus.READY

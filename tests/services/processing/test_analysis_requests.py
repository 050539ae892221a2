"""Analysis requests: counted exactly against the analysis quota, or rejected with no change."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.errors import QuotaExceeded, SubscriptionRestricted
from sp404_app.jobs import runner
from sp404_app.models import JobStatus, ProcessingJob, SampleStatus, User
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
        environment.setattr(entitlements, "get_entitlement", lambda *_: given)

    return set_access


@pytest.fixture
def analysed(keep: Keep) -> Callable[[], uuid.UUID]:
    """Add a sample and analyse it."""

    def analysed_one() -> uuid.UUID:
        sample_id = keep()
        runner.run(str(job_of(sample_id).id))
        assert kept(sample_id).status == SampleStatus.READY
        return sample_id

    return analysed_one


def analysis_of(sample_id: uuid.UUID) -> tuple[object, ...]:
    sample = kept(sample_id)
    return (sample.status, sample.error, sample.key, sample.bpm, sample.sound_class)


def request_analysis(user: User, sample_id: uuid.UUID) -> None:
    with transaction() as session:
        analysis_requests.request_analysis(session, user.id, sample_id)


def count_queued_jobs(user: User) -> int:
    with transaction() as session:
        mine = select(ProcessingJob).where(
            ProcessingJob.user_id == user.id, ProcessingJob.status == JobStatus.QUEUED
        )
        return len(session.exec(mine).all())


def test_a_request_over_the_analysis_quota_changes_nothing(
    user: User, analysed: Callable[[], uuid.UUID], limit: Callable[[int], None]
) -> None:
    limit(1)
    sample_id = analysed()
    before = analysis_of(sample_id)
    with pytest.raises(QuotaExceeded) as refusal:
        request_analysis(user, sample_id)
    assert (refusal.value.status, refusal.value.code) == (429, "analysis_quota_exceeded")
    assert analysis_of(sample_id) == before
    assert (used(user), count_queued_jobs(user)) == (1, 0)


@pytest.mark.parametrize("access", [Access.PAST_DUE, Access.RESTRICTED])
def test_a_request_with_an_overdue_payment_changes_nothing(
    user: User,
    analysed: Callable[[], uuid.UUID],
    restrict: Callable[[Access], None],
    access: Access,
) -> None:
    sample_id = analysed()
    before = analysis_of(sample_id)
    restrict(access)
    with pytest.raises(SubscriptionRestricted) as refusal:
        request_analysis(user, sample_id)
    assert refusal.value.status == 402
    with transaction() as session:
        answers = bulk_actions.run_bulk_action(session, user.id, Action.ANALYSE, [sample_id], None)
    assert answers == {sample_id: "subscription_restricted"}
    assert analysis_of(sample_id) == before


def test_a_bulk_request_uses_the_remaining_analysis_quota(
    user: User, analysed: Callable[[], uuid.UUID], limit: Callable[[int], None]
) -> None:
    limit(6)
    ids = [analysed() for _ in range(4)]
    before = [analysis_of(each) for each in ids]
    with transaction() as session:
        answers = bulk_actions.run_bulk_action(
            session, user.id, Action.ANALYSE, [*ids, uuid.uuid4()], None
        )
    refused = "analysis_quota_exceeded"
    assert list(answers.values()) == ["ok", "ok", refused, refused, "not_found"]
    assert [analysis_of(each) for each in ids[2:]] == before[2:]
    assert (used(user), count_queued_jobs(user)) == (6, 2)
    for each in ids[:2]:
        runner.run(str(job_of(each).id))
    assert [analysis_of(each) for each in ids] == before
    assert used(user) == 6


def test_concurrent_requests_count_each_analysis_once(
    user: User, analysed: Callable[[], uuid.UUID], limit: Callable[[int], None]
) -> None:
    limit(5)
    ids = [analysed() for _ in range(4)]

    def attempt(number: int) -> bool:
        try:
            request_analysis(user, ids[number % 4])
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(attempt, range(16)))
    assert used(user) == 5
    assert count_queued_jobs(user) == 1
    assert 1 <= done <= 4  # a sample with an active job gets no second one


def test_concurrent_bulk_requests_and_cancellations_do_not_deadlock(
    user: User, analysed: Callable[[], uuid.UUID]
) -> None:
    ids = [analysed() for _ in range(4)]

    def attempt(turn: int) -> None:
        order = ids[turn % 4 :] + ids[: turn % 4]
        with transaction() as session:
            bulk_actions.run_bulk_action(session, user.id, Action.ANALYSE, order, None)
        with transaction() as session:
            jobs.cancel_analyses(session, user.id, order[::-1])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(attempt, range(18)))
    assert {kept(each).status for each in ids} <= {SampleStatus.READY, SampleStatus.QUEUED}
    assert used(user) == 4 + count_queued_jobs(user)


def test_a_cancelled_analysis_is_refunded(user: User, analysed: Callable[[], uuid.UUID]) -> None:
    sample_id = analysed()
    before = analysis_of(sample_id)
    request_analysis(user, sample_id)
    assert used(user) == 2
    with transaction() as session:
        jobs.cancel_job(session, user.id, job_of(sample_id).id)
    assert (analysis_of(sample_id), used(user)) == (before, 1)


def test_a_reanalysis_over_quota_stays_in_the_low_queue(
    user: User, analysed: Callable[[], uuid.UUID], limit: Callable[[int], None]
) -> None:
    limit(1)
    sample_id = analysed()
    with transaction() as session:
        jobs.enqueue_analysis(session, user.id, sample_id, queue.LOW)
    with pytest.raises(QuotaExceeded):
        request_analysis(user, sample_id)
    assert job_of(sample_id).queue == queue.LOW
    assert kept(sample_id).status == SampleStatus.READY


def test_results_survive_when_the_worker_refuses_a_second_analysis(
    user: User, analysed: Callable[[], uuid.UUID], limit: Callable[[int], None]
) -> None:
    """A sample was trashed during its second analysis and restored with the quota used up."""
    limit(2)
    sample_id = analysed()
    before = analysis_of(sample_id)
    request_analysis(user, sample_id)
    with transaction() as session:
        samples.delete_samples(session, user.id, [sample_id])
    with transaction() as session:
        quotas.reserve_analysis(session, user.id)
        samples.restore_samples(session, user.id, [sample_id])
    runner.run(str(job_of(sample_id).id))
    assert analysis_of(sample_id) == before


def test_the_api_answers_429_over_quota_and_402_if_restricted(
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

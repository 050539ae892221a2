"""The job that enqueues one user's samples once the analysis quota has room again."""

import uuid
from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from sp404_app.db import transaction
from sp404_app.jobs.quota_backlog import queue_waiting
from sp404_app.models import JobStatus, ProcessingJob, Sample, SampleStatus, User
from sp404_app.services import plans
from sp404_app.services.billing import entitlements, quotas
from sp404_app.services.billing.access_rules import Access
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs, quota_backlog
from tests.services.processing.test_jobs import job_of, kept, used
from tests.sounds import Keep

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def waiting(keep: Keep) -> Callable[..., uuid.UUID]:
    """Add a sample that waits for the analysis quota, to the user's library or to another."""

    def add(owner: uuid.UUID | None = None) -> uuid.UUID:
        sample_id = keep(owner=owner)
        with transaction() as session:
            jobs.finish_job(session, job_of(sample_id).id, JobStatus.DONE)
            session.get_one(Sample, sample_id).status = SampleStatus.WAITING_FOR_QUOTA
        return sample_id

    return add


def active_jobs(session: Session) -> list[uuid.UUID | None]:
    query = select(ProcessingJob.sample_id).where(ProcessingJob.status == JobStatus.QUEUED)
    return sorted(session.exec(query), key=str)


def limit_plan(environment: pytest.MonkeyPatch, analyses: int | None) -> None:
    plan = plans.Plan(plans.Tier.FREE, "Free", 0, None, analyses, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, plan)


def test_only_the_samples_of_this_user_are_enqueued(
    user: User, person: Callable[..., User], waiting: Callable[..., uuid.UUID], session: Session
) -> None:
    mine, theirs = waiting(), waiting(person().id)
    queue_waiting(str(user.id))
    assert kept(mine).status == SampleStatus.QUEUED
    assert kept(theirs).status == SampleStatus.WAITING_FOR_QUOTA
    assert active_jobs(session) == [mine]


def test_a_job_that_runs_twice_enqueues_each_sample_once(
    user: User, waiting: Callable[..., uuid.UUID], session: Session
) -> None:
    sample_id = waiting()
    for _ in range(2):
        queue_waiting(str(user.id))
    assert active_jobs(session) == [sample_id]


def test_samples_in_the_trash_are_not_enqueued(
    user: User, waiting: Callable[..., uuid.UUID], session: Session
) -> None:
    sample_id = waiting()
    with transaction() as other:
        samples.delete_samples(other, user.id, [sample_id])
        assert quota_backlog.enqueue_waiting_samples(other) == 0
    queue_waiting(str(user.id))
    assert active_jobs(session) == []


@pytest.mark.parametrize("access", [Access.PAST_DUE, Access.RESTRICTED])
def test_an_unpaid_subscription_keeps_samples_waiting(
    user: User,
    waiting: Callable[..., uuid.UUID],
    environment: pytest.MonkeyPatch,
    access: Access,
) -> None:
    sample_id = waiting()
    unpaid = entitlements.Entitlement(plans.PLANS[plans.Tier.PRO], access)
    environment.setattr(entitlements, "get_entitlement", lambda *_: unpaid)
    queue_waiting(str(user.id))
    assert kept(sample_id).status == SampleStatus.WAITING_FOR_QUOTA


def test_usage_above_the_quota_of_a_smaller_plan_enqueues_nothing(
    user: User, waiting: Callable[..., uuid.UUID], environment: pytest.MonkeyPatch
) -> None:
    sample_id = waiting()
    with transaction() as session:
        for _ in range(3):
            quotas.reserve_analysis(session, user.id)
    assert used(user) == 3
    limit_plan(environment, 1)
    queue_waiting(str(user.id))
    assert kept(sample_id).status == SampleStatus.WAITING_FOR_QUOTA


def test_without_a_limit_the_oldest_samples_are_enqueued_in_batches(
    user: User, waiting: Callable[..., uuid.UUID], environment: pytest.MonkeyPatch
) -> None:
    limit_plan(environment, None)
    environment.setattr(quota_backlog, "MAX_BATCH", 2)
    ids = [waiting() for _ in range(3)]
    queue_waiting(str(user.id))
    assert [kept(each).status == SampleStatus.QUEUED for each in ids] == [True, True, False]
    queue_waiting(str(user.id))
    assert kept(ids[2]).status == SampleStatus.QUEUED

"""Housekeeping: a task that fails stops neither the other tasks nor the later rounds."""

import asyncio
import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlmodel import Session, select, text, update

from sp404_app import db
from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.errors import Unavailable
from sp404_app.jobs import scheduler
from sp404_app.models import (
    JobStatus,
    ProcessingJob,
    Project,
    Sample,
    SampleStatus,
    StripeEvent,
    User,
)
from sp404_app.models.columns import now
from sp404_app.services.infra import events, queue
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from sp404_app.services.projects import projects
from sp404_app.settings import settings
from tests.accounts import mails, without_database
from tests.jobs.test_email import let_pass, rows, write_email
from tests.services.processing.test_jobs import job_of, kept
from tests.sounds import Keep

pytestmark = pytest.mark.usefixtures("services")

LONG_S = 3600.0


@pytest.fixture
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "INTERVAL_S", 0.02)
    monkeypatch.setattr(scheduler, "LOST_JOBS_INTERVAL_S", 0.02)


@pytest.fixture
def one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "INTERVAL_S", LONG_S)


async def until(claim: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not claim():
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.02)


@contextmanager
def hidden(table: str) -> Iterator[None]:
    """Make every statement on a table fail, as after an error in a migration."""
    _execute(f"alter table {table} rename to {table}_hidden")
    try:
        yield
    finally:
        _execute(f"alter table {table}_hidden rename to {table}")


def _execute(statement: str) -> None:
    with db.engine().begin() as connection:
        connection.execute(text(statement))


def put_into_old_trash(user: User, sample_id: uuid.UUID) -> None:
    with transaction() as session:
        samples.delete_samples(session, user.id, [sample_id])
        long_ago = now() - dt.timedelta(days=samples.TRASH_DAYS + 1)
        session.exec(update(Sample).values(deleted_at=long_ago))


def exists(sample_id: uuid.UUID) -> bool:
    with transaction() as session:
        return session.get(Sample, sample_id) is not None


@pytest.mark.usefixtures("one_round")
async def test_a_failed_task_does_not_stop_the_other_tasks_of_its_round(
    user: User, keep: Keep, caplog: pytest.LogCaptureFixture
) -> None:
    sample_id = keep()
    put_into_old_trash(user, sample_id)
    with hidden("stripe_events"):
        async with scheduler.housekeeping():
            await until(lambda: not exists(sample_id))
    assert "housekeeping failed in <function enqueue_if_events_due" in caplog.text


@pytest.mark.usefixtures("short_rounds")
async def test_a_failed_round_does_not_stop_the_next(caplog: pytest.LogCaptureFixture) -> None:
    write_email()
    let_pass(dt.timedelta(seconds=6))
    async with scheduler.housekeeping():
        with hidden("unsent_mails"):
            await until(lambda: "overdue e-mails could not be sent" in caplog.text)
        await until(lambda: not rows())
    assert len(mails()) == 1


@pytest.mark.usefixtures("short_rounds")
async def test_housekeeping_continues_when_the_database_is_back(
    keep: Keep, caplog: pytest.LogCaptureFixture
) -> None:
    keep()
    events.connection().flushdb()
    with transaction() as session:
        session.exec(update(ProcessingJob).values(heartbeat_at=now() - dt.timedelta(minutes=1)))
    async with scheduler.housekeeping():
        with without_database():
            await until(lambda: caplog.text.count("housekeeping will try again") > 1)
        assert not queue.queued_ids()
        await until(queue.queued_ids)
    assert "housekeeping failed in <function requeue" not in caplog.text  # it is not a bug


def ask_a_service_that_is_down(_: Session) -> int:
    raise Unavailable("The Stripe emulator isn't responding.")


async def test_a_service_that_is_down_is_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    assert await scheduler._run_task(ask_a_service_that_is_down) is None
    assert "housekeeping will try again: The Stripe emulator isn't responding." in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.usefixtures("one_round")
async def test_a_round_enqueues_the_job_of_a_due_stripe_event() -> None:
    with transaction() as session:
        session.add(StripeEvent(id="evt_1", realm="test", type="invoice.paid", created=now()))
    async with scheduler.housekeeping():
        await until(lambda: queue.rq_queue(queue.HIGH).count)
    (job,) = queue.rq_queue(queue.HIGH).jobs
    assert job.func_name == "sp404_app.jobs.billing.handle_due_events"


@pytest.mark.usefixtures("short_rounds")
async def test_without_billing_no_round_enqueues_jobs_of_stripe(
    keep: Keep, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_BILLING", "off")
    settings.cache_clear()
    sample_id = keep()
    with transaction() as session:
        session.add(StripeEvent(id="evt_1", realm="test", type="invoice.paid", created=now()))
        jobs.finish_job(session, job_of(sample_id).id, JobStatus.DONE)
        session.get_one(Sample, sample_id).status = SampleStatus.WAITING_FOR_QUOTA
    for name in queue.QUEUES:
        queue.rq_queue(name).empty()
    async with scheduler.housekeeping():
        await until(queue.queued_ids)  # of the second round, which comes after the event's turn
    assert queue.rq_queue(queue.HIGH).count == 0


@pytest.mark.usefixtures("short_rounds")
async def test_a_later_round_enqueues_samples_that_wait_for_quota(keep: Keep) -> None:
    sample_id = keep()
    with transaction() as session:
        jobs.finish_job(session, job_of(sample_id).id, JobStatus.DONE)
        session.get_one(Sample, sample_id).status = SampleStatus.WAITING_FOR_QUOTA
    async with scheduler.housekeeping():
        await until(lambda: kept(sample_id).status == SampleStatus.QUEUED)


async def test_no_task_of_housekeeping_outlives_it() -> None:
    before = asyncio.all_tasks()
    async with scheduler.housekeeping():
        assert len(asyncio.all_tasks() - before) == 3
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


@pytest.mark.usefixtures("one_round")
async def test_a_round_deletes_projects_that_were_trashed_long_ago(user: User) -> None:
    with transaction() as session:
        old, kept = (
            projects.create_project(session, user.id, name, MK2).project for name in ("old", "kept")
        )
        old.deleted_at = now() - dt.timedelta(days=projects.TRASH_DAYS + 1)
    async with scheduler.housekeeping():
        await until(lambda: project_ids() == [kept.id])


def project_ids() -> list[uuid.UUID]:
    with transaction() as session:
        return list(session.exec(select(Project.id)))

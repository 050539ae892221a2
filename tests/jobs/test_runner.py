"""The job runner: claims, errors, heartbeats and cancelled jobs."""

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from rq.timeouts import JobTimeoutException
from rq.utils import import_attribute
from sqlalchemy.exc import OperationalError

from sp404_app.db import transaction
from sp404_app.errors import BadAudio
from sp404_app.jobs import billing, billing_contact, runner
from sp404_app.models import JobKind, JobStatus, ProcessingJob, Sample, SampleStatus, User
from sp404_app.models.columns import now
from sp404_app.services.infra import storage
from sp404_app.services.library import samples
from sp404_app.services.processing import analysis_requests, jobs
from tests.services.processing.test_jobs import job_of, kept
from tests.sounds import Keep

pytestmark = pytest.mark.usefixtures("services")


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(_: ProcessingJob) -> None:
        raise error

    monkeypatch.setitem(runner.JOB_FUNCTIONS, JobKind.ANALYSE, fail)


def test_an_analysed_sample_becomes_ready(keep: Keep) -> None:
    sample_id = keep()
    runner.run(str(job_of(sample_id).id))
    assert (job_of(sample_id).status, job_of(sample_id).progress) == (JobStatus.DONE, 1.0)
    assert kept(sample_id).status == SampleStatus.READY


def test_a_job_queued_twice_runs_once(keep: Keep) -> None:
    sample_id = keep()
    job_id = str(job_of(sample_id).id)
    runner.run(job_id)
    runner.run(job_id)
    assert job_of(sample_id).attempts == 1


def test_an_rq_job_without_a_row_does_nothing(keep: Keep) -> None:
    other = job_of(keep())
    runner.run(str(uuid.uuid4()))
    assert (job_of(other.sample_id).status, job_of(other.sample_id).attempts) == (other.status, 0)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (BadAudio("This file is damaged."), "This file is damaged."),
        (JobTimeoutException("secret"), "The analysis took too long and was stopped."),
        (RuntimeError("secret"), "Something went wrong on our side while analysing this file."),
        (MemoryError("secret"), "Something went wrong on our side while analysing this file."),
    ],
)
def test_a_failed_job_shows_its_message_on_the_sample(
    keep: Keep, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    sample_id = keep()
    fail_with(monkeypatch, error)
    runner.run(str(job_of(sample_id).id))
    assert (job_of(sample_id).status, job_of(sample_id).error) == (JobStatus.FAILED, message)
    assert (kept(sample_id).status, kept(sample_id).error) == (SampleStatus.FAILED, message)


def test_a_retry_clears_the_error(user: User, keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    sample_id = keep()
    with monkeypatch.context() as broken:
        fail_with(broken, RuntimeError())
        runner.run(str(job_of(sample_id).id))
    with transaction() as session:
        job = analysis_requests.request_analysis(session, user.id, sample_id)
    runner.run(str(job.id))
    assert (kept(sample_id).status, kept(sample_id).error) == (SampleStatus.READY, "")


def test_a_lost_database_connection_fails_no_sample(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_id = keep()
    with monkeypatch.context() as broken:
        fail_with(broken, OperationalError("select", {}, Exception("server closed the connection")))
        runner.run(str(job_of(sample_id).id))
    assert job_of(sample_id).status == JobStatus.RUNNING
    with transaction() as session:
        assert jobs.requeue_lost_jobs(session, now() + dt.timedelta(seconds=13)) == 1
    runner.run(str(job_of(sample_id).id))
    assert kept(sample_id).status == SampleStatus.READY


def test_a_missing_file_is_shown_on_the_sample(keep: Keep) -> None:
    sample_id = keep()
    storage.delete_object(kept(sample_id).storage_key)
    runner.run(str(job_of(sample_id).id))
    assert kept(sample_id).error == "The file of this sound is missing."


@pytest.mark.parametrize("way", ["cancel", "trash", "another"])
def test_a_cancelled_or_reassigned_job_writes_nothing(
    user: User, keep: Keep, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    sample_id = keep()

    def taken_away(job: ProcessingJob) -> None:
        with transaction() as session:
            if way == "cancel":
                jobs.cancel_job(session, user.id, job.id)
            elif way == "trash":
                samples.delete_samples(session, user.id, [sample_id])
            else:
                jobs.requeue_lost_jobs(session, now() + dt.timedelta(seconds=13))
        before.append(kept(sample_id))
        original(job)
        raise RuntimeError

    before: list[Sample] = []
    monkeypatch.setattr(runner, "BATCH_FILES", 1)  # so that it does not claim the requeued job
    original = runner.JOB_FUNCTIONS[JobKind.ANALYSE]
    monkeypatch.setitem(runner.JOB_FUNCTIONS, JobKind.ANALYSE, taken_away)
    runner.run(str(job_of(sample_id).id))
    assert kept(sample_id) == before[0]
    wanted = JobStatus.QUEUED if way == "another" else JobStatus.CANCELLED
    assert job_of(sample_id).status == wanted


def test_an_attempt_updates_its_heartbeat(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    sample_id = keep()
    monkeypatch.setattr(runner, "HEARTBEAT_INTERVAL_S", 0.01)
    with transaction() as session:
        job = jobs.claim_job(session, job_of(sample_id).id)
    assert job
    with runner.heartbeat(job):
        while job_of(sample_id).heartbeat_at == job.heartbeat_at:
            pass


@pytest.mark.parametrize(
    ("former", "function"),
    [
        ("sp404_app.jobs.run.run", runner.run),
        ("sp404_app.jobs.billing.work", billing.handle_due_events),
        ("sp404_app.jobs.billing_contact.tell", billing_contact.update_contact),
        ("sp404_app.jobs.billing_contact.tell_all", billing_contact.update_due_contacts),
    ],
)
def test_jobs_queued_under_a_former_name_still_run(
    former: str, function: Callable[..., object]
) -> None:
    assert import_attribute(former) is function

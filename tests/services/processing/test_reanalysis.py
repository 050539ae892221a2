"""Sounds that an older engine heard are heard again."""

import uuid
from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.jobs import scheduler
from sp404_app.models import Analysis, JobStatus, ProcessingJob, Sample, SampleStatus, User
from sp404_app.models.columns import now
from sp404_app.services.infra import queue
from sp404_app.services.processing import analysis_requests, jobs, reanalysis


@pytest.fixture
def heard_by(session: Session, user: User) -> Callable[..., Sample]:
    """Keep a sample that an engine has analysed."""

    def keep(version: str, **fields: object) -> Sample:
        name = uuid.uuid4().hex
        sample = Sample(
            user_id=user.id,
            name=name,
            filename=name,
            storage_key=name,
            size=1,
            digest=name,
            format="WAV",
            status=fields.pop("status", SampleStatus.READY),
            **fields,
        )
        session.add(sample)
        session.flush()
        session.add(
            Analysis(
                user_id=user.id,
                sample_id=sample.id,
                engine_version=version,
                status=SampleStatus.READY,
            )
        )
        session.flush()
        return sample

    return keep


def asked(session: Session) -> list[ProcessingJob]:
    return list(session.exec(select(ProcessingJob).order_by(ProcessingJob.id)))  # type: ignore[arg-type]


def test_only_what_the_present_engine_has_not_heard_is_asked_for(
    session: Session, heard_by: Callable[..., Sample]
) -> None:
    old = heard_by("0")
    heard_by(ENGINE_VERSION)
    heard_by("0", deleted_at=now())
    heard_by("0", status=SampleStatus.WAITING_FOR_QUOTA)
    assert reanalysis.renew(session) == 1
    (job,) = asked(session)
    assert (job.sample_id, job.queue) == (old.id, queue.LOW)
    assert reanalysis.renew(session) == 1  # it is under way
    assert len(asked(session)) == 1


def test_workers_have_enough_to_do_until_the_next_round() -> None:
    """A small sound takes one of them some 50 ms."""
    assert reanalysis.AT_ONCE * 0.05 / 2 >= 0.5 * scheduler.EVERY


def test_only_a_few_are_under_way_at_once(
    session: Session, heard_by: Callable[..., Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reanalysis, "AT_ONCE", 2)
    for _ in range(3):
        heard_by("0")
    assert reanalysis.renew(session) == 2
    assert reanalysis.renew(session) == 2
    assert len(asked(session)) == 2
    jobs.finish(session, asked(session)[0].id, JobStatus.DONE)
    assert reanalysis.renew(session) == 2
    assert len(asked(session)) == 3


def test_a_sound_the_engine_cannot_hear_keeps_what_it_had_and_is_not_tried_for_ever(
    session: Session, user: User, heard_by: Callable[..., Sample]
) -> None:
    sample = heard_by("0", bpm=90)
    reanalysis.renew(session)
    (job,) = asked(session)
    jobs.note_failure(session, job, "No.")
    jobs.finish(session, job.id, JobStatus.FAILED, "No.")
    assert reanalysis.renew(session) == 0
    assert (sample.status, sample.bpm) == (SampleStatus.READY, 90)
    assert reanalysis.progress(session, user.id) == reanalysis.Progress(1, 1)


def test_progress_is_a_fraction_of_what_was_analysed(
    session: Session, user: User, heard_by: Callable[..., Sample]
) -> None:
    heard_by("0")
    heard_by(ENGINE_VERSION)
    heard_by("0", status=SampleStatus.FAILED)
    assert reanalysis.progress(session, user.id) == reanalysis.Progress(1, 2)


def test_a_renewal_that_somebody_asks_for_is_theirs_from_then_on(
    session: Session, user: User, heard_by: Callable[..., Sample]
) -> None:
    sample = heard_by("0")
    reanalysis.renew(session)
    analysis_requests.again(session, user.id, sample.id)
    (job,) = asked(session)
    session.refresh(job)
    assert job.queue != queue.LOW
    jobs.cancel(session, user.id, job.id)
    assert sample.status == SampleStatus.READY  # and not queued for ever

"""Jobs that convert samples, with real workers: killed, cancelled, and taken over."""

import io
import uuid
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import select, update

from sp404_app.db import transaction
from sp404_app.jobs import convert as convert_job
from sp404_app.jobs import runner
from sp404_app.models import JobKind, JobStatus, ProcessingJob, Sample, User
from sp404_app.services.cards import conversions
from sp404_app.services.cards.download_formats import DownloadFormat
from sp404_app.services.cards.name_template import NAME_ONLY
from sp404_app.services.infra import storage
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from tests.jobs.test_worker import Start, kill, requeue_lost, start_worker, until
from tests.sounds import write

__all__ = ["start_worker"]
pytestmark = pytest.mark.usefixtures("services")

RATE = 44_100


@pytest.fixture
def long_ids(user: User, tmp_path: Path) -> list[uuid.UUID]:
    """Sounds whose conversion takes a few seconds."""
    return add_sounds(user, tmp_path, 150)


@pytest.fixture
def short_ids(user: User, tmp_path: Path) -> list[uuid.UUID]:
    """Sounds of ten seconds."""
    return add_sounds(user, tmp_path, 10)


def add_sounds(user: User, folder: Path, seconds: int) -> list[uuid.UUID]:
    """Add four stereo sounds that take little storage."""
    found = []
    for number in range(4):
        steps = np.random.default_rng(number).integers(-2, 2, (seconds * RATE, 2), np.int16)
        path = write(folder / f"{number}.flac", steps, RATE)
        with transaction() as session:
            incoming = samples.inspect_file(path, f"{number}.flac")
            found.append(samples.add_sample(session, user.id, incoming))
            session.exec(update(Sample).values(duration=seconds, sample_rate=RATE, channels=2))
            session.exec(update(ProcessingJob).values(status=JobStatus.CANCELLED))
    return found


def archive(user: User, ids: list[uuid.UUID]) -> uuid.UUID:
    with transaction() as session:
        job = conversions.request_archive(session, user.id, DownloadFormat.MK2, NAME_ONLY, ids)
        return job.id


def conversion() -> ProcessingJob:
    query = select(ProcessingJob).where(ProcessingJob.kind == JobKind.CONVERT)
    with transaction() as session:
        return session.exec(query).one()


def files(user: User) -> list[str]:
    return sorted(
        stored.key.rpartition(".")[2]
        for stored in storage.list_folder(f"conversions/{user.id.hex}")
    )


def make_archive(user: User, job_id: uuid.UUID) -> bytes:
    with transaction() as session:
        return storage.read_bytes(conversions.find_archive(session, user.id, job_id).key)


async def test_a_killed_worker_leaves_no_archive_and_the_next_makes_it(
    user: User, long_ids: list[uuid.UUID], start_worker: Start
) -> None:
    job_id = archive(user, long_ids)
    worker = start_worker()
    await until(user, lambda: conversion().status == JobStatus.RUNNING)
    await until(user, lambda: conversion().progress > 0)
    kill(worker)
    assert files(user) == ["json"]
    assert await requeue_lost() == 1
    start_worker()
    await until(user, lambda: conversion().status == JobStatus.DONE)
    assert conversion().attempts == 2
    await until(user, lambda: files(user) == ["zip"])  # deleted after the commit
    content = make_archive(user, job_id)
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        assert made.namelist() == ["0.wav", "1.wav", "2.wav", "3.wav"]
        assert made.testzip() is None


async def test_a_cancelled_job_stops_and_leaves_no_archive(
    user: User, long_ids: list[uuid.UUID], start_worker: Start
) -> None:
    job_id = archive(user, long_ids)
    start_worker()
    await until(user, lambda: conversion().progress > 0)
    with transaction() as session:
        jobs.cancel_job(session, user.id, job_id)
    second = archive(user, long_ids[:1])
    with transaction() as session:
        assert session.get_one(ProcessingJob, job_id).status == JobStatus.CANCELLED
    assert second != job_id


@pytest.mark.parametrize("how", ["cancelled", "taken over"])
def test_a_result_that_comes_too_late_is_deleted(
    user: User, short_ids: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    job_id = archive(user, short_ids[:1])
    original = storage.save

    def save_then_change(*arguments: Any) -> None:
        original(*arguments)
        with transaction() as session:
            if how == "cancelled":
                jobs.cancel_job(session, user.id, job_id)
            else:
                session.exec(update(ProcessingJob).values(attempts=2))

    monkeypatch.setattr(storage, "save", save_then_change)
    runner.run(str(job_id))
    assert files(user) == ["json"]
    assert conversion().status != JobStatus.DONE


def test_a_late_worker_does_not_delete_what_the_next_one_has_finished(
    user: User, short_ids: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = archive(user, short_ids[:1])
    original = storage.save

    def save_then_finish(*arguments: Any) -> None:
        original(*arguments)
        with transaction() as session:
            done = {"attempts": 2, "status": JobStatus.DONE}
            session.exec(update(ProcessingJob).values(**done))

    monkeypatch.setattr(storage, "save", save_then_finish)
    runner.run(str(job_id))
    assert "zip" in files(user)


def test_progress_rises_with_the_sounds_and_a_cancelled_job_stops_between_them(
    user: User, short_ids: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = archive(user, short_ids)
    monkeypatch.setattr(convert_job, "PROGRESS_INTERVAL_S", 0.0)
    reported: list[float] = []
    original = jobs.record_heartbeat

    def record(*arguments: Any) -> bool:
        if len(arguments) == 4:  # the others are heartbeats
            reported.append(arguments[3])
        if reported[-1] > 0.3:
            with transaction() as session:
                jobs.cancel_job(session, user.id, job_id)
        return original(*arguments)

    monkeypatch.setattr(jobs, "record_heartbeat", record)
    runner.run(str(job_id))
    assert reported == sorted(reported)
    assert 0.3 < reported[-1] < 0.5  # in the second of four sounds
    assert (conversion().status, files(user)) == (JobStatus.CANCELLED, ["json"])


def test_an_archive_beyond_the_limit_fails_with_a_sentence(
    user: User, short_ids: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(user, short_ids[:2])
    monkeypatch.setattr(convert_job, "MAX_ARCHIVE_BYTES", 1_000)
    runner.run(str(conversion().id))
    assert conversion().status == JobStatus.FAILED
    assert conversion().error == "These sounds are too large for one download. Choose fewer."


def test_an_unexpected_error_fails_the_job_with_a_sentence(
    user: User, short_ids: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(user, short_ids[:1])
    monkeypatch.setattr(convert_job, "convert_sample", None)
    runner.run(str(conversion().id))
    assert conversion().error == "Something went wrong on our side while converting these sounds."

"""Render jobs with real workers: killed, cancelled, and samples that change meanwhile."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from sqlmodel import update

from sp404_app.audio.io.peaks import Peaks
from sp404_app.audio.render.render import Rendered
from sp404_app.db import transaction
from sp404_app.jobs import render as render_job
from sp404_app.jobs import runner
from sp404_app.models import JobStatus, ProcessingJob, ProjectPad, Sample, User
from sp404_app.services.infra import events, queue, storage
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.infra.render_files import render_file_key
from sp404_app.services.library import samples
from sp404_app.services.processing import analysis_requests, jobs
from sp404_app.services.projects import history
from sp404_app.services.projects.history import Target
from tests.jobs.test_worker import (
    Start,
    forked_processes,
    kill,
    kill_processes,
    requeue_lost,
    start_worker,
    until,
)
from tests.services.conftest import keep
from tests.services.projects.test_renders import (
    A1,
    change_pad,
    ensure,
    files,
    measured,
    project_with,
    render_all,
    render_jobs,
    rows,
    run_job_of,
)
from tests.sounds import RATE, write

__all__ = ["keep", "measured", "start_worker"]
pytestmark = pytest.mark.usefixtures("services")

Add = Callable[[], uuid.UUID]


@pytest.fixture
def long_project(user: User, tmp_path: Path) -> Target:
    """A pad whose render takes several seconds."""
    noise = np.random.default_rng(4).uniform(-0.5, 0.5, (6 * 60 * RATE, 2)).astype(np.float32)
    path = write(tmp_path / "long.wav", noise, subtype="PCM_16")
    with transaction() as session:
        sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, "long.wav"))
        session.exec(update(ProcessingJob).values(status=JobStatus.CANCELLED))
        values = {"duration": 360.0, "sample_rate": RATE}
        session.exec(update(Sample).values(**values))
    target = project_with(user, sample_id)
    change_pad(target, edit={"stretch": 1.5})
    return target


def during_render(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Change something after a render is made, before it is stored."""
    original = render_job.render

    def render_then_change(*arguments: Any, **options: Any) -> Rendered:
        made = original(*arguments, **options)
        change()
        return made

    monkeypatch.setattr(render_job, "render", render_then_change)


def test_a_render_is_stored_with_its_measurements(user: User, measured: Add) -> None:
    target = project_with(user, measured())
    change_pad(target, edit={"gain_db": 12})
    run_job_of(ensure(target)[A1])
    (row,), (job,) = rows(), render_jobs()
    assert (job.status, job.progress) == (JobStatus.DONE, 1.0)
    with storage.local_copy(render_file_key(user.id, row.render_key)) as path:
        assert path.stat().st_size == row.size_bytes
        info = soundfile.info(path)
    assert (info.samplerate, info.subtype, info.frames) == (48_000, "PCM_16", row.frames)
    assert row.peak_dbfs == pytest.approx(6, abs=0.1)
    assert row.frames_held > 0
    assert row.peaks
    assert Peaks.from_bytes(row.peaks).frames == row.frames


def test_a_render_of_a_sound_with_trimmed_silence_tells_its_pads_their_length(
    user: User, measured: Add
) -> None:
    sample_id = measured()
    target = project_with(user, sample_id, sample_id)
    change_pad(target, edit={"trim_silence": -20})

    def lengths() -> list[int | None]:
        with transaction() as session:
            return [
                session.get_one(ProjectPad, (target.project_id, 0, pad)).frames for pad in (1, 2)
            ]

    assert lengths() == [None, 9_600]
    render_all(target)
    first, second = lengths()
    assert first
    assert 9_000 < first < 9_600
    assert second == 9_600


def test_a_pad_whose_render_exists_gets_its_length_and_positions_inside_it(
    user: User, measured: Add
) -> None:
    target = project_with(user, measured())
    change_pad(target, edit={"trim_silence": -20})
    change_pad(target, settings={"start": 100, "end": 9_590}, chops=[0, 9_595])
    render_all(target)
    with transaction() as session:
        history.undo_step(session, target)
        history.redo_step(session, target)
    assert ensure(target)[A1].is_ready
    with transaction() as session:
        pad = session.get_one(ProjectPad, (target.project_id, 0, 1))
        assert pad.frames
        assert pad.frames < 9_590
        assert (pad.settings["start"], pad.settings["end"], pad.chops) == (100, None, [0])


async def test_the_pages_of_the_project_hear_of_a_finished_render(
    user: User, measured: Add
) -> None:
    target = project_with(user, measured())
    status = ensure(target)[A1]
    heard: list[Event] = []
    async for changes in events.listen(user.id, patience=1.0):
        if not heard and not changes:
            run_job_of(status)
        heard += changes
        if Event(Topic.PROJECT, str(target.project_id)) in heard:
            break
    assert ensure(target)[A1].is_ready


def test_a_render_whose_sample_is_deleted_meanwhile_leaves_no_file(
    user: User, measured: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_id = measured()
    status = ensure(project_with(user, sample_id))[A1]

    def delete() -> None:
        with transaction() as session:
            samples.delete_samples(session, user.id, [sample_id])
        with transaction() as session:
            samples.delete_for_good(session, user.id, [sample_id])

    during_render(monkeypatch, delete)
    run_job_of(status)
    assert (rows(), files(user)) == ([], [])
    assert render_jobs()[0].status == JobStatus.DONE


def test_a_job_whose_sample_was_deleted_before_ends(user: User, measured: Add) -> None:
    sample_id = measured()
    status = ensure(project_with(user, sample_id))[A1]
    with transaction() as session:
        samples.delete_samples(session, user.id, [sample_id])
    with transaction() as session:
        samples.delete_for_good(session, user.id, [sample_id])
    run_job_of(status)
    assert (rows(), files(user)) == ([], [])
    assert render_jobs()[0].status == JobStatus.DONE


def test_a_trashed_sample_is_rendered(user: User, measured: Add) -> None:
    sample_id = measured()
    target = project_with(user, sample_id)
    with transaction() as session:
        samples.delete_samples(session, user.id, [sample_id])
    assert render_all(target)[A1].is_ready


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_render_of_a_sample_with_another_sound_by_now_is_not_kept(
    user: User, measured: Add, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    sample_id = measured()
    target = project_with(user, sample_id)
    status = ensure(target)[A1]

    def replace() -> None:
        with transaction() as session:
            session.get_one(Sample, sample_id).digest = "0" * 64

    if when == "before":
        replace()
    else:
        during_render(monkeypatch, replace)
    run_job_of(status)
    assert (rows(), files(user)) == ([], [])
    assert render_jobs()[0].status == JobStatus.DONE
    assert ensure(target)[A1].key != status.key


def test_a_sample_that_is_analysed_again_meanwhile_is_rendered(
    user: User, measured: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_id = measured()
    target = project_with(user, sample_id)
    status = ensure(target)[A1]

    def analyse() -> None:
        with transaction() as session:
            job_id = analysis_requests.request_analysis(session, user.id, sample_id).id
        runner.run(str(job_id))

    during_render(monkeypatch, analyse)
    run_job_of(status)
    assert ensure(target)[A1].is_ready


def test_a_job_that_another_worker_took_over_saves_the_same_render(
    user: User, measured: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = project_with(user, measured())
    status = ensure(target)[A1]

    def take_over() -> None:
        with transaction() as session:
            session.exec(update(ProcessingJob).values(attempts=2))

    during_render(monkeypatch, take_over)
    run_job_of(status)
    assert rows()[0].size_bytes
    jobs_of_renders = {job.id: job.status for job in render_jobs()}
    assert status.job_id
    assert jobs_of_renders[status.job_id] == JobStatus.RUNNING


def test_a_cancelled_job_stops_rendering(
    user: User, long_project: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = ensure(long_project)[A1]
    monkeypatch.setattr(render_job, "PROGRESS_INTERVAL_S", 0.0)
    reported: list[float] = []
    original = jobs.record_heartbeat

    def cancel_after_two(*arguments: Any) -> bool:
        reported.append(arguments[-1])
        if len(reported) == 2:
            with transaction() as session:
                jobs.cancel_job(session, user.id, arguments[1])
        return original(*arguments)

    monkeypatch.setattr(jobs, "record_heartbeat", cancel_after_two)
    run_job_of(status)
    assert len(reported) == 2
    assert (render_jobs()[0].status, files(user)) == (JobStatus.CANCELLED, [])
    assert ensure(long_project)[A1].job_id != status.job_id


def test_an_unexpected_error_fails_the_job_with_a_sentence(
    user: User, measured: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("secret")

    target = project_with(user, measured())
    during_render(monkeypatch, fail)
    run_job_of(ensure(target)[A1])
    failed = ensure(target)[A1]
    assert failed.error == "Something went wrong on our side while rendering this pad."
    assert files(user) == []


def test_small_renders_are_made_in_one_process(
    user: User, measured: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = project_with(user, *(measured() for _ in range(4)))
    ensure(target)
    monkeypatch.setattr(runner, "MAX_BATCH_S", 60.0)
    taken = queue.next_rq_job(queue.RENDERS)
    assert taken
    runner.run(str(queue.job_id_of(taken)))
    assert all(status.is_ready for status in ensure(target).values())
    assert queue.next_rq_job(queue.RENDERS) is None


@pytest.mark.parametrize("limit", [0, 10**9])
def test_large_sounds_are_rendered_in_a_process_of_their_own(
    user: User, measured: Add, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    target = project_with(user, measured(), measured())
    ensure(target)
    monkeypatch.setattr(runner, "MAX_BATCH_FILE_BYTES", limit)
    taken = queue.next_rq_job(queue.RENDERS)
    assert taken
    runner.run(str(queue.job_id_of(taken)))
    left = [status for status in ensure(target).values() if not status.is_ready]
    assert len(left) == (1 if limit == 0 else 0)


async def test_a_killed_worker_renders_nothing_twice_and_loses_nothing(
    user: User, long_project: Target, start_worker: Start
) -> None:
    status = ensure(long_project)[A1]
    worker = start_worker()
    await until(user, lambda: render_jobs()[0].status == JobStatus.RUNNING)
    await until(user, lambda: render_jobs()[0].progress > 0)
    kill(worker)
    assert (rows()[0].size_bytes, files(user)) == (None, [])
    assert ensure(long_project)[A1].job_id == status.job_id
    assert await requeue_lost() == 1
    start_worker()
    await until(user, lambda: render_jobs()[0].status == JobStatus.DONE)
    assert ensure(long_project)[A1].is_ready
    assert [job.attempts for job in render_jobs()] == [2]


async def test_a_sound_that_kills_its_worker_twice_fails(
    user: User, long_project: Target, start_worker: Start
) -> None:
    ensure(long_project)
    worker = start_worker()
    for attempt in (1, 2):
        await until(
            user,
            lambda wanted=attempt: (
                [(job.attempts, job.status) for job in render_jobs()]
                == [(wanted, JobStatus.RUNNING)]
            ),
        )
        kill_processes(forked_processes(worker))
        await requeue_lost()
    assert ensure(long_project)[A1].error == jobs.STOPPED_TWICE
    assert files(user) == []

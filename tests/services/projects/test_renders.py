"""Renders of pads: requested once, kept as long as they are used, deleted with their sample."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select, update

from sp404_app.audio.render import key as render_keys
from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.jobs import runner
from sp404_app.models import JobKind, JobStatus, PadRender, ProcessingJob, Sample, User
from sp404_app.models.columns import now
from sp404_app.services.account import deletion
from sp404_app.services.infra import queue, render_files, storage
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from sp404_app.services.projects import history, pads, projects, render_cleanup, renders
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from sp404_app.services.projects.renders import RenderStatus
from sp404_app.services.projects.schemas import samples_of_pads
from sp404_app.settings import settings
from tests.sounds import Keep

pytestmark = pytest.mark.usefixtures("services")

A1, A2 = PadPosition(0, 1), PadPosition(0, 2)
MONTH = dt.timedelta(days=31)


@pytest.fixture
def measured(keep: Keep) -> Callable[[], uuid.UUID]:
    """Return a function that adds a sample and has it analysed."""

    def add() -> uuid.UUID:
        sample_id = keep()
        with transaction() as session:
            job = session.exec(
                select(ProcessingJob).where(ProcessingJob.sample_id == sample_id)
            ).one()
        runner.run(str(job.id))
        return sample_id

    return add


def project_with(user: User, *sample_ids: uuid.UUID) -> Target:
    """Make a project with samples on its first pads."""
    with transaction() as session:
        made = projects.create_project(session, user.id, "Kit", MK2, sample_ids)
        return Target(user.id, made.project.id)


def change_pad(target: Target, at: PadPosition = A1, **change: object) -> None:
    with transaction() as session:
        pads.set_pad(session, target, at, PadChange(**change))  # type: ignore[arg-type]


def ensure(target: Target) -> dict[PadPosition, RenderStatus]:
    """Request the audio of all pads of a project."""
    with transaction() as session:
        project = history.get_project(session, target.user_id, target.project_id)
        rows = history.load_pads(session, target.project_id)
        return renders.ensure_renders(session, project, rows, samples_of_pads(session, rows))


def run_job_of(status: RenderStatus) -> None:
    assert status.job_id
    runner.run(str(status.job_id))


def render_all(target: Target) -> dict[PadPosition, RenderStatus]:
    """Request and make the audio of all pads."""
    for status in ensure(target).values():
        if not status.is_ready:
            run_job_of(status)
    return ensure(target)


def rows() -> list[PadRender]:
    with transaction() as session:
        return list(session.exec(select(PadRender)))


def render_jobs() -> list[ProcessingJob]:
    with transaction() as session:
        kind = ProcessingJob.kind == JobKind.RENDER
        return list(session.exec(select(ProcessingJob).where(kind)))


def files(user: User) -> list[str]:
    return [stored.key for stored in storage.list_folder(f"renders/{user.id.hex}")]


def clean_up(later: dt.timedelta = dt.timedelta()) -> int:
    with transaction() as session:
        return render_cleanup.clean_up_renders(session, now() + later)


def set_rows(**values: object) -> None:
    with transaction() as session:
        session.exec(update(PadRender).values(**values))


def test_a_render_is_queued_once_until_it_ends(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    target = project_with(user, measured())
    first, again = ensure(target)[A1], ensure(target)[A1]
    assert first.job_id == again.job_id
    assert not first.is_ready
    (job,) = render_jobs()
    assert (job.id, job.status, job.queue) == (first.job_id, JobStatus.QUEUED, queue.RENDERS)
    assert queue.rq_job_id(job.id, 0) in queue.queued_ids()


def test_pages_that_ask_at_once_queue_one_job(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    target = project_with(user, measured())
    with ThreadPoolExecutor(6) as pool:
        found = {ensured[A1].job_id for ensured in pool.map(lambda _: ensure(target), range(6))}
    assert len(found) == len(render_jobs()) == 1


def test_a_sample_that_is_deleted_while_its_render_is_requested_is_left_out(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    gone, stays = measured(), measured()
    target = project_with(user, gone, stays)
    with transaction() as session:
        project = history.get_project(session, user.id, target.project_id)
        pads_of_project = history.load_pads(session, target.project_id)
        loaded = samples_of_pads(session, pads_of_project)
        with transaction() as other:
            samples.delete_samples(other, user.id, [gone])
        with transaction() as other:
            samples.delete_for_good(other, user.id, [gone])
        assert set(renders.ensure_renders(session, project, pads_of_project, loaded)) == {A2}


def test_requests_in_any_order_and_a_deletion_do_not_wait_for_each_other(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    ids = [measured() for _ in range(4)]
    targets = [project_with(user, *ids), project_with(user, *reversed(ids))]

    def delete(_: object) -> None:
        with transaction() as session:
            samples.delete_samples(session, user.id, ids[:1])
        with transaction() as session:
            samples.delete_for_good(session, user.id, ids[:1])

    with ThreadPoolExecutor(9) as pool:
        asked = [pool.submit(ensure, targets[number % 2]) for number in range(8)]
        asked.append(pool.submit(delete, None))
    assert [each.exception() for each in asked] == [None] * 9
    assert len(rows()) == 3
    assert set(ensure(targets[0])) == {PadPosition(0, pad) for pad in (2, 3, 4)}


def test_pads_with_the_same_sound_and_edit_share_a_render(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    sample_id = measured()
    target = project_with(user, sample_id, sample_id)
    change_pad(target, A1, edit={"stretch": 1})
    statuses = render_all(target)
    assert statuses[A1].key == statuses[A2].key
    assert len(rows()) == 1


def test_a_ready_render_tells_its_length_and_has_a_waveform(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    target = project_with(user, measured())
    with transaction() as session:
        assert renders.waveform_of_render(session, user.id, "0" * 64, 0, None, 10) is None
    status = render_all(target)[A1]
    assert status.is_ready
    assert (status.frames, status.channels) == (9_600, 1)
    with transaction() as session:
        waveform = renders.waveform_of_render(session, user.id, status.key, 0, None, 10)
        zoomed = renders.waveform_of_render(session, user.id, status.key, 100, 110, 10)
    assert waveform
    assert zoomed
    assert waveform.points.shape == zoomed.points.shape == (10, 2)
    assert waveform.points.max() == pytest.approx(0.5, abs=0.02)


def test_a_failed_render_says_why_until_it_is_tried_again(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    sample_id = measured()
    target = project_with(user, sample_id)
    with transaction() as session:
        key = session.get_one(Sample, sample_id).storage_key
    with storage.local_copy(key) as path:
        path.write_bytes(b"RIFF and nothing else")
    run_job_of(ensure(target)[A1])
    failed = ensure(target)[A1]
    assert failed.job_id is None
    assert failed.error.endswith(".")
    with transaction() as session:
        renders.retry_failed(session, user.id, failed.key)
    assert ensure(target)[A1].job_id


def test_a_cancelled_render_is_queued_again(user: User, measured: Callable[[], uuid.UUID]) -> None:
    target = project_with(user, measured())
    first = ensure(target)[A1]
    assert first.job_id
    with transaction() as session:
        jobs.cancel_job(session, user.id, first.job_id)
    second = ensure(target)[A1]
    assert second.job_id not in {None, first.job_id}
    assert render_all(target)[A1].is_ready


def test_a_lost_file_is_rendered_again(user: User, measured: Callable[[], uuid.UUID]) -> None:
    target = project_with(user, measured())
    status = render_all(target)[A1]
    with transaction() as session:
        renders.forget_render(session, user.id, status.key)
    assert not ensure(target)[A1].is_ready
    assert render_all(target)[A1].is_ready


def test_a_new_version_of_the_renderer_renders_again(
    user: User, measured: Callable[[], uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = project_with(user, measured())
    old = render_all(target)[A1]
    monkeypatch.setattr(render_keys, "RENDER_VERSION", "next")
    new = ensure(target)[A1]
    assert (new.key != old.key, new.is_ready) == (True, False)


def test_a_permanently_deleted_sample_takes_its_renders_with_it(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    gone, stays = measured(), measured()
    target = project_with(user, gone, stays)
    kept = render_all(target)[A2].key
    with transaction() as session:
        samples.delete_samples(session, user.id, [gone])
    assert len(files(user)) == 2
    with transaction() as session:
        samples.delete_for_good(session, user.id, [gone])
    assert [row.render_key for row in rows()] == [kept]
    assert files(user) == [render_files.render_file_key(user.id, kept)]
    assert set(ensure(target)) == {A2}


def test_the_renders_of_a_deleted_account_are_deleted(
    user: User, person: Callable[..., User], measured: Callable[[], uuid.UUID]
) -> None:
    render_all(project_with(user, measured()))
    other = person()
    storage.save_bytes(b"", render_files.render_file_key(other.id, "a"))
    with transaction() as session:
        deletion.erase_account(session, user.id)
    assert (rows(), files(user)) == ([], [])
    assert len(files(other)) == 1


def test_renders_are_dropped_after_a_month_without_use(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    target = project_with(user, measured(), measured())
    statuses = render_all(target)
    assert clean_up(MONTH / 2) == 0
    set_rows(last_used_at=now() - MONTH)
    only_first = dict([next(iter(statuses.items()))])
    with transaction() as session:
        project = history.get_project(session, user.id, target.project_id)
        used = {at: row for at, row in history.load_pads(session, project.id).items() if at == A1}
        renders.ensure_renders(session, project, used, samples_of_pads(session, used))
    assert clean_up() == 1
    assert [row.render_key for row in rows()] == [only_first[A1].key]
    assert len(files(user)) == 1


def test_the_cache_is_bounded_and_drops_what_was_used_longest_ago(
    user: User, measured: Callable[[], uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = project_with(user, measured(), measured(), measured())
    keys = [status.key for status in render_all(target).values()]
    for age, key in enumerate(keys):
        with transaction() as session:
            mine = PadRender.render_key == key
            used = now() - dt.timedelta(hours=age)
            session.exec(update(PadRender).where(mine).values(last_used_at=used))
    size = rows()[0].size_bytes or 0
    monkeypatch.setattr(type(settings()), "render_cache_bytes", 2 * size + 10)
    monkeypatch.setattr(render_cleanup, "MAX_USER_SHARE", 1.0)
    assert clean_up() == 1
    assert {row.render_key for row in rows()} == set(keys[:2])
    monkeypatch.setattr(render_cleanup, "MAX_USER_SHARE", 0.5)
    assert clean_up() == 1
    assert {row.render_key for row in rows()} == set(keys[:1])
    assert files(user) == [render_files.render_file_key(user.id, keys[0])]


def test_a_render_that_is_being_made_is_not_dropped(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    status = ensure(project_with(user, measured()))[A1]
    assert clean_up(2 * MONTH) == 0
    run_job_of(status)
    assert rows()[0].size_bytes


def test_rows_without_a_result_and_old_jobs_are_deleted(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    target = project_with(user, measured())
    status = ensure(target)[A1]
    assert status.job_id
    with transaction() as session:
        jobs.cancel_job(session, user.id, status.job_id)
    assert clean_up() == 0
    assert clean_up(dt.timedelta(days=2)) == 1
    assert rows() == render_jobs() == []


def test_files_without_a_row_are_deleted_once_no_worker_writes_them(
    user: User, measured: Callable[[], uuid.UUID]
) -> None:
    kept = render_all(project_with(user, measured()))[A1]
    storage.save_bytes(b"", render_files.render_file_key(user.id, "orphan"))
    storage.save_bytes(b"", "renders/not-a-user/a.wav")
    assert clean_up() == 0
    assert clean_up(dt.timedelta(hours=3)) == 2
    assert files(user) == [render_files.render_file_key(user.id, kept.key)]


def test_another_users_render_is_unknown(
    user: User, person: Callable[..., User], measured: Callable[[], uuid.UUID]
) -> None:
    status = render_all(project_with(user, measured()))[A1]
    other = person()
    with transaction() as session:
        renders.forget_render(session, other.id, status.key)
        renders.retry_failed(session, other.id, status.key)
        assert renders.waveform_of_render(session, other.id, status.key, 0, None, 9) is None
    assert len(rows()) == 1


@pytest.mark.parametrize("key", ["", "renders", "renders/x/y.wav", "pictures/" + "a" * 32 + "/b"])
def test_only_keys_of_renders_are_parsed(key: str) -> None:
    assert render_files.parse_render_file_key(key) is None
    user_id = uuid.uuid4()
    made = render_files.render_file_key(user_id, "abc")
    assert render_files.parse_render_file_key(made) == (user_id, "abc")

"""Exports of projects with the job's own function: bytes, failures, changes meanwhile."""

import datetime as dt
import hashlib
import io
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from sqlmodel import Session, select, update

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2, SX, Device
from sp404_app.devices.mk2 import padconf
from sp404_app.devices.mk2 import pads as mk2_pads
from sp404_app.errors import Conflict
from sp404_app.jobs import project_export, runner
from sp404_app.models import JobStatus, ProcessingJob, ProjectExport, Sample, User
from sp404_app.models.columns import now
from sp404_app.services.account import deletion
from sp404_app.services.billing import quotas
from sp404_app.services.cards import archive_maker, export_cleanup, exports, pad_files
from sp404_app.services.cards.archive_maker import MadeArchive
from sp404_app.services.cards.preflight import EMPTY, NOTHING_LEFT
from sp404_app.services.infra import export_files, render_files, storage
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from sp404_app.services.projects import pads, projects
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from sp404_app.settings import Settings
from tests.jobs.test_worker import Start, kill, requeue_lost, start_worker, until
from tests.services.cards.exported import (
    archive_of,
    contents_of,
    export,
    export_rows,
    job_row,
    request,
)
from tests.services.projects.test_renders import render_all
from tests.sounds import write

__all__ = ["start_worker"]
pytestmark = pytest.mark.usefixtures("services")

A1 = PadPosition(0, 1)
Add = Callable[..., uuid.UUID]


@pytest.fixture
def add(user: User, tmp_path: Path) -> Add:
    """Return a function that adds an analysed sample of noise."""
    rng = np.random.default_rng(7)

    def add_one(
        name: str = "Kick.wav",
        *,
        seconds: float = 0.5,
        rate: int = 48_000,
        channels: int = 2,
        subtype: str = "PCM_16",
    ) -> uuid.UUID:
        noise = rng.uniform(-0.9, 0.9, (round(seconds * rate), channels))
        path = write(tmp_path / f"{uuid.uuid4().hex}.wav", noise, rate, subtype=subtype)
        with transaction() as session:
            incoming = samples.inspect_file(path, name)
            sample_id = samples.add_sample(session, user.id, incoming)
        with transaction() as session:
            job = session.exec(
                select(ProcessingJob).where(ProcessingJob.sample_id == sample_id)
            ).one()
        runner.run(str(job.id))
        return sample_id

    return add_one


def project(user: User, *ids: uuid.UUID, device: Device = MK2, name: str = "Kit") -> Target:
    with transaction() as session:
        made = projects.create_project(session, user.id, name, device, ids)
        return Target(user.id, made.project.id)


def change(target: Target, at: PadPosition = A1, **values: object) -> None:
    with transaction() as session:
        pads.set_pad(session, target, at, PadChange(**values))  # type: ignore[arg-type]


def job_error(job: ProcessingJob) -> tuple[str, str]:
    runner.run(str(job.id))
    done = job_row(job.id)
    return done.status, done.error


def left_files(user: User) -> list[object]:
    """Return what exports left in the store and in the folder of work."""
    stored = storage.list_folder(f"{export_files.FOLDER}/{user.id.hex}")
    return [*stored, *storage.work_folder().iterdir()]


def samples_of(content: bytes) -> npt.NDArray[np.int16]:
    return soundfile.read(io.BytesIO(content), dtype="int16")[0]


def test_an_import_pack_has_plain_wav_files_in_the_order_of_the_pads(user: User, add: Add) -> None:
    target = project(user, add("Snare.wav"), add("Kick.wav", rate=44_100, subtype="PCM_24"))
    result = export(target, "import")
    files = contents_of(target, result)
    assert list(files) == ["IMPORT/Kit/A/01 Snare.wav", "IMPORT/Kit/A/02 Kick.wav"]
    for content in files.values():
        assert content[36:40] == b"data"
        info = soundfile.info(io.BytesIO(content))
        assert (info.samplerate, info.subtype, info.frames) == (48_000, "PCM_16", 24_000)
    whole = archive_of(target, result)
    assert (len(whole), hashlib.sha256(whole).hexdigest()) == (result["bytes"], result["sha256"])


def test_a_project_of_the_mk2_has_settings_sounds_and_pictures(user: User, add: Add) -> None:
    sample_id = add("Snare.wav")
    target = project(user, sample_id, add("Kick.wav", channels=1, seconds=0.01))
    change(target, name="Rim é", settings={"level": 90, "start": 100}, chops=[0, 500])
    files = contents_of(target, export(target, "mk2", "export", 7))
    root = "EXPORT/PROJECT/PROJECT_07"
    raw = padconf.decode_padconf(files[f"{root}/PADCONF.BIN"])
    pad = mk2_pads.read_pad(raw, 0, 2)
    assert pad
    assert (pad.name, pad.settings["level"], pad.settings["start"]) == ("Rim e", 90, 100)
    assert (pad.chops, pad.frames) == ((0, 500), 24_000)
    assert [index for index in range(160) if mk2_pads.read_pad(raw, index, 1)] == [0, 1]
    smp = files[f"{root}/SMPL/BANK1-01.SMP"]
    with storage.local_copy(sample_key(sample_id)) as path:
        original = soundfile.read(path, dtype="int16")[0]
    assert np.array_equal(np.frombuffer(smp[512:], ">i2").reshape(-1, 2), original)
    assert len(files[f"{root}/SMPL/BANK1-02.SMP"]) == 512 + 2 * 1_000  # padded with silence
    assert sum(path.startswith(f"{root}/PICTURE/") for path in files) == 6


def test_a_card_of_the_sx_is_laid_out_as_the_converter_does(user: User, add: Add) -> None:
    target = project(user, add("Snare.wav"), add("Kick.wav", channels=1), device=SX)
    files = contents_of(target, export(target, "sx"))
    root = "ROLAND/SP-404SX/SMPL"
    assert list(files) == [
        f"{root}/A0000001.WAV",
        f"{root}/A0000002.WAV",
        f"{root}/PAD_INFO.BIN",
    ]
    assert files[f"{root}/A0000002.WAV"][58:62] == bytes([1, 0, 0, 0])
    assert samples_of(files[f"{root}/A0000001.WAV"]).shape == (22_050, 2)


def test_a_project_of_one_device_is_exported_for_the_other(user: User, add: Add) -> None:
    target = project(user, add())
    files = contents_of(target, export(target, "sx"))
    assert samples_of(files["ROLAND/SP-404SX/SMPL/A0000001.WAV"]).shape == (22_050, 2)


def test_an_import_pack_bakes_in_start_end_and_reverse(user: User, add: Add) -> None:
    target = project(user, add(seconds=30))
    whole = samples_of(next(iter(contents_of(target, export(target, "import")).values())))
    change(target, settings={"start": 1_000, "end": 1_300_001, "play_mode": "reverse"})
    (baked,) = contents_of(target, export(target, "import")).values()
    assert np.array_equal(samples_of(baked), whole[1_000:1_300_001][::-1])
    assert len(baked) == 44 + 4 * 1_299_001


def test_the_same_project_gives_the_same_bytes_with_and_without_renders(
    user: User, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = project(user, *(add(f"{n}.wav", rate=44_100, subtype="PCM_24") for n in range(7)))
    first = export(target, "mk2")
    render_all(target)
    export_files.delete_all_export_files(user.id)
    monkeypatch.setattr(archive_maker.PadMaker, "rendered", None)  # they are in the store
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    again = export(target, "mk2")
    assert again == first
    render_files.delete_all_render_files(user.id)  # the rows still name them
    export_files.delete_all_export_files(user.id)
    monkeypatch.undo()
    assert export(target, "mk2") == first


def test_an_unchanged_project_is_answered_with_the_export_that_exists(user: User, add: Add) -> None:
    target = project(user, add())
    result = export(target, "import")
    known = request(target, "import")
    assert (known.status, known.result) == (JobStatus.DONE, result)
    change(target, settings={"level": 3})  # not a part of WAV files
    assert request(target, "import").id == known.id
    change(target, name="Other")
    assert request(target, "import").id != known.id


def test_a_pad_whose_sample_is_missing_is_left_out(user: User, add: Add) -> None:
    gone = add("Gone.wav")
    target = project(user, gone, add("Stays.wav"))
    with transaction() as session:
        samples.delete_samples(session, user.id, [gone])
    assert len(contents_of(target, export(target, "import"))) == 2  # it is only in the trash
    with transaction() as session:
        samples.delete_for_good(session, user.id, [gone])
    assert list(contents_of(target, export(target, "import"))) == ["IMPORT/Kit/A/02 Stays.wav"]


def test_nothing_to_export_is_a_clear_sentence(user: User, add: Add) -> None:
    gone = add()
    empty, missing = project(user), project(user, gone)
    with transaction() as session:
        samples.delete_samples(session, user.id, [gone])
    with transaction() as session:
        samples.delete_for_good(session, user.id, [gone])
    for target, sentence in ((empty, EMPTY), (missing, NOTHING_LEFT)):
        with pytest.raises(Conflict, match=sentence):
            request(target, "mk2")
    with transaction() as session:
        projects.delete_project(session, user.id, missing.project_id)
    with pytest.raises(Conflict, match="in the trash"):
        request(missing, "mk2")


def test_a_sample_without_its_file_fails_with_the_name_of_the_pad(user: User, add: Add) -> None:
    sample_id = add("Kick.wav")
    target = project(user, add("Hat.wav"), sample_id)
    storage.delete_object(sample_key(sample_id))
    status, error = job_error(request(target, "mk2"))
    assert status == JobStatus.FAILED
    assert error == "Pad A2 “Kick”: The file of this sound is missing."
    assert left_files(user) == []


def test_a_sample_with_another_sound_by_now_fails_with_the_name_of_the_pad(
    user: User, add: Add
) -> None:
    target = project(user, add("Hat.wav"))
    job = request(target, "mk2")
    with transaction() as session:
        session.exec(update(Sample).values(digest="0" * 64))
    assert job_error(job) == (JobStatus.FAILED, f"Pad A1 “Hat”: {archive_maker.CHANGED}")


def test_an_archive_that_is_not_as_it_should_be_is_never_stored(
    user: User, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = pad_files.file_blocks

    def damaged(*arguments: Any) -> Iterator[bytes]:
        for block in original(*arguments):
            yield block[:-1] + bytes([block[-1] ^ 1])

    monkeypatch.setattr(pad_files, "file_blocks", damaged)
    job = request(project(user, add()), "import")
    status, error = job_error(job)
    assert (status, error.endswith(f"Reference: {job.id}")) == (JobStatus.FAILED, True)
    assert left_files(user) == []
    assert [row.size_bytes for row in export_rows()] == [None]


def test_requests_at_once_make_one_export(user: User, add: Add) -> None:
    target = project(user, add())
    with ThreadPoolExecutor(6) as pool:
        found = {job.id for job in pool.map(lambda _: request(target, "mk2"), range(6))}
    assert len(found) == len(export_rows()) == 1


def test_an_export_has_the_content_of_its_request(user: User, add: Add) -> None:
    target = project(user, add("Old.wav"))
    job = request(target, "import")
    change(target, name="New")
    runner.run(str(job.id))
    result = job_row(job.id).result
    assert result
    assert list(contents_of(target, result)) == ["IMPORT/Kit/A/01 Old.wav"]
    assert list(contents_of(target, export(target, "import"))) == ["IMPORT/Kit/A/01 New.wav"]


@pytest.mark.parametrize("when", ["before", "during"])
def test_an_export_whose_project_is_deleted_leaves_no_file(
    user: User, add: Add, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    target = project(user, add())
    job = request(target, "mk2")

    def delete() -> None:
        for _ in range(2):
            with transaction() as session:
                projects.delete_project(session, user.id, target.project_id)

    if when == "before":
        delete()
    else:
        after_making(monkeypatch, delete)
    assert job_error(job) == (JobStatus.FAILED, "This project was deleted.")
    assert (left_files(user), export_rows()) == ([], [])


def test_a_cancelled_export_stops_and_leaves_no_file(
    user: User, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = project(user, *(add(f"{n}.wav") for n in range(3)))
    job = request(target, "mk2")
    monkeypatch.setattr(project_export, "PROGRESS_INTERVAL_S", 0.0)
    reported: list[float] = []
    original = jobs.record_heartbeat

    def cancel(session: Session, job_id: uuid.UUID, *arguments: Any) -> bool:
        reported.append(arguments[-1])
        with transaction() as other:
            jobs.cancel_job(other, user.id, job_id)
        return original(session, job_id, *arguments)

    monkeypatch.setattr(jobs, "record_heartbeat", cancel)
    assert job_error(job)[0] == JobStatus.CANCELLED
    assert len(reported) == 1
    assert left_files(user) == []
    monkeypatch.undo()
    assert export(target, "mk2")["files"] == 10


def test_an_attempt_that_comes_too_late_does_not_touch_what_another_one_made(
    user: User, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = project(user, add())
    job = request(target, "mk2")

    def take_over() -> None:
        monkeypatch.undo()
        with transaction() as session:
            row = session.get_one(ProcessingJob, job.id)
            row.status = JobStatus.QUEUED
        runner.run(str(job.id))

    after_making(monkeypatch, take_over)
    status, _ = job_error(job)
    assert status == JobStatus.DONE
    result = job_row(job.id).result
    assert result
    assert len(archive_of(target, result)) == result["bytes"]


def test_an_attempt_that_comes_too_late_keeps_what_another_one_has_not_recorded_yet(
    user: User, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = project(user, add())
    job = request(target, "mk2")

    def hand_over() -> None:
        with transaction() as session:
            row = session.get_one(ProcessingJob, job.id)
            row.status, row.attempts = JobStatus.RUNNING, row.attempts + 1

    after_making(monkeypatch, hand_over)
    runner.run(str(job.id))
    assert len(left_files(user)) == 1
    with transaction() as session:
        session.get_one(ProcessingJob, job.id).status = JobStatus.CANCELLED
        (row,) = session.exec(select(ProjectExport))
        assert exports.is_abandoned(session, row.id)
        assert exports.is_abandoned(session, uuid.uuid4())


def after_making(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Change something after an archive is made, before it is stored."""
    original = project_export.make_archive

    def make_then_change(*arguments: Any) -> MadeArchive:
        made = original(*arguments)
        change()
        return made

    monkeypatch.setattr(project_export, "make_archive", make_then_change)


async def test_a_killed_worker_loses_no_export_and_leaves_no_file(
    user: User, add: Add, start_worker: Start
) -> None:
    target = project(user, *(add(f"{n}.wav", seconds=120, rate=44_100) for n in range(3)))
    for pad in (1, 2, 3):
        change(target, PadPosition(0, pad), edit={"stretch": 1.5})
    job = request(target, "mk2")
    worker = start_worker()
    await until(user, lambda: job_row(job.id).progress > 0)
    kill(worker)
    assert job_row(job.id).status == JobStatus.RUNNING
    assert await requeue_lost() == 1
    start_worker()
    await until(user, lambda: job_row(job.id).status == JobStatus.DONE)
    assert job_row(job.id).attempts == 2
    assert len(left_files(user)) == 1


def test_folders_of_killed_workers_are_removed(services: Settings) -> None:
    old = storage.work_folder() / f"{project_export.FOLDER_PREFIX}{uuid.uuid4()}-x"
    old.mkdir()
    assert project_export.remove_abandoned_folders(storage.work_folder(), time.time() - 60) == 0
    assert project_export.remove_abandoned_folders(storage.work_folder(), time.time() + 60) == 1
    assert not old.exists()


def clean_up(later: dt.timedelta = dt.timedelta()) -> int:
    with transaction() as session:
        return export_cleanup.clean_up_exports(session, now() + later)


def test_exports_are_dropped_when_nobody_used_them_for_a_week(user: User, add: Add) -> None:
    target = project(user, add())
    export(target, "import")
    assert clean_up(dt.timedelta(days=6)) == 0
    assert clean_up(dt.timedelta(days=8)) > 0
    assert (left_files(user), export_rows()) == ([], [])
    export(target, "import")


def test_exports_beyond_the_bounds_are_dropped_oldest_first(
    user: User, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = project(user, add())
    first, second = export(target, "import"), export(target, "mk2")
    limit = 2 * (first["bytes"] + second["bytes"]) - 2
    monkeypatch.setattr(Settings, "export_cache_bytes", property(lambda _: limit))
    assert clean_up() == 1
    assert [str(row.id) for row in export_rows()] == [second["export_id"]]
    result = export(target, "sx")  # one that alone is too large stays, too
    assert result["export_id"] in [str(row.id) for row in export_rows()]


def test_files_without_a_row_are_deleted_after_a_while(user: User) -> None:
    storage.save_bytes(b"x", export_files.export_file_key(user.id, uuid.uuid4()))
    storage.save_bytes(b"x", f"{export_files.FOLDER}/{user.id.hex}/unknown")
    assert clean_up() == 0
    assert clean_up(dt.timedelta(hours=3)) == 2
    assert left_files(user) == []


def test_exports_end_with_the_account_and_never_count_as_storage(user: User, add: Add) -> None:
    target = project(user, add())
    with transaction() as session:
        before = quotas.get_quota_usage(session, user.id).storage_used
    export(target, "import")
    with transaction() as session:
        assert quotas.get_quota_usage(session, user.id).storage_used == before
    with transaction() as session:
        deletion.erase_account(session, user.id)
    assert (left_files(user), export_rows()) == ([], [])


def sample_key(sample_id: uuid.UUID) -> str:
    with transaction() as session:
        return session.get_one(Sample, sample_id).storage_key

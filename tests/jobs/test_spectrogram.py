"""Drawing jobs: stored pictures, failures, and which processes import librosa."""

import asyncio
import datetime as dt
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from sp404_app.audio.picture import Picture, View
from sp404_app.db import in_transaction, transaction
from sp404_app.errors import NotFound
from sp404_app.jobs import picture_worker, runner
from sp404_app.jobs import spectrogram as drawing
from sp404_app.models import JobStatus, Sample, SampleStatus, User
from sp404_app.models.columns import now
from sp404_app.services.infra import queue, storage
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from sp404_app.services.sample import spectrograms
from sp404_app.services.sample.spectrograms import PicturePart
from sp404_app.state.sample.spectrogram import picture_when_drawn
from tests.e2e.waiting import until
from tests.product import SLOTS
from tests.services.processing.test_jobs import job_of, kept
from tests.sounds import RATE, tone, write

pytestmark = pytest.mark.usefixtures("services")

Put = Callable[..., uuid.UUID]


@pytest.fixture
def put(user: User, tmp_path: Path) -> Put:
    """Upload a signal and have it analysed."""

    def upload(signal: np.ndarray, name: str = "Loop.wav") -> uuid.UUID:
        path = write(tmp_path / name, signal)
        with transaction() as session:
            sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, name))
        runner.run(str(job_of(sample_id).id))
        return sample_id

    return upload


def part_of(user: User, sample_id: uuid.UUID, view: View = View.SPECTRUM) -> PicturePart:
    with transaction() as session:
        return spectrograms.find_part(session, user.id, sample_id, view, 0.0, 0.0)


def request(user: User, part: PicturePart) -> uuid.UUID:
    with transaction() as session:
        return spectrograms.request_drawing(session, user.id, part)


def test_a_picture_is_drawn_once_and_kept_with_the_sample(user: User, put: Put) -> None:
    part = part_of(user, put(tone(880, 1.0)))
    with pytest.raises(NotFound):
        spectrograms.load_picture(part.key)
    runner.run(str(request(user, part)))
    picture = spectrograms.load_picture(part.key)
    assert (picture.view, picture.start, picture.end) == (View.SPECTRUM, 0.0, 1.0)
    middle = picture.pixels[:, picture.pixels.shape[1] // 2]
    assert picture.rows[middle.argmax()] == pytest.approx(880, rel=0.08)
    assert job_of(part.sample_id).status == JobStatus.DONE
    assert kept(part.sample_id).status == SampleStatus.READY


@pytest.mark.parametrize("view", list(View))
@pytest.mark.parametrize(
    "signal", [np.array([0.5]), np.zeros(RATE), np.zeros(3)], ids=["1 frame", "silence", "3 frames"]
)
def test_the_shortest_and_the_silent_samples_have_pictures(
    user: User, put: Put, signal: np.ndarray, view: View
) -> None:
    part = part_of(user, put(signal), view)
    runner.run(str(request(user, part)))
    assert spectrograms.load_picture(part.key).pixels.shape[1] >= 1


def test_a_sample_of_ten_minutes_has_a_picture_of_bounded_size(user: User, put: Put) -> None:
    noise = np.random.default_rng(4).uniform(-0.5, 0.5, 600 * RATE).astype(np.float32)
    part = part_of(user, put(noise))
    runner.run(str(request(user, part)))
    assert spectrograms.load_picture(part.key).pixels.shape == (128, 8192)
    assert storage.object_size(part.key) < 1_000_000


def test_a_broken_file_fails_the_drawing_job_with_a_message_but_not_the_sample(
    user: User, put: Put
) -> None:
    part = part_of(user, put(tone()))
    with storage.local_copy(kept(part.sample_id).storage_key) as path:
        path.write_bytes(b"RIFF and nothing else")
    job_id = request(user, part)
    runner.run(str(job_id))
    job = job_of(part.sample_id)
    assert (job.id, job.status) == (job_id, JobStatus.FAILED)
    assert job.error.endswith(".")
    assert kept(part.sample_id).status == SampleStatus.READY
    assert request(user, part) != job_id


def test_an_unexpected_error_fails_the_drawing_job_but_not_the_sample(
    user: User, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Picture:
        raise RuntimeError("secret")

    monkeypatch.setattr(drawing, "draw_picture", fail)
    part = part_of(user, put(tone()))
    runner.run(str(request(user, part)))
    said = "Something went wrong on our side while drawing this picture."
    assert job_of(part.sample_id).error == said
    assert (kept(part.sample_id).status, kept(part.sample_id).error) == (SampleStatus.READY, "")


def test_a_sample_deleted_while_it_is_drawn_leaves_no_picture(
    user: User, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = part_of(user, put(tone()))
    original = drawing.draw_picture

    def draw_and_delete(*args: object) -> Picture:
        with transaction() as session:
            samples.delete_samples(session, user.id, [part.sample_id])
        with transaction() as session:
            samples.delete_for_good(session, user.id, [part.sample_id])
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(drawing, "draw_picture", draw_and_delete)
    runner.run(str(request(user, part)))
    assert storage.list_folder(f"pictures/{user.id.hex}") == []


def test_a_drawing_job_that_lost_its_worker_is_requeued_once_and_then_fails(
    user: User, put: Put
) -> None:
    part = part_of(user, put(tone()))
    job_id = request(user, part)
    for attempt in (1, 2):
        with transaction() as session:
            job = jobs.claim_job(session, job_id)
        assert job
        assert job.attempts == attempt
        with transaction() as session:
            lost = jobs.requeue_lost_jobs(session, now() + dt.timedelta(seconds=13))
        assert lost == (1 if attempt == 1 else 0)
    (rung, again) = queue.rq_queue(queue.PICTURES).get_job_ids()
    assert (rung, again) == (queue.rq_job_id(job_id, 0), queue.rq_job_id(job_id, 1))
    assert job_of(part.sample_id).status == JobStatus.FAILED
    assert job_of(part.sample_id).error == jobs.STOPPED_TWICE
    assert kept(part.sample_id).status == SampleStatus.READY


def test_a_queued_drawing_job_is_not_queued_twice(user: User, put: Put) -> None:
    request(user, part_of(user, put(tone())))
    with transaction() as session:
        assert jobs.requeue_lost_jobs(session, now() + dt.timedelta(seconds=13)) == 0


@pytest.mark.parametrize(
    "module",
    ["sp404_app.sp404_app", "sp404_app.jobs.worker", "sp404_app.jobs.picture_worker"],
)
def test_librosa_is_not_imported_by_the_web_server_or_by_workers_at_start(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        "from sp404_app.audio.features.analysis import warm_up_engine\n"
        "warm_up_engine()\n"
        "assert not {'librosa', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_the_picture_worker_waits_for_a_picture_job_or_empty_queues(
    user: User, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_worker, "POLL_S", 0.01)
    picture_worker.wait_until_wanted(0.05)  # returns, because all queues are empty
    request(user, part_of(user, put(tone())))
    queue.rq_queue(queue.LOW).enqueue("sp404_app.jobs.runner.run", "busy")
    picture_worker.wait_until_wanted(3600)  # returns, because a picture is queued


def test_librosa_is_compiled_once_for_each_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    monkeypatch.setattr(picture_worker, "COMPILE", "raise SystemExit(1)")
    picture_worker.compile_librosa()
    assert not (tmp_path / "numba").exists()  # after a failure, the next start compiles again
    monkeypatch.setattr(picture_worker, "COMPILE", "")
    picture_worker.compile_librosa()
    (marker,) = (tmp_path / "numba").iterdir()
    assert version("librosa") in marker.name
    assert version("numba") in marker.name
    monkeypatch.setattr(picture_worker.subprocess, "run", pytest.fail)
    picture_worker.compile_librosa()


Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start_picture_worker() -> Iterator[Start]:
    """Start a picture worker as the supervisor does; code compiled in earlier runs is used."""
    started: list[subprocess.Popen[bytes]] = []
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "NUMBA_CACHE_DIR": str(SLOTS / "numba"),
    }

    def start() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "sp404_app", "worker", "--pictures"]
        process = subprocess.Popen(command, env=environment, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def wait_for_import(group: int) -> None:
    """Wait until a process of the group imports librosa, which takes a second more from there."""
    until(lambda: any("llvmlite" in maps for maps in memory_maps(group)))


def memory_maps(group: int) -> Iterator[str]:
    """Yield the files that each process of a group has mapped."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getpgid(int(process.name)) == group:
                yield (process / "maps").read_text()


@pytest.mark.timeout(400)
async def test_pictures_are_drawn_cold_and_warm_and_stored_ones_need_no_worker(
    user: User, put: Put, start_picture_worker: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sp404_app.state.sample.spectrogram.DRAWING_TIMEOUT_S", 300.0)
    part = part_of(user, await asyncio.to_thread(put, tone(440, 1.0)))
    request(user, part)
    interrupted = start_picture_worker()
    await asyncio.to_thread(wait_for_import, interrupted.pid)
    os.killpg(interrupted.pid, signal.SIGKILL)
    interrupted.wait(10)
    assert queue.rq_queue(queue.PICTURES).count == 1  # it was killed before it took the job
    await asyncio.sleep(0.2)  # until then Redis may hand the next job to the killed worker
    worker = start_picture_worker()
    two_tabs = (picture_when_drawn(user.id, part), picture_when_drawn(user.id, part))
    first, second = await asyncio.gather(*two_tabs)  # cold: librosa is imported first
    assert first.pixels.shape == second.pixels.shape
    assert job_of(part.sample_id).attempts == 1

    notes = part_of(user, part.sample_id, View.NOTES)
    started = now()
    await asyncio.wait_for(picture_when_drawn(user.id, notes), 30)
    assert (now() - started).total_seconds() < 10  # warm; the measure is bench/spectrogram.py

    os.killpg(worker.pid, signal.SIGKILL)
    spectrograms.load_picture.cache_clear()
    for kept_part in (part, notes):
        await asyncio.wait_for(picture_when_drawn(user.id, kept_part), 30)
    assert await in_transaction(lambda session: session.get(Sample, part.sample_id) is not None)


async def test_a_page_that_waits_too_long_says_so(
    user: User, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sp404_app.state.sample.spectrogram.DRAWING_TIMEOUT_S", 0.1)
    part = part_of(user, await asyncio.to_thread(put, tone()))
    with pytest.raises(Exception, match="longer than usual"):
        await picture_when_drawn(user.id, part)

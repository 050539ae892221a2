"""Bulk edits with real workers: killed, undone, and two at once; and normalised copies."""

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from sqlmodel import col, select, update

from sp404_app.db import transaction
from sp404_app.errors import QuotaExceeded
from sp404_app.jobs import bulk_edit as bulk_edit_job
from sp404_app.models import (
    BulkEdit,
    BulkEditItem,
    JobKind,
    JobStatus,
    ProcessingJob,
    Sample,
    User,
)
from sp404_app.services.billing import quotas
from sp404_app.services.bulk import bulk_edits
from sp404_app.services.bulk.edits import (
    BulkChange,
    CollectEdit,
    NormaliseEdit,
    RenameEdit,
    ReplaceEdit,
)
from sp404_app.services.collections import collection_samples, collections
from sp404_app.services.infra import storage
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from tests.jobs.test_worker import Start, kill, requeue_lost, start_worker, until
from tests.services.bulk.conftest import dump_samples, edit_id, insert_sounds, load, run_job
from tests.sounds import write

__all__ = ["start_worker"]
pytestmark = pytest.mark.usefixtures("services")
RENAME = RenameEdit(template="{n:05} {name} {bpm}")


def request(user: User, edit: BulkChange, ids: list[uuid.UUID]) -> uuid.UUID:
    with transaction() as session:
        return bulk_edits.request_edit(session, user.id, edit, ids).id


def job_row(job_id: uuid.UUID) -> ProcessingJob:
    with transaction() as session:
        return session.get_one(ProcessingJob, job_id)


def is_done(job_id: uuid.UUID) -> Callable[[], bool]:
    return lambda: job_row(job_id).status == JobStatus.DONE


def positions() -> list[int]:
    with transaction() as session:
        return list(session.exec(select(BulkEdit.position).order_by(col(BulkEdit.id))))


def wait_for_locks(job_id: uuid.UUID) -> None:
    """Wait until PostgreSQL has rolled back what a killed process had begun."""
    with transaction() as session:
        session.exec(
            select(ProcessingJob).where(ProcessingJob.id == job_id).with_for_update()
        ).one()


async def test_ten_thousand_killed_in_the_middle_are_undone_to_the_last_byte(
    user: User, start_worker: Start
) -> None:
    ids = insert_sounds(user.id, 10_000, tags=["Dusty"], bpm=92.5, key="C minor")
    before = dump_samples(user.id)
    job_id = request(user, RENAME, ids)
    worker = start_worker()
    await until(user, lambda: positions() != [0])
    kill(worker)
    await asyncio.to_thread(wait_for_locks, job_id)
    (position,) = positions()
    assert 0 < position < 10_000
    assert job_row(job_id).status == JobStatus.RUNNING
    assert dump_samples(user.id) != before
    with transaction() as session:
        undo_id = bulk_edits.request_undo(session, user.id, edit_id(job_row(job_id))).id
    start_worker()
    await until(user, is_done(undo_id))
    assert (job_row(undo_id).result or {})["restored"] == position
    assert dump_samples(user.id) == before


async def test_a_killed_edit_is_finished_by_the_next_worker_and_changes_each_sound_once(
    user: User, start_worker: Start
) -> None:
    ids = insert_sounds(user.id, 6_000)
    job_id = request(user, ReplaceEdit(find="Kick", replacement="Kick Kick"), ids)
    worker = start_worker()
    await until(user, lambda: positions() != [0])
    kill(worker)
    await asyncio.to_thread(wait_for_locks, job_id)
    assert await requeue_lost() == 1
    start_worker()
    await until(user, is_done(job_id))
    assert job_row(job_id).attempts == 2
    assert [sample.name for sample in load(ids)] == [f"Kick Kick {n}" for n in range(1, 6_001)]
    with transaction() as session:
        assert len(session.exec(select(BulkEditItem.sample_id)).all()) == 6_000


async def test_an_addition_killed_in_the_middle_is_finished_in_order_and_undone(
    user: User, start_worker: Start
) -> None:
    ids = insert_sounds(user.id, 10_000)
    with transaction() as session:
        deep = collections.create_collection(session, user.id, name="Deep").id
    job_id = request(user, CollectEdit(collection=deep), ids[::-1])
    worker = start_worker()
    await until(user, lambda: positions() != [0])
    kill(worker)
    await asyncio.to_thread(wait_for_locks, job_id)
    assert 0 < positions()[0] < 10_000
    assert await requeue_lost() == 1
    start_worker()
    await until(user, is_done(job_id))
    with transaction() as session:
        assert collection_samples.list_sample_ids(session, user.id, deep) == ids[::-1]
        undo_id = bulk_edits.request_undo(session, user.id, edit_id(job_row(job_id))).id
    await until(user, is_done(undo_id))
    with transaction() as session:
        assert collection_samples.list_sample_ids(session, user.id, deep) == []


async def test_two_edits_of_the_same_sounds_at_once_both_end_and_both_are_undone(
    user: User, start_worker: Start
) -> None:
    ids = insert_sounds(user.id, 4_000)
    before = dump_samples(user.id)
    first = request(user, RenameEdit(template="A {n}"), ids)
    second = request(user, RenameEdit(template="B {n}"), ids[::-1])
    for _ in range(2):
        start_worker()
    await until(user, lambda: is_done(first)() and is_done(second)())
    for sample in load(ids):
        assert sample.name[:2] in {"A ", "B "}
    for _ in range(2):  # what the first still had to leave is its own after the second
        undone = []
        for job_id in (first, second):
            if count_items(job_id):
                with transaction() as session:
                    edit = edit_id(job_row(job_id))
                    undone.append(bulk_edits.request_undo(session, user.id, edit).id)
                await until(user, is_done(undone[-1]))
    assert dump_samples(user.id) == before


def count_items(job_id: uuid.UUID) -> int:
    with transaction() as session:
        return bulk_edits.count_items(session, edit_id(job_row(job_id)))


def add_tone(
    user: User, folder: Path, name: str, peak: float, subtype: str = "PCM_16"
) -> uuid.UUID:
    """Add a stereo sound with a peak, 0 to 1."""
    frames = np.random.default_rng(len(name)).uniform(-1, 1, (20_000, 2)).astype(np.float32)
    frames *= peak / np.abs(frames).max()
    path = write(folder / name, frames, 44_100, subtype=subtype)
    with transaction() as session:
        sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, name))
        session.exec(update(ProcessingJob).values(status=JobStatus.CANCELLED))
    return sample_id


def all_samples(user: User) -> list[Sample]:
    with transaction() as session:
        found = select(Sample).where(Sample.user_id == user.id, col(Sample.deleted_at).is_(None))
        return list(session.exec(found.order_by(col(Sample.id))))


def read_peak(sample: Sample) -> float:
    with storage.local_copy(sample.storage_key) as path:
        frames, _ = soundfile.read(path, dtype="float64")
    return float(np.abs(frames).max())


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_normalised_copy_has_the_level_and_the_original_stays(
    user: User, tmp_path: Path, subtype: str
) -> None:
    original = add_tone(user, tmp_path, "Quiet.wav", 0.1, subtype)
    with transaction() as session:
        session.exec(update(Sample).values(bpm=93.0, bpm_source="user", tags=["dusty"]))
    before = dump_samples(user.id)
    done = run_job(request(user, NormaliseEdit(to="peak", value=-6.0), [original]))
    assert (done.result or {})["changed"] == 1
    first, copy = all_samples(user)
    assert dump_samples(user.id)[0] == before[0]
    assert (copy.name, copy.filename) == ("Quiet normalised", "Quiet normalised.wav")
    assert (copy.bpm, copy.bpm_source, copy.tags) == (93.0, "user", ["dusty"])
    assert copy.format == first.format
    assert read_peak(copy) == pytest.approx(10 ** (-6 / 20), abs=2e-4)
    assert read_peak(first) == pytest.approx(0.1, abs=1e-4)
    assert "normalised" in copy.search_text
    with transaction() as session:
        analysis = select(ProcessingJob).where(ProcessingJob.sample_id == copy.id)
        assert session.exec(analysis).one().kind == JobKind.ANALYSE


def test_a_loudness_that_would_clip_is_not_reached(user: User, tmp_path: Path) -> None:
    original = add_tone(user, tmp_path, "Quiet.wav", 0.1)
    run_job(request(user, NormaliseEdit(to="lufs", value=-5.0), [original]))
    assert read_peak(all_samples(user)[1]) <= 10 ** (-0.1 / 20) + 2e-4


def test_normalising_twice_skips_what_is_there_and_undo_moves_copies_to_the_trash(
    user: User, tmp_path: Path
) -> None:
    ids = [add_tone(user, tmp_path, "One.wav", 0.2), add_tone(user, tmp_path, "Three.wav", 0.3)]
    edit = NormaliseEdit(to="peak", value=-3.0)
    first = run_job(request(user, edit, ids))
    again = run_job(request(user, edit, ids))
    assert (again.result or {})["skipped"] == 2
    assert len(all_samples(user)) == 4
    with transaction() as session:
        undo_id = bulk_edits.request_undo(session, user.id, edit_id(first)).id
    assert (run_job(undo_id).result or {})["restored"] == 2
    assert [sample.id for sample in all_samples(user)] == sorted(ids)


def test_a_file_that_is_missing_is_named_and_the_others_are_normalised(
    user: User, tmp_path: Path
) -> None:
    ids = [add_tone(user, tmp_path, "One.wav", 0.2), add_tone(user, tmp_path, "Three.wav", 0.3)]
    storage.delete_object(load(ids)[0].storage_key)
    done = run_job(request(user, NormaliseEdit(), ids))
    assert (done.result or {})["changed"] == (done.result or {})["failed"] == 1
    with transaction() as session:
        problem = session.exec(select(BulkEdit.problem)).one()
    assert problem == "“One”: The file of this sound is missing."


def test_the_storage_quota_is_asked_before_and_during_normalisation(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [add_tone(user, tmp_path, "One.wav", 0.2), add_tone(user, tmp_path, "Three.wav", 0.3)]
    job_id = request(user, NormaliseEdit(), ids)
    original = quotas.stored_bytes
    full = 1 << 50
    monkeypatch.setattr(quotas, "stored_bytes", lambda *_: full)
    with pytest.raises(QuotaExceeded):
        request(user, NormaliseEdit(), ids)
    done = run_job(job_id)
    assert (done.result or {})["failed"] == 2
    monkeypatch.setattr(quotas, "stored_bytes", original)
    assert len(all_samples(user)) == 2


def test_a_normalisation_that_is_cancelled_stops(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [add_tone(user, tmp_path, f"{'x' * n}.wav", 0.2) for n in range(1, 4)]
    job_id = request(user, NormaliseEdit(), ids)
    monkeypatch.setattr(bulk_edit_job, "PROGRESS_INTERVAL_S", 0.0)
    original, made = bulk_edit_job.normalisation.make_copy, []

    def cancel_before_the_second(*arguments: Any) -> Any:
        if made:
            with transaction() as session:
                jobs.cancel_job(session, user.id, job_id)
        made.append(1)
        return original(*arguments)

    monkeypatch.setattr(bulk_edit_job.normalisation, "make_copy", cancel_before_the_second)
    assert run_job(job_id).status == JobStatus.CANCELLED
    assert len(all_samples(user)) == 4


async def test_a_killed_normalisation_leaves_each_copy_once(
    user: User, tmp_path: Path, start_worker: Start
) -> None:
    ids = [add_tone(user, tmp_path, f"{'x' * n}.wav", 0.2) for n in range(1, 41)]
    job_id = request(user, NormaliseEdit(), ids)
    worker = start_worker()
    await until(user, lambda: positions() != [0])
    kill(worker)
    await asyncio.to_thread(wait_for_locks, job_id)
    assert await requeue_lost() == 1
    start_worker()
    await until(user, is_done(job_id))
    assert sorted(sample.name for sample in all_samples(user)) == sorted(
        name for n in range(1, 41) for name in ("x" * n, f"{'x' * n} normalised")
    )

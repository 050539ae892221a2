"""Samples: add, change, delete and restore; duplicates, quotas, ownership and concurrency."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import Session, func, select

from sp404_app.db import transaction
from sp404_app.errors import (
    AppError,
    BadAudio,
    Duplicate,
    NotFound,
    QuotaExceeded,
    ValidationFailed,
)
from sp404_app.models import JobStatus, ProcessingJob, Sample, SampleStatus, Source, User
from sp404_app.models.columns import now
from sp404_app.services import plans
from sp404_app.services.infra import storage
from sp404_app.services.library import samples
from sp404_app.services.library.samples import Change
from sp404_app.services.processing import jobs
from sp404_app.services.sample import waveforms
from tests.sounds import Keep, bad_files, good_files, silent_flac, tone, write

pytestmark = pytest.mark.usefixtures("services")


def stored_files() -> list[Path]:
    folder = storage._folder()
    assert folder
    return [path for path in folder.rglob("*") if path.is_file()]


def kept(sample_id: uuid.UUID) -> Sample:
    with transaction() as session:
        return session.get_one(Sample, sample_id)


def test_every_supported_format_is_accepted(user: User, tmp_path: Path) -> None:
    with transaction() as session:
        for kind, path in good_files(tmp_path).items():
            sample = samples.get_sample(
                session,
                user.id,
                samples.add_sample(session, user.id, samples.inspect_file(path, path.name)),
            )
            assert sample.duration, kind
            assert sample.size == path.stat().st_size == storage.object_size(sample.storage_key)
            assert sample.status == SampleStatus.QUEUED


def test_each_damaged_file_is_rejected_with_a_specific_message(tmp_path: Path) -> None:
    for kind, (path, reason) in bad_files(tmp_path).items():
        with pytest.raises(BadAudio) as refusal:
            samples.inspect_file(path, path.name)
        assert reason in str(refusal.value), kind
        assert str(path) not in str(refusal.value)


def test_a_small_file_with_hours_of_silence_is_rejected(tmp_path: Path) -> None:
    path = silent_flac(tmp_path / "bomb.flac", 4 * 3600 + 600)
    assert path.stat().st_size < 2_000_000
    with pytest.raises(BadAudio, match="The limit is 4 hours"):
        samples.inspect_file(path, "bomb.flac")


@pytest.mark.parametrize(
    ("given", "filename", "name"),
    [
        ("../../etc/passwd", "passwd", "passwd"),
        ("..", "untitled", "untitled"),
        ("Sounds/Kick.wav", "Kick.wav", "Kick"),
        ("a" * 300 + ".wav", "a" * 251 + ".wav", "a" * 200),
        ("Kick\n\r\t01\x00.wav", "Kick 01.wav", "Kick 01"),
        ("<img src=x onerror=alert(1)>.wav", "<img src=x onerror=alert(1)>.wav", None),
        ("Trommel 太鼓 🥁.wav", "Trommel 太鼓 🥁.wav", "Trommel 太鼓 🥁"),
        ("half \ud83e\udd41 drum.wav", "half  drum.wav", "half drum"),
        ("evil\u202evaw.exe", "evilvaw.exe", "evilvaw.exe"),
        ("", "untitled", "untitled"),
    ],
)
def test_file_and_folder_names_are_cleaned_and_never_used_as_paths(
    user: User, tmp_path: Path, given: str, filename: str, name: str | None
) -> None:
    path = write(tmp_path / "sound.wav", tone())
    incoming = samples.inspect_file(path, given, "../Drums\n/\x00Kit\\ A")
    with transaction() as session:
        sample_id = samples.add_sample(session, user.id, incoming)
    sample = kept(sample_id)
    assert sample.filename == filename
    assert name is None or sample.name == name
    assert sample.folder == "Drums/Kit/A"
    assert given.strip("./") == "" or given not in sample.storage_key


def test_the_same_audio_in_another_format_is_a_duplicate(user: User, tmp_path: Path) -> None:
    sound = (tone() * 32_767).astype(np.int16)
    first = samples.inspect_file(write(tmp_path / "a.wav", sound), "a.wav")
    second = samples.inspect_file(write(tmp_path / "b.flac", sound), "b.flac")
    with transaction() as session:
        sample_id = samples.add_sample(session, user.id, first)
    with (
        pytest.raises(Duplicate, match="already have this sound: “a”") as refusal,
        transaction() as session,
    ):
        samples.add_sample(session, user.id, second)
    assert refusal.value.details == {"sample_id": str(sample_id), "name": "a"}
    assert len(stored_files()) == 1


def test_two_users_can_own_the_same_audio(
    user: User, person: Callable[..., User], tmp_path: Path
) -> None:
    incoming = samples.inspect_file(write(tmp_path / "a.wav", tone()), "a.wav")
    with transaction() as session:
        assert samples.add_sample(session, user.id, incoming) != samples.add_sample(
            session, person().id, incoming
        )


def add_in_a_thread(user_id: uuid.UUID, incoming: samples.IncomingFile) -> str:
    try:
        with transaction() as session:
            samples.add_sample(session, user_id, incoming)
    except AppError as refusal:
        return refusal.code
    return "ok"


def test_concurrent_uploads_of_one_sound_make_one_sample(user: User, tmp_path: Path) -> None:
    incoming = samples.inspect_file(write(tmp_path / "a.wav", tone()), "a.wav")
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda _: add_in_a_thread(user.id, incoming), range(10)))
    assert sorted(results) == ["duplicate"] * 9 + ["ok"]
    assert len(stored_files()) == 1


def test_concurrent_uploads_never_exceed_the_storage_quota(
    user: User, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    files = [write(tmp_path / f"{i}.wav", tone(200 + i)) for i in range(20)]
    size = files[0].stat().st_size
    environment.setitem(plans.PLANS, plans.Tier.FREE, small_plan(3 * size + size // 2))
    incoming = [samples.inspect_file(path, path.name) for path in files]
    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda item: add_in_a_thread(user.id, item), incoming))
    assert sorted(results) == ["ok"] * 3 + ["storage_quota_exceeded"] * 17
    assert len(stored_files()) == 3


def small_plan(storage_bytes: int) -> plans.Plan:
    return plans.Plan(plans.Tier.FREE, "Free", 2900, storage_bytes, 500, 14, 300)


def test_an_interrupted_upload_leaves_no_row_and_no_file(user: User, tmp_path: Path) -> None:
    incoming = samples.inspect_file(write(tmp_path / "a.wav", tone()), "a.wav")

    def interrupted() -> None:
        with transaction() as session:
            samples.add_sample(session, user.id, incoming)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with transaction() as session:
        assert session.exec(select(func.count()).select_from(Sample)).one() == 0
    assert stored_files() == []


def test_another_user_cannot_read_change_or_delete_a_sample(
    session: Session, keep: Keep, person: Callable[..., User]
) -> None:
    sample_id, stranger = keep(), person().id
    for attempt in (
        lambda: samples.get_sample(session, stranger, sample_id),
        lambda: waveforms.stored_peaks(session, stranger, sample_id),
        lambda: samples.change_sample(session, stranger, sample_id, Change(name="Mine")),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert samples.delete_samples(session, stranger, [sample_id]) == []
    assert samples.delete_for_good(session, stranger, [sample_id]) == []
    session.rollback()
    assert kept(sample_id).deleted_at is None


def test_another_user_cannot_restore_or_purge_trashed_samples(
    session: Session, keep: Keep, user: User, person: Callable[..., User]
) -> None:
    sample_id, stranger = keep(), person().id
    samples.delete_samples(session, user.id, [sample_id])
    session.commit()
    assert samples.restore_samples(session, stranger, [sample_id]) == []
    assert samples.delete_for_good(session, stranger, [sample_id]) == []
    session.commit()
    assert kept(sample_id).deleted_at is not None


def test_user_values_are_marked_as_such_and_can_be_cleared(
    session: Session, keep: Keep, user: User
) -> None:
    sample_id = keep()
    change = Change(
        name=" New\nname ", bpm=92.5, key="F# minor", kind="loop", rating=5, favourite=True,
        note="dusty\x00 \ud800", tags=["Dusty", "dusty ", "lo-fi"],
    )  # fmt: skip
    sample = samples.change_sample(session, user.id, sample_id, change)
    assert (sample.name, sample.bpm, sample.key) == ("New name", 92.5, "F# minor")
    assert (sample.kind, sample.rating, sample.favourite) == ("loop", 5, True)
    assert (sample.note, sample.tags) == ("dusty ", ["Dusty", "lo-fi"])
    sources = (sample.bpm_source, sample.key_source, sample.kind_source)
    assert sources == (Source.USER, Source.USER, Source.USER)
    sample = samples.change_sample(
        session, user.id, sample_id, Change(bpm=0, key="", favourite=False)
    )
    assert (sample.bpm, sample.key, sample.favourite) == (None, None, False)
    assert sample.name == "New name"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " \n\x00"),
        ("bpm", 19.9),
        ("bpm", float("nan")),
        ("bpm", float("inf")),
        ("bpm", -120.0),
        ("key", "H minor"),
        ("kind", "noise"),
        ("rating", 6),
        ("rating", -1),
        ("rating", 2.5),
        ("note", "x" * 4001),
    ],
)
def test_an_invalid_change_is_rejected_with_its_field(field: str, value: object) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        Change(**{field: value})  # type: ignore[arg-type]
    assert list(refusal.value.details) == [field]


def test_deleting_cancels_the_job_and_restoring_enqueues_it_again(
    session: Session, keep: Keep, user: User
) -> None:
    sample_id = keep()
    assert samples.delete_samples(session, user.id, [sample_id, uuid.uuid4()]) == [sample_id]
    assert samples.delete_samples(session, user.id, [sample_id]) == []
    session.commit()
    assert [job.status for job in session.exec(select(ProcessingJob))] == [JobStatus.CANCELLED]
    assert samples.restore_samples(session, user.id, [sample_id]) == [sample_id]
    session.commit()
    statuses = sorted(job.status for job in session.exec(select(ProcessingJob)))
    assert statuses == [JobStatus.CANCELLED, JobStatus.QUEUED]
    assert kept(sample_id).status == SampleStatus.QUEUED


def test_one_duplicate_does_not_prevent_restoring_others(
    session: Session, user: User, tmp_path: Path, keep: Keep
) -> None:
    twin = samples.inspect_file(write(tmp_path / "twin.wav", tone(99)), "twin.wav")
    with transaction() as other:
        first = samples.add_sample(other, user.id, twin)
        samples.delete_samples(other, user.id, [first])
        samples.add_sample(other, user.id, twin)
    free = keep()
    samples.delete_samples(session, user.id, [free])
    results = samples.restore_each_sample(session, user.id, [first, free])
    assert isinstance(results[first], Duplicate)
    assert results[free] is None
    session.commit()
    with pytest.raises(Duplicate):
        samples.restore_samples(session, user.id, [first])


def test_restoring_stops_at_the_storage_quota_newest_first(
    session: Session, user: User, keep: Keep, environment: pytest.MonkeyPatch
) -> None:
    ids = [keep() for _ in range(3)]
    samples.delete_samples(session, user.id, ids)
    size = kept(ids[0]).size
    environment.setitem(plans.PLANS, plans.Tier.FREE, small_plan(2 * size))
    results = samples.restore_each_sample(session, user.id, ids)
    assert isinstance(results[ids[0]], QuotaExceeded)
    assert (results[ids[1]], results[ids[2]]) == (None, None)


def test_only_trashed_samples_can_be_permanently_deleted(
    session: Session, user: User, keep: Keep
) -> None:
    sample_id = keep()
    assert samples.delete_for_good(session, user.id, [sample_id]) == []
    session.commit()
    with transaction() as other:
        samples.delete_samples(other, user.id, [sample_id])
    with transaction() as other:
        assert samples.delete_for_good(other, user.id, [sample_id]) == [sample_id]
    assert stored_files() == []


def test_trashed_samples_are_purged_after_thirty_days(user: User, keep: Keep) -> None:
    old, young = keep(), keep()
    with transaction() as session:
        samples.delete_samples(session, user.id, [old, young])
        samples.get_sample(session, user.id, old).deleted_at = now() - dt.timedelta(days=31)
    with transaction() as session:
        assert samples.purge_old_trash(session, now()) == 1
    with transaction() as session:
        assert [row.id for row in session.exec(select(Sample))] == [young]
    assert len(stored_files()) == 1


def test_deleting_while_a_worker_writes_its_result_does_not_deadlock(
    user: User, keep: Keep
) -> None:
    for _ in range(6):
        sample_id = keep()
        with transaction() as session:
            job = jobs.claim_job(
                session,
                session.exec(
                    select(ProcessingJob.id).where(ProcessingJob.sample_id == sample_id)
                ).one(),
            )
        assert job

        def result(job: ProcessingJob = job, sample_id: uuid.UUID = sample_id) -> None:
            with transaction() as session:
                if jobs.lock_current_attempt(session, job):
                    session.get_one(Sample, sample_id).loudness_lufs = -9.0
                    session.flush()
                    jobs.finish_job(session, job.id, JobStatus.DONE)

        def thrown(sample_id: uuid.UUID = sample_id) -> None:
            with transaction() as session:
                samples.delete_samples(session, user.id, [sample_id])

        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(result), pool.submit(thrown)]:
                future.result()
        assert kept(sample_id).deleted_at is not None

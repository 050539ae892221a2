"""Pictures of a sample: whose, which part, by which job, and when they are deleted."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from sp404_app.audio.picture import Picture, View
from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, RateLimited
from sp404_app.models import JobKind, JobStatus, ProcessingJob, Sample, User
from sp404_app.services.account import deletion
from sp404_app.services.billing import quotas
from sp404_app.services.infra import pictures, queue, storage
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from sp404_app.services.sample import spectrograms
from sp404_app.services.sample.spectrograms import PicturePart, part_around
from tests.sounds import Keep

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def measured(keep: Keep, user: User) -> Callable[..., uuid.UUID]:
    """Put a sample of known duration into a library."""

    def put(name: str = "Tone.wav", duration: float | None = 10.0, owner: User = user) -> uuid.UUID:
        sample_id = keep(name, owner=owner.id)
        with transaction() as session:
            session.get_one(Sample, sample_id).duration = duration
        return sample_id

    return put


def whole(user: User, sample_id: uuid.UUID, view: View = View.SPECTRUM) -> PicturePart:
    with transaction() as session:
        return spectrograms.find_part(session, user.id, sample_id, view, 0.0, 0.0)


def request(user: User, part: PicturePart) -> uuid.UUID:
    with transaction() as session:
        return spectrograms.request_drawing(session, user.id, part)


def end(job_id: uuid.UUID, status: JobStatus, error: str = "") -> None:
    with transaction() as session:
        jobs.finish_job(session, job_id, status, error)


def drawing_jobs(sample_id: uuid.UUID) -> list[ProcessingJob]:
    with transaction() as session:
        drawings = select(ProcessingJob).where(
            ProcessingJob.sample_id == sample_id,
            ProcessingJob.kind == JobKind.SPECTROGRAM,
        )
        return list(session.exec(drawings.order_by(col(ProcessingJob.id))))


@pytest.mark.parametrize(
    ("duration", "asked", "given"),
    [
        (10.0, (0.0, 10.0), (0.0, 10.0)),
        (10.0, (2.0, 3.0), (2.0, 3.0)),
        (600.0, (100.0, 600.0), (100.0, 600.0)),
        (10.0, (-5.0, 99.0), (0.0, 10.0)),
        (10.0, (9.99, 10.0), (9.95, 10.0)),
        (10.0, (50.0, 60.0), (9.95, 10.0)),
        (0.01, (0.0, 0.01), (0.0, 0.01)),
    ],
)
def test_a_stretch_lies_inside_the_sample_and_is_never_empty(
    duration: float, asked: tuple[float, float], given: tuple[float, float]
) -> None:
    assert spectrograms.clamp_stretch(duration, *asked) == pytest.approx(given)


@pytest.mark.parametrize(
    ("duration", "asked", "given"),
    [
        (40.0, (3.0, 3.1), (0.0, 40.0)),
        (600.0, (0.0, 600.0), (0.0, 600.0)),
        (600.0, (105.0, 106.0), (100.0, 140.0)),
        (600.0, (119.0, 130.0), (100.0, 140.0)),
        (600.0, (100.0, 130.0), (80.0, 160.0)),
        (600.0, (595.0, 600.0), (580.0, 600.0)),
    ],
)
def test_a_zoomed_stretch_is_cut_from_a_part_of_a_fixed_grid(
    duration: float, asked: tuple[float, float], given: tuple[float, float]
) -> None:
    assert part_around(duration, *asked) == given


@given(st.floats(0.05, 15_000), st.floats(0, 1), st.floats(0, 1))
def test_a_part_contains_its_stretch_and_is_at_most_four_times_as_long(
    duration: float, start: float, end: float
) -> None:
    start, end = sorted((start * duration, end * duration))
    first, last = part_around(duration, start, end)
    assert 0 <= first <= start
    assert end <= last <= duration
    assert last - first <= max(spectrograms.FINEST_PART_S, 4 * (end - start))


def test_repeated_and_concurrent_requests_make_one_job(
    user: User, measured: Callable[..., uuid.UUID]
) -> None:
    part = whole(user, measured())
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: request(user, part), range(8)))
    assert len(ids) == 1
    assert request(user, part) in ids
    (job,) = drawing_jobs(part.sample_id)
    assert (job.queue, job.status) == (queue.PICTURES, JobStatus.QUEUED)
    assert job.result == {"view": "spectrum", "start": 0.0, "end": 10.0}
    assert queue.rq_queue(queue.PICTURES).get_job_ids() == [queue.rq_job_id(job.id, 0)]


def test_a_second_view_of_the_sample_waits_for_the_active_job(
    user: User, measured: Callable[..., uuid.UUID]
) -> None:
    sample_id = measured()
    first = request(user, whole(user, sample_id))
    assert request(user, whole(user, sample_id, View.NOTES)) == first
    end(first, JobStatus.DONE)
    second = request(user, whole(user, sample_id, View.NOTES))
    assert second != first
    assert [job.id for job in drawing_jobs(sample_id)] == [second]  # rows of ended jobs are deleted


def test_a_failed_drawing_says_why_and_can_be_requested_again(
    user: User, measured: Callable[..., uuid.UUID]
) -> None:
    part = whole(user, measured())
    first = request(user, part)
    with transaction() as session:
        assert not spectrograms.drawing_has_ended(session, user.id, first)
    end(first, JobStatus.FAILED, "This file is damaged.")
    with transaction() as session, pytest.raises(AppError, match=r"This file is damaged\."):
        spectrograms.drawing_has_ended(session, user.id, first)
    assert request(user, part) != first
    with transaction() as session:
        assert spectrograms.drawing_has_ended(
            session, user.id, first
        )  # a deleted row counts as ended


def test_drawings_are_neither_listed_nor_cancelled_nor_counted(
    user: User, measured: Callable[..., uuid.UUID], session: Session
) -> None:
    sample_id = measured()
    before = quotas.get_quota_usage(session, user.id)
    job_id = request(user, whole(user, sample_id))
    listed, total = jobs.list_jobs(session, user.id, None, 10)
    assert [job.kind for job in listed] == [JobKind.ANALYSE]
    assert total == 1
    for attempt in (jobs.get_job, jobs.cancel_job):
        with pytest.raises(NotFound):
            attempt(session, user.id, job_id)
    assert quotas.get_quota_usage(session, user.id) == before


def test_a_user_has_at_most_ten_drawings_queued(
    user: User, person: Callable[..., User], measured: Callable[..., uuid.UUID]
) -> None:
    parts = [whole(user, measured()) for _ in range(spectrograms.MAX_ACTIVE_DRAWINGS + 1)]
    ids = [request(user, part) for part in parts[:-1]]
    with pytest.raises(RateLimited, match="still being drawn"):
        request(user, parts[-1])
    assert request(user, parts[0]) == ids[0]
    other = person()
    assert request(other, whole(other, measured(owner=other)))
    end(ids[0], JobStatus.DONE)
    assert request(user, parts[-1])


def test_a_drawing_publishes_no_events(
    user: User, measured: Callable[..., uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = whole(user, measured())
    published: list[object] = []
    monkeypatch.setattr(jobs.events, "publish", lambda *news: published.append(news))
    job_id = request(user, part)
    with transaction() as session:
        assert jobs.claim_job(session, job_id)
    end(job_id, JobStatus.DONE)
    assert published == []


def test_another_users_sample_has_no_pictures(
    user: User, person: Callable[..., User], measured: Callable[..., uuid.UUID]
) -> None:
    owner = person()
    theirs = measured("Theirs.wav", owner=owner)
    part = whole(owner, theirs)
    job_id = request(owner, part)
    for sample_id in (theirs, uuid.uuid4()):
        with pytest.raises(NotFound, match="There is no such sample"):
            whole(user, sample_id)
    with pytest.raises(NotFound, match="There is no such sample"):
        request(user, part)
    end(job_id, JobStatus.FAILED, "secret")
    with transaction() as session:
        assert spectrograms.drawing_has_ended(session, user.id, job_id)  # without the error message


def test_a_sample_of_unknown_duration_has_no_pictures(
    user: User, measured: Callable[..., uuid.UUID]
) -> None:
    sample_id = measured(duration=None)
    with pytest.raises(NotFound, match="hasn't been measured yet"):
        whole(user, sample_id)


def picture_of(part: PicturePart) -> Picture:
    pixels = np.zeros((3, 4), np.uint8)
    return Picture(part.view, part.start, part.end, np.arange(3, dtype=np.float32), pixels)


def stored_pictures(user: User) -> list[str]:
    return sorted(stored.key for stored in storage.list_folder(f"pictures/{user.id.hex}"))


def test_pictures_are_deleted_with_their_sample_only(
    user: User, measured: Callable[..., uuid.UUID]
) -> None:
    kept, gone = measured("Kept.wav"), measured("Gone.wav")
    parts = [whole(user, sample_id, view) for sample_id in (kept, gone) for view in View]
    for part in parts:
        storage.save_bytes(picture_of(part).to_bytes(), part.key)
    assert len(stored_pictures(user)) == 6
    assert spectrograms.load_picture(parts[0].key).pixels.shape == (3, 4)
    with transaction() as session:
        samples.delete_samples(session, user.id, [gone])
    assert len(stored_pictures(user)) == 6  # the trash keeps pictures
    with transaction() as session:
        samples.delete_for_good(session, user.id, [gone])
    assert stored_pictures(user) == sorted(part.key for part in parts[:3])


def test_pictures_are_deleted_with_their_account_only(
    user: User, person: Callable[..., User], measured: Callable[..., uuid.UUID]
) -> None:
    other = person()
    parts = [whole(user, measured()), whole(other, measured("Other.wav", owner=other))]
    for part in parts:
        storage.save_bytes(picture_of(part).to_bytes(), part.key)
    with transaction() as session:
        deletion.erase_account(session, user.id)
    assert stored_pictures(user) == []
    assert stored_pictures(other) == [parts[1].key]


def test_only_the_newest_pictures_of_a_sample_are_kept(
    user: User, measured: Callable[..., uuid.UUID]
) -> None:
    sample_id, other = measured(duration=600.0), measured("Other.wav")
    storage.save_bytes(b"x", whole(user, other).key)
    keys = []
    for start in range(0, 200, 40):
        with transaction() as session:
            part = spectrograms.find_part(
                session, user.id, sample_id, View.PULSE, float(start), start + 1.0
            )
        storage.save_bytes(b"x", part.key)
        keys.append(part.key)
    pictures.delete_oldest_pictures(user.id, sample_id, 2)
    assert stored_pictures(user) == sorted([*keys[-2:], whole(user, other).key])


def test_moving_a_sample_to_the_trash_does_not_cancel_its_drawing_job(
    user: User, measured: Callable[..., uuid.UUID]
) -> None:
    sample_id = measured()
    job_id = request(user, whole(user, sample_id))
    with transaction() as session:
        samples.delete_samples(session, user.id, [sample_id])
    (job,) = drawing_jobs(sample_id)
    assert (job.id, job.status) == (job_id, JobStatus.QUEUED)

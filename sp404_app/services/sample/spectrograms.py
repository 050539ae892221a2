"""Pictures of a sample: which part is drawn, by which job, and where it is kept.

A picture worker draws a part once (`jobs/spectrogram.py`) and keeps it in the object store until
the sample is deleted. A page shows a stretch of that part, so most zooms need no job.
"""

import uuid
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, func, select

from sp404_app.audio.picture import Picture, View
from sp404_app.db import after_commit
from sp404_app.errors import AppError, NotFound, RateLimited
from sp404_app.models import JobKind, JobStatus, ProcessingJob, Sample
from sp404_app.models.job import ACTIVE
from sp404_app.services.infra import queue, storage
from sp404_app.services.infra.pictures import picture_key
from sp404_app.services.library import samples

DRAWING_VERSION: Final = "1"  # raise it when pictures change: old ones are then drawn again
FINEST_PART_S: Final = 40.0  # drawn at the finest resolution of the transforms
NARROWEST_STRETCH_S: Final = 0.05
MAX_ACTIVE_DRAWINGS: Final = 10  # of one user, so that no user fills the queue


@dataclass(frozen=True, slots=True)
class PicturePart:
    """What one job draws: a view of `start` to `end` seconds of a sample, kept under `key`."""

    sample_id: uuid.UUID
    view: View
    start: float
    end: float
    duration: float
    key: str

    @property
    def is_whole(self) -> bool:
        """Whether the part is the whole sample."""
        return self.start == 0 and self.end == self.duration


def clamp_stretch(duration: float, start: float, end: float) -> tuple[float, float]:
    """Move a stretch inside the sample, at least `NARROWEST_STRETCH_S` wide where it can be."""
    start = min(max(0.0, start), duration)
    end = min(max(end, start + NARROWEST_STRETCH_S), duration)
    return max(0.0, min(start, end - NARROWEST_STRETCH_S)), end


def part_around(duration: float, start: float, end: float) -> tuple[float, float]:
    """Return the part to draw for a stretch: the smallest one in a fixed grid that contains it.

    Parts last 40 s, 80 s, 160 s … and begin at multiples of half their length, so that every
    stretch of up to half a part lies inside one. The whole sample is the largest part.
    """
    length = FINEST_PART_S
    while length / 2 < end - start:
        length *= 2
    if length >= duration:
        return 0.0, duration
    first = start // (length / 2) * (length / 2)
    return first, min(first + length, duration)


def find_part(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, view: View, start: float, end: float
) -> PicturePart:
    """Return the part of a user's sample that a picture of a stretch is cut from.

    An `end` of 0 stands for the end of the sample.

    Raises:
        NotFound: If the sample is not the user's, or was not measured yet.
    """
    sample = samples.get_sample(session, user_id, sample_id)
    duration = sample.duration
    if not duration:
        raise NotFound("This sound hasn't been measured yet, so there is nothing to draw.")
    first, last = part_around(duration, *clamp_stretch(duration, start, end or duration))
    return _part(sample, view, first, last)


def part_of_job(job: ProcessingJob, sample: Sample) -> PicturePart:
    """Return the part that a job of `request_drawing` draws."""
    wanted = job.result or {}
    return _part(sample, View(wanted["view"]), wanted["start"], wanted["end"])


def _part(sample: Sample, view: View, start: float, end: float) -> PicturePart:
    name = f"{view}-{round(1000 * start)}-{round(1000 * end)}.{DRAWING_VERSION}.npz"
    key = picture_key(sample.user_id, sample.id, name)
    return PicturePart(sample.id, view, start, end, sample.duration or end, key)


def request_drawing(session: Session, user_id: uuid.UUID, part: PicturePart) -> uuid.UUID:
    """Queue the drawing of a part and return its job.

    If a drawing of this sample is active, return its job instead; request again when it has ended.
    The unique index `processing_jobs_one_active` allows one active job per sample and kind.

    Raises:
        NotFound: If the sample was deleted meanwhile.
        RateLimited: If ten drawings of the user's other samples are active.
    """
    samples.get_sample(session, user_id, part.sample_id)
    _refuse_many(session, user_id, part.sample_id)
    earlier = (
        col(ProcessingJob.sample_id) == part.sample_id,
        col(ProcessingJob.kind) == JobKind.SPECTROGRAM,
    )
    is_active = col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING])
    while True:
        job = ProcessingJob(
            user_id=user_id,
            sample_id=part.sample_id,
            kind=JobKind.SPECTROGRAM,
            queue=queue.PICTURES,
            result={"view": part.view, "start": part.start, "end": part.end},
        )
        row = insert(ProcessingJob).values(job.model_dump())
        unique = {"index_elements": ["sample_id", "kind"], "index_where": ACTIVE}
        added = session.execute(
            row.on_conflict_do_nothing(**unique).returning(col(ProcessingJob.id))
        ).first()
        if added:
            session.exec(delete(ProcessingJob).where(*earlier, ~is_active))
            after_commit(session, partial(queue.enqueue_job, job.id, queue.PICTURES, 0))
            return job.id
        active = session.exec(select(ProcessingJob.id).where(*earlier, is_active)).first()
        if active:  # if not, it has ended since
            return active


def _refuse_many(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> None:
    others = select(func.count()).where(
        ProcessingJob.user_id == user_id,
        ProcessingJob.kind == JobKind.SPECTROGRAM,
        ProcessingJob.sample_id != sample_id,
        col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
    )
    if session.exec(others).one() >= MAX_ACTIVE_DRAWINGS:
        raise RateLimited(
            "Other pictures are still being drawn. Try again in a moment.", {"retry_after": 5}
        )


def drawing_has_ended(session: Session, user_id: uuid.UUID, job_id: uuid.UUID) -> bool:
    """Return whether a job of `request_drawing` has ended; its row may be deleted by then.

    Raises:
        AppError: With a message for the user, if the picture could not be drawn.
    """
    job = session.exec(
        select(ProcessingJob).where(ProcessingJob.id == job_id, ProcessingJob.user_id == user_id)
    ).first()
    if job and job.status == JobStatus.FAILED:
        raise AppError(job.error)
    return job is None or job.status not in {JobStatus.QUEUED, JobStatus.RUNNING}


@lru_cache(maxsize=16)
def load_picture(key: str) -> Picture:
    """Read a picture from the object store; call it in a thread.

    The picture behind a key never changes.

    Raises:
        NotFound: If it was not drawn yet.
    """
    with storage.local_copy(key) as path:
        return Picture.from_file(path)

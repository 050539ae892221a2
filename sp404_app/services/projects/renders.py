"""Rendered pad audio: which render a pad needs, whether it exists, and the job that makes it.

A render is named by what determines its bytes (`audio.render.key`), so pads with the same sample
and edit share one, and a re-analysis or a new name changes nothing. Rows of `pad_renders` and their
objects are a cache that may be dropped at any time.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import soundfile
from sqlalchemy import ARRAY, String, any_, literal
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select, update

from sp404_app.audio.io.peaks import Peaks, compute_peaks
from sp404_app.audio.render.edit import Edit, edit_to_json, parse_edit
from sp404_app.audio.render.key import render_key
from sp404_app.audio.render.render import Rendered
from sp404_app.db import after_commit
from sp404_app.models import (
    JobKind,
    JobStatus,
    PadRender,
    ProcessingJob,
    Project,
    ProjectPad,
    Sample,
)
from sp404_app.models.columns import now
from sp404_app.services.infra import queue, storage
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.projects import device_of

FOLDER: Final = "renders"
TOUCH_INTERVAL: Final = dt.timedelta(hours=1)  # how exact `last_used_at` is


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """What a pad's audio is made of. `loop`: rendered circularly, so that the seam stays."""

    key: str
    sample_id: uuid.UUID
    edit: Edit
    rate: int
    loop: bool


@dataclass(frozen=True, slots=True)
class RenderWaveform:
    """Peaks between two frames: float32 (n, 2), minimum and maximum in -1..1."""

    first: int
    last: int
    points: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RenderTask:
    """What a worker needs to render: the stored original and the instructions."""

    key: str
    storage_key: str
    edit: Edit
    rate: int
    loop: bool


@dataclass(frozen=True, slots=True)
class RenderStatus:
    """Whether the audio of a pad exists, the job that makes it, or why it cannot be made."""

    key: str
    is_ready: bool
    job_id: uuid.UUID | None = None
    error: str = ""
    frames: int | None = None
    channels: int | None = None


def object_key(user_id: uuid.UUID, key: str) -> str:
    """Return the storage key of a render."""
    return f"{FOLDER}/{user_id.hex}/{key}.wav"


def request_of(project: Project, pad: ProjectPad, sample: Sample) -> RenderRequest:
    """Return what a pad's audio is made of."""
    edit, rate = parse_edit(pad.edit), device_of(project).rate
    loop = bool(pad.settings.get("loop"))
    return RenderRequest(
        render_key(sample.digest, edit, rate=rate, loop=loop), sample.id, edit, rate, loop
    )


def ensure_renders(
    session: Session,
    project: Project,
    pads: Mapping[PadPosition, ProjectPad],
    samples: Mapping[uuid.UUID, Sample],
) -> dict[PadPosition, RenderStatus]:
    """Return the status of each pad's audio; queue the renders that do not exist.

    Pads without a sample are left out.
    """
    requests = {
        at: request_of(project, pad, sample)
        for at, pad in pads.items()
        if pad.sample_id and (sample := samples.get(pad.sample_id))
    }
    found = _find(session, project.user_id, {each.key for each in requests.values()})
    for wanted in requests.values():
        if wanted.key not in found:
            found[wanted.key] = _queue(session, project.user_id, wanted)
    _touch(session, project.user_id, [s.key for s in found.values() if s.is_ready])
    return {at: found[wanted.key] for at, wanted in requests.items()}


def task_of_job(session: Session, job: ProcessingJob) -> RenderTask | None:
    """Return what a job renders; None if its sample was deleted, or another job renders it."""
    row = session.exec(
        select(PadRender, Sample.storage_key)
        .join(Sample, col(Sample.id) == col(PadRender.sample_id))
        .where(PadRender.user_id == job.user_id, PadRender.job_id == job.id)
    ).first()
    if row is None:
        return None
    wanted, storage_key = row
    how = wanted.instructions
    return RenderTask(
        wanted.render_key, storage_key, parse_edit(how["edit"]), how["rate"], how["loop"]
    )


def save_result(
    session: Session, user_id: uuid.UUID, key: str, made: Rendered, peaks: bytes
) -> bool:
    """Save that a render is stored; return False if its row was deleted meanwhile."""
    saved = session.exec(
        update(PadRender)
        .where(col(PadRender.user_id) == user_id, col(PadRender.render_key) == key)
        .values(
            frames=made.frames,
            channels=made.channels,
            size_bytes=made.size_bytes,
            sha256=made.sha256,
            peak_dbfs=made.peak_dbfs,
            frames_held=made.frames_held,
            peaks=peaks,
            error="",
            last_used_at=now(),
        )
    )
    return saved.rowcount == 1


def waveform_of_render(
    session: Session, user_id: uuid.UUID, key: str, first: int, last: int | None, points: int
) -> RenderWaveform | None:
    """Return the peaks of a render between two frames; None if it does not exist yet."""
    packed = session.exec(
        select(PadRender.peaks).where(PadRender.user_id == user_id, PadRender.render_key == key)
    ).first()
    if packed is None:
        return None
    peaks = Peaks.from_bytes(packed)
    first = min(first, peaks.frames)
    last = peaks.frames if last is None else min(max(last, first), peaks.frames)
    rate = peaks.sample_rate
    if last - first >= points * peaks.base or last <= first:
        return RenderWaveform(first, last, peaks.window(first / rate, last / rate, points))
    with storage.local_copy(object_key(user_id, key)) as path:
        read, _ = soundfile.read(path, start=first, stop=last, dtype="float32", always_2d=True)
    frames = np.asarray(read, np.float32)
    shown = max(1, min(points, len(frames)))
    return RenderWaveform(first, last, compute_peaks(frames, rate, shown))


def retry_failed(session: Session, user_id: uuid.UUID, key: str) -> None:
    """Forget a failed render, so that the next `ensure_renders` queues it again."""
    failed = select(PadRender).where(PadRender.user_id == user_id, PadRender.render_key == key)
    row = session.exec(failed.with_for_update()).first()
    if row and row.size_bytes is None:
        session.delete(row)
        session.flush()


def _find(session: Session, user_id: uuid.UUID, keys: Collection[str]) -> dict[str, RenderStatus]:
    """Return the status of known renders; those whose job ended without a result are left out."""
    query = (
        select(PadRender, ProcessingJob.status, ProcessingJob.error)
        .join(ProcessingJob, col(ProcessingJob.id) == col(PadRender.job_id), isouter=True)
        .where(
            PadRender.user_id == user_id,
            col(PadRender.render_key) == any_(literal(list(keys), ARRAY(String))),
        )
    )
    active = {JobStatus.QUEUED, JobStatus.RUNNING}
    found: dict[str, RenderStatus] = {}
    for row, status, error in session.exec(query):
        if row.size_bytes is not None:
            found[row.render_key] = RenderStatus(
                row.render_key, is_ready=True, frames=row.frames, channels=row.channels
            )
        elif status in active:
            found[row.render_key] = RenderStatus(row.render_key, is_ready=False, job_id=row.job_id)
        elif row.error or status == JobStatus.FAILED:
            reason = row.error or error
            found[row.render_key] = RenderStatus(row.render_key, is_ready=False, error=reason)
    return found


def _queue(session: Session, user_id: uuid.UUID, wanted: RenderRequest) -> RenderStatus:
    """Insert the row and the job of a render. Of two at once, one waits and finds the other's."""
    job = ProcessingJob(user_id=user_id, kind=JobKind.RENDER, queue=queue.RENDERS)
    values: dict[str, Any] = {
        "user_id": user_id,
        "render_key": wanted.key,
        "sample_id": wanted.sample_id,
        "instructions": {
            "edit": edit_to_json(wanted.edit),
            "rate": wanted.rate,
            "loop": wanted.loop,
        },
        "job_id": job.id,
    }
    row = insert(PadRender).values(
        **values, error="", sha256="", frames_held=0, created_at=now(), last_used_at=now()
    )
    # A row whose job was cancelled or purged gets a new job.
    taken = session.execute(
        row.on_conflict_do_update(
            index_elements=["user_id", "render_key"],
            set_={"job_id": job.id, "created_at": now()},
            where=col(PadRender.size_bytes).is_(None) & ~_has_active_job(),
        ).returning(col(PadRender.job_id))
    ).first()
    if taken is None:
        return _find(session, user_id, {wanted.key})[wanted.key]
    session.add(job)
    session.flush()
    after_commit(session, partial(queue.enqueue_job, job.id, job.queue, 0))
    return RenderStatus(wanted.key, is_ready=False, job_id=job.id)


def _has_active_job() -> Any:
    return (
        select(ProcessingJob.id)
        .where(
            col(ProcessingJob.id) == col(PadRender.job_id),
            col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
        )
        .exists()
    )


def _touch(session: Session, user_id: uuid.UUID, keys: list[str]) -> None:
    """Record that renders were used, at most once an hour."""
    if not keys:
        return
    session.exec(
        update(PadRender)
        .where(
            col(PadRender.user_id) == user_id,
            col(PadRender.render_key) == any_(literal(keys, ARRAY(String))),
            col(PadRender.last_used_at) < now() - TOUCH_INTERVAL,
        )
        .values(last_used_at=now())
    )

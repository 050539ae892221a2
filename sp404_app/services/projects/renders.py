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
from sqlalchemy import ARRAY, String, Uuid, any_, literal
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import defer
from sqlmodel import Session, col, delete, select, update

from sp404_app.audio.io.peaks import Peaks, compute_peaks
from sp404_app.audio.render.edit import Edit, edit_to_json, parse_edit
from sp404_app.audio.render.key import render_key
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
from sp404_app.services.infra import queue, render_files, storage
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pad_lengths import record_length
from sp404_app.services.projects.projects import device_of

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
class RenderStatus:
    """Whether the audio of a pad exists, the job that makes it, or why it cannot be made."""

    key: str
    is_ready: bool
    job_id: uuid.UUID | None = None
    error: str = ""
    frames: int | None = None
    channels: int | None = None
    is_unused: bool = False  # for `TOUCH_INTERVAL`


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

    Pads without a sample are left out. A pad that did not know its length gets that of its render.
    """
    requests = {
        at: request_of(project, pad, sample)
        for at, pad in pads.items()
        if pad.sample_id and (sample := samples.get(pad.sample_id))
    }
    found = _find(session, project.user_id, {each.key for each in requests.values()})
    _touch(session, project.user_id, [key for key, status in found.items() if status.is_unused])
    for at, wanted in requests.items():
        status = found.get(wanted.key)
        if pads[at].frames is None and status and status.frames:
            record_length(session, pads[at], status.frames, device_of(project))
    missing = {each.key: each for each in requests.values() if each.key not in found}
    existing = _lock_samples(
        session, project.user_id, {each.sample_id for each in missing.values()}
    )
    for key in sorted(missing):  # in one order, so that two requests cannot wait for each other
        if missing[key].sample_id in existing:
            found[key] = _queue(session, project.user_id, missing[key])
    return {at: found[wanted.key] for at, wanted in requests.items() if wanted.key in found}


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
    with storage.local_copy(render_files.render_file_key(user_id, key)) as path:
        read, _ = soundfile.read(path, start=first, stop=last, dtype="float32", always_2d=True)
    frames = np.asarray(read, np.float32)
    shown = max(1, min(points, len(frames)))
    return RenderWaveform(first, last, compute_peaks(frames, rate, shown))


def retry_failed(session: Session, user_id: uuid.UUID, key: str) -> None:
    """Forget a failed render, so that the next `ensure_renders` queues it again."""
    row = session.exec(_own_row(user_id, key).with_for_update()).first()
    if row and row.size_bytes is None:
        session.delete(row)
        session.flush()


def forget_render(session: Session, user_id: uuid.UUID, key: str) -> None:
    """Forget a render whose file is gone, so that the next `ensure_renders` queues it again."""
    lost = (col(PadRender.user_id) == user_id) & (col(PadRender.render_key) == key)
    session.exec(delete(PadRender).where(lost))


def _find(session: Session, user_id: uuid.UUID, keys: Collection[str]) -> dict[str, RenderStatus]:
    """Return the status of known renders; those whose job ended without a result are left out."""
    query = (
        select(PadRender, ProcessingJob.status, ProcessingJob.error)
        .options(defer(PadRender.peaks))  # type: ignore[arg-type]  # may be large
        .join(ProcessingJob, col(ProcessingJob.id) == col(PadRender.job_id), isouter=True)
        .where(
            PadRender.user_id == user_id,
            col(PadRender.render_key) == any_(literal(list(keys), ARRAY(String))),
        )
    )
    active = {JobStatus.QUEUED, JobStatus.RUNNING}
    due = now() - TOUCH_INTERVAL
    found: dict[str, RenderStatus] = {}
    for row, status, error in session.exec(query):
        if row.size_bytes is not None:
            found[row.render_key] = RenderStatus(
                row.render_key,
                is_ready=True,
                frames=row.frames,
                channels=row.channels,
                is_unused=row.last_used_at < due,
            )
        elif status in active:
            found[row.render_key] = RenderStatus(row.render_key, is_ready=False, job_id=row.job_id)
        elif row.error or status == JobStatus.FAILED:
            reason = row.error or error
            found[row.render_key] = RenderStatus(row.render_key, is_ready=False, error=reason)
    return found


def _queue(session: Session, user_id: uuid.UUID, wanted: RenderRequest) -> RenderStatus:
    """Insert the row and the job of a render. Of two at once, one waits and finds the other's."""
    job = ProcessingJob(
        user_id=user_id,
        kind=JobKind.RENDER,
        queue=queue.RENDERS,
        result={"render_key": wanted.key},
    )
    while not _insert_row(session, user_id, wanted, job.id):
        row = session.exec(_own_row(user_id, wanted.key).with_for_update()).first()
        if row is None:  # deleted since
            continue
        found = _find(session, user_id, {wanted.key})
        if found:
            return found[wanted.key]
        row.job_id, row.created_at = job.id, now()  # its job was cancelled or purged
        session.add(row)
        break
    session.add(job)
    session.flush()
    after_commit(session, partial(queue.enqueue_job, job.id, job.queue, 0))
    return RenderStatus(wanted.key, is_ready=False, job_id=job.id)


def _insert_row(
    session: Session, user_id: uuid.UUID, wanted: RenderRequest, job_id: uuid.UUID
) -> bool:
    """Insert the row of a render; return False if there is one."""
    instructions = {
        "edit": edit_to_json(wanted.edit),
        "rate": wanted.rate,
        "loop": wanted.loop,
    }
    row = PadRender(
        user_id=user_id,
        render_key=wanted.key,
        sample_id=wanted.sample_id,
        instructions=instructions,
        job_id=job_id,
    )
    inserted = session.execute(
        insert(PadRender)
        .values(row.model_dump())
        .on_conflict_do_nothing(index_elements=["user_id", "render_key"])
        .returning(col(PadRender.render_key))
    )
    return inserted.first() is not None


def _own_row(user_id: uuid.UUID, key: str) -> Any:
    mine = select(PadRender).where(PadRender.user_id == user_id, PadRender.render_key == key)
    return mine.execution_options(populate_existing=True)


def _lock_samples(
    session: Session, user_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> frozenset[uuid.UUID]:
    """Lock samples against deletion; return the ids of those that exist."""
    if not ids:
        return frozenset()
    is_wanted = col(Sample.id) == any_(literal(sorted(ids), ARRAY(Uuid)))
    query = select(Sample.id).where(Sample.user_id == user_id, is_wanted).order_by(col(Sample.id))
    return frozenset(session.exec(query.with_for_update(read=True, key_share=True)))


def _touch(session: Session, user_id: uuid.UUID, keys: Collection[str]) -> None:
    """Record that renders were used, at most once an hour; skip those that are just changed."""
    if not keys:
        return
    due = (
        select(PadRender.render_key)
        .where(
            PadRender.user_id == user_id,
            col(PadRender.render_key) == any_(literal(list(keys), ARRAY(String))),
            col(PadRender.last_used_at) < now() - TOUCH_INTERVAL,
        )
        .with_for_update(skip_locked=True)
    )
    session.exec(
        update(PadRender)
        .where(col(PadRender.user_id) == user_id, col(PadRender.render_key).in_(due))
        .values(last_used_at=now())
    )

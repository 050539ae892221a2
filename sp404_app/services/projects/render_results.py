"""What a worker needs to make a render, and how its result is saved."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlmodel import Session, col, select

from sp404_app.audio.render.edit import Edit, parse_edit
from sp404_app.audio.render.key import render_key
from sp404_app.audio.render.render import Rendered
from sp404_app.db import after_commit
from sp404_app.models import JobStatus, PadRender, ProcessingJob, ProjectPad, Sample
from sp404_app.models.columns import now
from sp404_app.services.infra import storage
from sp404_app.services.infra.render_files import render_file_key
from sp404_app.services.processing import jobs
from sp404_app.services.projects import history
from sp404_app.services.projects.pad_lengths import record_length
from sp404_app.services.projects.projects import device_of
from sp404_app.services.projects.renders import request_of


@dataclass(frozen=True, slots=True)
class RenderTask:
    """What one job renders: a stored sound, an edit, and where the result goes."""

    user_id: uuid.UUID
    render_key: str
    sample_id: uuid.UUID
    digest: str
    source_key: str
    edit: Edit
    rate: int
    loop: bool

    @property
    def file_key(self) -> str:
        """Return the storage key of the result."""
        return render_file_key(self.user_id, self.render_key)


def begin_render(session: Session, job: ProcessingJob) -> RenderTask | None:
    """Return what a job renders; finish the job and return None if nobody needs it any more.

    That is so if the sample was permanently deleted or has another sound by now, or if the
    renderer has a new version. The page then requests the render that it needs.
    """
    task = _task_of(session, job)
    if task is None and jobs.lock_current_attempt(session, job):
        jobs.finish_job(session, job.id, JobStatus.DONE)
    return task


def _task_of(session: Session, job: ProcessingJob) -> RenderTask | None:
    key = (job.result or {}).get("render_key", "")
    row = session.get(PadRender, (job.user_id, key))
    if row is None or row.job_id != job.id or row.size_bytes is not None:
        return None
    sample = session.get_one(Sample, row.sample_id)
    edit = parse_edit(row.instructions["edit"])
    rate, loop = row.instructions["rate"], row.instructions["loop"]
    if render_key(sample.digest, edit, rate=rate, loop=loop) != row.render_key:
        session.delete(row)
        _publish_projects(session, job.user_id, sample.id)
        return None
    return RenderTask(
        user_id=row.user_id,
        render_key=row.render_key,
        sample_id=sample.id,
        digest=sample.digest,
        source_key=sample.storage_key,
        edit=edit,
        rate=rate,
        loop=loop,
    )


def save_render(
    session: Session, job: ProcessingJob, task: RenderTask, rendered: Rendered, peaks: bytes
) -> None:
    """Record a stored render and finish its job; delete the file if nobody needs it any more."""
    is_current = jobs.lock_current_attempt(session, job)
    row = _lock_row(session, task)
    if row is None:
        after_commit(session, partial(storage.delete_object, task.file_key))
    elif row.size_bytes is None:
        row.frames, row.channels = rendered.frames, rendered.channels
        row.size_bytes, row.sha256 = rendered.size_bytes, rendered.sha256
        row.peak_dbfs, row.frames_held = rendered.peak_dbfs, rendered.frames_held
        row.peaks, row.error, row.last_used_at = peaks, "", now()
        session.add(row)
    _publish_projects(session, task.user_id, task.sample_id)
    if is_current:
        jobs.finish_job(session, job.id, JobStatus.DONE)


def _lock_row(session: Session, task: RenderTask) -> PadRender | None:
    """Lock the sample, then the row of its render, as a deletion does.

    None if the row was deleted, with its sample or because the sample has another sound by now.
    """
    sample = select(Sample.digest).where(Sample.id == task.sample_id)
    digest = session.exec(sample.with_for_update(read=True, key_share=True)).first()
    row = session.get(
        PadRender, (task.user_id, task.render_key), with_for_update=True, populate_existing=True
    )
    if row is not None and digest != task.digest and row.sample_id == task.sample_id:
        session.delete(row)
        return None
    return row


def record_pad_lengths(session: Session, task: RenderTask) -> None:
    """Set the length of the pads that have this audio, if only rendering could tell it."""
    frames = session.exec(
        select(PadRender.frames).where(
            PadRender.user_id == task.user_id, PadRender.render_key == task.render_key
        )
    ).first()
    for project_id in _projects_with(session, task.user_id, task.sample_id, unknown_length=True):
        project = history.get_project(session, task.user_id, project_id, lock=True)
        pads = history.load_pads(session, project_id).values()
        for pad in pads:
            sample = session.get(Sample, pad.sample_id) if pad.sample_id else None
            if not sample or not frames or pad.frames is not None:
                continue
            if request_of(project, pad, sample).key == task.render_key:
                record_length(session, pad, frames, device_of(project))


def _publish_projects(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> None:
    """Publish, after the commit, that the projects with a sample changed."""
    for project_id in _projects_with(session, user_id, sample_id):
        history.publish_project(session, user_id, project_id)


def _projects_with(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, *, unknown_length: bool = False
) -> Sequence[uuid.UUID]:
    """Return the user's projects that have a sample on a pad, in order."""
    used = ProjectPad.sample_id == sample_id
    query = select(ProjectPad.project_id).where(ProjectPad.user_id == user_id, used)
    if unknown_length:
        query = query.where(col(ProjectPad.frames).is_(None))
    return session.exec(query.distinct().order_by(col(ProjectPad.project_id))).all()

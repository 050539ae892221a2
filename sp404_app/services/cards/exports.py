"""Exports of projects: request, find, finish. Rows and archives are a cache.

An export is named by a hash of everything that determines its bytes, so an unchanged project is
answered with the archive that exists.
"""

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import ARRAY, Uuid, any_, literal
from sqlmodel import Session, col, select

from sp404_app.db import after_commit
from sp404_app.errors import Conflict, NotFound
from sp404_app.models import (
    JobKind,
    JobStatus,
    PadRender,
    PadSource,
    ProcessingJob,
    Project,
    ProjectExport,
    ProjectFile,
    ProjectSource,
    Sample,
)
from sp404_app.models.columns import now
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.billing import quotas
from sp404_app.services.cards import device_config, export_cleanup, export_content, export_plan
from sp404_app.services.cards.archive_maker import ExportTask, MadeArchive, SourceSound
from sp404_app.services.cards.export_content import ExportTarget
from sp404_app.services.cards.export_plan import ExportPlan
from sp404_app.services.infra import queue, storage
from sp404_app.services.infra.export_files import export_file_key
from sp404_app.services.processing import jobs
from sp404_app.services.projects import history
from sp404_app.services.projects.device_names import device_name

TITLES: Final = {"mk2": "SP-404MKII project", "sx": "SP-404SX card", "import": "SP-404MKII import"}
TOUCH_INTERVAL: Final = dt.timedelta(hours=1)  # how exact `last_used_at` is
TRASHED = "This project is in the trash. Restore it to export it."
UNAVAILABLE = "This export is no longer available. Export the project again."


@dataclass(frozen=True, slots=True)
class Archive:
    """A finished export: its object in the store, and how it is called when it is downloaded."""

    key: str
    sha256: str
    file_name: str
    files: list[dict[str, Any]]


def request_export(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, target: ExportTarget
) -> ProcessingJob:
    """Return the job that exports a project: a finished one if the archive exists, else a new one.

    The export has the content that the project has now.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
        Conflict: If it is in the trash, or no pad can be exported.
    """
    lock_account(session, user_id)  # two requests at once make one export
    project = history.get_project(session, user_id, project_id, lock=True)
    if project.deleted_at is not None:
        raise Conflict(TRASHED)
    plan = export_plan.plan_export(export_content.load_content(session, project, target))
    key = plan.content_key(project_id)
    row = session.exec(
        select(ProjectExport).where(
            ProjectExport.user_id == user_id, ProjectExport.content_key == key
        )
    ).first()
    if row and (job := _usable_job(session, row)):
        return job
    return _queue_export(session, row or _new_row(project, target, key), plan)


def _new_row(project: Project, target: ExportTarget, key: str) -> ProjectExport:
    return ProjectExport(
        user_id=project.user_id,
        project_id=project.id,
        device=target.device,
        place=target.place,
        slot=target.slot,
        content_key=key,
    )


def _usable_job(session: Session, row: ProjectExport) -> ProcessingJob | None:
    """Return the job of an export that exists or is being made, else None."""
    job = session.get(ProcessingJob, row.job_id) if row.job_id else None
    if row.size_bytes is None:
        is_active = job and job.status in (JobStatus.QUEUED, JobStatus.RUNNING)
        return job if is_active else None
    if not _is_stored(row):
        return None
    row.last_used_at = now()
    session.add(row)
    return job if job and job.status == JobStatus.DONE else _finished_job(session, row)


def _is_stored(row: ProjectExport) -> bool:
    try:
        size = storage.object_size(export_file_key(row.user_id, row.id))
    except NotFound:  # somebody emptied the cache
        return False
    return size == row.size_bytes


def _finished_job(session: Session, row: ProjectExport) -> ProcessingJob:
    """Return a new finished job for an export whose own job is gone."""
    job = ProcessingJob(
        user_id=row.user_id,
        kind=JobKind.EXPORT,
        queue=quotas.get_plan(session, row.user_id).tier,
        status=JobStatus.DONE,
        progress=1.0,
        result=_result(row),
        finished_at=now(),
    )
    session.add(job)
    session.flush()
    row.job_id = job.id
    return job


def _queue_export(session: Session, row: ProjectExport, plan: ExportPlan) -> ProcessingJob:
    """Insert the job of an export, in the queue of the user's plan."""
    tier = quotas.get_plan(session, row.user_id).tier
    job = ProcessingJob(user_id=row.user_id, kind=JobKind.EXPORT, queue=tier)
    row.job_id, row.size_bytes, row.sha256, row.files = job.id, None, "", plan.to_json()
    row.last_used_at = now()
    session.add(job)
    session.add(row)
    session.flush()
    after_commit(session, partial(queue.enqueue_job, job.id, job.queue, 0, slow=True))
    return job


def begin_export(session: Session, job: ProcessingJob) -> ExportTask | None:
    """Return what a job exports; None, and the job fails, if its project was deleted."""
    query = select(ProjectExport).where(
        ProjectExport.job_id == job.id, ProjectExport.user_id == job.user_id
    )
    row = session.exec(query).first()
    if row is None:
        _fail_deleted(session, job)
        return None
    plan = ExportPlan.from_json(row.files)
    source = session.get(ProjectSource, row.project_id)
    keys = [pad.key for pad in plan.pads]
    renders = session.exec(
        select(PadRender.render_key, PadRender.sha256).where(
            PadRender.user_id == job.user_id,
            col(PadRender.render_key).in_(keys),
            col(PadRender.size_bytes).is_not(None),
        )
    )
    return ExportTask(
        user_id=job.user_id,
        export_id=row.id,
        plan=plan,
        sounds=_load_sounds(session, job.user_id, plan),
        renders=dict(renders.all()),
        sources=_load_sources(session, job.user_id, plan),
        config=source.config if source and plan.project.source_sha256 else None,
        copies=_load_copies(session, row, plan),
    )


def _load_sounds(session: Session, user_id: uuid.UUID, plan: ExportPlan) -> dict[str, SourceSound]:
    ids = sorted({uuid.UUID(pad.sample_id) for pad in plan.pads})
    query = select(Sample.id, Sample.storage_key, Sample.digest).where(
        Sample.user_id == user_id, col(Sample.id) == any_(literal(ids, ARRAY(Uuid)))
    )
    return {str(id_): SourceSound(key, digest) for id_, key, digest in session.exec(query)}


def _load_sources(session: Session, user_id: uuid.UUID, plan: ExportPlan) -> dict[str, PadSource]:
    ids = literal(device_config.source_ids(plan), ARRAY(Uuid))
    query = select(PadSource).where(PadSource.user_id == user_id, col(PadSource.id) == any_(ids))
    return {str(source.id): source for source in session.exec(query)}


def _load_copies(session: Session, row: ProjectExport, plan: ExportPlan) -> dict[str, bytes]:
    """Return the bytes of patterns and pictures by their paths in the archive."""
    query = select(ProjectFile.path, ProjectFile.data)
    came = dict(session.exec(query.where(ProjectFile.project_id == row.project_id)).all())
    known = {**export_plan.drawn_pictures(), **came}
    folder = plan.project.config.removesuffix(export_plan.config_name(plan.project.device))
    return {path: known[path.removeprefix(folder)] for path in plan.project.copies}


def _fail_deleted(session: Session, job: ProcessingJob) -> None:
    if jobs.lock_current_attempt(session, job):
        jobs.finish_job(session, job.id, JobStatus.FAILED, "This project was deleted.")


def save_export(
    session: Session, job: ProcessingJob, task: ExportTask, archive: MadeArchive
) -> bool:
    """Record a stored archive and finish its job; return False if nobody needs it any more."""
    if not jobs.lock_current_attempt(session, job):
        return False
    row = session.get(ProjectExport, task.export_id, with_for_update=True, populate_existing=True)
    if row is None or row.job_id != job.id:
        jobs.finish_job(session, job.id, JobStatus.FAILED, "This project was deleted.")
        return False
    row.size_bytes, row.sha256 = archive.bytes, archive.sha256
    row.files = [
        {"path": file.path, "bytes": file.bytes, "sha256": file.sha256, "offset": file.offset}
        for file in archive.files
    ]
    row.last_used_at = now()
    session.add(row)
    session.flush()
    session.get_one(ProcessingJob, job.id).result = _result(row)
    jobs.finish_job(session, job.id, JobStatus.DONE)
    export_cleanup.drop_beyond_user_limit(session, job.user_id, keep=row.id)
    return True


def is_abandoned(session: Session, export_id: uuid.UUID) -> bool:
    """Return whether an export has no archive and nobody makes one; it is locked until the commit.

    While it is not, an archive in the store may be that of an attempt which will record it.
    """
    row = session.get(ProjectExport, export_id, with_for_update=True, populate_existing=True)
    if row is None:
        return True
    job = session.get(ProcessingJob, row.job_id) if row.job_id else None
    is_active = job is not None and job.status in (JobStatus.QUEUED, JobStatus.RUNNING)
    return row.size_bytes is None and not is_active


def _result(row: ProjectExport) -> dict[str, Any]:
    return {
        "export_id": str(row.id),
        "bytes": row.size_bytes,
        "files": len(row.files),
        "sha256": row.sha256,
    }


def find_archive(session: Session, user_id: uuid.UUID, export_id: uuid.UUID) -> Archive:
    """Return a finished export.

    Raises:
        NotFound: If it does not exist, is not finished, or belongs to another user.
    """
    row = session.get(ProjectExport, export_id)
    if row is None or row.user_id != user_id or row.size_bytes is None:
        raise NotFound(UNAVAILABLE)
    project = session.get_one(Project, row.project_id)
    if now() - row.last_used_at > TOUCH_INTERVAL:
        row.last_used_at = now()
        session.add(row)
    name = f"{device_name(project.name)} ({TITLES[row.device]}).zip"
    key = export_file_key(user_id, export_id)
    return Archive(key, row.sha256, re.sub(r'["\\]', "_", name), row.files)


def find_file(archive: Archive, path: str) -> dict[str, Any]:
    """Return a file of the manifest by its path.

    Raises:
        NotFound: If there is none.
    """
    found = next((file for file in archive.files if file["path"] == path), None)
    if found is None:
        raise NotFound("This export has no such file.")
    return found

"""Run an export with the job's own function, and read the archive with independent tools."""

import io
import uuid
import zipfile
from typing import Any

from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import JobStatus, ProcessingJob, ProjectExport
from sp404_app.services.cards import exports
from sp404_app.services.cards.export_content import parse_target
from sp404_app.services.infra import storage
from sp404_app.services.projects.history import Target


def request(target: Target, device: str, *place: Any) -> ProcessingJob:
    """Request an export."""
    with transaction() as session:
        wanted = parse_target(device, *place)
        return exports.request_export(session, target.user_id, target.project_id, wanted)


def job_row(job_id: uuid.UUID) -> ProcessingJob:
    with transaction() as session:
        return session.get_one(ProcessingJob, job_id)


def export(target: Target, device: str, *place: Any) -> dict[str, Any]:
    """Request an export and make it; return the job's result."""
    job = request(target, device, *place)
    if job.status == JobStatus.QUEUED:
        runner.run(str(job.id))
    done = job_row(job.id)
    assert done.status == JobStatus.DONE, done.error
    assert done.result
    return done.result


def archive_of(target: Target, result: dict[str, Any]) -> bytes:
    """Return the bytes of an archive."""
    with transaction() as session:
        found = exports.find_archive(session, target.user_id, uuid.UUID(result["export_id"]))
    with storage.local_copy(found.key) as path:
        return path.read_bytes()


def contents_of(target: Target, result: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of an archive by path."""
    with zipfile.ZipFile(io.BytesIO(archive_of(target, result))) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def export_rows() -> list[ProjectExport]:
    with transaction() as session:
        return list(session.exec(select(ProjectExport)))

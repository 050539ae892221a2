"""Downloads that could not be prepared: visitors start them again only after a pause.

The page of a download asks every few seconds. A file that fails each time, or that the owner
cancelled, would otherwise be made again for as long as somebody's page is open.
"""

import datetime as dt
import uuid
from typing import Any, Final

from sqlmodel import Session, col, select

from sp404_app.errors import Conflict
from sp404_app.models import JobKind, JobStatus, ProcessingJob, ProjectExport
from sp404_app.models.columns import now

PAUSE: Final = dt.timedelta(minutes=10)
NOT_PREPARED: Final = "This file could not be prepared. Try again later."


def ensure_export_may_start(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, device: str
) -> None:
    """Check that no export of a project for a device ended without an archive a moment ago.

    Raises:
        Conflict: If one did.
    """
    last_jobs = select(ProjectExport.job_id).where(
        ProjectExport.user_id == user_id,
        ProjectExport.project_id == project_id,
        ProjectExport.device == device,
        col(ProjectExport.size_bytes).is_(None),
    )
    _refuse_if_failed(session, user_id, JobKind.EXPORT, col(ProcessingJob.id).in_(last_jobs))


def ensure_conversion_may_start(session: Session, user_id: uuid.UUID, content_key: str) -> None:
    """Check that no conversion of this content ended without a file a moment ago.

    Raises:
        Conflict: If one did.
    """
    is_same = col(ProcessingJob.result)["content_key"].astext == content_key
    _refuse_if_failed(session, user_id, JobKind.CONVERT, is_same)


def _refuse_if_failed(session: Session, user_id: uuid.UUID, kind: JobKind, is_same: Any) -> None:
    failed = select(ProcessingJob.id).where(
        ProcessingJob.user_id == user_id,
        ProcessingJob.kind == kind,
        col(ProcessingJob.status).in_([JobStatus.FAILED, JobStatus.CANCELLED]),
        col(ProcessingJob.finished_at) > now() - PAUSE,
        is_same,
    )
    if session.exec(failed.limit(1)).first():
        raise Conflict(NOT_PREPARED)

"""The account export job: a ZIP of all data and files of a user, kept for a week."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from sp404_app.db import transaction
from sp404_app.models import JobStatus, ProcessingJob
from sp404_app.models.columns import now
from sp404_app.services.account import account_archive, data_export
from sp404_app.services.infra import email, email_templates, storage
from sp404_app.services.processing import jobs

PROGRESS_INTERVAL_S = 1.0


class ExportCancelled(Exception):
    """The export was cancelled or given to another worker."""


def export_account(job: ProcessingJob) -> None:
    """Build the ZIP on disk, store it, and e-mail its owner."""
    with TemporaryDirectory(prefix="sp404-export-") as folder:
        path = Path(folder) / "export.zip"
        try:
            missing = account_archive.write_archive(path, job.user_id, _progress_of(job))
        except ExportCancelled:
            return
        key = data_export.export_key(job.id)
        storage.save(path, key)
        if not _finish(job, path.stat().st_size, missing):
            storage.delete_object(key)


def _progress_of(job: ProcessingJob) -> Callable[[float], None]:
    """Return a function that stores the progress, once a second."""
    reported = time.monotonic()

    def report(fraction: float) -> None:
        nonlocal reported
        if time.monotonic() - reported < PROGRESS_INTERVAL_S:
            return
        reported = time.monotonic()
        with transaction() as session:
            if not data_export.update_export_progress(session, job, fraction):
                raise ExportCancelled

    return report


def _finish(job: ProcessingJob, size: int, missing: list[str]) -> bool:
    with transaction() as session:
        if not jobs.lock_current_attempt(session, job):
            return False
        row = session.get_one(ProcessingJob, job.id)
        row.result = {
            "url": f"/api/exports/{job.id}",
            "size": size,
            "missing": missing[:100],
            "expires_at": (now() + data_export.EXPORT_LIFETIME).isoformat(),
        }
        jobs.finish_job(session, job.id, JobStatus.DONE)
        email.send_email_to_user(session, job.user_id, email_templates.export_ready())
    return True

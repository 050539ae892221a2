"""The account export job: a ZIP of all data and files of a user, kept for a week."""

import json
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sp404_app.db import transaction
from sp404_app.errors import NotFound
from sp404_app.models import JobStatus, ProcessingJob
from sp404_app.models.columns import now
from sp404_app.services.account import data_export
from sp404_app.services.account.data_export import ExportedFile
from sp404_app.services.infra import email, email_templates, storage
from sp404_app.services.processing import jobs
from sp404_app.settings import settings

PROGRESS_INTERVAL_S = 1.0
README = """All data of your account.

data/     your data as JSON files: profile, sounds, analyses, tags, sign-ins, jobs and account
          activity{payments}
sounds/   your original files in their folders
trash/    files you deleted in the last 30 days
"""


class ExportCancelled(Exception):
    """The export was cancelled or given to another worker."""


def export_account(job: ProcessingJob) -> None:
    """Build the ZIP on disk, store it, and e-mail its owner."""
    with TemporaryDirectory(prefix="sp404-export-") as folder:
        path = Path(folder) / "export.zip"
        try:
            missing = _write_zip(path, job)
        except ExportCancelled:
            return
        key = data_export.export_key(job.id)
        storage.save(path, key)
        if not _finish(job, path.stat().st_size, missing):
            storage.delete_object(key)


def _write_zip(path: Path, job: ProcessingJob) -> list[str]:
    """Write the ZIP; return the names of files that are missing in the store."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        payments = ", payments" if settings().billing else ""
        target.writestr("README.txt", README.format(payments=payments))
        with transaction() as session:
            for name, rows in data_export.export_tables(session, job.user_id):
                text = json.dumps(rows, indent=1, ensure_ascii=False)
                # A name can contain a lone surrogate, which JSON can escape.
                target.writestr(f"data/{name}.json", text.encode("utf-8", "backslashreplace"))
            files = data_export.list_original_files(session, job.user_id)
        return _add_files(target, job, files)


def _add_files(
    target: zipfile.ZipFile, job: ProcessingJob, files: Sequence[ExportedFile]
) -> list[str]:
    missing, reported = [], time.monotonic()
    for number, file in enumerate(files):
        try:
            _add_file(target, file)
        except NotFound:
            missing.append(file.name)
        if time.monotonic() - reported > PROGRESS_INTERVAL_S:
            reported = time.monotonic()
            _report_progress(job, (number + 1) / (len(files) + 1))
    return missing


def _add_file(target: zipfile.ZipFile, file: ExportedFile) -> None:
    """Copy one file in chunks, uncompressed: ZIP hardly compresses audio."""
    size = storage.object_size(file.key)
    entry = zipfile.ZipInfo(file.name, now().timetuple()[:6])
    entry.compress_type, entry.file_size = zipfile.ZIP_STORED, size
    with target.open(entry, "w", force_zip64=size > 1 << 30) as member:
        for chunk in storage.stream_object(file.key, 0, size):
            member.write(chunk)


def _report_progress(job: ProcessingJob, fraction: float) -> None:
    with transaction() as session:
        if not data_export.update_export_progress(session, job, fraction):
            raise ExportCancelled


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

"""Making the zip of everything about a person: id in, file in the store."""

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
from sp404_app.services.account.data_export import Original
from sp404_app.services.infra import email, email_templates, storage
from sp404_app.services.processing import jobs

SHOW_EVERY = 1.0
README = """This is everything we keep about you.

data/     one JSON file for each kind of thing we know: you, your sounds, what was measured,
          tags, sign-ins, jobs, payments, and what happened in your account
sounds/   your original files, untouched, in their folders
trash/    those you deleted in the last 30 days
"""


class NotWanted(Exception):
    """The export was cancelled, or another worker has it."""


def export_account(job: ProcessingJob) -> None:
    """Write the zip on disk, keep it in the store for a week, and mail its owner."""
    with TemporaryDirectory(prefix="sp404-export-") as folder:
        path = Path(folder) / "export.zip"
        try:
            missing = _write(path, job)
        except NotWanted:
            return
        key = data_export.key_of(job.id)
        storage.save(path, key)
        if not _close(job, path.stat().st_size, missing):
            storage.delete(key)


def _write(path: Path, job: ProcessingJob) -> list[str]:
    """Write the zip; return the names of files that the store no longer has."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("README.txt", README)
        with transaction() as session:
            for name, rows in data_export.facts(session, job.user_id):
                text = json.dumps(rows, indent=1, ensure_ascii=False)
                # Half a character can be in a name; JSON has a way to write it.
                target.writestr(f"data/{name}.json", text.encode("utf-8", "backslashreplace"))
            files = data_export.originals(session, job.user_id)
        return _add_files(target, job, files)


def _add_files(target: zipfile.ZipFile, job: ProcessingJob, files: Sequence[Original]) -> list[str]:
    missing, shown = [], time.monotonic()
    for number, file in enumerate(files):
        try:
            _add(target, file)
        except NotFound:
            missing.append(file.name)
        if time.monotonic() - shown > SHOW_EVERY:
            shown = time.monotonic()
            _show(job, (number + 1) / (len(files) + 1))
    return missing


def _add(target: zipfile.ZipFile, file: Original) -> None:
    """Copy one file, a chunk at a time; sound does not get smaller by packing it."""
    size = storage.size_of(file.key)
    entry = zipfile.ZipInfo(file.name, now().timetuple()[:6])
    entry.compress_type, entry.file_size = zipfile.ZIP_STORED, size
    with target.open(entry, "w", force_zip64=size > 1 << 30) as place:
        for chunk in storage.stream(file.key, 0, size):
            place.write(chunk)


def _show(job: ProcessingJob, fraction: float) -> None:
    with transaction() as session:
        if not data_export.advance(session, job, fraction):
            raise NotWanted


def _close(job: ProcessingJob, size: int, missing: list[str]) -> bool:
    with transaction() as session:
        if not jobs.still_mine(session, job):
            return False
        row = session.get_one(ProcessingJob, job.id)
        row.result = {
            "url": f"/api/exports/{job.id}",
            "size": size,
            "missing": missing[:100],
            "expires_at": (now() + data_export.KEPT).isoformat(),
        }
        jobs.finish(session, job.id, JobStatus.DONE)
        email.send_to_user(session, job.user_id, email_templates.export_ready())
    return True

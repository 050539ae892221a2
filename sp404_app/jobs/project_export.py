"""The export job of a project: make the archive, read it again, store it."""

import logging
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sp404_app.db import transaction
from sp404_app.devices.second_reader import ArchiveMismatch
from sp404_app.errors import AppError
from sp404_app.models import ProcessingJob
from sp404_app.services.cards import exports
from sp404_app.services.cards.archive_maker import (
    ExportCancelled,
    ExportTask,
    MadeArchive,
    make_archive,
)
from sp404_app.services.infra import storage
from sp404_app.services.infra.export_files import export_file_key
from sp404_app.services.processing import jobs

PROGRESS_INTERVAL_S: Final = 1.0
FOLDER_PREFIX: Final = "project-export-"
ABANDONED_S: Final = 6 * 3600  # longer than a job may take

log = logging.getLogger(__name__)


def export_project(job: ProcessingJob) -> None:
    """Make and store the archive of a job; safe to run again.

    Raises:
        AppError: With a sentence for the user, if it cannot be made or is not as it should be.
    """
    with transaction() as session:
        task = exports.begin_export(session, job)
    if task is None:
        return
    key = export_file_key(task.user_id, task.export_id)
    with work_folder(job) as folder:
        path = folder / "export.zip"
        try:
            archive = _make(task, path, job)
        except ExportCancelled:
            return
        storage.move_in(path, key)
    with transaction() as session:
        is_saved = exports.save_export(session, job, task, archive)
    if not is_saved:
        _delete_if_abandoned(task, key)


def _make(task: ExportTask, path: Path, job: ProcessingJob) -> MadeArchive:
    reported = time.monotonic()

    def report(fraction: float) -> None:
        nonlocal reported
        if time.monotonic() - reported > PROGRESS_INTERVAL_S:
            reported = time.monotonic()
            _report_progress(job, fraction)

    try:
        return make_archive(task, path, report)
    except ArchiveMismatch as mismatch:
        log.exception("export %s differs from its project", job.id)
        message = f"The export was not as it should be, so we discarded it. Reference: {job.id}"
        raise AppError(message) from mismatch


def _report_progress(job: ProcessingJob, fraction: float) -> None:
    with transaction() as session:
        if not jobs.record_heartbeat(session, job.id, job.attempts, fraction):
            raise ExportCancelled
        jobs.publish_job(session, job)


def _delete_if_abandoned(task: ExportTask, key: str) -> None:
    """Delete the file of an attempt that came too late, unless another one has made or makes it."""
    with transaction() as session:
        if exports.is_abandoned(session, task.export_id):
            storage.delete_object(key)


@contextmanager
def work_folder(job: ProcessingJob) -> Iterator[Path]:
    """Yield a folder for an attempt; remove what killed workers left behind, and it at the end."""
    root = storage.work_folder()
    for left in root.glob(f"{FOLDER_PREFIX}{job.id}-*"):
        shutil.rmtree(left, ignore_errors=True)
    remove_abandoned_folders(root, time.time() - ABANDONED_S)
    folder = root / f"{FOLDER_PREFIX}{job.id}-{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned_folders(root: Path, before: float) -> int:
    """Remove folders that no worker has written to since a time; return how many."""
    count = 0
    for folder in root.glob(f"{FOLDER_PREFIX}*"):
        try:
            is_old = folder.stat().st_mtime < before
        except OSError:  # its own worker removed it
            continue
        if is_old:
            shutil.rmtree(folder, ignore_errors=True)
            count += 1
    return count

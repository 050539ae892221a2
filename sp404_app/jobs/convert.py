"""Convert samples to a download format: one file, or an archive of many."""

import hashlib
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sp404_app.db import transaction
from sp404_app.errors import AppError, TooLarge, ValidationFailed
from sp404_app.models import ProcessingJob
from sp404_app.services.cards import conversion_results
from sp404_app.services.cards.conversion_results import ArchiveTask, SingleTask, Skipped
from sp404_app.services.cards.conversions import MAX_ARCHIVE_BYTES
from sp404_app.services.cards.convert_file import convert_sample
from sp404_app.services.cards.playlists import Playlist
from sp404_app.services.cards.tagged_files import write_sample_tags
from sp404_app.services.infra import storage
from sp404_app.services.processing import jobs

PROGRESS_INTERVAL_S: Final = 0.5
COPY_BYTES: Final = 1 << 20
# The same archive has the same bytes: no entry has a time or the rights of this system.
ENTRY_TIME: Final = (1980, 1, 1, 0, 0, 0)
UNIX: Final = 3
READABLE_FILE: Final = 0o100644 << 16


class ConversionCancelled(Exception):
    """The job was cancelled or given to another worker."""


def convert_samples(job: ProcessingJob) -> None:
    """Make what a job asks for, and store it; safe to run again.

    Raises:
        AppError: With a message for the user, if nothing can be converted.
    """
    with transaction() as session:
        task = conversion_results.begin_conversion(session, job)
    with TemporaryDirectory(prefix="sp404-convert-") as folder:
        progress = JobProgress(job)
        try:
            if isinstance(task, SingleTask):
                _convert_one(job, task, Path(folder), progress)
            else:
                _write_archive(job, task, Path(folder), progress)
        except ConversionCancelled:
            return


class JobProgress:
    """Saves the progress of a job from time to time; stops the work if the job is not ours."""

    def __init__(self, job: ProcessingJob) -> None:
        self.job = job
        self.reported = time.monotonic()

    def __call__(self, fraction: float) -> None:
        """Save a fraction from 0 to 1.

        Raises:
            ConversionCancelled: If the job was cancelled or given to another worker.
        """
        if time.monotonic() - self.reported < PROGRESS_INTERVAL_S:
            return
        self.reported = time.monotonic()
        with transaction() as session:
            if not jobs.record_heartbeat(session, self.job.id, self.job.attempts, fraction):
                raise ConversionCancelled

    def part(self, number: int, count: int) -> Callable[[float], None]:
        """Return a report for one of `count` equal parts of the work."""
        return lambda share: self((number + share) / count)


def _convert_one(job: ProcessingJob, task: SingleTask, folder: Path, progress: JobProgress) -> None:
    target = folder / "converted"
    convert_sample(task.sample, task.wanted, target, progress)
    storage.save(target, task.file.key)
    with transaction() as session:
        conversion_results.finish_single(session, job, task, target.stat().st_size)


def _write_archive(
    job: ProcessingJob, task: ArchiveTask, folder: Path, progress: JobProgress
) -> None:
    path = folder / "archive.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        skipped = _add_files(archive, job, task, folder / "converted", progress)
        if task.playlist:
            _add_playlist(archive, task.playlist)
    if len(skipped) == len(task.files):
        raise ValidationFailed(_explain_nothing(skipped))
    sha256 = _hash_file(path)
    progress(1.0)
    storage.save(path, task.key)
    with transaction() as session:
        conversion_results.finish_archive(
            session, job, task, size=path.stat().st_size, sha256=sha256, skipped=skipped
        )


def _add_files(
    archive: zipfile.ZipFile,
    job: ProcessingJob,
    task: ArchiveTask,
    target: Path,
    progress: JobProgress,
) -> list[Skipped]:
    """Add the converted files; return those that could not be converted.

    Raises:
        TooLarge: If sounds that were not measured before make the archive too large.
    """
    skipped: list[Skipped] = []
    for number, (sample_id, path) in enumerate(task.files):
        with transaction() as session:
            sample = conversion_results.find_sample(session, job, sample_id)
        if sample is None:
            skipped.append(Skipped(path, "It was permanently deleted."))
            continue
        try:
            convert_sample(sample, task.wanted, target, progress.part(number, len(task.files)))
            if task.is_tagged:
                write_sample_tags(sample, task.wanted, target)
            _add_file(archive, path, target)
        except AppError as error:
            skipped.append(Skipped(sample.name, str(error)))
        if archive.start_dir > MAX_ARCHIVE_BYTES:
            raise TooLarge("These sounds are too large for one download. Choose fewer.")
    return skipped


def _add_playlist(archive: zipfile.ZipFile, playlist: Playlist) -> None:
    """Add a playlist of the files that are in the archive."""
    text = playlist.write_text(set(archive.namelist()))
    entry = zipfile.ZipInfo(playlist.filename, ENTRY_TIME)
    entry.create_system, entry.external_attr = UNIX, READABLE_FILE
    archive.writestr(entry, text.encode())


def _add_file(archive: zipfile.ZipFile, path: str, source: Path) -> None:
    entry = zipfile.ZipInfo(path, ENTRY_TIME)
    entry.create_system, entry.external_attr = UNIX, READABLE_FILE
    entry.file_size = source.stat().st_size
    with source.open("rb") as file, archive.open(entry, "w") as member:
        shutil.copyfileobj(file, member, COPY_BYTES)


def _explain_nothing(skipped: list[Skipped]) -> str:
    first = skipped[0]
    if len(skipped) == 1:
        return first.reason
    return f"None of these sounds could be converted. “{first.name[:60]}”: {first.reason}"


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

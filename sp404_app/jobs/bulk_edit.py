"""Change many samples, or undo that; a job that is killed goes on after its last batch."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sp404_app.db import transaction
from sp404_app.errors import AppError
from sp404_app.models import ProcessingJob
from sp404_app.services.bulk import batches, normalisation, undo
from sp404_app.services.bulk.batches import BulkTask
from sp404_app.services.bulk.edits import NormaliseEdit
from sp404_app.services.bulk.normalisation import NormalisedFile
from sp404_app.services.processing import jobs

PROGRESS_INTERVAL_S: Final = 0.5


class EditCancelled(Exception):
    """The job was cancelled or given to another worker."""


def run_bulk_edit(job: ProcessingJob) -> None:
    """Do a bulk edit or undo it, in batches."""
    if batches.is_undo(job):
        _undo(job)
        return
    with transaction() as session:
        task = batches.load_task(session, job)
    if isinstance(task.edit, NormaliseEdit):
        _normalise(job, task, task.edit)
        return
    more = True
    while more:
        with transaction() as session:
            more = batches.run_next_batch(session, job, task)


def _undo(job: ProcessingJob) -> None:
    more = True
    while more:
        with transaction() as session:
            more = undo.run_next_undo_batch(session, job)


def _normalise(job: ProcessingJob, task: BulkTask, edit: NormaliseEdit) -> None:
    with transaction() as session:
        position = normalisation.next_position(session, job, task)
    more = position is not None
    while more and position is not None:
        with TemporaryDirectory(prefix="sp404-normalise-") as folder:
            try:
                copy = _make_copy(job, task, edit, position, Path(folder))
            except EditCancelled:
                return
            with transaction() as session:
                more = normalisation.save_copy(session, job, task, position, copy)
        position += 1


def _make_copy(
    job: ProcessingJob, task: BulkTask, edit: NormaliseEdit, position: int, folder: Path
) -> NormalisedFile | AppError | None:
    """Make the copy of the sample at a position; return why there is none, None if it is gone."""
    sample_id, _ = task.sounds[position]
    with transaction() as session:
        sample = normalisation.find_source(session, job.user_id, sample_id)
    if sample is None:
        return None
    report = _ProgressReport(job, position, len(task.sounds))
    try:
        return normalisation.make_copy(sample, edit, folder / "normalised.wav", report)
    except AppError as error:
        return type(error)(f"“{sample.name[:60]}”: {error}", error.details)


class _ProgressReport:
    """Saves the progress of a long sound from time to time; stops the work if the job is lost."""

    def __init__(self, job: ProcessingJob, position: int, count: int) -> None:
        self.job, self.position, self.count = job, position, count
        self.reported = time.monotonic()

    def __call__(self, share: float) -> None:
        """Save a share of one sound, 0 to 1.

        Raises:
            EditCancelled: If the job was cancelled or given to another worker.
        """
        if time.monotonic() - self.reported < PROGRESS_INTERVAL_S:
            return
        self.reported = time.monotonic()
        progress = min(1.0, (self.position + share) / self.count)
        with transaction() as session:
            if not jobs.record_heartbeat(session, self.job.id, self.job.attempts, progress):
                raise EditCancelled

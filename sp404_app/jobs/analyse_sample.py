"""The analysis job: survey every upload, then analyse it if the quota allows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlmodel import Session

from sp404_app.audio.features import analysis
from sp404_app.audio.features.file_tags import read_file_tags
from sp404_app.audio.features.stated_values import StatedValues, read_stated_values
from sp404_app.audio.features.survey import Survey, survey_file
from sp404_app.audio.io import decode
from sp404_app.audio.similarity import fingerprint
from sp404_app.audio.similarity.fingerprint import Fingerprint
from sp404_app.db import transaction
from sp404_app.models import ProcessingJob, Sample
from sp404_app.models.columns import now
from sp404_app.services.infra import storage
from sp404_app.services.processing import jobs
from sp404_app.services.sample import analysis_results, duplicates, previews


def analyse_sample(job: ProcessingJob) -> None:
    """Survey and analyse the sample of a job and save the results; idempotent.

    Raises:
        AppError: With a message for the user, if the file cannot be analysed.
    """
    sample = _begin(job)
    if sample is None:
        return
    with storage.local_copy(sample.storage_key) as path:
        surveyed, tags = survey_file(path), read_file_tags(path)
        preview_key = _ensure_preview(path, sample, surveyed)
        stated = read_stated_values(sample.folder, sample.filename, surveyed.duration, tags)
        quota_allows = _save_survey_and_reserve(job, surveyed, preview_key, stated)
        if preview_key and not quota_allows:
            with transaction() as session:
                analysis_results.delete_unused_preview(session, job, preview_key)
    if quota_allows:
        started = now()
        found = analysis.analyse(
            surveyed.window,
            surveyed.window_rate,
            duration=surveyed.duration,
            name_hint=f"{sample.folder}/{sample.filename}",
            tags=tags,
            whole=surveyed.whole,
        )
        taken = fingerprint.compute_fingerprint(surveyed.window, surveyed.window_rate)
        _save_similarity(job, found, taken)
        with _transaction_of_attempt(job) as session:
            if session:
                analysis_results.save_analysis(session, job, found, surveyed, started)


@contextmanager
def _transaction_of_attempt(job: ProcessingJob) -> Iterator[Session | None]:
    """Open a transaction for results; None if the job was cancelled or given to another worker."""
    with transaction() as session:
        yield session if jobs.lock_current_attempt(session, job) else None


def _begin(job: ProcessingJob) -> Sample | None:
    with _transaction_of_attempt(job) as session:
        return analysis_results.begin_analysis(session, job) if session else None


def _ensure_preview(path: Path, sample: Sample, surveyed: Survey) -> str | None:
    """Return the key of the preview; encode one if browsers cannot play the original."""
    if sample.preview_key or decode.playable_in_browsers(surveyed.header):
        return sample.preview_key
    return previews.store_preview(path)


def _save_survey_and_reserve(
    job: ProcessingJob, surveyed: Survey, preview_key: str | None, stated: StatedValues
) -> bool:
    with _transaction_of_attempt(job) as session:
        if session is None:
            return False
        return analysis_results.save_survey(session, job, surveyed, preview_key, stated)


def _save_similarity(
    job: ProcessingJob, found: analysis.Analysis, taken: Fingerprint | None
) -> None:
    """Save embedding and fingerprint, and group duplicates.

    This is a separate transaction, because all duplicates must be locked before the sample.
    """
    with _transaction_of_attempt(job) as session:
        if session and job.sample_id:
            duplicates.update_duplicates(session, job.user_id, job.sample_id, found.likeness, taken)

"""Measure one sample: what every upload gets first, then what counts as an analysis."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete

from sp404_app.audio.features import analysis
from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.audio.features.file_tags import from_tags
from sp404_app.audio.features.survey import Survey, survey
from sp404_app.audio.io import decode
from sp404_app.audio.similarity import fingerprint
from sp404_app.audio.similarity.fingerprint import Print
from sp404_app.db import after_commit, transaction
from sp404_app.errors import QuotaExceeded
from sp404_app.models import (
    Analysis,
    JobStatus,
    ProcessingJob,
    Sample,
    SampleStatus,
    Source,
    Waveform,
)
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.infra import queue, storage
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from sp404_app.services.sample import duplicates, previews

SURVEYED = (
    "true_peak_dbtp", "silence_head", "silence_tail", "clipped", "dc_offset", "dual_mono",
    "truncated",
)  # fmt: skip
MEASURED = ("kind", "kind_confidence", "bpm", "bpm_confidence", "key", "key_confidence")


def analyse_sample(job: ProcessingJob) -> None:
    """Measure the sample of a job and save what was found; safe to run again.

    Raises:
        AppError: With a sentence for the person, when the sound cannot be measured.
    """
    sample = _begin(job)
    if sample is None:
        return
    with storage.local_copy(sample.storage_key) as path:
        surveyed, stated = survey(path), from_tags(path)
        preview = _preview(path, sample, surveyed)
        may_go_on = _save_survey(job, surveyed, preview)
        if preview and not may_go_on:
            _drop_unused(job, preview)
    if may_go_on:
        started = now()
        found = analysis.analyse(
            surveyed.window,
            surveyed.window_rate,
            duration=surveyed.duration,
            name_hint=f"{sample.folder}/{sample.filename}",
            tags=stated,
        )
        _save_likeness(job, found, fingerprint.taken(surveyed.window, surveyed.window_rate))
        with _result_of(job) as session:
            if session:
                _save_analysis(session, job, found, surveyed, started)


def _begin(job: ProcessingJob) -> Sample | None:
    """Show that work begins; None if the job was cancelled or its sample deleted meanwhile."""
    with _result_of(job) as session:
        sample = session.get(Sample, job.sample_id) if session else None
        if session and sample and job.queue != queue.LOW:
            sample.status, sample.error = SampleStatus.ANALYSING, ""
            session.add(sample)
            samples.publish_sample(session, sample.user_id, sample.id)
        return sample


@contextmanager
def _result_of(job: ProcessingJob) -> Iterator[Session | None]:
    """Open the transaction that writes a result, unless the job was taken away meanwhile."""
    with transaction() as session:
        yield session if jobs.still_mine(session, job) else None


def _preview(path: Path, sample: Sample, surveyed: Survey) -> str | None:
    """Store a version that browsers can play, where they cannot play the original."""
    if sample.preview_key or decode.playable_in_browsers(surveyed.header):
        return sample.preview_key
    return previews.make(path)


def _save_survey(job: ProcessingJob, surveyed: Survey, preview: str | None) -> bool:
    """Save what is never counted; say whether the counted part may follow."""
    with _result_of(job) as session:
        if session is None:
            return False
        sample = session.get_one(Sample, job.sample_id, with_for_update=True)
        sample.duration = surveyed.duration
        sample.sample_rate, sample.channels = (
            surveyed.header.sample_rate,
            surveyed.header.channels,
        )
        sample.loudness_lufs, sample.peak_dbfs = surveyed.loudness_lufs, surveyed.peak_dbfs
        sample.thumbnail = surveyed.peaks.thumbnail()
        if preview and sample.preview_key and preview != sample.preview_key:
            after_commit(session, partial(storage.delete, preview))  # a player was faster
        sample.preview_key = sample.preview_key or preview
        samples.renew_digest(session, sample, surveyed.digest)
        peaks = {"peaks": surveyed.peaks.to_bytes()}
        row = insert(Waveform).values(sample_id=sample.id, user_id=sample.user_id, **peaks)
        session.execute(row.on_conflict_do_update(index_elements=["sample_id"], set_=peaks))
        samples.publish_sample(session, sample.user_id, sample.id)
        return _reserve(session, job, sample)


def _drop_unused(job: ProcessingJob, preview: str) -> None:
    """Delete the preview of a sample that did not want it any more."""
    with transaction() as session:
        sample = session.get(Sample, job.sample_id)
        if sample is None or sample.preview_key != preview:
            after_commit(session, partial(storage.delete, preview))


def _reserve(session: Session, job: ProcessingJob, sample: Sample) -> bool:
    row = session.get_one(ProcessingJob, job.id)
    # What nobody asked for is free, and an attempt that was lost has counted already.
    if sample.is_demo or row.queue == queue.LOW or row.usage_period_start:
        return True
    try:
        with session.begin_nested():
            row.usage_period_start = quotas.reserve_analysis(session, sample.user_id)
            session.add(row)
    except QuotaExceeded as refusal:
        kept = jobs.was_analysed(session, sample.id)
        sample.status = SampleStatus.READY if kept else SampleStatus.WAITING_FOR_QUOTA
        sample.error = "" if kept else str(refusal)
        session.add(sample)
        jobs.finish(session, job.id, JobStatus.DONE)
        return False
    return True


def _save_likeness(job: ProcessingJob, found: analysis.Analysis, taken: Print | None) -> None:
    """Save what the sound is compared by, and find its copies.

    It has a transaction of its own, before the sample is locked: copies are locked together.
    """
    with _result_of(job) as session:
        if session and job.sample_id:
            duplicates.remember(session, job.user_id, job.sample_id, found.likeness, taken)


def _save_analysis(
    session: Session,
    job: ProcessingJob,
    found: analysis.Analysis,
    surveyed: Survey,
    started: dt.datetime,
) -> None:
    sample = session.get_one(Sample, job.sample_id, with_for_update=True)
    values = asdict(found) | {field: getattr(surveyed, field) for field in SURVEYED}
    session.exec(
        delete(Analysis).where(
            col(Analysis.sample_id) == sample.id,
            col(Analysis.engine_version) == ENGINE_VERSION,
        )
    )
    lists = {k: list(values.pop(k)) for k in ("bpm_candidates", "key_candidates")}
    # The engine counts from the start of its window, a person from the start of the sound.
    offset = surveyed.window_start
    times = {k: [offset + time for time in values.pop(k)] for k in ("beats", "onsets")}
    del values["likeness"]
    measured = {field: values.pop(field) for field in MEASURED}
    session.add(
        Analysis(
            user_id=sample.user_id,
            sample_id=sample.id,
            engine_version=ENGINE_VERSION,
            status=SampleStatus.READY,
            started_at=started,
            finished_at=now(),
            content=values,
            **lists,
            **times,
            **measured,
        )
    )
    take_over(sample, found)
    session.add(sample)
    jobs.finish(session, job.id, JobStatus.DONE)
    samples.publish_sample(session, sample.user_id, sample.id)


def take_over(sample: Sample, found: analysis.Analysis) -> None:
    """Let measured values count, except where a person has spoken."""
    if sample.bpm_source != Source.USER:
        sample.bpm, sample.bpm_confidence = found.bpm, found.bpm_confidence
        sample.bpm_source = Source(found.bpm_source)
    if sample.key_source != Source.USER:
        sample.key, sample.key_confidence = found.key, found.key_confidence
        sample.key_source = Source(found.key_source)
    if sample.kind_source != Source.USER:
        sample.kind, sample.kind_source = found.kind, Source.ANALYSIS
    sample.sound_class, sample.root_note = found.sound_class, found.root_note
    sample.status, sample.error = SampleStatus.READY, ""
    samples.index(sample)

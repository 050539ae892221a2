"""Save the engine's results: the survey of every upload, then the analysis within the quota."""

import datetime as dt
from dataclasses import asdict
from functools import partial

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete

from sp404_app.audio.features import analysis
from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.audio.features.sound_words import Sounding, describe_sound
from sp404_app.audio.features.stated_values import StatedValues
from sp404_app.audio.features.survey import Survey
from sp404_app.audio.similarity.sound_map import place_on_map
from sp404_app.db import after_commit
from sp404_app.errors import QuotaExceeded
from sp404_app.models import (
    Analysis,
    JobStatus,
    Kind,
    ProcessingJob,
    Sample,
    SampleStatus,
    Source,
    Waveform,
)
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.infra import queue, storage
from sp404_app.services.library import changed_folders, samples
from sp404_app.services.library.changed_folders import Folder
from sp404_app.services.processing import jobs
from sp404_app.services.sample.stated import show_stated_values

SURVEY_FIELDS = (
    "true_peak_dbtp", "silence_head", "silence_tail", "clipped", "dc_offset", "dual_mono",
    "truncated",
)  # fmt: skip
COLUMN_FIELDS = ("kind", "kind_confidence", "bpm", "bpm_confidence", "key", "key_confidence")


def begin_analysis(session: Session, job: ProcessingJob) -> Sample | None:
    """Show the sample of a job as being analysed and return it; None if it was deleted.

    A re-analysis that no user requested does not change what the sample shows.
    """
    sample = session.get(Sample, job.sample_id)
    if sample and job.queue != queue.LOW:
        sample.status, sample.error = SampleStatus.ANALYSING, ""
        session.add(sample)
        samples.publish_sample(session, sample.user_id, sample.id)
    return sample


def save_survey(
    session: Session,
    job: ProcessingJob,
    surveyed: Survey,
    preview_key: str | None,
    stated: StatedValues,
) -> bool:
    """Save the survey, which no plan limits; return whether the quota allows the analysis.

    If it does not, the sample shows the values that are stated.
    """
    sample = session.get_one(Sample, job.sample_id, with_for_update=True)
    sample.duration = surveyed.duration
    sample.sample_rate, sample.channels = surveyed.header.sample_rate, surveyed.header.channels
    sample.loudness_lufs, sample.peak_dbfs = surveyed.loudness_lufs, surveyed.peak_dbfs
    sample.thumbnail = surveyed.peaks.thumbnail()
    if preview_key and sample.preview_key and preview_key != sample.preview_key:
        # A player has requested a preview meanwhile; that one is kept.
        after_commit(session, partial(storage.delete_object, preview_key))
    sample.preview_key = sample.preview_key or preview_key
    samples.update_digest(session, sample, surveyed.digest)
    peaks = {"peaks": surveyed.peaks.to_bytes()}
    row = insert(Waveform).values(sample_id=sample.id, user_id=sample.user_id, **peaks)
    session.execute(row.on_conflict_do_update(index_elements=["sample_id"], set_=peaks))
    samples.publish_sample(session, sample.user_id, sample.id)
    if _reserve_quota(session, job, sample):
        return True
    show_stated_values(sample, stated)
    session.add(sample)
    return False


def _reserve_quota(session: Session, job: ProcessingJob, sample: Sample) -> bool:
    row = session.get_one(ProcessingJob, job.id)
    # Analyses that no user requested are free. A retried job was counted at its first attempt.
    if row.queue == queue.LOW or row.usage_period_start:
        return True
    try:
        with session.begin_nested():
            row.usage_period_start = quotas.reserve_analysis(session, sample.user_id)
            session.add(row)
    except QuotaExceeded as refusal:
        analysed = jobs.has_finished_analysis(session, sample.id)
        sample.status = SampleStatus.READY if analysed else SampleStatus.WAITING_FOR_QUOTA
        sample.error = "" if analysed else str(refusal)
        session.add(sample)
        jobs.finish_job(session, job.id, JobStatus.DONE)
        return False
    return True


def delete_unused_preview(session: Session, job: ProcessingJob, preview_key: str) -> None:
    """Delete a preview that was encoded but not saved with its sample."""
    sample = session.get(Sample, job.sample_id)
    if sample is None or sample.preview_key != preview_key:
        after_commit(session, partial(storage.delete_object, preview_key))


def save_analysis(
    session: Session,
    job: ProcessingJob,
    found: analysis.Analysis,
    surveyed: Survey,
    started: dt.datetime,
) -> None:
    """Save an analysis, replacing one by the same engine version, and close its job."""
    sample = session.get_one(Sample, job.sample_id, with_for_update=True)
    values = asdict(found) | {field: getattr(surveyed, field) for field in SURVEY_FIELDS}
    session.exec(
        delete(Analysis).where(
            col(Analysis.sample_id) == sample.id,
            col(Analysis.engine_version) == ENGINE_VERSION,
        )
    )
    lists = {k: list(values.pop(k)) for k in ("bpm_candidates", "key_candidates")}
    # The engine counts from the start of its window; rows count from the start of the sample.
    offset = surveyed.window_start
    times = {k: [offset + time for time in values.pop(k)] for k in ("beats", "onsets")}
    del values["likeness"]
    columns = {field: values.pop(field) for field in COLUMN_FIELDS}
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
            **columns,
        )
    )
    _apply_to_sample(sample, found)
    session.add(sample)
    if found.bpm:
        changed_folders.mark_changed(session, [Folder(sample.user_id, sample.folder)])
    jobs.finish_job(session, job.id, JobStatus.DONE)
    samples.publish_sample(session, sample.user_id, sample.id)


def _apply_to_sample(sample: Sample, found: analysis.Analysis) -> None:
    """Copy measured values to the sample, except those that a user has set."""
    if sample.bpm_source != Source.USER:
        sample.bpm, sample.bpm_confidence = found.bpm, found.bpm_confidence
        sample.bpm_source = Source(found.bpm_source)
    if sample.key_source != Source.USER:
        sample.key, sample.key_confidence = found.key, found.key_confidence
        sample.key_source = Source(found.key_source)
    if sample.kind_source != Source.USER:
        sample.kind, sample.kind_source = found.kind, Source.ANALYSIS
    if sample.sound_class_source != Source.USER:
        sample.sound_class = found.sound_class
    sample.root_note = found.root_note
    sample.map_x, sample.map_y = place_on_map(found.likeness)
    sample.sound_words = list(
        describe_sound(
            Sounding(
                found.sound_class,
                found.kind == Kind.LOOP,
                sample.duration or 0.0,
                found.brightness,
                found.noisiness,
                found.attack,
                found.decay,
                sample.loudness_lufs,
            )
        )
    )
    sample.status, sample.error = SampleStatus.READY, ""
    samples.update_search_fields(sample)

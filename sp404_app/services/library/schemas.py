"""JSON views of samples, quotas and jobs, for the API and for events."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sp404_app.audio.features.musical_keys import camelot
from sp404_app.models import ProcessingJob, Sample
from sp404_app.services.billing.quotas import QuotaUsage

# Columns of `Sample` by JSON field, where their names differ.
SAMPLE_COLUMNS = {"copy_group": "duplicate_group_id"}


@dataclass(frozen=True, slots=True)
class SampleView:
    """A sample in seconds, Hz, bytes, BPM, MIDI note, LUFS and dBFS; None where unknown.

    Duplicates of one recording have the same `copy_group`, also in the trash. `shared_by` names
    the person from whose link a sample was saved; it is empty for all others.
    """

    id: uuid.UUID
    name: str
    filename: str
    folder: str
    status: str
    error: str
    kind: str | None
    sound_class: str | None
    root_note: int | None
    duration: float | None
    sample_rate: int | None
    channels: int | None
    format: str
    size: int
    bpm: float | None
    bpm_source: str
    bpm_confidence: float | None
    key: str | None
    key_source: str
    key_confidence: float | None
    camelot: str | None
    loudness_lufs: float | None
    peak_dbfs: float | None
    copy_group: uuid.UUID | None
    tags: list[str]
    favourite: bool
    rating: int
    note: str
    shared_by: str
    deleted_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


def sample_view(sample: Sample) -> SampleView:
    """Return the JSON view of a sample."""
    values = {
        field: getattr(sample, SAMPLE_COLUMNS.get(field, field))
        for field in SampleView.__dataclass_fields__
        if field != "camelot"
    }
    return SampleView(**values, camelot=camelot(sample.key) if sample.key else None)


@dataclass(frozen=True, slots=True)
class StorageView:
    """Storage in bytes; a limit of None means unlimited."""

    used_bytes: int
    limit_bytes: int | None


@dataclass(frozen=True, slots=True)
class AnalysesView:
    """Analyses in the usage period; a limit of None means unlimited."""

    used: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class QuotaView:
    """Usage and limits of the plan in the current usage period."""

    tier: str
    period_start: dt.datetime
    period_end: dt.datetime
    storage: StorageView
    analyses: AnalysesView


def quota_view(used: QuotaUsage) -> QuotaView:
    """Return the JSON view of a user's usage."""
    return QuotaView(
        used.tier,
        used.period.start,
        used.period.end,
        StorageView(used.storage_used, used.storage_limit),
        AnalysesView(used.analyses_used, used.analyses_limit),
    )


@dataclass(frozen=True, slots=True)
class JobView:
    """A background job; progress is 0 to 1."""

    id: uuid.UUID
    kind: str
    status: str
    progress: float
    error: str
    sample_id: uuid.UUID | None
    result: dict[str, Any] | None
    created_at: dt.datetime
    finished_at: dt.datetime | None


def job_view(job: ProcessingJob) -> JobView:
    """Return the JSON view of a job."""
    return JobView(**{field: getattr(job, field) for field in JobView.__dataclass_fields__})

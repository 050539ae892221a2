"""The sample page's data: the sample, its newest analysis, and its beat grid."""

import uuid
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlmodel import Session, and_, col, select

from sp404_app.audio.features.stated_values import read_stated_values
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import Analysis, Sample, SampleStatus, Source
from sp404_app.services.library import changed_folders, samples
from sp404_app.services.library.changed_folders import Folder
from sp404_app.services.sample.folder_tempo import FOLDER_TEMPO, FolderTempo
from sp404_app.services.sample.stated import show_stated_values

SAME_TEMPO_BPM: Final = 0.02  # closer tempi count as equal
MAX_BEATS: Final = 4000
END_MARGIN_S: Final = 0.01  # a beat this close to the end belongs to the next repetition
BEATS_PER_BAR: Final = 4
MEASURED: Final = {
    "bpm": ("bpm", "bpm_confidence"),
    "key": ("key", "key_confidence"),
    "kind": ("kind",),
}


@dataclass(frozen=True, slots=True)
class SampleDetails:
    """A sample and its newest finished analysis, if it has one."""

    sample: Sample
    analysis: Analysis | None


@dataclass(frozen=True, slots=True)
class BeatGrid:
    """Beats and onsets in seconds from the start of the sample.

    `downbeat` is the index of the first beat that begins a bar.
    """

    beats: list[float]
    downbeat: int
    onsets: list[float]


def find_sample_details(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID
) -> SampleDetails:
    """Return a user's sample with its newest finished analysis.

    Raises:
        NotFound: If it does not exist or belongs to someone else.
    """
    finished = and_(
        col(Analysis.sample_id) == col(Sample.id), col(Analysis.status) == SampleStatus.READY
    )
    found = session.exec(
        select(Sample, Analysis)
        .join(Analysis, finished, isouter=True)
        .where(Sample.id == sample_id, Sample.user_id == user_id)
        .order_by(col(Analysis.created_at).desc().nulls_last())
        .limit(1)
    ).first()
    if found is None:
        raise NotFound("There is no such sample.")
    return SampleDetails(*found)


def reset_to_analysis(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, field: str
) -> Sample:
    """Replace the user's own tempo, key or kind by the value from the analysis.

    Raises:
        ValidationFailed: If the field is none of these.
        NotFound: If the sample does not exist or belongs to someone else.
    """
    if field not in MEASURED:
        raise ValidationFailed("The analysis doesn't measure this.")
    sample = samples.get_sample(session, user_id, sample_id, lock=True)
    analysis = find_sample_details(session, user_id, sample_id).analysis
    for name in MEASURED[field]:
        setattr(sample, name, getattr(analysis, name) if analysis else None)
    if field != "key":
        changed_folders.mark_changed(session, [Folder(user_id, sample.folder)])
    setattr(sample, f"{field}_source", Source.ANALYSIS)
    evidence = folder_tempo_of(analysis) if field == "bpm" else None
    if evidence:
        sample.bpm, sample.bpm_confidence = evidence.bpm, evidence.confidence
    if analysis is None:
        length = sample.duration or 0.0
        show_stated_values(sample, read_stated_values(sample.folder, sample.filename, length))
    samples.update_search_fields(sample)
    session.add(sample)
    session.flush()
    samples.publish_sample(session, user_id, sample_id)
    return sample


def folder_tempo_of(analysis: Analysis | None) -> FolderTempo | None:
    """Return what the other loops of the folder say about the tempo; None if they say nothing."""
    return FolderTempo.from_json(analysis.content.get(FOLDER_TEMPO)) if analysis else None


def beat_grid(details: SampleDetails) -> BeatGrid:
    """Return the beats of the sample's current tempo, and its onsets.

    If the user changed the tempo, the beats are evenly spaced around the analysed downbeat.
    """
    sample, analysis = details.sample, details.analysis
    if analysis is None:
        return BeatGrid([], 0, [])
    last = (sample.duration or float("inf")) - END_MARGIN_S
    beats = [round(at, 4) for at in analysis.beats if at < last]
    downbeat = int(analysis.content.get("downbeat") or 0)
    onsets = [round(at, 4) for at in analysis.onsets]
    if not sample.bpm:
        return BeatGrid([], 0, onsets)
    if analysis.bpm and abs(sample.bpm - analysis.bpm) < SAME_TEMPO_BPM:
        return BeatGrid(beats, downbeat, onsets)
    anchor = beats[min(downbeat, len(beats) - 1)] if beats else next(iter(onsets), 0.0)
    return BeatGrid(*_even_beats(anchor, sample.bpm, sample.duration or 0.0), onsets)


def _even_beats(anchor: float, bpm: float, duration: float) -> tuple[list[float], int]:
    """Return evenly spaced beats with a downbeat at `anchor`, and the index of the first one."""
    period = 60 / bpm
    before = int(anchor / period + 1e-6)
    first = anchor - before * period
    count = min(MAX_BEATS, max(0, int(np.ceil((duration - END_MARGIN_S - first) / period))))
    times = first + period * np.arange(count)
    return [round(float(time), 4) for time in times], before % BEATS_PER_BAR

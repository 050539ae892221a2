"""What the page of one sound needs: the sample, its newest analysis, and the grid it implies."""

import uuid
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlmodel import Session, and_, col, select

from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import Analysis, Sample, SampleStatus, Source
from sp404_app.services.library import samples

SAME_TEMPO: Final = 0.02  # BPM: closer values are the same answer
MAX_BEATS: Final = 4000
EDGE: Final = 0.01  # seconds: a beat this close to the end is the first of the next round
BEATS_A_BAR: Final = 4
MEASURED: Final = {
    "bpm": ("bpm", "bpm_confidence"),
    "key": ("key", "key_confidence"),
    "kind": ("kind",),
}


@dataclass(frozen=True, slots=True)
class Details:
    """A sample and the newest finished analysis of it, if there is one."""

    sample: Sample
    analysis: Analysis | None


@dataclass(frozen=True, slots=True)
class Grid:
    """Moments in seconds from the start of the sound; `downbeat` is the first beat of a bar."""

    beats: list[float]
    downbeat: int
    onsets: list[float]


def find_sample(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> Details:
    """Return one of the person's samples with its newest finished analysis.

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
    return Details(*found)


def use_analysis(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, field: str) -> Sample:
    """Give up a person's own tempo, key or kind for what the analysis heard.

    Raises:
        ValidationFailed: If the field is not one that analyses measure.
        NotFound: If the sample is not the person's.
    """
    if field not in MEASURED:
        raise ValidationFailed("The analysis does not measure that.")
    sample = samples.get(session, user_id, sample_id, lock=True)
    heard = find_sample(session, user_id, sample_id).analysis
    for name in MEASURED[field]:
        setattr(sample, name, getattr(heard, name) if heard else None)
    setattr(sample, f"{field}_source", Source.ANALYSIS)
    samples.index(sample)
    session.add(sample)
    session.flush()
    samples.publish_sample(session, user_id, sample_id)
    return sample


def grid(details: Details) -> Grid:
    """Return the beats of the tempo that counts now, and the onsets.

    A tempo of the person's own keeps the first downbeat that was heard and lays its beats from
    there in both directions.
    """
    sample, heard = details.sample, details.analysis
    if heard is None:
        return Grid([], 0, [])
    last = (sample.duration or float("inf")) - EDGE
    beats = [round(at, 4) for at in heard.beats if at < last]
    downbeat = int(heard.content.get("downbeat") or 0)
    onsets = [round(at, 4) for at in heard.onsets]
    if not sample.bpm:
        return Grid([], 0, onsets)
    if heard.bpm and abs(sample.bpm - heard.bpm) < SAME_TEMPO:
        return Grid(beats, downbeat, onsets)
    anchor = beats[min(downbeat, len(beats) - 1)] if beats else next(iter(onsets), 0.0)
    return Grid(*_laid(anchor, sample.bpm, sample.duration or 0.0), onsets)


def _laid(anchor: float, bpm: float, duration: float) -> tuple[list[float], int]:
    """Lay beats through `anchor`, which begins a bar; return them and the first downbeat."""
    period = 60 / bpm
    before = int(anchor / period + 1e-6)
    first = anchor - before * period
    count = min(MAX_BEATS, max(0, int(np.ceil((duration - EDGE - first) / period))))
    times = first + period * np.arange(count)
    return [round(float(time), 4) for time in times], before % BEATS_A_BAR

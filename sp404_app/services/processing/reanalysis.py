"""Sounds that an older engine heard are heard again, when nothing else is to be done.

Nobody asked for it: it runs in the lowest queue, counts for nothing, shows no sound as busy,
and leaves what people corrected as it is.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from sp404_app.audio.features.analysis import ENGINE_VERSION
from sp404_app.models import Analysis, JobKind, JobStatus, ProcessingJob, Sample, SampleStatus
from sp404_app.services.infra import queue
from sp404_app.services.processing import jobs

AT_ONCE = 100  # keeps two workers busy from one round of housekeeping to the next


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of a person's analysed sounds the present engine has heard."""

    heard: int
    total: int


def renew(session: Session) -> int:
    """Queue some of the sounds that only an older engine has heard; return how many are under way.

    None under way means that none is left: the question costs a look at every sound there is.
    """
    under_way = select(func.count()).where(
        ProcessingJob.queue == queue.LOW,
        col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
    )
    busy = session.exec(under_way).one()
    room = AT_ONCE - busy
    if room <= 0:
        return busy
    outdated = (
        select(Sample)
        .where(*_analysed(), ~_heard(), ~_busy())
        .order_by(col(Sample.id))
        .limit(room)
        .with_for_update(skip_locked=True)
    )
    found = session.exec(outdated).all()
    for sample in found:
        jobs.add_analysis(session, sample.user_id, sample.id, queue.LOW)
    return busy + len(found)


def progress(session: Session, user_id: uuid.UUID) -> Progress:
    """Return how far the renewal of a person's library is."""
    mine = select(func.count()).where(*_analysed(), Sample.user_id == user_id)
    return Progress(session.exec(mine.where(_heard())).one(), session.exec(mine).one())


def _analysed() -> tuple[ColumnElement[bool], ...]:
    return (col(Sample.status) == SampleStatus.READY, col(Sample.deleted_at).is_(None))


def _heard() -> ColumnElement[bool]:
    return (
        select(Analysis.id)
        .where(Analysis.sample_id == Sample.id, Analysis.engine_version == ENGINE_VERSION)
        .exists()
    )


def _busy() -> ColumnElement[bool]:
    return (
        select(ProcessingJob.id)
        .where(
            ProcessingJob.sample_id == Sample.id,
            ProcessingJob.kind == JobKind.ANALYSE,
            col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
        )
        .exists()
    )

"""Enqueue samples that wait for the analysis quota, once it has room again."""

import uuid

from sqlmodel import Session, col, func, select

from sp404_app.models import Sample, SampleStatus
from sp404_app.services.billing import quotas
from sp404_app.services.processing import jobs

MAX_BATCH = 500


def enqueue_waiting_samples(session: Session) -> int:
    """Enqueue the waiting samples of all users, as many as their analysis quotas allow."""
    waiting = select(Sample.user_id).where(
        Sample.status == SampleStatus.WAITING_FOR_QUOTA, col(Sample.deleted_at).is_(None)
    )
    return sum(
        enqueue_waiting_samples_of(session, user_id)
        for user_id in session.exec(waiting.distinct()).all()
    )


def count_waiting_samples(session: Session, user_id: uuid.UUID) -> int:
    """Return how many of a user's samples wait for the analysis quota."""
    waiting = select(func.count()).where(
        Sample.user_id == user_id,
        Sample.status == SampleStatus.WAITING_FOR_QUOTA,
        col(Sample.deleted_at).is_(None),
    )
    return session.exec(waiting).one()


def enqueue_waiting_samples_of(session: Session, user_id: uuid.UUID) -> int:
    """Enqueue a user's waiting samples, as many as the analysis quota allows; return how many."""
    if quotas.is_blocked(session, user_id):
        return 0
    used = quotas.get_quota_usage(session, user_id)
    limit = used.analyses_limit
    room = MAX_BATCH if limit is None else limit - used.analyses_used
    if room <= 0:
        return 0
    oldest = (
        select(Sample)
        .where(
            Sample.user_id == user_id,
            Sample.status == SampleStatus.WAITING_FOR_QUOTA,
            col(Sample.deleted_at).is_(None),
        )
        .order_by(col(Sample.id))
        .limit(room)
        .with_for_update(skip_locked=True)
    )
    found = session.exec(oldest).all()
    for sample in found:
        sample.status, sample.error = SampleStatus.QUEUED, ""
        session.add(sample)
        jobs.publish_job(session, jobs.enqueue_analysis(session, user_id, sample.id))
    return len(found)

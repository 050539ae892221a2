"""Every night: does our mirror say what Stripe says? What does not is healed and reported."""

import datetime as dt
import uuid
from functools import partial
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from sp404_app.db import after_commit
from sp404_app.models import BillingCustomer, ReconcileReport
from sp404_app.models.columns import now
from sp404_app.services.billing import customers, refunds, stripe_client, sync
from sp404_app.services.billing.stripe_client import stripe_errors, to_plain_dict
from sp404_app.services.infra import queue

HOUR = 3  # UTC: when few people are here and no month begins
# A worker that did not finish by then was killed; it may take an hour (`queue.LONG`).
LOST = dt.timedelta(hours=2)


def call_nightly(session: Session, at: dt.datetime) -> int:
    """Call a worker for tonight's comparison, once for all processes; return whether we did.

    One that a worker began and never finished is called for again. What an operator compared by
    hand earlier that day does not count.
    """
    if at.hour < HOUR:
        return 0
    tonight = dt.datetime.combine(at.date(), dt.time(HOUR), dt.UTC)
    row = insert(ReconcileReport).values(
        day=at.date(), checked=0, healed=[], problems=[], started_at=at
    )
    lost = col(ReconcileReport.finished_at).is_(None) & (ReconcileReport.started_at < at - LOST)
    by_hand = col(ReconcileReport.finished_at) < tonight
    ours = session.execute(
        row.on_conflict_do_update(
            index_elements=["day"],
            set_={"started_at": at, "finished_at": None},
            where=lost | by_hand,
        ).returning(col(ReconcileReport.day))
    ).scalar()
    if ours is None:
        return 0
    _call(session, ours)
    return 1


def call_now(session: Session) -> None:
    """Call a worker for a comparison, whatever the hour."""
    _call(session, now().date())


def _call(session: Session, day: dt.date) -> None:
    after_commit(
        session,
        partial(
            queue.enqueue_function, "sp404_app.jobs.billing.reconcile", day.isoformat(), slow=True
        ),
    )


def everybody(session: Session) -> list[uuid.UUID]:
    """Return everybody who ever came near a payment, who was looked at longest ago first.

    A comparison that is cut short goes on with the others the next time.
    """
    mine = select(BillingCustomer.user_id).where(
        BillingCustomer.realm == stripe_client.stripe_mode()
    )
    longest_ago = col(BillingCustomer.synced_at).asc().nulls_first()
    return list(session.exec(mine.order_by(longest_ago, col(BillingCustomer.user_id))))


def strangers(session: Session) -> list[str]:
    """Take up living subscriptions of people whose row we lost; return whose nobody is here.

    Raises:
        AppError: If Stripe does not answer.
    """
    with stripe_errors():
        listed = stripe_client.client().v1.subscriptions.list({"limit": 100})
        living = [to_plain_dict(found) for found in listed.auto_paging_iter()]
    ids = sorted({str(found["customer"]) for found in living})
    return [
        f"{stripe_id} pays for a subscription and is nobody here"
        for stripe_id in ids
        if customers.owner(session, stripe_id) is None
    ]


def one(session: Session, user_id: uuid.UUID) -> tuple[list[str], list[str]]:
    """Compare and heal one person; return what was healed, and what needs an operator.

    Raises:
        AppError: If Stripe does not answer.
    """
    outcome = sync.sync_customer(session, user_id)
    disputes = refunds.look(session, user_id)
    return (
        [f"{user_id}: {change}" for change in outcome.healed],
        [f"{user_id}: {problem}" for problem in (*outcome.problems, *disputes)],
    )


def report(
    session: Session, day: dt.date, checked: int, healed: list[str], problems: list[str]
) -> None:
    """Keep what a comparison found, after what others healed that day; problems are the newest."""
    values: dict[str, Any] = {"checked": checked, "problems": problems, "finished_at": now()}
    row = insert(ReconcileReport).values(day=day, healed=healed, **values)
    all_healed = col(ReconcileReport.healed).concat(row.excluded.healed)
    session.execute(
        row.on_conflict_do_update(index_elements=["day"], set_=values | {"healed": all_healed})
    )


def latest(session: Session) -> ReconcileReport | None:
    """Return the newest report."""
    newest = select(ReconcileReport).order_by(col(ReconcileReport.day).desc())
    return session.exec(newest).first()

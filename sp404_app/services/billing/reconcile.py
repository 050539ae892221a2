"""Every night: does our mirror say what Stripe says? What does not is healed and reported."""

import datetime as dt
import uuid
from functools import partial

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from sp404_app.db import after_commit
from sp404_app.models import BillingCustomer, ReconcileReport
from sp404_app.models.columns import now
from sp404_app.services import queue
from sp404_app.services.billing import client, customers, sync
from sp404_app.services.billing.client import asking, plain

HOUR = 3  # UTC: when few people are here and no month begins


def call_nightly(session: Session, at: dt.datetime) -> int:
    """Call a worker for tonight's comparison, once for all processes; return whether we did."""
    if at.hour < HOUR:
        return 0
    row = insert(ReconcileReport).values(day=at.date(), checked=0, healed=[], problems=[])
    ours = session.execute(
        row.on_conflict_do_nothing().returning(col(ReconcileReport.day))
    ).scalar()
    if ours is None:
        return 0
    after_commit(
        session,
        partial(queue.call, "sp404_app.jobs.billing.reconcile", ours.isoformat(), slow=True),
    )
    return 1


def everybody(session: Session) -> list[uuid.UUID]:
    """Return everybody who ever came near a payment."""
    mine = select(BillingCustomer.user_id).where(BillingCustomer.realm == client.realm())
    return list(session.exec(mine.order_by(col(BillingCustomer.user_id))))


def strangers(session: Session) -> list[str]:
    """Take up living subscriptions of people whose row we lost; return whose nobody is here.

    Raises:
        AppError: If Stripe does not answer.
    """
    with asking():
        listed = client.client().v1.subscriptions.list({"limit": 100})
        living = [plain(found) for found in listed.auto_paging_iter()]
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
    outcome = sync.person(session, user_id)
    return (
        [f"{user_id}: {change}" for change in outcome.healed],
        [f"{user_id}: {problem}" for problem in outcome.problems],
    )


def report(
    session: Session, day: dt.date, checked: int, healed: list[str], problems: list[str]
) -> None:
    """Keep what a comparison found."""
    values = {"checked": checked, "healed": healed, "problems": problems, "finished_at": now()}
    row = insert(ReconcileReport).values(day=day, **values)
    session.execute(row.on_conflict_do_update(index_elements=["day"], set_=values))


def latest(session: Session) -> ReconcileReport | None:
    """Return the newest report."""
    newest = select(ReconcileReport).order_by(col(ReconcileReport.day).desc())
    return session.exec(newest).first()

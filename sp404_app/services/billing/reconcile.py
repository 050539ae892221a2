"""Nightly reconcile: compare our tables with Stripe, fix differences and save a report."""

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

NIGHTLY_HOUR_UTC = 3  # low traffic, and no usage month starts at this hour
# A run that has not finished by then was killed: `queue.SLOW_JOB_TIMEOUT_S` is one hour.
STALE_AFTER = dt.timedelta(hours=2)


def enqueue_nightly_reconcile(session: Session, at: dt.datetime) -> int:
    """Enqueue tonight's reconcile run once across all processes; return 1 if this call did, else 0.

    A run that never finished is enqueued again after STALE_AFTER. A manual run earlier the same day
    does not replace the nightly one.
    """
    if at.hour < NIGHTLY_HOUR_UTC:
        return 0
    tonight = dt.datetime.combine(at.date(), dt.time(NIGHTLY_HOUR_UTC), dt.UTC)
    row = insert(ReconcileReport).values(
        day=at.date(), checked=0, healed=[], problems=[], started_at=at
    )
    stale = col(ReconcileReport.finished_at).is_(None) & (
        ReconcileReport.started_at < at - STALE_AFTER
    )
    manual = col(ReconcileReport.finished_at) < tonight
    claimed_day = session.execute(
        row.on_conflict_do_update(
            index_elements=["day"],
            set_={"started_at": at, "finished_at": None},
            where=stale | manual,
        ).returning(col(ReconcileReport.day))
    ).scalar()
    if claimed_day is None:
        return 0
    _enqueue_after_commit(session, claimed_day)
    return 1


def enqueue_reconcile(session: Session) -> None:
    """Enqueue a reconcile run now."""
    _enqueue_after_commit(session, now().date())


def _enqueue_after_commit(session: Session, day: dt.date) -> None:
    after_commit(
        session,
        partial(
            queue.enqueue_function, "sp404_app.jobs.billing.reconcile", day.isoformat(), slow=True
        ),
    )


def list_billed_users(session: Session) -> list[uuid.UUID]:
    """Return every user with a billing row, least recently synced first.

    An interrupted run therefore continues with the remaining users next time.
    """
    query = select(BillingCustomer.user_id).where(
        BillingCustomer.realm == stripe_client.stripe_mode()
    )
    least_recent = col(BillingCustomer.synced_at).asc().nulls_first()
    return list(session.exec(query.order_by(least_recent, col(BillingCustomer.user_id))))


def find_unknown_payers(session: Session) -> list[str]:
    """Relink customers whose row was lost; report subscriptions whose customer has no user here.

    Raises:
        AppError: If Stripe does not answer.
    """
    with stripe_errors():
        listed = stripe_client.client().v1.subscriptions.list({"limit": 100})
        subscriptions = [to_plain_dict(found) for found in listed.auto_paging_iter()]
    ids = sorted({str(found["customer"]) for found in subscriptions})
    return [
        f"{stripe_id} has a subscription but no user here"
        for stripe_id in ids
        if customers.find_customer_owner(session, stripe_id) is None
    ]


def reconcile_user(session: Session, user_id: uuid.UUID) -> tuple[list[str], list[str]]:
    """Sync one user; return the differences that were fixed, and the problems left for an operator.

    Raises:
        AppError: If Stripe does not answer.
    """
    result = sync.sync_customer(session, user_id)
    disputes = refunds.sync_refunds(session, user_id)
    return (
        [f"{user_id}: {change}" for change in result.changes],
        [f"{user_id}: {problem}" for problem in (*result.problems, *disputes)],
    )


def save_report(
    session: Session, day: dt.date, checked: int, fixed: list[str], problems: list[str]
) -> None:
    """Save the report of a day: fixes are appended to earlier runs', problems replace them."""
    values: dict[str, Any] = {"checked": checked, "problems": problems, "finished_at": now()}
    row = insert(ReconcileReport).values(day=day, healed=fixed, **values)
    all_healed = col(ReconcileReport.healed).concat(row.excluded.healed)
    session.execute(
        row.on_conflict_do_update(index_elements=["day"], set_=values | {"healed": all_healed})
    )


def latest_report(session: Session) -> ReconcileReport | None:
    """Return the newest report, or None."""
    newest = select(ReconcileReport).order_by(col(ReconcileReport.day).desc())
    return session.exec(newest).first()

"""Undo a scheduled cancellation: on request, or once the upgrade that replaces it is paid."""

from typing import Any

import structlog
from sqlmodel import Session, select

from sp404_app.errors import Conflict, NotFound
from sp404_app.models import BillingCustomer, Invoice, Subscription
from sp404_app.services.billing import customers, entitlements, stripe_client
from sp404_app.services.billing.stripe_client import StripeDict, to_plain_dict

log = structlog.get_logger()


def undo_cancellation(session: Session, customer: BillingCustomer, row: Subscription) -> StripeDict:
    """Undo a cancellation set by either `cancel_at_period_end` or `cancel_at`.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    at_period_end = row.raw.get("cancel_at_period_end")
    params: Any = {"cancel_at_period_end": False} if at_period_end else {"cancel_at": ""}
    with customers.idempotent_write(session, customer, f"stay:{row.stripe_id}") as options:
        return to_plain_dict(
            stripe_client.client().v1.subscriptions.update(row.stripe_id, params, {**options})
        )


def undo_cancellation_once_paid(session: Session, customer: BillingCustomer) -> None:
    """Undo the cancellation if its upgrade invoice (`stay_invoice`) was paid; clear a settled one.

    Raises:
        AppError: If Stripe does not answer.
    """
    row = entitlements.find_current_subscription(session, customer.user_id)
    if row is None or not row.stay_invoice:
        return
    query = select(Invoice.status).where(Invoice.stripe_id == row.stay_invoice)
    status = session.exec(query).first()
    if status in {"open", "draft"}:
        return
    if status == "paid" and row.cancel_at:
        _try_undo_cancellation(session, customer, row)
    row.stay_invoice = ""
    session.add(row)
    session.flush()


def _try_undo_cancellation(session: Session, customer: BillingCustomer, row: Subscription) -> None:
    try:
        row.raw = undo_cancellation(session, customer, row)
    except (Conflict, NotFound):  # the billing page shows the end date, and the user can resume
        log.exception("paid upgrade could not undo cancellation", subscription=row.stripe_id)
        return
    row.cancel_at = row.canceled_at = None

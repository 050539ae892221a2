"""Taking a cancellation back: at once, or when the upgrade that replaces it is paid."""

from typing import Any

import structlog
from sqlmodel import Session, select

from sp404_app.errors import Conflict, NotFound
from sp404_app.models import BillingCustomer, Invoice, Subscription
from sp404_app.services.billing import customers, entitlements, stripe_client
from sp404_app.services.billing.stripe_client import Plain, to_plain_dict

log = structlog.get_logger()


def stay(session: Session, customer: BillingCustomer, row: Subscription) -> Plain:
    """Take a cancellation back, in whichever of its two shapes it was made.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    shaped = {"cancel_at_period_end": False} if row.raw.get("cancel_at_period_end") else None
    params: Any = shaped or {"cancel_at": ""}
    with customers.writing(session, customer, f"stay:{row.stripe_id}") as options:
        return to_plain_dict(
            stripe_client.client().v1.subscriptions.update(row.stripe_id, params, {**options})
        )


def settle(session: Session, customer: BillingCustomer) -> None:
    """Take the cancellation back whose upgrade is paid now; forget an upgrade that was given up.

    Raises:
        AppError: If Stripe does not answer.
    """
    row = entitlements.current_subscription(session, customer.user_id)
    if row is None or not row.stay_invoice:
        return
    mine = select(Invoice.status).where(Invoice.stripe_id == row.stay_invoice)
    status = session.exec(mine).first()
    if status in {"open", "draft"}:
        return
    if status == "paid" and row.cancel_at:
        _stay(session, customer, row)
    row.stay_invoice = ""
    session.add(row)
    session.flush()


def _stay(session: Session, customer: BillingCustomer, row: Subscription) -> None:
    try:
        row.raw = stay(session, customer, row)
    except (Conflict, NotFound):  # the person still sees when it ends, and can resume
        log.exception(
            "a paid upgrade could not take a cancellation back", subscription=row.stripe_id
        )
        return
    row.cancel_at = row.canceled_at = None

"""Refunds and disputes: record them on the invoice and email the user.

They never change the plan. Whether a plan should end is an operator's decision, made by cancelling
the subscription at Stripe.
"""

import uuid
from collections.abc import Iterator
from typing import Any

import structlog
from sqlmodel import Session, col, select, update

from sp404_app.models import BillingCustomer, Invoice
from sp404_app.services.billing import (
    currency,
    customers,
    notifications,
    stripe_client,
    stripe_parsing,
)
from sp404_app.services.billing.stripe_client import (
    CustomerGone,
    StripeDict,
    stripe_errors,
    to_plain_dict,
)

RECENT_CHARGES = 30
WON_STATUSES = frozenset({"won", "warning_closed", "prevented"})
CLOSED_STATUSES = WON_STATUSES | {"lost", "charge_refunded"}
REFUND_EVENTS = ("charge.refunded", "charge.dispute.created", "charge.dispute.closed")

log = structlog.get_logger()


def fetch_disputed_customer(event_id: str) -> str:
    """Return the customer id of a dispute event, which itself names only the charge.

    Raises:
        AppError: If Stripe does not answer, or has no such event.
    """
    stripe = stripe_client.client().v1
    with stripe_errors():
        dispute = to_plain_dict(stripe.events.retrieve(event_id))["data"]["object"]
        charge_id = stripe_parsing.object_id(dispute.get("charge"))
        charge = to_plain_dict(stripe.charges.retrieve(charge_id))
    return stripe_parsing.object_id(charge.get("customer"))


def sync_refunds(session: Session, user_id: uuid.UUID) -> list[str]:
    """Save and email the user's recent refunds and disputes; return open disputes as problems.

    Raises:
        AppError: If Stripe does not answer.
    """
    customer = customers.lock_customer(session, user_id)
    if customer.stripe_id is None:
        return []
    try:
        with stripe_errors():
            charges = list(_returned_charges(customer.stripe_id))
            invoice_ids = {charge["id"]: _paid_invoice_id(charge) for charge in charges}
            disputes = {charge["id"]: _dispute_status(charge) for charge in charges}
    except CustomerGone:
        return []
    problems: list[str] = []
    for charge in charges:
        invoice_id, dispute = invoice_ids[charge["id"]], disputes[charge["id"]]
        problems += _sync_charge(session, customer, charge, invoice_id, dispute)
    return problems


def _sync_charge(
    session: Session, customer: BillingCustomer, charge: StripeDict, invoice_id: str, dispute: str
) -> list[str]:
    """Save and email the refund or dispute of one charge; return a problem if it is disputed."""
    disputed = bool(dispute) and dispute not in WON_STATUSES
    notified = _notified_refund(session, customer, invoice_id)
    invoice = _save_refund(session, customer, charge, invoice_id, disputed=disputed)
    number = invoice.number if invoice else ""
    if (refunded := charge["amount_refunded"]) > notified:
        price = currency.format_amount(refunded - notified, charge["currency"])
        key = f"refund:{charge['id']}:{refunded}"
        notifications.notify_refund(session, customer.user_id, key, number, price)
    if not dispute or dispute in CLOSED_STATUSES:
        return []
    price = currency.format_amount(charge["amount"], charge["currency"])
    key = f"dispute:{charge['id']}"
    notifications.notify_dispute(session, customer.user_id, key, number, price)
    return [f"{customer.stripe_id} disputes {charge['id']} over {price}"]


def _returned_charges(customer_id: str) -> Iterator[StripeDict]:
    """Yield those of the customer's newest charges that were refunded or disputed."""
    listed = stripe_client.client().v1.charges.list(
        {"customer": customer_id, "limit": RECENT_CHARGES}
    )
    for found in listed.data:
        charge = to_plain_dict(found)
        if charge["amount_refunded"] or charge["disputed"]:
            yield charge


def _paid_invoice_id(charge: StripeDict) -> str:
    """Return the id of the invoice that a charge paid, or ""."""
    intent = stripe_parsing.object_id(charge.get("payment_intent"))
    if not intent:
        return ""
    params: Any = {"payment": {"type": "payment_intent", "payment_intent": intent}, "limit": 1}
    found = stripe_client.client().v1.invoice_payments.list(params).data
    return stripe_parsing.object_id(to_plain_dict(found[0])["invoice"]) if found else ""


def _dispute_status(charge: StripeDict) -> str:
    """Return the status of a charge's newest dispute, or ""."""
    if not charge["disputed"]:
        return ""
    found = stripe_client.client().v1.disputes.list({"charge": charge["id"], "limit": 1}).data
    return str(to_plain_dict(found[0])["status"]) if found else ""


def _notified_refund(session: Session, customer: BillingCustomer, invoice_id: str) -> int:
    """Return the refunded amount of an invoice that the user was already notified of."""
    is_invoice = (col(Invoice.stripe_id) == invoice_id) & (col(Invoice.user_id) == customer.user_id)
    return session.exec(select(Invoice.refunded).where(is_invoice)).first() or 0


def _save_refund(
    session: Session,
    customer: BillingCustomer,
    charge: StripeDict,
    invoice_id: str,
    *,
    disputed: bool,
) -> Invoice | None:
    is_invoice = (col(Invoice.stripe_id) == invoice_id) & (col(Invoice.user_id) == customer.user_id)
    values = {"refunded": charge["amount_refunded"], "disputed": disputed}
    session.exec(update(Invoice).where(is_invoice).values(values))
    log.warning("charge refunded or disputed", charge=charge["id"], **values)
    return session.exec(select(Invoice).where(is_invoice)).first()

"""Money that went back, by a refund or a dispute: it is said to everybody, and takes no plan away.

Whether a plan ends with it is an operator's decision, made at Stripe by cancelling.
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
    Plain,
    stripe_errors,
    to_plain_dict,
)

RECENT = 30
WON = frozenset({"won", "warning_closed", "prevented"})
CLOSED = WON | {"lost", "charge_refunded"}
EVENTS = ("charge.refunded", "charge.dispute.created", "charge.dispute.closed")

log = structlog.get_logger()


def customer_of(event_id: str) -> str:
    """Return whom an event about a dispute concerns: a dispute names its charge only.

    Raises:
        AppError: If Stripe does not answer, or has no such event.
    """
    stripe = stripe_client.client().v1
    with stripe_errors():
        about = to_plain_dict(stripe.events.retrieve(event_id))["data"]["object"]
        charge = stripe_parsing.ident(about.get("charge"))
        return stripe_parsing.ident(to_plain_dict(stripe.charges.retrieve(charge)).get("customer"))


def look(session: Session, user_id: uuid.UUID) -> list[str]:
    """Note what went back to a person and tell them; return what an operator has to look at.

    Raises:
        AppError: If Stripe does not answer.
    """
    customer = customers.locked(session, user_id)
    if customer.stripe_id is None:
        return []
    try:
        with stripe_errors():
            charges = list(_returned(customer.stripe_id))
            owners = {charge["id"]: _invoice_of(charge) for charge in charges}
            disputes = {charge["id"]: _dispute_of(charge) for charge in charges}
    except CustomerGone:
        return []
    problems: list[str] = []
    for charge in charges:
        dispute = disputes[charge["id"]]
        disputed = bool(dispute) and dispute not in WON
        told = _told(session, customer, owners[charge["id"]])
        invoice = _note(session, customer, charge, owners[charge["id"]], disputed=disputed)
        number = invoice.number if invoice else ""
        if (refunded := charge["amount_refunded"]) > told:
            price = currency.written(refunded - told, charge["currency"])
            key = f"refund:{charge['id']}:{refunded}"
            notifications.refunded(session, user_id, key, number, price)
        if dispute and dispute not in CLOSED:
            price = currency.written(charge["amount"], charge["currency"])
            notifications.disputed(session, user_id, f"dispute:{charge['id']}", number, price)
            problems.append(f"{customer.stripe_id} disputes {charge['id']} over {price}")
    return problems


def _returned(customer_id: str) -> Iterator[Plain]:
    listed = stripe_client.client().v1.charges.list({"customer": customer_id, "limit": RECENT})
    for found in listed.data:
        charge = to_plain_dict(found)
        if charge["amount_refunded"] or charge["disputed"]:
            yield charge


def _invoice_of(charge: Plain) -> str:
    """Return the invoice that a charge paid, or ""."""
    intent = stripe_parsing.ident(charge.get("payment_intent"))
    if not intent:
        return ""
    params: Any = {"payment": {"type": "payment_intent", "payment_intent": intent}, "limit": 1}
    found = stripe_client.client().v1.invoice_payments.list(params).data
    return stripe_parsing.ident(to_plain_dict(found[0])["invoice"]) if found else ""


def _dispute_of(charge: Plain) -> str:
    """Return how the newest dispute of a charge stands, or ""."""
    if not charge["disputed"]:
        return ""
    found = stripe_client.client().v1.disputes.list({"charge": charge["id"], "limit": 1}).data
    return str(to_plain_dict(found[0])["status"]) if found else ""


def _told(session: Session, customer: BillingCustomer, invoice_id: str) -> int:
    """Return how much of an invoice was said to be refunded before."""
    mine = (col(Invoice.stripe_id) == invoice_id) & (col(Invoice.user_id) == customer.user_id)
    return session.exec(select(Invoice.refunded).where(mine)).first() or 0


def _note(
    session: Session,
    customer: BillingCustomer,
    charge: Plain,
    invoice_id: str,
    *,
    disputed: bool,
) -> Invoice | None:
    mine = (col(Invoice.stripe_id) == invoice_id) & (col(Invoice.user_id) == customer.user_id)
    values = {"refunded": charge["amount_refunded"], "disputed": disputed}
    session.exec(update(Invoice).where(mine).values(values))
    log.warning("money went back", charge=charge["id"], **values)
    return session.exec(select(Invoice).where(mine)).first()

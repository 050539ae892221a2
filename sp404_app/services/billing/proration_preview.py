"""What a change of plan costs, today and next month, in Stripe's own words, before it is made."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from sp404_app.errors import Conflict
from sp404_app.models import BillingCustomer, Subscription
from sp404_app.services.billing import (
    catalog,
    customers,
    entitlements,
    quotas,
    stripe_client,
    sync,
    trials,
)
from sp404_app.services.billing.stripe_client import in_time, stripe_errors, to_plain_dict
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.plans import PLANS, Plan, Tier

GOOD_FOR = 15 * 60  # seconds
# Where a payment is missing there is no paid time to wait for: cancelling ends it now.
ENDS_AT_ONCE = frozenset({"past_due", "unpaid", "paused"})


class Kind(StrEnum):
    """What choosing a plan means for this person."""

    SAME = "same"
    SUBSCRIBE = "subscribe"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    CANCEL = "cancel"
    KEEP = "keep"  # it is theirs, and a downgrade or cancellation would be taken back


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of the invoice that would be made."""

    description: str
    amount: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen, in cents of Stripe's; `excess_bytes` is what the plan has no room for."""

    tier: Tier
    kind: Kind
    due_today: int
    next_amount: int
    next_at: dt.datetime | None
    currency: str
    lines: tuple[InvoiceLine, ...] = ()
    proration_date: int | None = None
    excess_bytes: int = 0
    trial_days: int = 0
    at_once: bool = False


@in_time
def preview_change(session: Session, user_id: uuid.UUID, tier: Tier) -> Preview:
    """Return what choosing a plan would do and cost.

    Raises:
        AppError: If Stripe does not answer.
    """
    if customers.find(session, user_id):
        sync.sync_customer(session, user_id)
    row = entitlements.current_subscription(session, user_id)
    excess = excess_bytes(session, user_id, PLANS[tier])
    if row is None or row.status == "incomplete":
        return _first(session, user_id, tier, excess)
    kind = kind_of(row, tier)
    if tier is Tier.FREE:
        now = row.status in ENDS_AT_ONCE
        ends = None if now else row.cancel_at or row.period_end
        return Preview(tier, kind, 0, 0, ends, row.currency, excess_bytes=excess, at_once=now)
    if tier == row.tier:  # theirs stays what it costs, also when new ones cost something else
        return Preview(tier, kind, 0, row.amount, row.period_end, row.currency, excess_bytes=excess)
    price = catalog.price_of(session, tier)
    if kind is Kind.UPGRADE:
        return _upgrade(session, row, tier, price)
    return Preview(tier, kind, 0, price.amount, row.period_end, price.currency, excess_bytes=excess)


def kind_of(row: Subscription | None, tier: Tier) -> Kind:
    """Return what choosing a plan means beside a subscription."""
    if row is None or row.status == "incomplete":
        return Kind.SAME if tier is Tier.FREE else Kind.SUBSCRIBE
    if tier == row.tier:
        return Kind.KEEP if row.cancel_at or row.pending_tier else Kind.SAME
    if tier is Tier.FREE:
        return Kind.SAME if row.cancel_at else Kind.CANCEL
    larger = PLANS[tier].price_cents > PLANS[Tier(row.tier)].price_cents
    if not larger and row.pending_tier == tier:
        return Kind.SAME
    return Kind.UPGRADE if larger else Kind.DOWNGRADE


def excess_bytes(session: Session, user_id: uuid.UUID, plan: Plan) -> int:
    """Return by how much a person's sounds are more than a plan has room for."""
    if plan.storage_bytes is None:
        return 0
    return max(0, quotas.stored(session, user_id) - plan.storage_bytes)


def warning(preview: Preview) -> str:
    """Warn who has more than the plan holds; nothing of it is ever taken away."""
    if not preview.excess_bytes:
        return ""
    return (
        f"You keep {format_size(preview.excess_bytes)} more than {PLANS[preview.tier].name} holds. "
        "Nothing is deleted, but you can add sounds again only after making room."
    )


def timing(row: Subscription, stamp: int) -> dict[str, Any]:
    """Return when an upgrade counts from; it ends a trial, which was for the smaller plan."""
    return {"trial_end": "now"} if row.status == "trialing" else {"proration_date": stamp}


def checked_date(customer: BillingCustomer, row: Subscription, stamp: int | None) -> int:
    """Return the second a price was previewed for, if that was a moment ago.

    Raises:
        Conflict: If it was not.
    """
    moment = int(entitlements.customer_now(customer).timestamp())
    if stamp is None:
        return moment
    if not max(moment - GOOD_FOR, int(row.period_start.timestamp())) <= stamp <= moment + 5:
        raise Conflict("This price is not up to date any more. Please look at it again.")
    return stamp


def _first(session: Session, user_id: uuid.UUID, tier: Tier, excess: int) -> Preview:
    if tier is Tier.FREE:
        return Preview(tier, Kind.SAME, 0, 0, None, catalog.CURRENCY, excess_bytes=excess)
    price, days = catalog.price_of(session, tier), PLANS[tier].trial_days
    days = days if trials.eligible(session, user_id) else 0
    cost = price.amount
    return Preview(
        tier,
        Kind.SUBSCRIBE,
        cost,
        cost,
        None,
        price.currency,
        excess_bytes=excess,
        trial_days=days,
    )


def _upgrade(session: Session, row: Subscription, tier: Tier, price: catalog.Price) -> Preview:
    customer = customers.locked(session, row.user_id)
    stamp = int(entitlements.customer_now(customer).timestamp())
    params: Any = {"customer": customer.stripe_id, **_asked(row, price, stamp)}
    with stripe_errors():
        invoice = to_plain_dict(stripe_client.client().v1.invoices.create_preview(params))
    lines = tuple(
        InvoiceLine(line["description"] or "", line["amount"]) for line in invoice["lines"]["data"]
    )
    renews = row.period_end if row.status != "trialing" else None
    return Preview(
        tier,
        Kind.UPGRADE,
        invoice["amount_due"],
        price.amount,
        renews,
        invoice["currency"],
        lines,
        stamp,
    )


def _asked(row: Subscription, price: catalog.Price, stamp: int) -> dict[str, Any]:
    """Return what to ask a preview for; the end of a trial costs what a new subscription does."""
    if row.status == "trialing":
        return {"subscription_details": {"items": [{"price": price.id, "quantity": 1}]}}
    details: dict[str, Any] = {
        "items": [{"id": row.item_id, "price": price.id, "quantity": 1}],
        "proration_behavior": "always_invoice",
        "proration_date": stamp,
    }
    return {"subscription": row.stripe_id, "subscription_details": details}

"""Views of plans, subscriptions and invoices for pages and the API."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from sp404_app.models import Invoice, Subscription
from sp404_app.services.billing import catalog, customers, entitlements, proration_preview, trials
from sp404_app.services.billing.proration_preview import ChangeKind
from sp404_app.services.plans import PLANS, Interval, Plan, Tier


@dataclass(frozen=True, slots=True)
class PriceView:
    """What a plan costs each month or year, in the smallest currency unit."""

    interval: Interval
    price: int
    currency: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with the price of one interval and those of all; a null limit means unlimited."""

    plan: str
    name: str
    price: int
    currency: str
    interval: Interval
    prices: list[PriceView]
    storage_bytes: int | None
    analyses_per_month: int | None
    trial_days: int


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """A user's plan, subscription status and payment status.

    `tier` is the plan whose limits apply now; `plan` is the plan of the subscription.
    """

    tier: str
    plan: str
    interval: Interval
    status: str
    access: str
    amount: int
    currency: str
    current_period_start: dt.datetime | None
    current_period_end: dt.datetime | None
    trial_end: dt.datetime | None
    cancel_at: dt.datetime | None
    pending_plan: str | None
    pending_interval: Interval | None
    pending_at: dt.datetime | None
    next_payment_attempt: dt.datetime | None
    payment_method: str | None
    upgrade_unpaid: bool
    trial_eligible: bool


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice; amounts in the smallest currency unit, the PDF at `pdf_url`."""

    id: uuid.UUID
    number: str
    status: str
    description: str
    total: int
    amount_due: int
    amount_paid: int
    refunded: int
    disputed: bool
    currency: str
    created_at: dt.datetime
    paid_at: dt.datetime | None
    pdf_url: str


def plan_view(session: Session, plan: Plan, interval: Interval = Interval.MONTH) -> PlanView:
    """Return the view of a plan with its Stripe prices; a free plan has one of 0 cents a month."""
    intervals = list(Interval) if plan.price_cents else [Interval.MONTH]
    found = {each: catalog.get_display_price(session, plan, each) for each in intervals}
    price = found.get(interval, found[Interval.MONTH])
    return PlanView(
        plan.tier,
        plan.name,
        price.amount,
        price.currency,
        interval if interval in found else Interval.MONTH,
        [PriceView(each, one.amount, one.currency) for each, one in found.items()],
        plan.storage_bytes,
        plan.analyses_per_month,
        plan.trial_days,
    )


def subscription_view(session: Session, user_id: uuid.UUID) -> SubscriptionView:
    """Return the user's subscription; without one, Free (the demo account: Pro)."""
    row = entitlements.find_current_subscription(session, user_id)
    entitlement = entitlements.get_entitlement(session, user_id)
    customer = customers.find_customer(session, user_id)
    fields: dict[str, Any] = {
        "tier": entitlement.plan.tier,
        "access": entitlement.access,
        "payment_method": (customer.payment_method if customer else "") or None,
        "trial_eligible": trials.is_trial_eligible(session, user_id),
    }
    if row is None:
        return SubscriptionView(
            plan=entitlement.plan.tier,
            interval=Interval.MONTH,
            status="none",
            amount=0,
            currency=catalog.DEFAULT_CURRENCY,
            **dict.fromkeys(_TIMESTAMP_FIELDS),
            pending_plan=None,
            pending_interval=None,
            upgrade_unpaid=False,
            **fields,
        )
    return SubscriptionView(plan=row.tier, **_subscription_fields(row), **fields)


_TIMESTAMP_FIELDS = (
    "current_period_start",
    "current_period_end",
    "trial_end",
    "cancel_at",
    "pending_at",
    "next_payment_attempt",
)


def _subscription_fields(row: Subscription) -> dict[str, Any]:
    return {
        "interval": Interval(row.interval),
        "status": row.status,
        "amount": row.amount,
        "currency": row.currency,
        "current_period_start": row.period_start,
        "current_period_end": row.period_end,
        "trial_end": row.trial_end if row.status == "trialing" else None,
        "cancel_at": row.cancel_at,
        "pending_plan": row.pending_tier or None,
        "pending_interval": Interval(row.pending_interval) if row.pending_interval else None,
        "pending_at": row.pending_at,
        "next_payment_attempt": row.next_attempt_at,
        "upgrade_unpaid": row.unpaid_change,
    }


def invoice_view(row: Invoice) -> InvoiceView:
    """Return the view of an invoice."""
    return InvoiceView(
        row.id,
        row.number,
        row.status,
        row.description,
        row.total,
        row.amount_due,
        row.amount_paid,
        row.refunded,
        row.disputed,
        row.currency,
        row.created,
        row.paid_at,
        f"/api/billing/invoices/{row.id}",
    )


def classify_changes(
    session: Session, user_id: uuid.UUID, interval: Interval | None = None
) -> dict[Tier, ChangeKind]:
    """Return what choosing each plan would do for the user."""
    row = entitlements.find_current_subscription(session, user_id)
    return {tier: proration_preview.classify_change(row, tier, interval) for tier in PLANS}

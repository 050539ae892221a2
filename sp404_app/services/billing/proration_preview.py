"""Preview a plan change as Stripe computes it: amount due today, next invoice, proration lines."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
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
from sp404_app.services.billing.stripe_client import (
    stripe_errors,
    to_plain_dict,
    within_time_budget,
)
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.plans import PLANS, Interval, Plan, Tier

PREVIEW_TTL_S = 15 * 60
# Statuses without a paid period: cancelling takes effect immediately.
CANCELS_IMMEDIATELY = frozenset({"past_due", "unpaid", "paused"})


class ChangeKind(StrEnum):
    """What choosing a plan does, given the current subscription."""

    SAME = "same"
    SUBSCRIBE = "subscribe"
    UPGRADE = "upgrade"  # now: a higher plan, yearly instead of monthly, or both
    DOWNGRADE = "downgrade"  # at the period's end: a lower plan, or monthly instead of yearly
    SWITCH = "switch"  # now, in a trial: the other interval of the same plan; the trial goes on
    CANCEL = "cancel"
    KEEP = "keep"  # the current plan: undoes a scheduled downgrade or cancellation


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of the previewed invoice; the amount in the smallest currency unit."""

    description: str
    amount: int


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """Effect and cost of a plan change; amounts in the smallest currency unit.

    `excess_bytes` is stored data above the new plan's limit. `immediate` marks a cancellation that
    takes effect now.
    """

    tier: Tier
    interval: Interval
    kind: ChangeKind
    due_today: int
    next_amount: int
    next_at: dt.datetime | None
    currency: str
    lines: tuple[InvoiceLine, ...] = ()
    proration_date: int | None = None
    excess_bytes: int = 0
    trial_days: int = 0
    immediate: bool = False


@within_time_budget
def preview_change(
    session: Session, user_id: uuid.UUID, tier: Tier, interval: Interval | None = None
) -> ChangePreview:
    """Return the effect and cost of choosing a plan; without an interval, that of today.

    Raises:
        AppError: If Stripe does not answer.
    """
    if customers.find_customer(session, user_id):
        sync.sync_customer(session, user_id)
    row = entitlements.find_current_subscription(session, user_id)
    interval = chosen_interval(row, interval)
    excess = excess_bytes(session, user_id, PLANS[tier])
    if row is None or row.status == "incomplete":
        return _preview_first_purchase(session, user_id, tier, interval, excess)
    kind = classify_change(row, tier, interval)
    preview = partial(ChangePreview, tier, interval, kind, 0, excess_bytes=excess)
    if tier is Tier.FREE:
        immediate = row.status in CANCELS_IMMEDIATELY
        ends = None if immediate else row.cancel_at or row.period_end
        return preview(0, ends, row.currency, immediate=immediate)
    # An existing subscription keeps its price when the list price changes.
    if (tier, interval) == (row.tier, row.interval):
        return preview(row.amount, row.period_end, row.currency)
    price = catalog.get_plan_price(session, tier, interval)
    if kind is ChangeKind.UPGRADE:
        return _preview_upgrade(session, row, tier, interval, price)
    return preview(price.amount, row.period_end, price.currency)


def chosen_interval(row: Subscription | None, interval: Interval | None) -> Interval:
    """Return the interval of a request that may name none: that of today, or a month."""
    if interval is not None:
        return interval
    return Interval(row.interval) if row else Interval.MONTH


def classify_change(
    row: Subscription | None, tier: Tier, interval: Interval | None = None
) -> ChangeKind:
    """Return what choosing a plan does; without an interval, that of the current subscription."""
    interval = chosen_interval(row, interval)
    if row is None or row.status == "incomplete":
        return ChangeKind.SAME if tier is Tier.FREE else ChangeKind.SUBSCRIBE
    if tier is Tier.FREE:
        return ChangeKind.SAME if row.cancel_at or row.tier == tier else ChangeKind.CANCEL
    if (tier, interval) == (row.tier, row.interval):
        return ChangeKind.KEEP if row.cancel_at or row.pending_tier else ChangeKind.SAME
    if tier == row.tier and row.status == "trialing":
        return ChangeKind.SWITCH
    if _applies_now(row, tier, interval):
        return ChangeKind.UPGRADE
    is_scheduled = (tier, interval) == (row.pending_tier, row.pending_interval)
    return ChangeKind.SAME if is_scheduled else ChangeKind.DOWNGRADE


def _applies_now(row: Subscription, tier: Tier, interval: Interval) -> bool:
    """Return whether a change applies now: nothing that is paid for today ends early.

    A trial is not paid for, so a higher plan applies now whatever its interval is.
    """
    if PLANS[tier].price_cents < PLANS[Tier(row.tier)].price_cents:
        return False
    is_unpaid = row.status == "trialing" or row.tier == Tier.FREE
    return is_unpaid or (row.interval, interval) != (Interval.YEAR, Interval.MONTH)


def excess_bytes(session: Session, user_id: uuid.UUID, plan: Plan) -> int:
    """Return how many bytes the user's samples exceed a plan's storage limit by."""
    if plan.storage_bytes is None:
        return 0
    return max(0, quotas.stored_bytes(session, user_id) - plan.storage_bytes)


def excess_warning(preview: ChangePreview) -> str:
    """Return a warning for a user over the plan's storage limit, or ""; nothing is deleted."""
    if not preview.excess_bytes:
        return ""
    return (
        f"You're using {format_size(preview.excess_bytes)} more than "
        f"{PLANS[preview.tier].name} includes. Nothing will be deleted, but you'll need to free up "
        "space before you can add sounds."
    )


def upgrade_timing(row: Subscription, stamp: int) -> dict[str, Any]:
    """Return the timing parameters of an upgrade: end a trial now, else the proration date."""
    return {"trial_end": "now"} if row.status == "trialing" else {"proration_date": stamp}


def validate_proration_date(customer: BillingCustomer, row: Subscription, stamp: int | None) -> int:
    """Return the proration date (Unix seconds) of a preview; None means now.

    Raises:
        Conflict: If it is older than PREVIEW_TTL_S, in the future, or before the current period.
    """
    moment = int(entitlements.customer_now(customer).timestamp())
    if stamp is None:
        return moment
    if not max(moment - PREVIEW_TTL_S, int(row.period_start.timestamp())) <= stamp <= moment + 5:
        raise Conflict("This price is out of date. Please review the new price and try again.")
    return stamp


def _preview_first_purchase(
    session: Session, user_id: uuid.UUID, tier: Tier, interval: Interval, excess: int
) -> ChangePreview:
    if tier is Tier.FREE:
        same, currency = ChangeKind.SAME, catalog.DEFAULT_CURRENCY
        return ChangePreview(tier, interval, same, 0, 0, None, currency, excess_bytes=excess)
    price, days = catalog.get_plan_price(session, tier, interval), PLANS[tier].trial_days
    days = days if trials.is_trial_eligible(session, user_id) else 0
    return ChangePreview(
        tier,
        interval,
        ChangeKind.SUBSCRIBE,
        price.amount,
        price.amount,
        None,
        price.currency,
        excess_bytes=excess,
        trial_days=days,
    )


def _preview_upgrade(
    session: Session, row: Subscription, tier: Tier, interval: Interval, price: catalog.Price
) -> ChangePreview:
    customer = customers.lock_customer(session, row.user_id)
    stamp = int(entitlements.customer_now(customer).timestamp())
    params: Any = {"customer": customer.stripe_id, **_preview_params(row, price, stamp)}
    with stripe_errors():
        invoice = to_plain_dict(stripe_client.client().v1.invoices.create_preview(params))
    lines = tuple(
        InvoiceLine(line["description"] or "", line["amount"]) for line in invoice["lines"]["data"]
    )
    # A trial that ends, and another interval, start a new period today.
    starts_period = row.status == "trialing" or interval != row.interval
    renews = None if starts_period else row.period_end
    return ChangePreview(
        tier,
        interval,
        ChangeKind.UPGRADE,
        invoice["amount_due"],
        price.amount,
        renews,
        invoice["currency"],
        lines,
        stamp,
    )


def _preview_params(row: Subscription, price: catalog.Price, stamp: int) -> dict[str, Any]:
    """Return the parameters of the preview invoice; in a trial, preview a new subscription."""
    if row.status == "trialing":
        return {"subscription_details": {"items": [{"price": price.id, "quantity": 1}]}}
    details: dict[str, Any] = {
        "items": [{"id": row.item_id, "price": price.id, "quantity": 1}],
        "proration_behavior": "always_invoice",
        "proration_date": stamp,
    }
    return {"subscription": row.stripe_id, "subscription_details": details}

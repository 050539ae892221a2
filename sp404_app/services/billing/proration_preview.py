"""Preview a plan change as Stripe computes it: amount due today, next invoice, proration lines."""

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
from sp404_app.services.billing.stripe_client import (
    stripe_errors,
    to_plain_dict,
    within_time_budget,
)
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.plans import PLANS, Plan, Tier

PREVIEW_TTL_S = 15 * 60
# Statuses without a paid period: cancelling takes effect immediately.
CANCELS_IMMEDIATELY = frozenset({"past_due", "unpaid", "paused"})


class ChangeKind(StrEnum):
    """What choosing a plan does, given the current subscription."""

    SAME = "same"
    SUBSCRIBE = "subscribe"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
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
def preview_change(session: Session, user_id: uuid.UUID, tier: Tier) -> ChangePreview:
    """Return the effect and cost of choosing a plan.

    Raises:
        AppError: If Stripe does not answer.
    """
    if customers.find_customer(session, user_id):
        sync.sync_customer(session, user_id)
    row = entitlements.find_current_subscription(session, user_id)
    excess = excess_bytes(session, user_id, PLANS[tier])
    if row is None or row.status == "incomplete":
        return _preview_first_purchase(session, user_id, tier, excess)
    kind = classify_change(row, tier)
    if tier is Tier.FREE:
        immediate = row.status in CANCELS_IMMEDIATELY
        ends = None if immediate else row.cancel_at or row.period_end
        return ChangePreview(
            tier, kind, 0, 0, ends, row.currency, excess_bytes=excess, immediate=immediate
        )
    if tier == row.tier:  # an existing subscription keeps its price when the list price changes
        return ChangePreview(
            tier, kind, 0, row.amount, row.period_end, row.currency, excess_bytes=excess
        )
    price = catalog.get_plan_price(session, tier)
    if kind is ChangeKind.UPGRADE:
        return _preview_upgrade(session, row, tier, price)
    return ChangePreview(
        tier, kind, 0, price.amount, row.period_end, price.currency, excess_bytes=excess
    )


def classify_change(row: Subscription | None, tier: Tier) -> ChangeKind:
    """Return what choosing a plan does, given the current subscription."""
    if row is None or row.status == "incomplete":
        return ChangeKind.SAME if tier is Tier.FREE else ChangeKind.SUBSCRIBE
    if tier == row.tier:
        return ChangeKind.KEEP if row.cancel_at or row.pending_tier else ChangeKind.SAME
    if tier is Tier.FREE:
        return ChangeKind.SAME if row.cancel_at else ChangeKind.CANCEL
    is_upgrade = PLANS[tier].price_cents > PLANS[Tier(row.tier)].price_cents
    if not is_upgrade and row.pending_tier == tier:
        return ChangeKind.SAME
    return ChangeKind.UPGRADE if is_upgrade else ChangeKind.DOWNGRADE


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
    session: Session, user_id: uuid.UUID, tier: Tier, excess: int
) -> ChangePreview:
    if tier is Tier.FREE:
        return ChangePreview(
            tier, ChangeKind.SAME, 0, 0, None, catalog.DEFAULT_CURRENCY, excess_bytes=excess
        )
    price, days = catalog.get_plan_price(session, tier), PLANS[tier].trial_days
    days = days if trials.is_trial_eligible(session, user_id) else 0
    return ChangePreview(
        tier,
        ChangeKind.SUBSCRIBE,
        price.amount,
        price.amount,
        None,
        price.currency,
        excess_bytes=excess,
        trial_days=days,
    )


def _preview_upgrade(
    session: Session, row: Subscription, tier: Tier, price: catalog.Price
) -> ChangePreview:
    customer = customers.lock_customer(session, row.user_id)
    stamp = int(entitlements.customer_now(customer).timestamp())
    params: Any = {"customer": customer.stripe_id, **_preview_params(row, price, stamp)}
    with stripe_errors():
        invoice = to_plain_dict(stripe_client.client().v1.invoices.create_preview(params))
    lines = tuple(
        InvoiceLine(line["description"] or "", line["amount"]) for line in invoice["lines"]["data"]
    )
    renews = row.period_end if row.status != "trialing" else None
    return ChangePreview(
        tier,
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

"""Which plan a subscription grants, decided by its invoices: an unpaid invoice grants no upgrade.

The subscription's items say which plan will be billed. Depending on `payment_behavior`, they can
change before the payment succeeds, so the invoices decide.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sp404_app.services.billing.stripe_client import StripeDict
from sp404_app.services.plans import Tier

TIER_RANK: Final = {tier: rank for rank, tier in enumerate(Tier)}
RENEWAL_REASON: Final = "subscription_cycle"
TierLookup = Callable[[str], Tier | None]


@dataclass(frozen=True, slots=True)
class InvoiceTiers:
    """The plans on an invoice's lines, and those it charges for (amount above zero)."""

    paid: bool
    renewal: bool
    plans: frozenset[Tier]
    charged: frozenset[Tier]


def read_invoice_tiers(raw: StripeDict, find_tier: TierLookup) -> InvoiceTiers:
    """Read the plans of a Stripe invoice; negative lines (credit for unused time) are ignored."""
    plans: set[Tier] = set()
    charged: set[Tier] = set()
    for line in (raw.get("lines") or {}).get("data") or []:
        tier = find_tier(line_price_id(line))
        if tier is None or line["amount"] < 0:
            continue
        plans.add(tier)
        if line["amount"]:
            charged.add(tier)
    paid = raw.get("status") == "paid"
    renewal = raw.get("billing_reason") == RENEWAL_REASON
    return InvoiceTiers(paid, renewal, frozenset(plans), frozenset(charged))


def line_price_id(line: StripeDict) -> str:
    """Return the price id of an invoice line, or ""."""
    details = (line.get("pricing") or {}).get("price_details") or {}
    price = details.get("price")
    return (price["id"] if isinstance(price, dict) else price) or ""


def granted_tier(item_tier: Tier, invoices: Sequence[InvoiceTiers], before: Tier) -> Tier:
    """Return the plan in force of a subscription whose item has the plan `item_tier`.

    `invoices` are those of the subscription, oldest first; `before` was in force before the first
    of them. A plan that no invoice charges for is granted: a trial, or a gift from an operator. An
    unpaid renewal removes nothing: dunning decides about that (`access_rules`).
    """
    charging = [invoice for invoice in invoices if item_tier in invoice.charged]
    if not charging or charging[-1].paid:
        return item_tier
    in_force = before
    for invoice in invoices:
        if invoice.plans and invoice.paid:
            in_force = _highest_tier(invoice.plans)
        elif invoice.plans and invoice.renewal:
            in_force = _lower_tier(in_force, _highest_tier(invoice.plans))
    return _lower_tier(item_tier, in_force)


def _highest_tier(tiers: Iterable[Tier]) -> Tier:
    return max(tiers, key=TIER_RANK.__getitem__)


def _lower_tier(first: Tier, second: Tier) -> Tier:
    return min(first, second, key=TIER_RANK.__getitem__)

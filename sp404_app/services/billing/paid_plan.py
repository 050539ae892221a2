"""Which plan a subscription grants. The one rule: an unpaid invoice never grants a larger plan.

Stripe's items say what a person will be billed for. They can be ahead of the payment, depending on
how Stripe reads `payment_behavior`, so the invoices decide.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sp404_app.services.billing.stripe_client import Plain
from sp404_app.services.plans import Tier

RANK: Final = {tier: rank for rank, tier in enumerate(Tier)}
RENEWAL: Final = "subscription_cycle"
TierOf = Callable[[str], Tier | None]


@dataclass(frozen=True, slots=True)
class Bill:
    """What an invoice says about plans: those on its lines, and those it wants money for."""

    paid: bool
    renewal: bool
    plans: frozenset[Tier]
    charged: frozenset[Tier]


def bill(raw: Plain, tier_of: TierOf) -> Bill:
    """Read an invoice of Stripe's; credits for unused time (negative lines) name no plan."""
    plans: set[Tier] = set()
    charged: set[Tier] = set()
    for line in (raw.get("lines") or {}).get("data") or []:
        tier = tier_of(price_of(line))
        if tier is None or line["amount"] < 0:
            continue
        plans.add(tier)
        if line["amount"]:
            charged.add(tier)
    paid = raw.get("status") == "paid"
    renewal = raw.get("billing_reason") == RENEWAL
    return Bill(paid, renewal, frozenset(plans), frozenset(charged))


def price_of(line: Plain) -> str:
    """Return the id of the price of an invoice line, or ""."""
    details = (line.get("pricing") or {}).get("price_details") or {}
    price = details.get("price")
    return (price["id"] if isinstance(price, dict) else price) or ""


def granted(wanted: Tier, bills: Sequence[Bill], before: Tier) -> Tier:
    """Return the plan in force of a subscription whose item has the plan `wanted`.

    `bills` are its invoices, the oldest first; `before` was in force before the first of them. A
    plan that no invoice charges for is granted: a trial, or what an operator gives. A renewal that
    is not paid yet takes nothing away: dunning decides about that (`access`).
    """
    asking = [one for one in bills if wanted in one.charged]
    if not asking or asking[-1].paid:
        return wanted
    force = before
    for one in bills:
        if one.plans and one.paid:
            force = _largest(one.plans)
        elif one.plans and one.renewal:
            force = _smaller(force, _largest(one.plans))
    return _smaller(wanted, force)


def _largest(tiers: Iterable[Tier]) -> Tier:
    return max(tiers, key=RANK.__getitem__)


def _smaller(one: Tier, other: Tier) -> Tier:
    return min(one, other, key=RANK.__getitem__)

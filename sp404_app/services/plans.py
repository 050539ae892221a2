"""The three plans with their prices and limits: the only place that defines them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sp404_app.errors import NotFound
from sp404_app.settings import MB, settings


class Tier(StrEnum):
    """A plan's identifier, from the lowest to the highest tier."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class Interval(StrEnum):
    """How often a subscription is paid, from the shortest to the longest."""

    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan's prices, limits and trial; a limit of None means unlimited.

    Prices are US cents. Analyses are counted by month, however often the plan is paid.
    """

    tier: Tier
    name: str
    price_cents: int
    storage_bytes: int | None
    analyses_per_month: int | None
    trial_days: int
    requests_per_minute: int
    yearly_price_cents: int = 0

    def price_for(self, interval: Interval) -> int:
        """Return the list price of one month or one year, in US cents."""
        return self.yearly_price_cents if interval is Interval.YEAR else self.price_cents


PLANS = {
    plan.tier: plan
    for plan in (
        Plan(
            Tier.FREE,
            "Free",
            price_cents=0,
            storage_bytes=100 * MB,
            analyses_per_month=10,
            trial_days=0,
            requests_per_minute=100,
        ),
        Plan(
            Tier.PRO,
            "Pro",
            price_cents=2900,
            storage_bytes=5120 * MB,
            analyses_per_month=500,
            trial_days=14,
            requests_per_minute=300,
            yearly_price_cents=29000,
        ),
        Plan(
            Tier.ENTERPRISE,
            "Enterprise",
            price_cents=9900,
            storage_bytes=None,
            analyses_per_month=None,
            trial_days=0,
            requests_per_minute=1000,
            yearly_price_cents=99000,
        ),
    )
}
RECOMMENDED: Final = Tier.PRO


def ensure_billing() -> None:
    """Check that this installation has plans and payments.

    Raises:
        NotFound: If billing is off.
    """
    if not settings().billing:
        raise NotFound("This page does not exist.")


def plans_url() -> str | None:
    """Return the address of the page with the plans; None without billing."""
    return "/plans" if settings().billing else None


def full_storage_advice() -> str:
    """Return what a user can do when the storage is full, as a sentence."""
    if settings().billing:
        return "Delete sounds or upgrade your plan."
    return "Delete sounds to make room."

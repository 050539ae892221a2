"""The three plans with their prices and limits: the only place that defines them."""

from dataclasses import dataclass
from enum import StrEnum

from sp404_app.settings import MB


class Tier(StrEnum):
    """A plan's identifier, from the lowest to the highest tier."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan's price, limits and trial; a limit of None means unlimited."""

    tier: Tier
    name: str
    price_cents: int
    storage_bytes: int | None
    analyses_per_month: int | None
    trial_days: int
    requests_per_minute: int


PLANS = {
    plan.tier: plan
    for plan in (
        Plan(Tier.FREE, "Free", 0, 100 * MB, 10, 0, 100),
        Plan(Tier.PRO, "Pro", 2900, 5120 * MB, 500, 14, 300),
        Plan(Tier.ENTERPRISE, "Enterprise", 9900, None, None, 0, 1000),
    )
}

"""What a subscription's state allows: one pure table."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

GRACE = dt.timedelta(days=3)
LAST_EASY_ATTEMPT = 2


class Access(StrEnum):
    """How far a person may go on the plan they have or had."""

    FREE = "free"  # no plan is in force
    FULL = "full"
    PROBLEM = "problem"  # everything works, and a banner says that a payment failed
    PAST_DUE = "past_due"  # grace: what is there works, nothing new is analysed
    RESTRICTED = "restricted"  # reading, deleting, exporting and paying only


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides about access; times in the customer's clock."""

    status: str
    attempts: int = 0
    retries_left: bool = True
    pause_reason: str = ""
    grace_since: dt.datetime | None = None


def in_grace(status: str, attempts: int, *, retries_left: bool) -> bool:
    """Say whether Stripe's tries to charge have gone so far that grace counts down."""
    return status == "past_due" and (attempts > LAST_EASY_ATTEMPT or not retries_left)


def access_state(standing: Standing, at: dt.datetime) -> Access:
    """Return how far a person may go at a time."""
    match standing.status:
        case "trialing" | "active":
            return Access.FULL
        case "unpaid":
            return Access.RESTRICTED
        case "paused":
            final = standing.pause_reason == "final_payment_failure"
            return Access.RESTRICTED if final else Access.FREE
        case "past_due":
            return _past_due(standing, at)
    return Access.FREE


def _past_due(standing: Standing, at: dt.datetime) -> Access:
    if not in_grace("past_due", standing.attempts, retries_left=standing.retries_left):
        return Access.PROBLEM
    if standing.grace_since is None or at < standing.grace_since + GRACE:
        return Access.PAST_DUE
    return Access.RESTRICTED

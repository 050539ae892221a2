"""Map a subscription's status to the access it allows. Pure functions."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

GRACE_PERIOD = dt.timedelta(days=3)
MAX_ATTEMPTS_BEFORE_GRACE = 2


class Access(StrEnum):
    """What the subscription's payment status allows the user to do."""

    FREE = "free"  # no paid plan is in force
    FULL = "full"
    PROBLEM = "problem"  # nothing is limited; a banner shows the failed payment
    PAST_DUE = "past_due"  # grace period: uploads work, new analyses do not
    RESTRICTED = "restricted"  # read, delete, export and pay only


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """The fields of a subscription that decide access; times in the customer's (test) clock."""

    status: str
    attempts: int = 0
    retries_left: bool = True
    pause_reason: str = ""
    grace_since: dt.datetime | None = None


def is_in_grace(status: str, attempts: int, *, retries_left: bool) -> bool:
    """Return whether dunning has reached the point where the grace period starts."""
    return status == "past_due" and (attempts > MAX_ATTEMPTS_BEFORE_GRACE or not retries_left)


def determine_access(state: SubscriptionState, at: dt.datetime) -> Access:
    """Return the access that a subscription gives at a time."""
    match state.status:
        case "trialing" | "active":
            return Access.FULL
        case "unpaid":
            return Access.RESTRICTED
        case "paused":
            final = state.pause_reason == "final_payment_failure"
            return Access.RESTRICTED if final else Access.FREE
        case "past_due":
            return _past_due_access(state, at)
    return Access.FREE


def _past_due_access(state: SubscriptionState, at: dt.datetime) -> Access:
    if not is_in_grace("past_due", state.attempts, retries_left=state.retries_left):
        return Access.PROBLEM
    if state.grace_since is None or at < state.grace_since + GRACE_PERIOD:
        return Access.PAST_DUE
    return Access.RESTRICTED

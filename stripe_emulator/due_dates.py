"""When the emulator must next process an object, computed from the object alone."""

from stripe_emulator.objects import Object
from stripe_emulator.periods import DAY_S, HOUR_S

ENDED_STATUSES = ("canceled", "incomplete_expired")
TRIAL_NOTICE_S = 3 * DAY_S
RENEWAL_NOTICE_S = 7 * DAY_S
INCOMPLETE_EXPIRY_S = 23 * HOUR_S
PROCESSING_ORDER = ("subscription_schedule", "subscription", "invoice", "checkout.session")


def next_due_at(item: Object) -> int | None:
    """Return the Unix time at which the object is next due, or None."""
    compute = {
        "subscription": subscription_due_at,
        "subscription_schedule": schedule_due_at,
        "invoice": invoice_due_at,
        "checkout.session": checkout_session_due_at,
    }.get(item["object"])
    return compute(item) if compute else None


def checkout_session_due_at(session: Object) -> int | None:
    """Return when an open session expires."""
    return session["expires_at"] if session["status"] == "open" else None


def schedule_due_at(item: Object) -> int | None:
    """Return when an active schedule reaches the end of its current phase."""
    return item["current_phase"]["end_date"] if item["status"] == "active" else None


def invoice_due_at(item: Object) -> int | None:
    """Return when a draft is finalized or an open invoice is retried."""
    if item["status"] == "draft":
        return item["automatically_finalizes_at"] if item["auto_advance"] else None
    return item["next_payment_attempt"] if item["status"] == "open" else None


def current_period_end(item: Object) -> int:
    """Return the end of the current billing period of a subscription."""
    return min(part["current_period_end"] for part in item["items"]["data"])


def subscription_due_at(item: Object) -> int | None:
    """Return when a subscription renews, ends, expires or emits a reminder event."""
    if item["status"] in ENDED_STATUSES:
        return None
    if item["status"] == "incomplete":
        return item["created"] + INCOMPLETE_EXPIRY_S
    moments = [item["cancel_at"]]
    if item["pending_update"]:
        moments.append(item["pending_update"]["expires_at"])
    if item["status"] != "paused":
        moments += [current_period_end(item), trial_will_end_at(item), invoice_upcoming_at(item)]
    return min((moment for moment in moments if moment is not None), default=None)


def trial_will_end_at(item: Object) -> int | None:
    """Return when `trial_will_end` is due, or None if it was emitted or there is no trial."""
    if item["status"] != "trialing" or item.get("_trial_announced") == item["trial_end"]:
        return None
    return max(item["trial_end"] - TRIAL_NOTICE_S, item["created"])


def invoice_upcoming_at(item: Object) -> int | None:
    """Return when `invoice.upcoming` is due, or None if it was emitted or no invoice follows."""
    end = current_period_end(item)
    ends = item["cancel_at"] is not None and item["cancel_at"] <= end
    if ends or item["cancel_at_period_end"] or item.get("_renewal_announced") == end:
        return None
    start = min(part["current_period_start"] for part in item["items"]["data"])
    return max(end - RENEWAL_NOTICE_S, start)

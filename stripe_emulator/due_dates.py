"""When something has to happen to an object next, from nothing but the object."""

from stripe_emulator.objects import Object

HOUR = 3600
DAY = 24 * HOUR
TRIAL_NOTICE = 3 * DAY
RENEWAL_NOTICE = 7 * DAY
INCOMPLETE_LIFE = 23 * HOUR
ORDER = ("subscription_schedule", "subscription", "invoice", "checkout.session")


def when(item: Object) -> int | None:
    """Return the second at which the object is due, or None."""
    find = {
        "subscription": subscription,
        "subscription_schedule": schedule,
        "invoice": invoice,
        "checkout.session": checkout,
    }.get(item["object"])
    return find(item) if find else None


def checkout(session: Object) -> int | None:
    """An open session expires."""
    return session["expires_at"] if session["status"] == "open" else None


def schedule(item: Object) -> int | None:
    """An active schedule changes phase."""
    return item["current_phase"]["end_date"] if item["status"] == "active" else None


def invoice(item: Object) -> int | None:
    """A draft is finalized, an open invoice tried again."""
    if item["status"] == "draft":
        return item["automatically_finalizes_at"] if item["auto_advance"] else None
    return item["next_payment_attempt"] if item["status"] == "open" else None


def period_end(item: Object) -> int:
    """Return when the current period of a subscription ends."""
    return min(part["current_period_end"] for part in item["items"]["data"])


def subscription(item: Object) -> int | None:
    """A subscription renews, ends, or has something to announce."""
    if item["status"] in ("canceled", "incomplete_expired"):
        return None
    if item["status"] == "incomplete":
        return item["created"] + INCOMPLETE_LIFE
    moments = [item["cancel_at"]]
    if item["pending_update"]:
        moments.append(item["pending_update"]["expires_at"])
    if item["status"] != "paused":
        moments += [period_end(item), trial_notice(item), renewal_notice(item)]
    return min((moment for moment in moments if moment is not None), default=None)


def trial_notice(item: Object) -> int | None:
    """Return when the end of the trial is announced, unless that was done."""
    if item["status"] != "trialing" or item.get("_trial_announced") == item["trial_end"]:
        return None
    return max(item["trial_end"] - TRIAL_NOTICE, item["created"])


def renewal_notice(item: Object) -> int | None:
    """Return when the next invoice is announced, unless that was done or it will not come."""
    end = period_end(item)
    ends = item["cancel_at"] is not None and item["cancel_at"] <= end
    if ends or item["cancel_at_period_end"] or item.get("_renewal_announced") == end:
        return None
    start = min(part["current_period_start"] for part in item["items"]["data"])
    return max(end - RENEWAL_NOTICE, start)

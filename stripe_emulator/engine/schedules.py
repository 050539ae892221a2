"""Subscription schedules (docs.stripe.com/billing/subscriptions/subscription-schedules)."""

from stripe_emulator.engine import cancellation, subscription_updates
from stripe_emulator.errors import invalid
from stripe_emulator.objects import Object
from stripe_emulator.shapes import schedule as shapes
from stripe_emulator.transaction import Ledger, snapshot

LIVE = ("not_started", "active")


def adopt(ledger: Ledger, subscription: Object) -> Object:
    """Make a schedule whose only phase is the subscription's current period."""
    if subscription["schedule"]:
        raise invalid(
            "You cannot migrate a subscription that is already attached to a schedule: "
            f"{subscription['schedule']}.",
            "from_subscription",
        )
    if subscription["status"] in ("canceled", "incomplete", "incomplete_expired", "paused"):
        text = f"You cannot create a schedule from a subscription that is {subscription['status']}."
        raise invalid(text, "from_subscription")
    moment = ledger.now(subscription["customer"])
    made = shapes.schedule(moment, subscription)
    items = subscription["items"]["data"]
    wanted = [shapes.phase_item(item["price"]["id"], item["quantity"]) for item in items]
    start = max(item["current_period_start"] for item in items)
    end = min(item["current_period_end"] for item in items)
    trial = subscription["trial_end"] if subscription["status"] == "trialing" else None
    currency = subscription["currency"]
    made["phases"] = [shapes.phase(wanted, currency, start, end, trial_end=trial)]
    made["current_phase"] = {"start_date": start, "end_date": end}
    if subscription["cancel_at"] is not None or subscription["cancel_at_period_end"]:
        made["end_behavior"] = "cancel"
    ledger.save(made, parent=subscription["id"])
    ledger.emit("subscription_schedule.created", made)
    before = snapshot(subscription)
    subscription["schedule"] = made["id"]
    ledger.keep("customer.subscription.updated", subscription, before)
    return made


def release(ledger: Ledger, schedule: Object) -> Object:
    """Let the subscription run on by itself."""
    if schedule["status"] not in LIVE:
        text = f"You cannot release a subscription schedule that is {schedule['status']}."
        raise invalid(text)
    subscription = ledger.get("subscription", schedule["subscription"])
    schedule |= {
        "current_phase": None,
        "released_at": ledger.now(schedule["customer"]),
        "released_subscription": subscription["id"],
        "status": "released",
        "subscription": None,
    }
    ledger.save(schedule)
    ledger.emit("subscription_schedule.released", schedule)
    before = snapshot(subscription)
    subscription["schedule"] = None
    ledger.keep("customer.subscription.updated", subscription, before)
    return schedule


def step(ledger: Ledger, schedule: Object, now: int) -> None:
    """Enter the next phase, or finish."""
    following = [phase for phase in schedule["phases"] if phase["start_date"] >= now]
    if following:
        enter(ledger, schedule, following[0])
    elif schedule["end_behavior"] == "cancel":
        complete(ledger, schedule)
    else:
        release(ledger, schedule)


def enter(ledger: Ledger, schedule: Object, phase: Object) -> None:
    """Give the subscription the items of a phase."""
    before = snapshot(schedule)
    schedule["current_phase"] = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    ledger.keep("subscription_schedule.updated", schedule, before)
    follow(ledger, schedule, phase, phase["proration_behavior"])


def follow(ledger: Ledger, schedule: Object, phase: Object, prorations: str) -> None:
    """Change the subscription's items where the phase wants others."""
    subscription = ledger.get("subscription", schedule["subscription"])
    items = subscription["items"]["data"]
    wanted = differences(items, phase["items"])
    if not wanted:
        return
    before = snapshot(subscription)
    at = ledger.now(subscription["customer"])
    request = subscription_updates.Request(items=wanted, at=at, prorations=prorations)
    subscription_updates.change(ledger, subscription, request)
    ledger.keep("customer.subscription.updated", subscription, before)


def differences(items: list[Object], phase_items: list[Object]) -> list[Object]:
    """Return the changes that turn the items into those of a phase, keeping item ids."""
    wanted: list[Object] = []
    pairs = zip(items, phase_items, strict=False)
    for item, want in pairs:
        state = item["price"]["id"], item["quantity"]
        if state != (want["price"], want["quantity"]):
            change = {"price": want["price"], "quantity": want["quantity"]}
            wanted.append({"id": item["id"], **change})
    wanted += [
        {"price": want["price"], "quantity": want["quantity"]} for want in phase_items[len(items) :]
    ]
    wanted += [{"id": item["id"], "deleted": True} for item in items[len(phase_items) :]]
    return wanted


def complete(ledger: Ledger, schedule: Object) -> None:
    """End the subscription with its schedule."""
    subscription = ledger.get("subscription", schedule["subscription"])
    schedule |= {
        "completed_at": ledger.now(schedule["customer"]),
        "current_phase": None,
        "status": "completed",
    }
    ledger.save(schedule)
    ledger.emit("subscription_schedule.completed", schedule)
    cancellation.end(ledger, subscription, "cancellation_requested")

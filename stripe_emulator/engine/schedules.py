"""Run subscription schedules (docs.stripe.com/billing/subscriptions/subscription-schedules)."""

from stripe_emulator.engine import cancellation, subscription_updates
from stripe_emulator.errors import invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.shapes import schedule as shapes
from stripe_emulator.transaction import Transaction, snapshot

OPEN_STATUSES = ("not_started", "active")


def create_from_subscription(tx: Transaction, subscription: Object) -> Object:
    """Create a schedule whose only phase is the subscription's current period."""
    if subscription["schedule"]:
        raise invalid_request(
            "You cannot migrate a subscription that is already attached to a schedule: "
            f"{subscription['schedule']}.",
            "from_subscription",
        )
    if subscription["status"] in ("canceled", "incomplete", "incomplete_expired", "paused"):
        text = f"You cannot create a schedule from a subscription that is {subscription['status']}."
        raise invalid_request(text, "from_subscription")
    moment = tx.now(subscription["customer"])
    made = shapes.new_schedule(moment, subscription)
    items = subscription["items"]["data"]
    wanted = [shapes.new_phase_item(item["price"]["id"], item["quantity"]) for item in items]
    start = max(item["current_period_start"] for item in items)
    end = min(item["current_period_end"] for item in items)
    trial = subscription["trial_end"] if subscription["status"] == "trialing" else None
    currency = subscription["currency"]
    made["phases"] = [shapes.new_phase(wanted, currency, start, end, trial_end=trial)]
    made["current_phase"] = {"start_date": start, "end_date": end}
    if subscription["cancel_at"] is not None or subscription["cancel_at_period_end"]:
        made["end_behavior"] = "cancel"
    tx.save(made, parent=subscription["id"])
    tx.emit("subscription_schedule.created", made)
    before = snapshot(subscription)
    subscription["schedule"] = made["id"]
    tx.save_changes("customer.subscription.updated", subscription, before)
    return made


def release_schedule(tx: Transaction, schedule: Object) -> Object:
    """Release the subscription from the schedule."""
    if schedule["status"] not in OPEN_STATUSES:
        text = f"You cannot release a subscription schedule that is {schedule['status']}."
        raise invalid_request(text)
    subscription = tx.get("subscription", schedule["subscription"])
    schedule |= {
        "current_phase": None,
        "released_at": tx.now(schedule["customer"]),
        "released_subscription": subscription["id"],
        "status": "released",
        "subscription": None,
    }
    tx.save(schedule)
    tx.emit("subscription_schedule.released", schedule)
    before = snapshot(subscription)
    subscription["schedule"] = None
    tx.save_changes("customer.subscription.updated", subscription, before)
    return schedule


def process_due_schedule(tx: Transaction, schedule: Object, now: int) -> None:
    """Start the next phase, or complete or release the schedule after the last one."""
    following = [phase for phase in schedule["phases"] if phase["start_date"] >= now]
    if following:
        enter_phase(tx, schedule, following[0])
    elif schedule["end_behavior"] == "cancel":
        complete_schedule(tx, schedule)
    else:
        release_schedule(tx, schedule)


def enter_phase(tx: Transaction, schedule: Object, phase: Object) -> None:
    """Start a phase and give the subscription its items."""
    before = snapshot(schedule)
    schedule["current_phase"] = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    tx.save_changes("subscription_schedule.updated", schedule, before)
    apply_phase_items(tx, schedule, phase, phase["proration_behavior"])


def apply_phase_items(tx: Transaction, schedule: Object, phase: Object, prorations: str) -> None:
    """Change the subscription's items to those of a phase."""
    subscription = tx.get("subscription", schedule["subscription"])
    items = subscription["items"]["data"]
    wanted = phase_item_changes(items, phase["items"])
    if not wanted:
        return
    before = snapshot(subscription)
    at = tx.now(subscription["customer"])
    request = subscription_updates.ItemChangeRequest(
        items=wanted, proration_date=at, proration_behavior=prorations
    )
    subscription_updates.change_items(tx, subscription, request)
    tx.save_changes("customer.subscription.updated", subscription, before)


def phase_item_changes(items: list[Object], phase_items: list[Object]) -> list[Object]:
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


def complete_schedule(tx: Transaction, schedule: Object) -> None:
    """Complete the schedule and cancel its subscription."""
    subscription = tx.get("subscription", schedule["subscription"])
    schedule |= {
        "completed_at": tx.now(schedule["customer"]),
        "current_phase": None,
        "status": "completed",
    }
    tx.save(schedule)
    tx.emit("subscription_schedule.completed", schedule)
    cancellation.cancel_subscription(tx, subscription, "cancellation_requested")

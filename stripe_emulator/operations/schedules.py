"""Subscription schedules (docs.stripe.com/api/subscription_schedules)."""

import stripe.params as p

from stripe_emulator import limits, periods
from stripe_emulator.engine import cancellation, schedules, subscriptions
from stripe_emulator.errors import invalid_request
from stripe_emulator.objects import Object, empty_to_none
from stripe_emulator.operation import (
    PAGING,
    Call,
    Operation,
    filter_by_params,
    paginate,
    reject_unsupported,
)
from stripe_emulator.shapes import schedule as shapes
from stripe_emulator.transaction import Transaction, snapshot

PATH = "/v1/subscription_schedules"
PHASE_PARAMS = (
    "currency duration end_date items metadata proration_behavior start_date trial trial_end"
)


def create_schedule(tx: Transaction, call: Call) -> Object:
    """Create a schedule from a subscription; no other way is implemented."""
    identifier = call.params.get("from_subscription")
    if not identifier:
        text = "This Stripe emulator creates schedules from subscriptions only."
        raise invalid_request(text, "from_subscription", "emulator_not_implemented")
    subscription = tx.get("subscription", identifier, "from_subscription")
    made = schedules.create_from_subscription(tx, subscription)
    if "metadata" in call.params:
        made["metadata"] = call.params["metadata"] or {}
    return tx.save(made)


def update_schedule(tx: Transaction, call: Call) -> Object:
    """Update a schedule and its current and future phases."""
    schedule = tx.get("subscription_schedule", call.id)
    if schedule["status"] not in schedules.OPEN_STATUSES:
        text = f"You can not update a subscription schedule that is {schedule['status']}."
        raise invalid_request(text)
    before = snapshot(schedule)
    if "end_behavior" in call.params:
        if call.params["end_behavior"] not in ("release", "cancel"):
            raise invalid_request("Invalid end_behavior: must be release or cancel", "end_behavior")
        schedule["end_behavior"] = call.params["end_behavior"]
    if "metadata" in call.params:
        schedule["metadata"] = empty_to_none(call.params["metadata"]) or {}
    if "phases" in call.params:
        set_phases(tx, schedule, call.params["phases"])
    tx.save_changes("subscription_schedule.updated", schedule, before)
    current = current_phase(schedule)
    prorations = call.params.get("proration_behavior", "create_prorations")
    schedules.apply_phase_items(tx, schedule, current, prorations)
    return schedule


def current_phase(schedule: Object) -> Object:
    """Return the current phase."""
    start = schedule["current_phase"]["start_date"]
    return next(phase for phase in schedule["phases"] if phase["start_date"] == start)


def set_phases(tx: Transaction, schedule: Object, wanted: list[Object]) -> None:
    """Replace the phases; each starts at the end of the one before."""
    if not wanted:
        raise invalid_request("Missing required param: phases.", "phases", "parameter_missing")
    subscription = tx.get("subscription", schedule["subscription"])
    now = tx.now(schedule["customer"])
    start = schedule["current_phase"]["start_date"]
    given = wanted[0].get("start_date")
    if given is None:
        text = "You must pass in a `start_date` to the first phase or to anchor the schedule."
        raise invalid_request(text, "phases[0][start_date]")
    if given != start:
        text = "You can not modify the start date of the current phase."
        raise invalid_request(text, "phases[0][start_date]")
    made = []
    for index, phase in enumerate(wanted):
        param = f"phases[{index}]"
        reject_unsupported(phase, PHASE_PARAMS, param)
        if phase.get("start_date", start) != start:
            text = "The `start_date` of a phase must be the `end_date` of the phase before."
            raise invalid_request(text, f"{param}[start_date]")
        made.append(read_phase(tx, subscription, phase, start, param))
        start = made[-1]["end_date"]
    if made[0]["end_date"] <= now:
        raise invalid_request("The current phase must end in the future.", "phases[0][end_date]")
    schedule["phases"] = made
    schedule["current_phase"] = {
        "start_date": made[0]["start_date"],
        "end_date": made[0]["end_date"],
    }


def read_phase(
    tx: Transaction, subscription: Object, phase: Object, start: int, param: str
) -> Object:
    """Return a phase with its prices and its end."""
    items, prices = [], []
    for index, item in enumerate(phase["items"]):
        reject_unsupported(item, "metadata price quantity", f"{param}[items][{index}]")
        name = f"{param}[items][{index}][price]"
        price = subscriptions.active_recurring_price(tx, item.get("price", ""), name)
        prices.append(price)
        items.append(shapes.new_phase_item(price["id"], item.get("quantity", 1)))
    if not items:
        raise invalid_request("A phase must have at least one item.", f"{param}[items]")
    limits.check_prices_compatible(prices, f"{param}[items]")
    first = tx.get("price", items[0]["price"])
    end = phase_end(phase, start, first["recurring"], param)
    trial_end = end if phase.get("trial") else phase.get("trial_end")
    return shapes.new_phase(
        items,
        subscription["currency"],
        start,
        end,
        metadata=phase.get("metadata") or {},
        proration_behavior=phase.get("proration_behavior", "create_prorations"),
        trial_end=trial_end,
    )


def phase_end(phase: Object, start: int, cycle: Object, param: str) -> int:
    """Return when a phase ends: at `end_date`, after `duration`, or after one period."""
    if "end_date" in phase and "duration" in phase:
        text = "You may only specify one of these parameters: end_date, duration."
        raise invalid_request(text, f"{param}[duration]")
    if "duration" in phase:
        length = phase["duration"]
        return periods.add_intervals(start, length["interval"], length.get("interval_count", 1))
    end = phase.get("end_date", periods.next_period_end(start, start, cycle))
    if not isinstance(end, int) or end <= start:
        raise invalid_request(
            "The `end_date` of a phase must be after its start.", f"{param}[end_date]"
        )
    return end


def release_subscription_schedule(tx: Transaction, call: Call) -> Object:
    """Release the subscription from the schedule."""
    return schedules.release_schedule(tx, tx.get("subscription_schedule", call.id))


def cancel_subscription_schedule(tx: Transaction, call: Call) -> Object:
    """Cancel the schedule and its subscription."""
    schedule = tx.get("subscription_schedule", call.id)
    if schedule["status"] not in schedules.OPEN_STATUSES:
        raise invalid_request(
            f"You cannot cancel a subscription schedule that is {schedule['status']}."
        )
    subscription = tx.get("subscription", schedule["subscription"])
    cancellation.cancel_subscription(tx, subscription, "cancellation_requested")
    return tx.get("subscription_schedule", call.id)


def list_schedules(tx: Transaction, call: Call) -> Object:
    """List schedules."""
    found = tx.find_all("subscription_schedule", customer=call.params.get("customer"))
    if call.params.get("scheduled"):
        found = [one for one in found if one["status"] == "not_started"]
    return paginate(filter_by_params(found, call), call, PATH)


OPERATIONS = (
    Operation(
        "POST",
        PATH,
        p.SubscriptionScheduleCreateParams,
        create_schedule,
        "from_subscription metadata",
    ),
    Operation(
        "GET",
        f"{PATH}/{{id}}",
        p.SubscriptionScheduleRetrieveParams,
        lambda tx, call: tx.get("subscription_schedule", call.id),
    ),
    Operation(
        "GET",
        PATH,
        p.SubscriptionScheduleListParams,
        list_schedules,
        f"{PAGING} created customer scheduled",
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}",
        p.SubscriptionScheduleUpdateParams,
        update_schedule,
        "end_behavior metadata phases proration_behavior",
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}/release",
        p.SubscriptionScheduleReleaseParams,
        release_subscription_schedule,
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}/cancel",
        p.SubscriptionScheduleCancelParams,
        cancel_subscription_schedule,
    ),
)

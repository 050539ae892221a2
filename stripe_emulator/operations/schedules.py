"""Subscription schedules (docs.stripe.com/api/subscription_schedules)."""

import stripe.params as p

from stripe_emulator import limits, periods
from stripe_emulator.engine import cancellation, schedules, subscriptions
from stripe_emulator.errors import invalid
from stripe_emulator.objects import Object, unset
from stripe_emulator.operation import PAGING, Call, Operation, matching, only, page
from stripe_emulator.shapes import schedule as shapes
from stripe_emulator.transaction import Ledger, snapshot

PATH = "/v1/subscription_schedules"
PHASE = "currency duration end_date items metadata proration_behavior start_date trial trial_end"


def create(ledger: Ledger, call: Call) -> Object:
    """Make a schedule from a subscription, the only way that is implemented."""
    identifier = call.params.get("from_subscription")
    if not identifier:
        text = "This emulator of Stripe makes schedules from subscriptions only."
        raise invalid(text, "from_subscription", "emulator_not_implemented")
    subscription = ledger.get("subscription", identifier, "from_subscription")
    made = schedules.adopt(ledger, subscription)
    if "metadata" in call.params:
        made["metadata"] = call.params["metadata"] or {}
    return ledger.save(made)


def update(ledger: Ledger, call: Call) -> Object:
    """Change the phases that are not over."""
    schedule = ledger.get("subscription_schedule", call.id)
    if schedule["status"] not in schedules.LIVE:
        text = f"You can not update a subscription schedule that is {schedule['status']}."
        raise invalid(text)
    before = snapshot(schedule)
    if "end_behavior" in call.params:
        if call.params["end_behavior"] not in ("release", "cancel"):
            raise invalid("Invalid end_behavior: must be release or cancel", "end_behavior")
        schedule["end_behavior"] = call.params["end_behavior"]
    if "metadata" in call.params:
        schedule["metadata"] = unset(call.params["metadata"]) or {}
    if "phases" in call.params:
        set_phases(ledger, schedule, call.params["phases"])
    ledger.keep("subscription_schedule.updated", schedule, before)
    current = current_phase(schedule)
    prorations = call.params.get("proration_behavior", "create_prorations")
    schedules.follow(ledger, schedule, current, prorations)
    return schedule


def current_phase(schedule: Object) -> Object:
    """Return the phase that runs."""
    start = schedule["current_phase"]["start_date"]
    return next(phase for phase in schedule["phases"] if phase["start_date"] == start)


def set_phases(ledger: Ledger, schedule: Object, wanted: list[Object]) -> None:
    """Keep the phases, each beginning where the one before ends."""
    if not wanted:
        raise invalid("Missing required param: phases.", "phases", "parameter_missing")
    subscription = ledger.get("subscription", schedule["subscription"])
    now = ledger.now(schedule["customer"])
    start = schedule["current_phase"]["start_date"]
    given = wanted[0].get("start_date")
    if given is None:
        text = "You must pass in a `start_date` to the first phase or to anchor the schedule."
        raise invalid(text, "phases[0][start_date]")
    if given != start:
        text = "You can not modify the start date of the current phase."
        raise invalid(text, "phases[0][start_date]")
    made = []
    for index, phase in enumerate(wanted):
        param = f"phases[{index}]"
        only(phase, PHASE, param)
        if phase.get("start_date", start) != start:
            text = "The `start_date` of a phase must be the `end_date` of the phase before."
            raise invalid(text, f"{param}[start_date]")
        made.append(read_phase(ledger, subscription, phase, start, param))
        start = made[-1]["end_date"]
    if made[0]["end_date"] <= now:
        raise invalid("The current phase must end in the future.", "phases[0][end_date]")
    schedule["phases"] = made
    schedule["current_phase"] = {
        "start_date": made[0]["start_date"],
        "end_date": made[0]["end_date"],
    }


def read_phase(
    ledger: Ledger, subscription: Object, phase: Object, start: int, param: str
) -> Object:
    """Return one phase with its prices and its end."""
    items, prices = [], []
    for index, item in enumerate(phase["items"]):
        only(item, "metadata price quantity", f"{param}[items][{index}]")
        name = f"{param}[items][{index}][price]"
        price = subscriptions.recurring(ledger, item.get("price", ""), name)
        prices.append(price)
        items.append(shapes.phase_item(price["id"], item.get("quantity", 1)))
    if not items:
        raise invalid("A phase must have at least one item.", f"{param}[items]")
    limits.mixable(prices, f"{param}[items]")
    first = ledger.get("price", items[0]["price"])
    end = ending(phase, start, first["recurring"], param)
    trial_end = end if phase.get("trial") else phase.get("trial_end")
    return shapes.phase(
        items,
        subscription["currency"],
        start,
        end,
        metadata=phase.get("metadata") or {},
        proration_behavior=phase.get("proration_behavior", "create_prorations"),
        trial_end=trial_end,
    )


def ending(phase: Object, start: int, cycle: Object, param: str) -> int:
    """Return when a phase ends: as said, after a duration, or after one period."""
    if "end_date" in phase and "duration" in phase:
        text = "You may only specify one of these parameters: end_date, duration."
        raise invalid(text, f"{param}[duration]")
    if "duration" in phase:
        length = phase["duration"]
        return periods.add(start, length["interval"], length.get("interval_count", 1))
    end = phase.get("end_date", periods.next_end(start, start, cycle))
    if not isinstance(end, int) or end <= start:
        raise invalid("The `end_date` of a phase must be after its start.", f"{param}[end_date]")
    return end


def release(ledger: Ledger, call: Call) -> Object:
    """Let the subscription go on without the schedule."""
    return schedules.release(ledger, ledger.get("subscription_schedule", call.id))


def cancel(ledger: Ledger, call: Call) -> Object:
    """End the schedule and its subscription."""
    schedule = ledger.get("subscription_schedule", call.id)
    if schedule["status"] not in schedules.LIVE:
        raise invalid(f"You cannot cancel a subscription schedule that is {schedule['status']}.")
    subscription = ledger.get("subscription", schedule["subscription"])
    cancellation.end(ledger, subscription, "cancellation_requested")
    return ledger.get("subscription_schedule", call.id)


def find(ledger: Ledger, call: Call) -> Object:
    """List schedules."""
    found = ledger.find("subscription_schedule", customer=call.params.get("customer"))
    if call.params.get("scheduled"):
        found = [one for one in found if one["status"] == "not_started"]
    return page(matching(found, call), call, PATH)


OPERATIONS = (
    Operation(
        "POST", PATH, p.SubscriptionScheduleCreateParams, create, "from_subscription metadata"
    ),
    Operation(
        "GET",
        f"{PATH}/{{id}}",
        p.SubscriptionScheduleRetrieveParams,
        lambda ledger, call: ledger.get("subscription_schedule", call.id),
    ),
    Operation(
        "GET",
        PATH,
        p.SubscriptionScheduleListParams,
        find,
        f"{PAGING} created customer scheduled",
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}",
        p.SubscriptionScheduleUpdateParams,
        update,
        "end_behavior metadata phases proration_behavior",
    ),
    Operation("POST", f"{PATH}/{{id}}/release", p.SubscriptionScheduleReleaseParams, release),
    Operation("POST", f"{PATH}/{{id}}/cancel", p.SubscriptionScheduleCancelParams, cancel),
)

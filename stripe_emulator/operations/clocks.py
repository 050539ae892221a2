"""Test clocks (docs.stripe.com/api/test_clocks)."""

import stripe.params.test_helpers as p

from stripe_emulator import periods
from stripe_emulator.engine import clocks, customers
from stripe_emulator.errors import invalid
from stripe_emulator.objects import Object
from stripe_emulator.operation import PAGING, Call, Operation, page
from stripe_emulator.shapes.customer import test_clock
from stripe_emulator.transaction import Ledger

PATH = "/v1/test_helpers/test_clocks"
KIND = "test_helpers.test_clock"
YEARS_WITHOUT_SUBSCRIPTION = 2
INTERVALS = 2


def create(ledger: Ledger, call: Call) -> Object:
    """Make a clock."""
    moment = int(ledger.clock())
    made = test_clock(moment, call.params["frozen_time"], call.params.get("name"))
    ledger.save(made)
    ledger.emit("test_helpers.test_clock.created", made)
    return made


def farthest(ledger: Ledger, clock: Object) -> int:
    """Return how far a clock may be advanced: two of the shortest billing intervals."""
    now = clock["frozen_time"]
    cycles = [
        subscription["items"]["data"][0]["price"]["recurring"]
        for customer in ledger.find("customer")
        if customer["test_clock"] == clock["id"]
        for subscription in ledger.find("subscription", customer=customer["id"])
        if subscription["status"] not in ("canceled", "incomplete_expired")
    ]
    if not cycles:
        return periods.add(now, "year", YEARS_WITHOUT_SUBSCRIPTION)
    return min(
        periods.add(now, cycle["interval"], INTERVALS * cycle["interval_count"]) for cycle in cycles
    )


def advance(ledger: Ledger, call: Call) -> Object:
    """Let time pass; the answer comes when all has happened."""
    clock, to = ledger.get(KIND, call.id, "test_clock"), call.params["frozen_time"]
    if to < clock["frozen_time"]:
        text = "The specified `frozen_time` is before the current frozen time of the clock."
        raise invalid(text, "frozen_time")
    if to > farthest(ledger, clock):
        raise invalid(
            "You can only advance a test clock by up to two intervals of the shortest subscription"
            " on it.",
            "frozen_time",
        )
    return clocks.advance(ledger, clock, to)


def delete(ledger: Ledger, call: Call) -> Object:
    """Delete a clock with its customers."""
    clock = ledger.get(KIND, call.id, "test_clock")
    for customer in ledger.find("customer"):
        if customer["test_clock"] == clock["id"]:
            customers.delete(ledger, customer)
    ledger.emit("test_helpers.test_clock.deleted", clock)
    ledger.save(clock | {"deleted": True})
    return {"id": call.id, "object": KIND, "deleted": True}


OPERATIONS = (
    Operation("POST", PATH, p.TestClockCreateParams, create, "frozen_time name"),
    Operation(
        "GET",
        PATH,
        p.TestClockListParams,
        lambda ledger, call: page(ledger.find(KIND), call, PATH),
        PAGING,
    ),
    Operation(
        "GET",
        f"{PATH}/{{id}}",
        p.TestClockRetrieveParams,
        lambda ledger, call: ledger.get(KIND, call.id, "test_clock"),
    ),
    Operation("POST", f"{PATH}/{{id}}/advance", p.TestClockAdvanceParams, advance, "frozen_time"),
    Operation("DELETE", f"{PATH}/{{id}}", p.TestClockDeleteParams, delete),
)

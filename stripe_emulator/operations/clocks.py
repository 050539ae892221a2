"""Test clocks (docs.stripe.com/api/test_clocks)."""

import stripe.params.test_helpers as p

from stripe_emulator import periods
from stripe_emulator.due_dates import ENDED_STATUSES
from stripe_emulator.engine import clocks, customers
from stripe_emulator.errors import invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.operation import PAGING, Call, Operation, paginate
from stripe_emulator.shapes.customer import new_test_clock
from stripe_emulator.transaction import Transaction

PATH = "/v1/test_helpers/test_clocks"
KIND = "test_helpers.test_clock"
MAX_YEARS_WITHOUT_SUBSCRIPTION = 2
MAX_INTERVALS = 2


def create_test_clock(tx: Transaction, call: Call) -> Object:
    """Create a test clock."""
    moment = int(tx.real_time())
    made = new_test_clock(moment, call.params["frozen_time"], call.params.get("name"))
    tx.save(made)
    tx.emit("test_helpers.test_clock.created", made)
    return made


def max_frozen_time(tx: Transaction, clock: Object) -> int:
    """Return how far a clock can be advanced: two of the shortest billing intervals."""
    now = clock["frozen_time"]
    cycles = [
        subscription["items"]["data"][0]["price"]["recurring"]
        for customer in tx.find_all("customer")
        if customer["test_clock"] == clock["id"]
        for subscription in tx.find_all("subscription", customer=customer["id"])
        if subscription["status"] not in ENDED_STATUSES
    ]
    if not cycles:
        return periods.add_intervals(now, "year", MAX_YEARS_WITHOUT_SUBSCRIPTION)
    return min(
        periods.add_intervals(now, cycle["interval"], MAX_INTERVALS * cycle["interval_count"])
        for cycle in cycles
    )


def advance_test_clock(tx: Transaction, call: Call) -> Object:
    """Advance a clock; the response is sent after everything due has been processed."""
    clock, to = tx.get(KIND, call.id, "test_clock"), call.params["frozen_time"]
    if to < clock["frozen_time"]:
        text = "The specified `frozen_time` is before the current frozen time of the clock."
        raise invalid_request(text, "frozen_time")
    if to > max_frozen_time(tx, clock):
        raise invalid_request(
            "You can only advance a test clock by up to two intervals of the shortest subscription"
            " on it.",
            "frozen_time",
        )
    return clocks.advance_clock(tx, clock, to)


def delete_test_clock(tx: Transaction, call: Call) -> Object:
    """Delete a clock and its customers."""
    clock = tx.get(KIND, call.id, "test_clock")
    for customer in tx.find_all("customer"):
        if customer["test_clock"] == clock["id"]:
            customers.remove_customer(tx, customer)
    tx.emit("test_helpers.test_clock.deleted", clock)
    tx.save(clock | {"deleted": True})
    return {"id": call.id, "object": KIND, "deleted": True}


OPERATIONS = (
    Operation("POST", PATH, p.TestClockCreateParams, create_test_clock, "frozen_time name"),
    Operation(
        "GET",
        PATH,
        p.TestClockListParams,
        lambda tx, call: paginate(tx.find_all(KIND), call, PATH),
        PAGING,
    ),
    Operation(
        "GET",
        f"{PATH}/{{id}}",
        p.TestClockRetrieveParams,
        lambda tx, call: tx.get(KIND, call.id, "test_clock"),
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}/advance",
        p.TestClockAdvanceParams,
        advance_test_clock,
        "frozen_time",
    ),
    Operation("DELETE", f"{PATH}/{{id}}", p.TestClockDeleteParams, delete_test_clock),
)

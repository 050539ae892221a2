"""Advance test clocks (docs.stripe.com/billing/testing/test-clocks)."""

from stripe_emulator.engine import scheduler
from stripe_emulator.objects import Object
from stripe_emulator.shapes.customer import new_test_clock
from stripe_emulator.transaction import Transaction, snapshot

KINDS_WITH_TEST_CLOCK = ("subscription", "invoice", "subscription_schedule", "invoiceitem")


def advance_clock(tx: Transaction, clock: Object, to: int) -> Object:
    """Advance a clock, and process what is due for its customers in chronological order."""
    before = snapshot(clock)
    clock["status"] = "advancing"
    clock["status_details"] = {"advancing": {"target_frozen_time": to}}
    tx.save_changes("test_helpers.test_clock.advancing", clock, before)
    scheduler.run_due(tx, clock["id"], to)
    before = snapshot(clock)
    clock |= {"frozen_time": to, "status": "ready", "status_details": {}}
    tx.save_changes("test_helpers.test_clock.ready", clock, before)
    return clock


def ensure_test_clock(tx: Transaction, customer: Object) -> Object:
    """Return the customer's test clock; create one at the customer's current time if missing."""
    if found := tx.test_clock_of(customer["id"]):
        return found
    moment = int(tx.real_time())
    clock = tx.save(new_test_clock(moment, tx.now(customer["id"]), customer["email"]))
    customer["test_clock"] = clock["id"]
    tx.save(customer)
    for kind in KINDS_WITH_TEST_CLOCK:
        for item in tx.find_all(kind, customer=customer["id"]):
            tx.save(item | {"test_clock": clock["id"]})
    return clock

"""Test clocks (docs.stripe.com/billing/testing/test-clocks)."""

from stripe_emulator.engine import scheduler
from stripe_emulator.objects import Object
from stripe_emulator.shapes.customer import test_clock
from stripe_emulator.transaction import Ledger, snapshot

FOLLOWERS = ("subscription", "invoice", "subscription_schedule", "invoiceitem")


def advance(ledger: Ledger, clock: Object, to: int) -> Object:
    """Let time pass for a clock's customers; everything due happens in its order."""
    before = snapshot(clock)
    clock["status"] = "advancing"
    clock["status_details"] = {"advancing": {"target_frozen_time": to}}
    ledger.keep("test_helpers.test_clock.advancing", clock, before)
    scheduler.run(ledger, clock["id"], to)
    before = snapshot(clock)
    clock |= {"frozen_time": to, "status": "ready", "status_details": {}}
    ledger.keep("test_helpers.test_clock.ready", clock, before)
    return clock


def hold(ledger: Ledger, customer: Object) -> Object:
    """Give a customer a clock of their own, standing at their present."""
    if found := ledger.clock_of(customer["id"]):
        return found
    moment = int(ledger.clock())
    clock = ledger.save(test_clock(moment, ledger.now(customer["id"]), customer["email"]))
    customer["test_clock"] = clock["id"]
    ledger.save(customer)
    for kind in FOLLOWERS:
        for item in ledger.find(kind, customer=customer["id"]):
            ledger.save(item | {"test_clock": clock["id"]})
    return clock

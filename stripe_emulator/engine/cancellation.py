"""Subscriptions end (docs.stripe.com/billing/subscriptions/cancel)."""

from typing import Any

from stripe_emulator.engine import invoices
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Ledger, snapshot


def end(ledger: Ledger, subscription: Object, reason: str, details: Object | None = None) -> Object:
    """End a subscription at once; its invoices are no longer collected by themselves."""
    moment = ledger.now(subscription["customer"])
    subscription |= {
        "canceled_at": subscription["canceled_at"] or moment,
        "cancel_at_period_end": False,
        "ended_at": moment,
        "pending_update": None,
        "status": "canceled",
    }
    note(subscription, reason, details or {})
    pending = subscription.pop("_pending", None)
    leave_schedule(ledger, subscription, moment)
    ledger.save(subscription)
    for invoice in ledger.find("invoice", parent=subscription["id"]):
        if pending and invoice["id"] == pending["invoice"] and invoice["status"] == "open":
            invoices.close(ledger, invoice, "void")
        elif invoice["status"] in ("draft", "open"):
            invoices.stop(ledger, invoice)
    ledger.emit("customer.subscription.deleted", subscription)
    return subscription


def note(subscription: Object, reason: str | None, details: Object) -> None:
    """Keep why a subscription ends."""
    kept = subscription["cancellation_details"]
    kept |= {name: value or None for name, value in details.items()}
    kept["reason"] = kept["reason"] or reason


def leave_schedule(ledger: Ledger, subscription: Object, moment: int) -> None:
    """Cancel the schedule that drove the subscription."""
    schedule = ledger.peek(subscription["schedule"])
    subscription["schedule"] = None
    if schedule and schedule["status"] in ("active", "not_started"):
        schedule |= {"canceled_at": moment, "current_phase": None, "status": "canceled"}
        ledger.save(schedule)
        ledger.emit("subscription_schedule.canceled", schedule)


def expire(ledger: Ledger, subscription: Object) -> None:
    """Give up a subscription whose first payment never came."""
    before = snapshot(subscription)
    subscription["status"] = "incomplete_expired"
    subscription["ended_at"] = ledger.now(subscription["customer"])
    ledger.save(subscription)
    for invoice in ledger.find("invoice", parent=subscription["id"]):
        if invoice["status"] == "open":
            invoices.close(ledger, invoice, "void")
    ledger.keep("customer.subscription.updated", subscription, before)


def plan(ledger: Ledger, subscription: Object, cancel_at: int | None, *, at_end: bool) -> None:
    """Set or clear the moment at which a subscription will end."""
    moment = ledger.now(subscription["customer"])
    wanted: dict[str, Any] = {"cancel_at": cancel_at, "cancel_at_period_end": at_end}
    subscription |= wanted
    if cancel_at is None and not at_end:
        subscription["canceled_at"] = None
        subscription["cancellation_details"]["reason"] = None
    else:
        subscription["canceled_at"] = subscription["canceled_at"] or moment
        note(subscription, "cancellation_requested", {})

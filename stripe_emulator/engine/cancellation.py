"""End subscriptions (docs.stripe.com/billing/subscriptions/cancel)."""

from typing import Any

from stripe_emulator.engine import invoices
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Transaction, snapshot


def cancel_subscription(
    tx: Transaction, subscription: Object, reason: str, details: Object | None = None
) -> Object:
    """Cancel a subscription now and stop the automatic collection of its invoices."""
    moment = tx.now(subscription["customer"])
    subscription |= {
        "canceled_at": subscription["canceled_at"] or moment,
        "cancel_at_period_end": False,
        "ended_at": moment,
        "pending_update": None,
        "status": "canceled",
    }
    record_cancellation_details(subscription, reason, details or {})
    pending = subscription.pop("_pending", None)
    cancel_schedule_of(tx, subscription, moment)
    tx.save(subscription)
    for invoice in tx.find_all("invoice", parent=subscription["id"]):
        if pending and invoice["id"] == pending["invoice"] and invoice["status"] == "open":
            invoices.close_invoice(tx, invoice, "void")
        elif invoice["status"] in ("draft", "open"):
            invoices.stop_auto_advance(tx, invoice)
    tx.emit("customer.subscription.deleted", subscription)
    return subscription


def record_cancellation_details(subscription: Object, reason: str | None, details: Object) -> None:
    """Record why a subscription was cancelled."""
    kept = subscription["cancellation_details"]
    kept |= {name: value or None for name, value in details.items()}
    kept["reason"] = kept["reason"] or reason


def cancel_schedule_of(tx: Transaction, subscription: Object, moment: int) -> None:
    """Cancel the schedule that manages the subscription."""
    schedule = tx.get_or_none(subscription["schedule"])
    subscription["schedule"] = None
    if schedule and schedule["status"] in ("active", "not_started"):
        schedule |= {"canceled_at": moment, "current_phase": None, "status": "canceled"}
        tx.save(schedule)
        tx.emit("subscription_schedule.canceled", schedule)


def expire_incomplete(tx: Transaction, subscription: Object) -> None:
    """Expire a subscription whose first payment was not made in time."""
    before = snapshot(subscription)
    subscription["status"] = "incomplete_expired"
    subscription["ended_at"] = tx.now(subscription["customer"])
    tx.save(subscription)
    for invoice in tx.find_all("invoice", parent=subscription["id"]):
        if invoice["status"] == "open":
            invoices.close_invoice(tx, invoice, "void")
    tx.save_changes("customer.subscription.updated", subscription, before)


def set_cancel_at(
    tx: Transaction, subscription: Object, cancel_at: int | None, *, at_end: bool
) -> None:
    """Set or clear the time at which a subscription is cancelled."""
    moment = tx.now(subscription["customer"])
    wanted: dict[str, Any] = {"cancel_at": cancel_at, "cancel_at_period_end": at_end}
    subscription |= wanted
    if cancel_at is None and not at_end:
        subscription["canceled_at"] = None
        subscription["cancellation_details"]["reason"] = None
    else:
        subscription["canceled_at"] = subscription["canceled_at"] or moment
        record_cancellation_details(subscription, "cancellation_requested", {})

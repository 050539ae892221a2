"""Pause and resume subscriptions (docs.stripe.com/billing/subscriptions/pause)."""

from stripe_emulator.objects import Object
from stripe_emulator.transaction import Transaction, snapshot


def pause_subscription(tx: Transaction, subscription: Object, reason: str) -> None:
    """Pause a subscription until it is resumed."""
    before = snapshot(subscription)
    subscription["status"] = "paused"
    subscription["status_details"] = {
        "paused": {
            "subscription": {"type": reason},
            "transitioned_at": tx.now(subscription["customer"]),
            "type": "subscription",
        }
    }
    tx.save_changes("customer.subscription.updated", subscription, before)
    tx.emit("customer.subscription.paused", subscription)


def unpause_subscription(tx: Transaction, subscription: Object) -> None:
    """Set a paused subscription to active."""
    before = snapshot(subscription)
    subscription["status"] = "active"
    subscription.pop("status_details", None)
    subscription.pop("_resuming", None)
    tx.save_changes("customer.subscription.updated", subscription, before)
    tx.emit("customer.subscription.resumed", subscription)

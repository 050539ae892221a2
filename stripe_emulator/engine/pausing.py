"""Paused subscriptions (docs.stripe.com/billing/subscriptions/pause)."""

from stripe_emulator.objects import Object
from stripe_emulator.transaction import Ledger, snapshot


def pause(ledger: Ledger, subscription: Object, reason: str) -> None:
    """Stop billing until somebody resumes."""
    before = snapshot(subscription)
    subscription["status"] = "paused"
    subscription["status_details"] = {
        "paused": {
            "subscription": {"type": reason},
            "transitioned_at": ledger.now(subscription["customer"]),
            "type": "subscription",
        }
    }
    ledger.keep("customer.subscription.updated", subscription, before)
    ledger.emit("customer.subscription.paused", subscription)


def wake(ledger: Ledger, subscription: Object) -> None:
    """Let a subscription run again."""
    before = snapshot(subscription)
    subscription["status"] = "active"
    subscription.pop("status_details", None)
    subscription.pop("_resuming", None)
    ledger.keep("customer.subscription.updated", subscription, before)
    ledger.emit("customer.subscription.resumed", subscription)

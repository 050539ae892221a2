"""What a payment does to its subscription (docs.stripe.com/billing/subscriptions/overview)."""

from stripe_emulator.engine import cancellation, invoices, pausing
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Ledger, snapshot

ENDED = ("canceled", "incomplete_expired")


def subscription_for(ledger: Ledger, invoice: Object) -> Object | None:
    """Return the subscription that the invoice bills, unless it ended."""
    subscription = ledger.peek(invoices.subscription_of(invoice))
    return subscription if subscription and subscription["status"] not in ENDED else None


def paid(ledger: Ledger, invoice: Object) -> None:
    """Let a subscription live that waited for the payment."""
    subscription = subscription_for(ledger, invoice)
    if subscription is None:
        return
    if (subscription.get("_pending") or {}).get("invoice") == invoice["id"]:
        apply_pending_update(ledger, subscription)
    elif subscription["status"] == "paused" and subscription.get("_resuming") == invoice["id"]:
        pausing.wake(ledger, subscription)
    elif subscription["latest_invoice"] == invoice["id"]:
        revive(ledger, subscription)


def revive(ledger: Ledger, subscription: Object) -> None:
    """Make active what was incomplete, past due or unpaid."""
    before = snapshot(subscription)
    if subscription["status"] in ("incomplete", "past_due", "unpaid"):
        subscription["status"] = "active"
    ledger.keep("customer.subscription.updated", subscription, before)


def apply_pending_update(ledger: Ledger, subscription: Object) -> None:
    """Make the change that waited for its payment (…/subscriptions/pending-updates)."""
    before = snapshot(subscription)
    pending = subscription.pop("_pending")
    subscription["pending_update"] = None
    subscription["items"]["data"] = pending["items"]
    if pending["anchor"] is not None:
        subscription["billing_cycle_anchor"] = pending["anchor"]
    if pending["trial_end"] is not None:
        subscription |= {"status": "active", "trial_end": pending["trial_end"]}
    ledger.save(subscription)
    ledger.emit("customer.subscription.pending_update_applied", subscription)
    ledger.keep("customer.subscription.updated", subscription, before)


def expire_pending_update(ledger: Ledger, subscription: Object) -> None:
    """Forget a change that was not paid in time, and void its invoice."""
    before = snapshot(subscription)
    pending = subscription.pop("_pending")
    subscription["pending_update"] = None
    invoice = ledger.get("invoice", pending["invoice"])
    if subscription["latest_invoice"] == invoice["id"]:
        subscription["latest_invoice"] = pending["before"]
    ledger.save(subscription)
    if invoice["status"] == "open":
        invoices.close(ledger, invoice, "void")
    ledger.emit("customer.subscription.pending_update_expired", subscription)
    ledger.keep("customer.subscription.updated", subscription, before)


def failed(ledger: Ledger, invoice: Object, *, final: bool) -> None:
    """Make a subscription past due at the first failure, and end it after the last."""
    subscription = subscription_for(ledger, invoice)
    if subscription is None or subscription["status"] in ("incomplete", "paused"):
        return
    if invoice.get("_pending_update"):
        return
    if subscription["status"] in ("active", "trialing"):
        before = snapshot(subscription)
        subscription["status"] = "past_due"
        ledger.keep("customer.subscription.updated", subscription, before)
    if final:
        give_up(ledger, subscription)


def give_up(ledger: Ledger, subscription: Object) -> None:
    """Do what the account's settings say after the last retry."""
    after = ledger.settings()["after_retries"]
    before = snapshot(subscription)
    if after == "cancel":
        cancellation.end(ledger, subscription, "payment_failed")
    elif after == "pause":
        pausing.pause(ledger, subscription, "final_payment_failure")
    elif after == "unpaid":
        subscription["status"] = "unpaid"
        ledger.keep("customer.subscription.updated", subscription, before)


def voided(ledger: Ledger, invoice: Object) -> None:
    """Let a subscription live on whose unpaid invoice is void; an incomplete one expires."""
    subscription = subscription_for(ledger, invoice)
    if subscription is None:
        return
    if (subscription.get("_pending") or {}).get("invoice") == invoice["id"]:
        expire_pending_update(ledger, subscription)
    elif subscription["latest_invoice"] == invoice["id"]:
        if subscription["status"] == "incomplete":
            cancellation.expire(ledger, subscription)
        else:
            revive(ledger, subscription)

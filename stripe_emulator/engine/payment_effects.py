"""Update subscriptions after payments (docs.stripe.com/billing/subscriptions/overview)."""

from stripe_emulator.due_dates import ENDED_STATUSES
from stripe_emulator.engine import cancellation, invoices, pausing
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Transaction, snapshot


def live_subscription_of(tx: Transaction, invoice: Object) -> Object | None:
    """Return the subscription that the invoice bills, or None if it has ended."""
    subscription = tx.get_or_none(invoices.subscription_id_of(invoice))
    return subscription if subscription and subscription["status"] not in ENDED_STATUSES else None


def on_invoice_paid(tx: Transaction, invoice: Object) -> None:
    """Apply a pending update, resume, or activate the subscription of a paid invoice."""
    subscription = live_subscription_of(tx, invoice)
    if subscription is None:
        return
    if (subscription.get("_pending") or {}).get("invoice") == invoice["id"]:
        apply_pending_update(tx, subscription)
    elif subscription["status"] == "paused" and subscription.get("_resuming") == invoice["id"]:
        pausing.unpause_subscription(tx, subscription)
    elif subscription["latest_invoice"] == invoice["id"]:
        reactivate(tx, subscription)


def reactivate(tx: Transaction, subscription: Object) -> None:
    """Set an incomplete, past due or unpaid subscription to active."""
    before = snapshot(subscription)
    if subscription["status"] in ("incomplete", "past_due", "unpaid"):
        subscription["status"] = "active"
    tx.save_changes("customer.subscription.updated", subscription, before)


def apply_pending_update(tx: Transaction, subscription: Object) -> None:
    """Apply a pending update (docs.stripe.com/billing/subscriptions/pending-updates)."""
    before = snapshot(subscription)
    pending = subscription.pop("_pending")
    subscription["pending_update"] = None
    subscription["items"]["data"] = pending["items"]
    if pending["anchor"] is not None:
        subscription["billing_cycle_anchor"] = pending["anchor"]
    if pending["trial_end"] is not None:
        subscription |= {"status": "active", "trial_end": pending["trial_end"]}
    tx.save(subscription)
    tx.emit("customer.subscription.pending_update_applied", subscription)
    tx.save_changes("customer.subscription.updated", subscription, before)


def expire_pending_update(tx: Transaction, subscription: Object) -> None:
    """Discard an unpaid pending update and void its invoice."""
    before = snapshot(subscription)
    pending = subscription.pop("_pending")
    subscription["pending_update"] = None
    invoice = tx.get("invoice", pending["invoice"])
    if subscription["latest_invoice"] == invoice["id"]:
        subscription["latest_invoice"] = pending["before"]
    tx.save(subscription)
    if invoice["status"] == "open":
        invoices.close_invoice(tx, invoice, "void")
    tx.emit("customer.subscription.pending_update_expired", subscription)
    tx.save_changes("customer.subscription.updated", subscription, before)


def on_payment_failed(tx: Transaction, invoice: Object, *, final: bool) -> None:
    """Set the subscription to past due; after the last retry, apply the `after_retries` setting."""
    subscription = live_subscription_of(tx, invoice)
    if subscription is None or subscription["status"] in ("incomplete", "paused"):
        return
    if invoice.get("_pending_update"):
        return
    if subscription["status"] in ("active", "trialing"):
        before = snapshot(subscription)
        subscription["status"] = "past_due"
        tx.save_changes("customer.subscription.updated", subscription, before)
    if final:
        apply_final_failure(tx, subscription)


def apply_final_failure(tx: Transaction, subscription: Object) -> None:
    """Cancel, pause or mark as unpaid, by the setting `after_retries`."""
    after = tx.settings()["after_retries"]
    before = snapshot(subscription)
    if after == "cancel":
        cancellation.cancel_subscription(tx, subscription, "payment_failed")
    elif after == "pause":
        pausing.pause_subscription(tx, subscription, "final_payment_failure")
    elif after == "unpaid":
        subscription["status"] = "unpaid"
        tx.save_changes("customer.subscription.updated", subscription, before)


def on_invoice_voided(tx: Transaction, invoice: Object) -> None:
    """Reactivate the subscription of a voided invoice; expire an incomplete one."""
    subscription = live_subscription_of(tx, invoice)
    if subscription is None:
        return
    if (subscription.get("_pending") or {}).get("invoice") == invoice["id"]:
        expire_pending_update(tx, subscription)
    elif subscription["latest_invoice"] == invoice["id"]:
        if subscription["status"] == "incomplete":
            cancellation.expire_incomplete(tx, subscription)
        else:
            reactivate(tx, subscription)

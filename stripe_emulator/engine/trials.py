"""End a trial early, when its first invoice is paid.

`trial_end` can be part of a pending update
(docs.stripe.com/billing/subscriptions/pending-updates).
"""

from stripe_emulator.engine import (
    invoice_collection,
    invoice_previews,
    invoices,
    proration,
    subscription_updates,
)
from stripe_emulator.engine.subscriptions import period_line, record_billing_invoice
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Transaction, snapshot


def end_trial_when_paid(tx: Transaction, subscription: Object, wanted: list[Object]) -> None:
    """Bill the first paid period; keep the trial and its items until that invoice is paid."""
    moment = tx.now(subscription["customer"])
    after = _subscription_after_trial(tx, subscription, wanted, moment)
    items = after["items"]["data"]
    lines = subscription_updates.pending_lines(tx, subscription)
    lines += [period_line(tx, item, trial=False) for item in items]
    customer = tx.get("customer", subscription["customer"])
    invoice = invoices.build_invoice(tx, customer, after, lines, "subscription_update")
    record_billing_invoice(items, invoice)
    before, subscription["latest_invoice"] = subscription["latest_invoice"], invoice["id"]
    invoice["_pending_update"] = True
    tx.save(subscription)
    invoices.save_draft(tx, invoice)
    subscription_updates.assign_invoice_items(tx, subscription, invoice)
    invoice_collection.collect_invoice(tx, invoice, on_session=True)
    planned = proration.PlannedChange(items, lines, moment)
    if invoice["status"] != "paid":
        subscription_updates.set_pending_update(
            tx, subscription, planned, invoice, before, trial_end=moment
        )
        return
    subscription_updates.apply_change(subscription, planned)
    subscription |= {"status": "active", "trial_end": moment}


def _subscription_after_trial(
    tx: Transaction, subscription: Object, wanted: list[Object], moment: int
) -> Object:
    """Return the subscription in its first paid period, without saving it."""
    after = snapshot(subscription)
    subscription_updates.apply_change(after, proration.plan_change(tx, after, wanted, moment))
    invoice_previews.start_next_period_at(after, moment)
    return after

"""A trial ends before its time, at once or when its first invoice is paid.

`trial_end` may be part of a pending update (docs.stripe.com/billing/subscriptions/pending-updates).
"""

from stripe_emulator.engine import (
    invoice_collection,
    invoice_previews,
    invoices,
    proration,
    subscription_updates,
)
from stripe_emulator.engine.subscriptions import bind, period_line
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Ledger, snapshot


def end_when_paid(ledger: Ledger, subscription: Object, wanted: list[Object]) -> None:
    """Bill the first paid period; the trial and its items stay until that invoice is paid."""
    moment = ledger.now(subscription["customer"])
    after = _after(ledger, subscription, wanted, moment)
    items = after["items"]["data"]
    lines = subscription_updates.pending_lines(ledger, subscription)
    lines += [period_line(ledger, item, trial=False) for item in items]
    customer = ledger.get("customer", subscription["customer"])
    invoice = invoices.build(ledger, customer, after, lines, "subscription_update")
    bind(items, invoice)
    before, subscription["latest_invoice"] = subscription["latest_invoice"], invoice["id"]
    invoice["_pending_update"] = True
    ledger.save(subscription)
    invoices.keep_draft(ledger, invoice)
    subscription_updates.claim(ledger, subscription, invoice)
    invoice_collection.collect(ledger, invoice, on_session=True)
    planned = proration.Change(items, lines, moment)
    if invoice["status"] != "paid":
        subscription_updates.hold(ledger, subscription, planned, invoice, before, trial_end=moment)
        return
    subscription_updates.apply(subscription, planned)
    subscription |= {"status": "active", "trial_end": moment}


def _after(ledger: Ledger, subscription: Object, wanted: list[Object], moment: int) -> Object:
    """Return the subscription as it will be in its first paid period."""
    after = snapshot(subscription)
    subscription_updates.apply(after, proration.change(ledger, after, wanted, moment))
    invoice_previews.renewal_now(after, moment)
    return after

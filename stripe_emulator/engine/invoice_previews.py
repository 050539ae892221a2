"""Invoices that do not exist yet (docs.stripe.com/api/invoices/create_preview)."""

from stripe_emulator.engine import invoices, proration, subscription_updates
from stripe_emulator.engine.subscriptions import Order, begin, period_line
from stripe_emulator.errors import Problem
from stripe_emulator.objects import Object, token
from stripe_emulator.transaction import Ledger, snapshot


def named(invoice: Object) -> Object:
    """Mark an invoice as one that is only a preview."""
    invoice["id"] = f"upcoming_in_{token(24)}"
    invoice["auto_advance"] = False
    invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
    for line in invoice["lines"]["data"]:
        line["invoice"] = invoice["id"]
    return invoice


def upcoming(
    ledger: Ledger, subscription: Object, prorations: list[Object] | None = None
) -> Object:
    """Return the invoice of the next period."""
    subscription = snapshot(subscription)
    end = subscription_updates.period_end(subscription)
    ends = subscription["cancel_at"] is not None and subscription["cancel_at"] <= end
    if subscription["status"] == "canceled" or subscription["cancel_at_period_end"] or ends:
        text = f"No upcoming invoices for customer: {subscription['customer']}"
        raise Problem(404, text, code="invoice_upcoming_none")
    customer = ledger.get("customer", subscription["customer"])
    start = subscription["items"]["data"][0]["current_period_start"]
    lines = snapshot({"of": subscription_updates.pending_lines(ledger, subscription)})["of"]
    lines += prorations or []
    subscription_updates.next_period(subscription)
    items = subscription["items"]["data"]
    lines += [period_line(ledger, item, trial=False) for item in items]
    invoice = invoices.build(ledger, customer, subscription, lines, "upcoming")
    invoice |= {"created": end, "next_payment_attempt": end + 3600}
    invoice |= {"period_start": start, "period_end": end}
    return named(invoice)


def changed(ledger: Ledger, subscription: Object, request: subscription_updates.Request) -> Object:
    """Return the invoice that a change of items would make, now or with the next period."""
    subscription = snapshot(subscription)
    planned = proration.change(ledger, subscription, request.items, request.at, reset=request.reset)
    if request.prorations == "always_invoice" or planned.anchor is not None:
        lines = planned.lines
        if request.prorations == "none":
            lines = [line for line in lines if line["amount"] > 0]
        customer = ledger.get("customer", subscription["customer"])
        return named(
            invoices.build(ledger, customer, subscription, lines, "subscription_update", request.at)
        )
    subscription_updates.apply(subscription, planned)
    lines = planned.lines if request.prorations == "create_prorations" else []
    return upcoming(ledger, subscription, lines)


def ended_trial(ledger: Ledger, subscription: Object, wanted: list[Object]) -> Object:
    """Return the invoice that ending the trial now would make, with the wanted items."""
    subscription = snapshot(subscription)
    moment = ledger.now(subscription["customer"])
    planned = proration.change(ledger, subscription, wanted, moment)
    subscription_updates.apply(subscription, planned)
    renewal_now(subscription, moment)
    customer = ledger.get("customer", subscription["customer"])
    items = subscription["items"]["data"]
    lines = [period_line(ledger, item, trial=False) for item in items]
    return named(invoices.build(ledger, customer, subscription, lines, "subscription_cycle"))


def renewal_now(subscription: Object, moment: int) -> None:
    """Let the next period begin at a moment, and not when the current one would have ended."""
    subscription["billing_cycle_anchor"] = moment
    for item in subscription["items"]["data"]:
        item["current_period_end"] = moment
    subscription_updates.next_period(subscription)


def fresh(ledger: Ledger, order: Order) -> Object:
    """Return the first invoice of a subscription that somebody thinks about."""
    customer = ledger.get("customer", order.customer, "customer")
    subscription = begin(ledger, customer, order)
    trial = order.trial_end is not None
    lines = [period_line(ledger, item, trial=trial) for item in subscription["items"]["data"]]
    return named(invoices.build(ledger, customer, subscription, lines, "subscription_create"))

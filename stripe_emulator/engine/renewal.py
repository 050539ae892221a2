"""Trials end and periods follow each other (…/billing/subscriptions/billing-cycle)."""

from stripe_emulator import due_dates
from stripe_emulator.engine import (
    cancellation,
    invoice_collection,
    invoice_previews,
    invoices,
    pausing,
    payment_effects,
    subscription_updates,
)
from stripe_emulator.engine.subscriptions import bind, period_line, refused
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Ledger, snapshot


def step(ledger: Ledger, subscription: Object, now: int) -> None:
    """Do the one thing that is due."""
    pending = subscription["pending_update"]
    if subscription["status"] == "incomplete":
        cancellation.expire(ledger, subscription)
    elif pending and pending["expires_at"] <= now:
        payment_effects.expire_pending_update(ledger, subscription)
    elif subscription["cancel_at"] is not None and subscription["cancel_at"] <= now:
        cancellation.end(ledger, subscription, "cancellation_requested")
    elif reached(due_dates.trial_notice(subscription), now):
        announce_trial(ledger, subscription)
    elif reached(due_dates.renewal_notice(subscription), now):
        announce_renewal(ledger, subscription)
    elif subscription["cancel_at_period_end"]:
        cancellation.end(ledger, subscription, "cancellation_requested")
    elif subscription["status"] == "trialing":
        end_trial(ledger, subscription)
    else:
        renew(ledger, subscription)


def reached(moment: int | None, now: int) -> bool:
    """Whether something is due by now."""
    return moment is not None and moment <= now


def announce_trial(ledger: Ledger, subscription: Object) -> None:
    """Tell that a trial ends in three days."""
    subscription["_trial_announced"] = subscription["trial_end"]
    ledger.save(subscription)
    ledger.emit("customer.subscription.trial_will_end", subscription)


def announce_renewal(ledger: Ledger, subscription: Object) -> None:
    """Tell what the next invoice will be."""
    subscription["_renewal_announced"] = due_dates.period_end(subscription)
    ledger.save(subscription)
    ledger.emit("invoice.upcoming", invoice_previews.upcoming(ledger, subscription))


def end_trial(ledger: Ledger, subscription: Object) -> None:
    """Begin the first paid period, or do what the trial's settings say without a card."""
    customer = ledger.get("customer", subscription["customer"])
    card = (
        subscription["default_payment_method"]
        or customer["invoice_settings"]["default_payment_method"]
    )
    choice = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if card or choice == "create_invoice":
        renew(ledger, subscription)
    elif choice == "cancel":
        cancellation.end(ledger, subscription, "cancellation_requested")
    else:
        pausing.pause(ledger, subscription, "trial_end_without_payment_method")


def renew(ledger: Ledger, subscription: Object) -> Object:
    """Move to the next period and draft its invoice, which is collected an hour later."""
    before = snapshot(subscription)
    past = subscription["items"]["data"][0]
    bounds = past["current_period_start"], past["current_period_end"]
    subscription_updates.next_period(subscription)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    invoice = cycle_invoice(ledger, subscription, bounds)
    subscription["latest_invoice"] = invoice["id"]
    ledger.keep("customer.subscription.updated", subscription, before)
    invoices.keep_draft(ledger, invoice, advance=subscription["status"] != "unpaid")
    subscription_updates.claim(ledger, subscription, invoice)
    return invoice


def cycle_invoice(ledger: Ledger, subscription: Object, past: tuple[int, int]) -> Object:
    """Return the draft for the period that begins, with what was left for it."""
    customer = ledger.get("customer", subscription["customer"])
    items = subscription["items"]["data"]
    lines = subscription_updates.pending_lines(ledger, subscription)
    lines += [period_line(ledger, item, trial=False) for item in items]
    invoice = invoices.build(ledger, customer, subscription, lines, "subscription_cycle")
    invoice["period_start"], invoice["period_end"] = past
    bind(items, invoice)
    return invoice


def end_trial_now(ledger: Ledger, subscription: Object, behaviour: str) -> None:
    """End a trial at once, and collect the first period without waiting.

    Raises:
        CardProblem: the card is refused, and the request wants the change only with its payment.
    """
    moment = ledger.now(subscription["customer"])
    subscription["trial_end"] = moment
    subscription["billing_cycle_anchor"] = moment
    for item in subscription["items"]["data"]:
        item["current_period_end"] = moment
    invoice = renew(ledger, subscription)
    problem = invoice_collection.collect(ledger, invoice, on_session=True)
    if problem and behaviour == "error_if_incomplete":
        refused(problem)


def resume(ledger: Ledger, subscription: Object, *, anchor: str) -> None:
    """Resume a paused subscription; it lives again when its invoice is paid."""
    moment = ledger.now(subscription["customer"])
    if anchor == "now" or due_dates.period_end(subscription) <= moment:
        subscription["billing_cycle_anchor"] = moment
        for item in subscription["items"]["data"]:
            item["current_period_end"] = moment
        before = subscription["status"]
        invoice = renew(ledger, subscription)
        subscription["status"], subscription["_resuming"] = before, invoice["id"]
        ledger.save(subscription)
        invoice_collection.collect(ledger, invoice, on_session=True)
    else:
        pausing.wake(ledger, subscription)

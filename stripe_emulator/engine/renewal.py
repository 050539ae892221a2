"""Renew subscriptions and end trials (docs.stripe.com/billing/subscriptions/billing-cycle)."""

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
from stripe_emulator.engine.subscriptions import (
    period_line,
    raise_and_roll_back,
    record_billing_invoice,
)
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Transaction, snapshot


def process_due_subscription(tx: Transaction, subscription: Object, now: int) -> None:
    """Process the first of a subscription's due changes."""
    pending = subscription["pending_update"]
    if subscription["status"] == "incomplete":
        cancellation.expire_incomplete(tx, subscription)
    elif pending and pending["expires_at"] <= now:
        payment_effects.expire_pending_update(tx, subscription)
    elif subscription["cancel_at"] is not None and subscription["cancel_at"] <= now:
        cancellation.cancel_subscription(tx, subscription, "cancellation_requested")
    elif is_due(due_dates.trial_will_end_at(subscription), now):
        emit_trial_will_end(tx, subscription)
    elif is_due(due_dates.invoice_upcoming_at(subscription), now):
        emit_invoice_upcoming(tx, subscription)
    elif subscription["cancel_at_period_end"]:
        cancellation.cancel_subscription(tx, subscription, "cancellation_requested")
    elif subscription["status"] == "trialing":
        end_trial(tx, subscription)
    else:
        renew_subscription(tx, subscription)


def is_due(moment: int | None, now: int) -> bool:
    """Return whether a due time has been reached."""
    return moment is not None and moment <= now


def emit_trial_will_end(tx: Transaction, subscription: Object) -> None:
    """Emit `customer.subscription.trial_will_end`, three days before the end."""
    subscription["_trial_announced"] = subscription["trial_end"]
    tx.save(subscription)
    tx.emit("customer.subscription.trial_will_end", subscription)


def emit_invoice_upcoming(tx: Transaction, subscription: Object) -> None:
    """Emit `invoice.upcoming` with a preview of the next invoice."""
    subscription["_renewal_announced"] = due_dates.current_period_end(subscription)
    tx.save(subscription)
    tx.emit("invoice.upcoming", invoice_previews.preview_next_invoice(tx, subscription))


def end_trial(tx: Transaction, subscription: Object) -> None:
    """Start the first paid period; without a card, apply the trial settings."""
    customer = tx.get("customer", subscription["customer"])
    card = (
        subscription["default_payment_method"]
        or customer["invoice_settings"]["default_payment_method"]
    )
    choice = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if card or choice == "create_invoice":
        renew_subscription(tx, subscription)
    elif choice == "cancel":
        cancellation.cancel_subscription(tx, subscription, "cancellation_requested")
    else:
        pausing.pause_subscription(tx, subscription, "trial_end_without_payment_method")


def renew_subscription(tx: Transaction, subscription: Object) -> Object:
    """Start the next period and draft its invoice, which is collected an hour later."""
    before = snapshot(subscription)
    past = subscription["items"]["data"][0]
    bounds = past["current_period_start"], past["current_period_end"]
    subscription_updates.advance_period(subscription)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    invoice = build_cycle_invoice(tx, subscription, bounds)
    subscription["latest_invoice"] = invoice["id"]
    tx.save_changes("customer.subscription.updated", subscription, before)
    invoices.save_draft(tx, invoice, advance=subscription["status"] != "unpaid")
    subscription_updates.assign_invoice_items(tx, subscription, invoice)
    return invoice


def build_cycle_invoice(tx: Transaction, subscription: Object, past: tuple[int, int]) -> Object:
    """Return the draft invoice of a new period, with pending invoice items."""
    customer = tx.get("customer", subscription["customer"])
    items = subscription["items"]["data"]
    lines = subscription_updates.pending_lines(tx, subscription)
    lines += [period_line(tx, item, trial=False) for item in items]
    invoice = invoices.build_invoice(tx, customer, subscription, lines, "subscription_cycle")
    invoice["period_start"], invoice["period_end"] = past
    record_billing_invoice(items, invoice)
    return invoice


def end_trial_now(tx: Transaction, subscription: Object, payment_behavior: str) -> None:
    """End a trial now and collect the first period at once.

    Raises:
        CardError: the card is declined and `payment_behavior` is `error_if_incomplete`.
    """
    moment = tx.now(subscription["customer"])
    subscription["trial_end"] = moment
    subscription["billing_cycle_anchor"] = moment
    for item in subscription["items"]["data"]:
        item["current_period_end"] = moment
    invoice = renew_subscription(tx, subscription)
    error = invoice_collection.collect_invoice(tx, invoice, on_session=True)
    if error and payment_behavior == "error_if_incomplete":
        raise_and_roll_back(error)


def resume_paused(tx: Transaction, subscription: Object, *, anchor: str) -> None:
    """Resume a paused subscription; it becomes active when its new invoice is paid.

    If the anchor is kept and the period has not ended, no invoice is needed.
    """
    moment = tx.now(subscription["customer"])
    if anchor == "now" or due_dates.current_period_end(subscription) <= moment:
        subscription["billing_cycle_anchor"] = moment
        for item in subscription["items"]["data"]:
            item["current_period_end"] = moment
        before = subscription["status"]
        invoice = renew_subscription(tx, subscription)
        subscription["status"], subscription["_resuming"] = before, invoice["id"]
        tx.save(subscription)
        invoice_collection.collect_invoice(tx, invoice, on_session=True)
    else:
        pausing.unpause_subscription(tx, subscription)

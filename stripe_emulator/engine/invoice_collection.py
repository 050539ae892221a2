"""Collect invoices and retry failed payments.

docs.stripe.com/billing/revenue-recovery/smart-retries
"""

from stripe_emulator import cards
from stripe_emulator.engine import invoices, payment_effects, payments
from stripe_emulator.errors import CardError
from stripe_emulator.objects import Object
from stripe_emulator.periods import DAY_S
from stripe_emulator.transaction import Transaction, snapshot

REASONS_WITHOUT_RETRY = ("subscription_create", "subscription_update", "manual")


def payment_method_for(tx: Transaction, invoice: Object) -> Object | None:
    """Return the payment method to charge: the invoice's, the subscription's or the customer's."""
    subscription = tx.get_or_none(invoices.subscription_id_of(invoice)) or {}
    customer = tx.get_or_none(invoice["customer"]) or {}
    names = (
        invoice["default_payment_method"],
        subscription.get("default_payment_method"),
        customer["invoice_settings"]["default_payment_method"],
    )
    found = (tx.get_or_none(name) for name in names if name)
    return next((method for method in found if method and method["customer"]), None)


def attempt_payment(
    tx: Transaction,
    invoice: Object,
    *,
    method: Object | None = None,
    automatic: bool = False,
    on_session: bool = False,
    authenticated: bool = False,
) -> CardError | None:
    """Attempt to pay an open invoice, and update its subscription.

    Returns:
        The card error of a declined attempt, or None.
    """
    payment, intent = invoices.payment_and_intent_of(tx, invoice)
    method = method or payment_method_for(tx, invoice)
    if automatic and was_hard_declined(invoice, method):
        error = None
    else:
        error = charge_payment_method(tx, intent, method, on_session, authenticated)
    before = snapshot(invoice)
    invoice["attempted"] = True
    invoice["_last_method"] = method["id"] if method else None
    invoice["_hard"] = bool(error and error.decline_code in cards.HARD_DECLINE_CODES) or (
        automatic and error is None and intent["status"] != "succeeded"
    )
    if intent["status"] == "succeeded":
        mark_invoice_paid(tx, invoice, payment)
        return None
    counted = automatic or invoice["attempt_count"] == 0
    record_failed_attempt(tx, invoice, before, intent, counted=counted)
    return error


def was_hard_declined(invoice: Object, method: Object | None) -> bool:
    """Return whether this payment method got a hard decline before.

    Automatic retries are then counted but not made.
    """
    return (
        bool(invoice.get("_hard"))
        and method is not None
        and (invoice["_last_method"] == method["id"])
    )


def charge_payment_method(
    tx: Transaction,
    intent: Object,
    method: Object | None,
    on_session: bool,
    authenticated: bool,
) -> CardError | None:
    """Charge the payment method; without one, fail the intent."""
    if method is None:
        error = CardError("This customer has no attached payment method.", "missing")
        payments.fail_payment_intent(tx, intent, error, None)
        return error
    return payments.confirm_payment_intent(
        tx, intent, method, on_session=on_session, authenticated=authenticated
    )


def mark_invoice_paid(tx: Transaction, invoice: Object, payment: Object | None = None) -> None:
    """Mark an invoice as paid and update its subscription."""
    moment = tx.now(invoice["customer"])
    if payment:
        payment |= {"amount_paid": invoice["amount_due"], "status": "paid"}
        payment["status_transitions"]["paid_at"] = moment
        tx.save(payment)
    invoice |= {
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "attempt_count": max(invoice["attempt_count"], 1) if payment else 0,
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
    }
    invoice["status_transitions"]["paid_at"] = moment
    tx.save(invoice)
    tx.emit("invoice.paid", invoice)
    tx.emit("invoice.payment_succeeded", invoice)
    if payment:
        tx.emit("invoice_payment.paid", payment)
    payment_effects.on_invoice_paid(tx, invoice)


def record_failed_attempt(
    tx: Transaction, invoice: Object, before: Object, intent: Object, *, counted: bool
) -> None:
    """Record a failed attempt and schedule the next one."""
    final = False
    if counted:
        invoice["attempt_count"] += 1
        invoice["next_payment_attempt"] = next_attempt_at(tx, invoice)
        retried = invoice["billing_reason"] not in REASONS_WITHOUT_RETRY
        final = retried and invoice["next_payment_attempt"] is None
    tx.save(invoice)
    error = intent["last_payment_error"] or {}
    waits = intent["status"] == "requires_action"
    if waits or error.get("code") == "authentication_required":
        tx.emit("invoice.payment_action_required", invoice)
    if not waits:
        tx.emit("invoice.payment_failed", invoice)
    tx.save_changes("invoice.updated", invoice, before)
    payment_effects.on_payment_failed(tx, invoice, final=final)


def next_attempt_at(tx: Transaction, invoice: Object) -> int | None:
    """Return when the payment is retried, by the setting `retry_days`, or None."""
    days = tx.settings()["retry_days"]
    tries = invoice["attempt_count"]
    over = invoice["billing_reason"] in REASONS_WITHOUT_RETRY or not invoice["auto_advance"]
    if over or tries > len(days):
        return None
    return tx.now(invoice["customer"]) + int(days[tries - 1] * DAY_S)


def collect_invoice(
    tx: Transaction, invoice: Object, *, on_session: bool = False
) -> CardError | None:
    """Finalize the invoice if it is a draft, and collect the amount due."""
    if invoice["status"] == "draft":
        invoices.finalize_draft(tx, invoice)
    if invoice["amount_due"] == 0:
        mark_invoice_paid(tx, invoice)
        return None
    return attempt_payment(tx, invoice, automatic=not on_session, on_session=on_session)

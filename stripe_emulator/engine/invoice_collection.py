"""Collect open invoices, and try again (docs.stripe.com/billing/revenue-recovery/smart-retries)."""

from stripe_emulator import cards
from stripe_emulator.due_dates import DAY
from stripe_emulator.engine import invoices, payment_effects, payments
from stripe_emulator.errors import CardProblem
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Ledger, snapshot

NOT_RETRIED = ("subscription_create", "subscription_update", "manual")


def choose(ledger: Ledger, invoice: Object) -> Object | None:
    """Return the card to charge: the invoice's, the subscription's, the customer's."""
    subscription = ledger.peek(invoices.subscription_of(invoice)) or {}
    customer = ledger.peek(invoice["customer"]) or {}
    names = (
        invoice["default_payment_method"],
        subscription.get("default_payment_method"),
        customer["invoice_settings"]["default_payment_method"],
    )
    found = (ledger.peek(name) for name in names if name)
    return next((method for method in found if method and method["customer"]), None)


def attempt(
    ledger: Ledger,
    invoice: Object,
    *,
    method: Object | None = None,
    automatic: bool = False,
    on_session: bool = False,
    authenticated: bool = False,
) -> CardProblem | None:
    """Try to collect an open invoice, and let its subscription know what came of it."""
    payment, intent = invoices.payment_of(ledger, invoice)
    method = method or choose(ledger, invoice)
    if automatic and hopeless(invoice, method):
        problem = None
    else:
        problem = confirm(ledger, intent, method, on_session, authenticated)
    before = snapshot(invoice)
    invoice["attempted"] = True
    invoice["_last_method"] = method["id"] if method else None
    invoice["_hard"] = bool(problem and problem.decline_code in cards.HARD) or (
        automatic and problem is None and intent["status"] != "succeeded"
    )
    if intent["status"] == "succeeded":
        settle(ledger, invoice, payment)
        return None
    counted = automatic or invoice["attempt_count"] == 0
    refuse(ledger, invoice, before, intent, counted=counted)
    return problem


def hopeless(invoice: Object, method: Object | None) -> bool:
    """Whether the same card was refused for good: the retry is counted, but not made."""
    return (
        bool(invoice.get("_hard"))
        and method is not None
        and (invoice["_last_method"] == method["id"])
    )


def confirm(
    ledger: Ledger, intent: Object, method: Object | None, on_session: bool, authenticated: bool
) -> CardProblem | None:
    """Charge the card, or note that there is none."""
    if method is None:
        problem = CardProblem("This customer has no attached payment method.", "missing")
        payments.give_up(ledger, intent, problem, None)
        return problem
    return payments.confirm(
        ledger, intent, method, on_session=on_session, authenticated=authenticated
    )


def settle(ledger: Ledger, invoice: Object, payment: Object | None = None) -> None:
    """Note that an invoice is paid."""
    moment = ledger.now(invoice["customer"])
    if payment:
        payment |= {"amount_paid": invoice["amount_due"], "status": "paid"}
        payment["status_transitions"]["paid_at"] = moment
        ledger.save(payment)
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
    ledger.save(invoice)
    ledger.emit("invoice.paid", invoice)
    ledger.emit("invoice.payment_succeeded", invoice)
    if payment:
        ledger.emit("invoice_payment.paid", payment)
    payment_effects.paid(ledger, invoice)


def refuse(
    ledger: Ledger, invoice: Object, before: Object, intent: Object, *, counted: bool
) -> None:
    """Note that an attempt failed, and when the next one is due."""
    final = False
    if counted:
        invoice["attempt_count"] += 1
        invoice["next_payment_attempt"] = next_attempt(ledger, invoice)
        retried = invoice["billing_reason"] not in NOT_RETRIED
        final = retried and invoice["next_payment_attempt"] is None
    ledger.save(invoice)
    error = intent["last_payment_error"] or {}
    waits = intent["status"] == "requires_action"
    if waits or error.get("code") == "authentication_required":
        ledger.emit("invoice.payment_action_required", invoice)
    if not waits:
        ledger.emit("invoice.payment_failed", invoice)
    ledger.keep("invoice.updated", invoice, before)
    payment_effects.failed(ledger, invoice, final=final)


def next_attempt(ledger: Ledger, invoice: Object) -> int | None:
    """Return when an invoice is tried again, so many days after this attempt."""
    days = ledger.settings()["retry_days"]
    tries = invoice["attempt_count"]
    over = invoice["billing_reason"] in NOT_RETRIED or not invoice["auto_advance"]
    if over or tries > len(days):
        return None
    return ledger.now(invoice["customer"]) + int(days[tries - 1] * DAY)


def collect(ledger: Ledger, invoice: Object, *, on_session: bool = False) -> CardProblem | None:
    """Finalize a draft if it is one, and collect what is due."""
    if invoice["status"] == "draft":
        invoices.finalize(ledger, invoice)
    if invoice["amount_due"] == 0:
        settle(ledger, invoice)
        return None
    return attempt(ledger, invoice, automatic=not on_session, on_session=on_session)

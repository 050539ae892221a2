"""Invoices from draft to void (docs.stripe.com/invoicing/integration/workflow-transitions)."""

from stripe_emulator.due_dates import HOUR
from stripe_emulator.engine import payments
from stripe_emulator.objects import Object
from stripe_emulator.shapes import invoice as shapes
from stripe_emulator.shapes.payments import invoice_payment
from stripe_emulator.transaction import Ledger, snapshot

MINIMUM_CHARGE = 50


def build(
    ledger: Ledger,
    customer: Object,
    subscription: Object,
    lines: list[Object],
    reason: str,
    proration_date: int | None = None,
) -> Object:
    """Return a draft that is kept nowhere yet."""
    moment = ledger.now(customer["id"])
    invoice = shapes.invoice(moment, customer, subscription["currency"], reason)
    invoice["parent"] = {
        "quote_details": None,
        "subscription_details": {
            "metadata": subscription["metadata"],
            "subscription": subscription["id"],
        },
        "type": "subscription_details",
    }
    if proration_date is not None:
        details = invoice["parent"]["subscription_details"]
        details["subscription_proration_date"] = proration_date
    for line in lines:
        line["invoice"] = invoice["id"]
    invoice["lines"]["data"] = lines
    invoice["starting_balance"] = customer["balance"]
    return total(invoice)


def total(invoice: Object) -> Object:
    """Add up the lines, and apply the customer's balance."""
    amount = sum(line["amount"] for line in invoice["lines"]["data"])
    for name in ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"):
        invoice[name] = amount
    due = max(0, amount + invoice["starting_balance"]) if amount > 0 else 0
    invoice["amount_due"] = due if due >= MINIMUM_CHARGE else 0
    invoice["amount_remaining"] = invoice["amount_due"] - invoice["amount_paid"]
    return invoice


def subscription_of(invoice: Object) -> str | None:
    """Return the subscription that an invoice bills."""
    details = (invoice["parent"] or {}).get("subscription_details")
    return details["subscription"] if details else None


def keep_draft(ledger: Ledger, invoice: Object, *, advance: bool = True) -> Object:
    """Keep a draft, which is finalized in an hour or when somebody does it before."""
    invoice["auto_advance"] = advance
    if advance:
        invoice["automatically_finalizes_at"] = invoice["created"] + HOUR
    ledger.save(invoice, parent=subscription_of(invoice))
    ledger.emit("invoice.created", invoice)
    return invoice


def finalize(ledger: Ledger, invoice: Object, paid_by: Object | None = None) -> Object:
    """Give an invoice its number and fix its amounts; `paid_by` has already collected them."""
    customer = ledger.peek(invoice["customer"]) or {}
    before = snapshot(customer)
    moment = ledger.now(customer["id"])
    invoice["starting_balance"] = customer["balance"]
    total(invoice)
    settled = invoice["total"] - invoice["amount_due"]
    customer["balance"] += settled
    invoice |= {
        "automatically_finalizes_at": None,
        "effective_at": moment,
        "ending_balance": customer["balance"],
        "hosted_invoice_url": f"{ledger.base_url}/invoice/{invoice['id']}",
        "invoice_pdf": f"{ledger.base_url}/invoice/{invoice['id']}/pdf",
        "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        "status": "open",
    }
    invoice["status_transitions"]["finalized_at"] = moment
    customer["next_invoice_sequence"] += 1
    customer["currency"] = invoice["currency"]
    if invoice["amount_due"]:
        link(ledger, invoice, paid_by)
    ledger.save(invoice)
    ledger.emit("invoice.finalized", invoice)
    ledger.keep("customer.updated", customer, before)
    return invoice


def link(ledger: Ledger, invoice: Object, intent: Object | None) -> None:
    """Tie an invoice to the intent that collects it."""
    if intent is None:
        owner, amount = invoice["customer"], invoice["amount_due"]
        intent = payments.intend(ledger, owner, amount, invoice["currency"])
    intent["description"] = invoice["description"] or "Subscription"
    intent["_invoice"] = invoice["id"]
    ledger.save(intent)
    made = invoice_payment(ledger.now(invoice["customer"]), invoice, intent["id"])
    ledger.save(made, parent=invoice["id"])


def payment_of(ledger: Ledger, invoice: Object) -> tuple[Object, Object]:
    """Return the payment of a finalized invoice and its intent."""
    payment = ledger.find("invoice_payment", parent=invoice["id"])[0]
    return payment, ledger.get("payment_intent", payment["payment"]["payment_intent"])


def close(ledger: Ledger, invoice: Object, status: str) -> Object:
    """Make an open or draft invoice void or uncollectible; nothing is collected any more."""
    moment = ledger.now(invoice["customer"])
    if status == "void" and invoice["amount_due"] and invoice["number"]:
        payment, intent = payment_of(ledger, invoice)
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = moment
        ledger.save(payment)
        payments.withdraw(ledger, intent, "void_invoice")
    invoice |= {"auto_advance": False, "next_payment_attempt": None, "status": status}
    name = "voided_at" if status == "void" else "marked_uncollectible_at"
    invoice["status_transitions"][name] = moment
    ledger.save(invoice)
    ledger.emit("invoice.voided" if status == "void" else "invoice.marked_uncollectible", invoice)
    return invoice


def stop(ledger: Ledger, invoice: Object) -> None:
    """Collect no further by itself; a person may still pay."""
    before = snapshot(invoice)
    invoice |= {
        "auto_advance": False,
        "automatically_finalizes_at": None,
        "next_payment_attempt": None,
    }
    ledger.keep("invoice.updated", invoice, before)

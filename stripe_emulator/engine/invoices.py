"""Life cycle of invoices (docs.stripe.com/invoicing/integration/workflow-transitions)."""

from stripe_emulator.engine import customer_details, payments
from stripe_emulator.objects import Object
from stripe_emulator.periods import HOUR_S
from stripe_emulator.shapes import invoice as shapes
from stripe_emulator.shapes.payments import new_invoice_payment
from stripe_emulator.transaction import Transaction, snapshot

MIN_CHARGE_CENTS = 50


def build_invoice(
    tx: Transaction,
    customer: Object,
    subscription: Object,
    lines: list[Object],
    reason: str,
    proration_date: int | None = None,
) -> Object:
    """Return a draft invoice without saving it."""
    moment = tx.now(customer["id"])
    invoice = shapes.new_invoice(moment, customer, subscription["currency"], reason)
    invoice |= customer_details.invoice_fields(tx, customer)
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
    return compute_totals(invoice)


def compute_totals(invoice: Object) -> Object:
    """Sum the lines and apply the customer's balance."""
    amount = sum(line["amount"] for line in invoice["lines"]["data"])
    for name in ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"):
        invoice[name] = amount
    due = max(0, amount + invoice["starting_balance"]) if amount > 0 else 0
    invoice["amount_due"] = due if due >= MIN_CHARGE_CENTS else 0
    invoice["amount_remaining"] = invoice["amount_due"] - invoice["amount_paid"]
    return invoice


def subscription_id_of(invoice: Object) -> str | None:
    """Return the id of the subscription that the invoice bills, or None."""
    details = (invoice["parent"] or {}).get("subscription_details")
    return details["subscription"] if details else None


def save_draft(tx: Transaction, invoice: Object, *, advance: bool = True) -> Object:
    """Save a draft; with `advance`, it is finalized after an hour unless that is done before."""
    invoice["auto_advance"] = advance
    if advance:
        invoice["automatically_finalizes_at"] = invoice["created"] + HOUR_S
    tx.save(invoice, parent=subscription_id_of(invoice))
    tx.emit("invoice.created", invoice)
    return invoice


def finalize_draft(tx: Transaction, invoice: Object, paid_by: Object | None = None) -> Object:
    """Number an invoice, fix its amounts and what it says of its customer, and open it.

    `paid_by` is a payment intent that has already collected the amount.
    """
    customer = tx.get_or_none(invoice["customer"]) or {}
    before = snapshot(customer)
    moment = tx.now(customer["id"])
    invoice["starting_balance"] = customer["balance"]
    compute_totals(invoice)
    settled = invoice["total"] - invoice["amount_due"]
    customer["balance"] += settled
    invoice |= customer_details.invoice_fields(tx, customer)
    invoice |= {
        "automatically_finalizes_at": None,
        "effective_at": moment,
        "ending_balance": customer["balance"],
        "hosted_invoice_url": f"{tx.base_url}/invoice/{invoice['id']}",
        "invoice_pdf": f"{tx.base_url}/invoice/{invoice['id']}/pdf",
        "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        "status": "open",
    }
    invoice["status_transitions"]["finalized_at"] = moment
    customer["next_invoice_sequence"] += 1
    customer["currency"] = invoice["currency"]
    if invoice["amount_due"]:
        link_payment_intent(tx, invoice, paid_by)
    tx.save(invoice)
    tx.emit("invoice.finalized", invoice)
    tx.save_changes("customer.updated", customer, before)
    return invoice


def link_payment_intent(tx: Transaction, invoice: Object, intent: Object | None) -> None:
    """Link the invoice to the payment intent that collects it, creating one if needed."""
    if intent is None:
        customer_id, amount = invoice["customer"], invoice["amount_due"]
        intent = payments.add_payment_intent(tx, customer_id, amount, invoice["currency"])
    intent["description"] = invoice["description"] or "Subscription"
    intent["_invoice"] = invoice["id"]
    tx.save(intent)
    made = new_invoice_payment(tx.now(invoice["customer"]), invoice, intent["id"])
    tx.save(made, parent=invoice["id"])


def payment_and_intent_of(tx: Transaction, invoice: Object) -> tuple[Object, Object]:
    """Return the payment of a finalized invoice and its payment intent."""
    payment = tx.find_all("invoice_payment", parent=invoice["id"])[0]
    return payment, tx.get("payment_intent", payment["payment"]["payment_intent"])


def close_invoice(tx: Transaction, invoice: Object, status: str) -> Object:
    """Mark an open or draft invoice as void or uncollectible."""
    moment = tx.now(invoice["customer"])
    if status == "void" and invoice["amount_due"] and invoice["number"]:
        payment, intent = payment_and_intent_of(tx, invoice)
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = moment
        tx.save(payment)
        payments.cancel_payment_intent(tx, intent, "void_invoice")
    invoice |= {"auto_advance": False, "next_payment_attempt": None, "status": status}
    name = "voided_at" if status == "void" else "marked_uncollectible_at"
    invoice["status_transitions"][name] = moment
    tx.save(invoice)
    tx.emit("invoice.voided" if status == "void" else "invoice.marked_uncollectible", invoice)
    return invoice


def stop_auto_advance(tx: Transaction, invoice: Object) -> None:
    """Stop automatic collection; the invoice can still be paid on its page."""
    before = snapshot(invoice)
    invoice |= {
        "auto_advance": False,
        "automatically_finalizes_at": None,
        "next_payment_attempt": None,
    }
    tx.save_changes("invoice.updated", invoice, before)

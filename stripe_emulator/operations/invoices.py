"""Invoices, previews and invoice payments (docs.stripe.com/api/invoices)."""

import stripe.params as p

from stripe_emulator import limits
from stripe_emulator.engine import (
    invoice_collection,
    invoice_previews,
    invoices,
    payment_effects,
    payments,
    subscription_updates,
    subscriptions,
)
from stripe_emulator.errors import CardError, invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.operation import (
    PAGING,
    Call,
    Operation,
    filter_by_params,
    paginate,
    reject_unsupported,
)
from stripe_emulator.periods import HOUR_S
from stripe_emulator.transaction import Transaction

PATH = "/v1/invoices"
SUBSCRIPTION_DETAILS_PARAMS = (
    "billing_cycle_anchor cancel_at_period_end items proration_behavior proration_date trial_end"
)


def list_invoices(tx: Transaction, call: Call) -> Object:
    """List invoices, newest first."""
    params = call.params
    found = tx.find_all(
        "invoice", customer=params.get("customer"), parent=params.get("subscription")
    )
    return paginate(filter_by_params(found, call, "status", "collection_method"), call, PATH)


def pay_invoice(tx: Transaction, call: Call) -> Object:
    """Attempt to pay an invoice now.

    Raises:
        CardError: the card is declined; the attempt is recorded.
    """
    invoice = tx.get("invoice", call.id, "invoice")
    if invoice["status"] == "draft":
        invoices.finalize_draft(tx, invoice)
    if invoice["status"] != "open":
        text = {"paid": "Invoice is already paid"}.get(
            invoice["status"], f"Invoice is {invoice['status']}"
        )
        raise invalid_request(text, code="invoice_already_paid" if "paid" in text else None)
    if invoice["amount_due"] == 0:
        invoice_collection.mark_invoice_paid(tx, invoice)
        return invoice
    method = None
    if name := call.params.get("payment_method"):
        method = payments.payment_method_of_customer(
            tx, name, invoice["customer"], "payment_method"
        )
    on_session = not call.params.get("off_session", True)
    error = invoice_collection.attempt_payment(tx, invoice, method=method, on_session=on_session)
    if error:
        raise error
    if invoice["status"] == "open":
        raise action_required(tx, invoice)
    return invoice


def action_required(tx: Transaction, invoice: Object) -> CardError:
    """Return the error for a payment that needs 3-D Secure on the hosted page."""
    text = "This payment requires additional user action before it can be completed successfully."
    error = CardError(text, "invoice_payment_intent_requires_action")
    error.intent = invoices.payment_and_intent_of(tx, invoice)[1]
    return error


def void_invoice(tx: Transaction, call: Call) -> Object:
    """Void an open or uncollectible invoice."""
    invoice = tx.get("invoice", call.id, "invoice")
    if invoice["status"] not in ("open", "uncollectible"):
        text = f"You can only pass in open invoices. This invoice isn't open: {invoice['status']}"
        raise invalid_request(text)
    invoices.close_invoice(tx, invoice, "void")
    payment_effects.on_invoice_voided(tx, invoice)
    return tx.get("invoice", call.id)


def finalize_invoice(tx: Transaction, call: Call) -> Object:
    """Finalize a draft now."""
    invoice = tx.get("invoice", call.id, "invoice")
    if invoice["status"] != "draft":
        raise invalid_request("This invoice is already finalized, you can't re-finalize it.")
    invoices.finalize_draft(tx, invoice)
    if invoice["amount_due"] == 0:
        invoice_collection.mark_invoice_paid(tx, invoice)
    return invoice


def create_preview(tx: Transaction, call: Call) -> Object:
    """Return a preview of the invoice for a change, or for the next period."""
    details = call.params.get("subscription_details") or {}
    reject_unsupported(details, SUBSCRIPTION_DETAILS_PARAMS, "subscription_details")
    if "subscription" not in call.params:
        return create_new_subscription_preview(tx, call.params, details)
    subscription = tx.get("subscription", call.params["subscription"], "subscription")
    anchor = (details.get("billing_cycle_anchor") or {}).get("type")
    if details.get("cancel_at_period_end") is False:
        subscription |= {"cancel_at": None, "cancel_at_period_end": False}
    end = details.get("trial_end")
    if isinstance(end, int):
        text = "This Stripe emulator previews a trial end only for the value now."
        raise invalid_request(text, "subscription_details[trial_end]", "emulator_not_implemented")
    if end == "now" and subscription["status"] == "trialing":
        return invoice_previews.preview_trial_end(tx, subscription, details.get("items") or [])
    if not details.get("items") and anchor != "now":
        return invoice_previews.preview_next_invoice(tx, subscription)
    at = details.get("proration_date", tx.now(subscription["customer"]))
    request = subscription_updates.ItemChangeRequest(
        items=details.get("items") or [],
        proration_date=at,
        proration_behavior=details.get("proration_behavior", "create_prorations"),
        reset_anchor=anchor == "now",
    )
    return invoice_previews.preview_item_change(tx, subscription, request)


def create_new_subscription_preview(tx: Transaction, params: Object, details: Object) -> Object:
    """Return a preview of the first invoice of a new subscription."""
    customer_id = params.get("customer")
    if not customer_id or not details.get("items"):
        text = "You must pass `subscription`, or `customer` and `subscription_details[items]`."
        raise invalid_request(text, "subscription")
    items = [
        (
            subscriptions.active_recurring_price(
                tx, one.get("price", ""), "subscription_details[items]"
            ),
            one.get("quantity", 1),
        )
        for one in details["items"]
    ]
    limits.check_prices_compatible([price for price, _ in items], "subscription_details[items]")
    end = details.get("trial_end")
    trial = end if isinstance(end, int) and end > tx.now(customer_id) + HOUR_S else None
    order = subscriptions.SubscriptionOrder(customer=customer_id, items=items, trial_end=trial)
    return invoice_previews.preview_new_subscription(tx, order)


def list_invoice_lines(tx: Transaction, call: Call) -> Object:
    """List the lines of an invoice."""
    invoice = tx.get("invoice", call.id, "invoice")
    return paginate(invoice["lines"]["data"], call, f"{PATH}/{call.id}/lines")


def list_invoice_payments(tx: Transaction, call: Call) -> Object:
    """List the payments of an invoice or of a payment intent."""
    found = tx.find_all("invoice_payment", parent=call.params.get("invoice"))
    found = filter_by_params(found, call, "status")
    wanted = (call.params.get("payment") or {}).get("payment_intent")
    kept = [one for one in found if not wanted or one["payment"]["payment_intent"] == wanted]
    return paginate(kept, call, "/v1/invoice_payments")


OPERATIONS = (
    Operation(
        "POST",
        f"{PATH}/create_preview",
        p.InvoiceCreatePreviewParams,
        create_preview,
        "customer subscription subscription_details",
    ),
    Operation(
        "GET",
        PATH,
        p.InvoiceListParams,
        list_invoices,
        f"{PAGING} collection_method created customer status subscription",
    ),
    Operation(
        "GET",
        f"{PATH}/{{id}}",
        p.InvoiceRetrieveParams,
        lambda tx, call: tx.get("invoice", call.id),
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}/pay",
        p.InvoicePayParams,
        pay_invoice,
        "off_session payment_method",
    ),
    Operation("POST", f"{PATH}/{{id}}/void", p.InvoiceVoidInvoiceParams, void_invoice),
    Operation("POST", f"{PATH}/{{id}}/finalize", p.InvoiceFinalizeInvoiceParams, finalize_invoice),
    Operation("GET", f"{PATH}/{{id}}/lines", p.InvoiceListLinesParams, list_invoice_lines, PAGING),
    Operation(
        "GET",
        "/v1/invoice_payments",
        p.InvoicePaymentListParams,
        list_invoice_payments,
        f"{PAGING} invoice payment status created",
    ),
    Operation(
        "GET",
        "/v1/invoice_payments/{id}",
        p.InvoicePaymentRetrieveParams,
        lambda tx, call: tx.get("invoice_payment", call.id),
    ),
)

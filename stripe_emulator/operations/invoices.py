"""Invoices, previews and their payments (docs.stripe.com/api/invoices)."""

import stripe.params as p

from stripe_emulator import limits
from stripe_emulator.due_dates import DAY
from stripe_emulator.engine import (
    invoice_collection,
    invoice_previews,
    invoices,
    payment_effects,
    payments,
    subscription_updates,
    subscriptions,
)
from stripe_emulator.errors import CardProblem, invalid
from stripe_emulator.objects import Object
from stripe_emulator.operation import PAGING, Call, Operation, matching, only, page
from stripe_emulator.transaction import Ledger

PATH = "/v1/invoices"
DETAILS = (
    "billing_cycle_anchor cancel_at_period_end items proration_behavior proration_date trial_end"
)


def find(ledger: Ledger, call: Call) -> Object:
    """List invoices, newest first."""
    params = call.params
    found = ledger.find(
        "invoice", customer=params.get("customer"), parent=params.get("subscription")
    )
    return page(matching(found, call, "status", "collection_method"), call, PATH)


def pay(ledger: Ledger, call: Call) -> Object:
    """Try to collect an invoice now.

    Raises:
        CardProblem: the card is refused; the attempt is kept.
    """
    invoice = ledger.get("invoice", call.id, "invoice")
    if invoice["status"] == "draft":
        invoices.finalize(ledger, invoice)
    if invoice["status"] != "open":
        text = {"paid": "Invoice is already paid"}.get(
            invoice["status"], f"Invoice is {invoice['status']}"
        )
        raise invalid(text, code="invoice_already_paid" if "paid" in text else None)
    if invoice["amount_due"] == 0:
        invoice_collection.settle(ledger, invoice)
        return invoice
    method = None
    if name := call.params.get("payment_method"):
        method = payments.belongs(ledger, name, invoice["customer"], "payment_method")
    on_session = not call.params.get("off_session", True)
    problem = invoice_collection.attempt(ledger, invoice, method=method, on_session=on_session)
    if problem:
        raise problem
    if invoice["status"] == "open":
        raise action_required(ledger, invoice)
    return invoice


def action_required(ledger: Ledger, invoice: Object) -> CardProblem:
    """Return the answer while somebody has to authenticate on the hosted page."""
    text = "This payment requires additional user action before it can be completed successfully."
    problem = CardProblem(text, "invoice_payment_intent_requires_action")
    problem.intent = invoices.payment_of(ledger, invoice)[1]
    return problem


def void(ledger: Ledger, call: Call) -> Object:
    """Make an open invoice void."""
    invoice = ledger.get("invoice", call.id, "invoice")
    if invoice["status"] not in ("open", "uncollectible"):
        text = f"You can only pass in open invoices. This invoice isn't open: {invoice['status']}"
        raise invalid(text)
    invoices.close(ledger, invoice, "void")
    payment_effects.voided(ledger, invoice)
    return ledger.get("invoice", call.id)


def finalize(ledger: Ledger, call: Call) -> Object:
    """Finalize a draft before its hour is over."""
    invoice = ledger.get("invoice", call.id, "invoice")
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized, you can't re-finalize it.")
    invoices.finalize(ledger, invoice)
    if invoice["amount_due"] == 0:
        invoice_collection.settle(ledger, invoice)
    return invoice


def preview(ledger: Ledger, call: Call) -> Object:
    """Return the invoice that a change, or the next period, would make."""
    details = call.params.get("subscription_details") or {}
    only(details, DETAILS, "subscription_details")
    if "subscription" not in call.params:
        return preview_new(ledger, call.params, details)
    subscription = ledger.get("subscription", call.params["subscription"], "subscription")
    anchor = (details.get("billing_cycle_anchor") or {}).get("type")
    if details.get("cancel_at_period_end") is False:
        subscription |= {"cancel_at": None, "cancel_at_period_end": False}
    end = details.get("trial_end")
    if isinstance(end, int):
        text = "This emulator of Stripe previews the end of a trial only if it is now."
        raise invalid(text, "subscription_details[trial_end]", "emulator_not_implemented")
    if end == "now" and subscription["status"] == "trialing":
        return invoice_previews.ended_trial(ledger, subscription, details.get("items") or [])
    if not details.get("items") and anchor != "now":
        return invoice_previews.upcoming(ledger, subscription)
    at = details.get("proration_date", ledger.now(subscription["customer"]))
    request = subscription_updates.Request(
        items=details.get("items") or [],
        at=at,
        prorations=details.get("proration_behavior", "create_prorations"),
        reset=anchor == "now",
    )
    return invoice_previews.changed(ledger, subscription, request)


def preview_new(ledger: Ledger, params: Object, details: Object) -> Object:
    """Return the first invoice of a subscription that does not exist."""
    owner = params.get("customer")
    if not owner or not details.get("items"):
        text = "You must pass `subscription`, or `customer` and `subscription_details[items]`."
        raise invalid(text, "subscription")
    items = [
        (
            subscriptions.recurring(ledger, one.get("price", ""), "subscription_details[items]"),
            one.get("quantity", 1),
        )
        for one in details["items"]
    ]
    limits.mixable([price for price, _ in items], "subscription_details[items]")
    end = details.get("trial_end")
    trial = end if isinstance(end, int) and end > ledger.now(owner) + DAY // 24 else None
    order = subscriptions.Order(customer=owner, items=items, trial_end=trial)
    return invoice_previews.fresh(ledger, order)


def find_lines(ledger: Ledger, call: Call) -> Object:
    """List the lines of an invoice."""
    invoice = ledger.get("invoice", call.id, "invoice")
    return page(invoice["lines"]["data"], call, f"{PATH}/{call.id}/lines")


def find_payments(ledger: Ledger, call: Call) -> Object:
    """List the payments of an invoice, or of an intent."""
    found = ledger.find("invoice_payment", parent=call.params.get("invoice"))
    found = matching(found, call, "status")
    wanted = (call.params.get("payment") or {}).get("payment_intent")
    kept = [one for one in found if not wanted or one["payment"]["payment_intent"] == wanted]
    return page(kept, call, "/v1/invoice_payments")


OPERATIONS = (
    Operation(
        "POST",
        f"{PATH}/create_preview",
        p.InvoiceCreatePreviewParams,
        preview,
        "customer subscription subscription_details",
    ),
    Operation(
        "GET",
        PATH,
        p.InvoiceListParams,
        find,
        f"{PAGING} collection_method created customer status subscription",
    ),
    Operation(
        "GET",
        f"{PATH}/{{id}}",
        p.InvoiceRetrieveParams,
        lambda ledger, call: ledger.get("invoice", call.id),
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}/pay",
        p.InvoicePayParams,
        pay,
        "off_session payment_method",
    ),
    Operation("POST", f"{PATH}/{{id}}/void", p.InvoiceVoidInvoiceParams, void),
    Operation("POST", f"{PATH}/{{id}}/finalize", p.InvoiceFinalizeInvoiceParams, finalize),
    Operation("GET", f"{PATH}/{{id}}/lines", p.InvoiceListLinesParams, find_lines, PAGING),
    Operation(
        "GET",
        "/v1/invoice_payments",
        p.InvoicePaymentListParams,
        find_payments,
        f"{PAGING} invoice payment status created",
    ),
    Operation(
        "GET",
        "/v1/invoice_payments/{id}",
        p.InvoicePaymentRetrieveParams,
        lambda ledger, call: ledger.get("invoice_payment", call.id),
    ),
)

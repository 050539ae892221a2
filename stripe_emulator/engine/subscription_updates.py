"""Change the items of a subscription.

docs.stripe.com/billing/subscriptions/change-price, …/pending-updates
"""

from dataclasses import dataclass

from stripe_emulator import periods
from stripe_emulator.due_dates import INCOMPLETE_EXPIRY_S, current_period_end
from stripe_emulator.engine import invoice_collection, invoices, proration
from stripe_emulator.engine.subscriptions import raise_and_roll_back, record_billing_invoice
from stripe_emulator.errors import CardError
from stripe_emulator.objects import Object, public_copy
from stripe_emulator.shapes import invoice as invoice_shapes
from stripe_emulator.transaction import Transaction

PENDING_UPDATE_EXPIRY_S = INCOMPLETE_EXPIRY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChangeRequest:
    """Changed items, proration date, and Stripe's parameters for prorations and payment."""

    items: list[Object]
    proration_date: int
    proration_behavior: str = "create_prorations"
    payment_behavior: str = "allow_incomplete"
    reset_anchor: bool = False


def change_items(
    tx: Transaction, subscription: Object, request: ItemChangeRequest
) -> CardError | None:
    """Change the items in place. The caller saves the subscription and emits the event.

    Returns:
        The card error of a declined payment, or None.
    """
    planned = proration.plan_change(
        tx, subscription, request.items, request.proration_date, reset=request.reset_anchor
    )
    if request.proration_behavior == "none" and planned.anchor is None:
        keep_billed_amounts(subscription, planned.items)
        apply_change(subscription, planned)
        return None
    if request.proration_behavior == "create_prorations" and planned.anchor is None:
        defer_prorations(tx, subscription, planned.lines)
        apply_change(subscription, planned)
        return None
    if not planned.lines:
        apply_change(subscription, planned)
        return None
    return charge_prorations(tx, subscription, planned, request)


def apply_change(subscription: Object, planned: proration.PlannedChange) -> None:
    """Set the new items and billing cycle anchor."""
    subscription["items"]["data"] = planned.items
    if planned.anchor is not None:
        subscription["billing_cycle_anchor"] = planned.anchor


def keep_billed_amounts(subscription: Object, items: list[Object]) -> None:
    """Keep the recorded billed amounts: without prorations nothing new is billed."""
    before = {item["id"]: item.get("_billed") for item in subscription["items"]["data"]}
    for item in items:
        item["_billed"] = before.get(item["id"])


def create_invoice_items(
    tx: Transaction, subscription: Object, lines: list[Object]
) -> list[Object]:
    """Save pending invoice items for proration lines."""
    customer = tx.get("customer", subscription["customer"])
    made = []
    for line in lines:
        item = invoice_shapes.new_invoice_item(tx.now(customer["id"]), customer, line)
        line["parent"]["subscription_item_details"]["invoice_item"] = item["id"]
        made.append(tx.save(item, parent=subscription["id"]))
    return made


def defer_prorations(tx: Transaction, subscription: Object, lines: list[Object]) -> None:
    """Leave prorations to the next invoice."""
    for item in create_invoice_items(tx, subscription, lines):
        tx.emit("invoiceitem.created", item)


def pending_lines(tx: Transaction, subscription: Object) -> list[Object]:
    """Return the pending lines for the next invoice, oldest first."""
    found = tx.find_all("invoiceitem", parent=subscription["id"])
    return [item["_line"] for item in reversed(found) if item["invoice"] is None]


def assign_invoice_items(tx: Transaction, subscription: Object, invoice: Object) -> None:
    """Assign pending invoice items to the invoice that contains their lines."""
    carried = {line["id"] for line in invoice["lines"]["data"]}
    for item in tx.find_all("invoiceitem", parent=subscription["id"]):
        if item["invoice"] is None and item["_line"]["id"] in carried:
            item["invoice"] = invoice["id"]
            tx.save(item)


def charge_prorations(
    tx: Transaction,
    subscription: Object,
    planned: proration.PlannedChange,
    request: ItemChangeRequest,
) -> CardError | None:
    """Invoice the prorations now, and apply the change as `payment_behavior` says."""
    invoice = invoice_prorations(tx, subscription, planned, request)
    waits = request.payment_behavior == "pending_if_incomplete" and invoice["amount_due"] > 0
    before = subscription["latest_invoice"]
    subscription["latest_invoice"] = invoice["id"]
    if waits:
        invoice["_pending_update"] = True
        tx.save(invoice)
        tx.save(subscription)
    else:
        apply_change(subscription, planned)
        tx.save(subscription)
    error = invoice_collection.collect_invoice(tx, invoice, on_session=True)
    if error and request.payment_behavior == "error_if_incomplete":
        raise_and_roll_back(error)
    subscription["status"] = tx.get("subscription", subscription["id"])["status"]
    if waits and invoice["status"] == "paid":
        apply_change(subscription, planned)
    elif waits:
        set_pending_update(tx, subscription, planned, invoice, before)
    return error


def invoice_prorations(
    tx: Transaction,
    subscription: Object,
    planned: proration.PlannedChange,
    request: ItemChangeRequest,
) -> Object:
    """Return a finalized invoice for the prorations."""
    customer = tx.get("customer", subscription["customer"])
    pended = create_invoice_items(tx, subscription, planned.lines)
    lines = planned.lines
    if request.proration_behavior == "none":
        lines = [line for line in lines if line["amount"] > 0]
    invoice = invoices.build_invoice(
        tx, customer, subscription, lines, "subscription_update", request.proration_date
    )
    record_billing_invoice(planned.items, invoice)
    for item in pended:
        tx.emit("invoiceitem.created", item)
    assign_invoice_items(tx, subscription, invoice)
    invoices.save_draft(tx, invoice)
    return invoices.finalize_draft(tx, invoice)


def invoice_pending_items(tx: Transaction, subscription: Object) -> None:
    """Invoice the pending items now."""
    lines = pending_lines(tx, subscription)
    if not lines:
        return
    customer = tx.get("customer", subscription["customer"])
    invoice = invoices.build_invoice(tx, customer, subscription, lines, "subscription_update")
    subscription["latest_invoice"] = invoice["id"]
    tx.save(subscription)
    invoices.save_draft(tx, invoice)
    assign_invoice_items(tx, subscription, invoice)
    invoice_collection.collect_invoice(tx, invoice, on_session=True)


def set_pending_update(
    tx: Transaction,
    subscription: Object,
    planned: proration.PlannedChange,
    invoice: Object,
    before: str | None,
    *,
    trial_end: int | None = None,
) -> None:
    """Store the change as a pending update until its invoice is paid.

    `trial_end` is the trial's new end if the update includes it.
    """
    moment = tx.now(subscription["customer"])
    subscription["pending_update"] = {
        "billing_cycle_anchor": planned.anchor,
        "cancel_at_period_end": None,
        "discount": None,
        "discounts": None,
        "expires_at": min(moment + PENDING_UPDATE_EXPIRY_S, current_period_end(subscription)),
        "metadata": None,
        "subscription_items": public_copy(planned.items),
        "trial_end": trial_end,
        "trial_from_plan": None,
    }
    subscription["_pending"] = {
        "anchor": planned.anchor,
        "before": before,
        "invoice": invoice["id"],
        "items": planned.items,
        "trial_end": trial_end,
    }


def extend_trial(subscription: Object, moment: int, end: int) -> None:
    """Start or extend a trial; a new billing cycle starts at its end."""
    subscription["status"] = "trialing"
    subscription["trial_start"] = subscription["trial_start"] or moment
    subscription["trial_end"] = end
    subscription["billing_cycle_anchor"] = end
    for item in subscription["items"]["data"]:
        item["current_period_end"] = end
        item["_billed"] = None


def advance_period(subscription: Object) -> None:
    """Move every item to the next period."""
    for item in subscription["items"]["data"]:
        start = item["current_period_end"]
        item["current_period_start"] = start
        item["current_period_end"] = periods.next_period_end(
            subscription["billing_cycle_anchor"], start, item["price"]["recurring"]
        )

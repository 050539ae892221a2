"""Change a subscription's items (…/billing/subscriptions/change-price, …/pending-updates)."""

from dataclasses import dataclass

from stripe_emulator import periods
from stripe_emulator.due_dates import INCOMPLETE_LIFE
from stripe_emulator.engine import invoice_collection, invoices, proration
from stripe_emulator.engine.subscriptions import bind, refused
from stripe_emulator.errors import CardProblem
from stripe_emulator.objects import Object, public
from stripe_emulator.shapes import invoice as invoice_shapes
from stripe_emulator.transaction import Ledger

LIFE_OF_PENDING_UPDATE = INCOMPLETE_LIFE


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How items shall change, from when on, and what happens if the payment fails."""

    items: list[Object]
    at: int
    prorations: str = "create_prorations"
    behaviour: str = "allow_incomplete"
    reset: bool = False


def change(ledger: Ledger, subscription: Object, request: Request) -> CardProblem | None:
    """Change the items in place; the caller keeps the subscription and tells about it."""
    planned = proration.change(ledger, subscription, request.items, request.at, reset=request.reset)
    if request.prorations == "none" and planned.anchor is None:
        unbilled(subscription, planned.items)
        apply(subscription, planned)
        return None
    if request.prorations == "create_prorations" and planned.anchor is None:
        postpone(ledger, subscription, planned.lines)
        apply(subscription, planned)
        return None
    if not planned.lines:
        apply(subscription, planned)
        return None
    return charge(ledger, subscription, planned, request)


def apply(subscription: Object, planned: proration.Change) -> None:
    """Let the subscription have the new items."""
    subscription["items"]["data"] = planned.items
    if planned.anchor is not None:
        subscription["billing_cycle_anchor"] = planned.anchor


def unbilled(subscription: Object, items: list[Object]) -> None:
    """Without prorations nothing new is billed, so credits stay what they were."""
    before = {item["id"]: item.get("_billed") for item in subscription["items"]["data"]}
    for item in items:
        item["_billed"] = before.get(item["id"])


def pend(ledger: Ledger, subscription: Object, lines: list[Object]) -> list[Object]:
    """Keep the invoice items behind proration lines."""
    customer = ledger.get("customer", subscription["customer"])
    made = []
    for line in lines:
        item = invoice_shapes.invoice_item(ledger.now(customer["id"]), customer, line)
        line["parent"]["subscription_item_details"]["invoice_item"] = item["id"]
        made.append(ledger.save(item, parent=subscription["id"]))
    return made


def postpone(ledger: Ledger, subscription: Object, lines: list[Object]) -> None:
    """Leave prorations for the next invoice."""
    for item in pend(ledger, subscription, lines):
        ledger.emit("invoiceitem.created", item)


def pending_lines(ledger: Ledger, subscription: Object) -> list[Object]:
    """Return the lines that the next invoice has to carry."""
    found = ledger.find("invoiceitem", parent=subscription["id"])
    return [item["_line"] for item in reversed(found) if item["invoice"] is None]


def claim(ledger: Ledger, subscription: Object, invoice: Object) -> None:
    """Tie pending invoice items to the invoice that carries their lines."""
    carried = {line["id"] for line in invoice["lines"]["data"]}
    for item in ledger.find("invoiceitem", parent=subscription["id"]):
        if item["invoice"] is None and item["_line"]["id"] in carried:
            item["invoice"] = invoice["id"]
            ledger.save(item)


def charge(
    ledger: Ledger, subscription: Object, planned: proration.Change, request: Request
) -> CardProblem | None:
    """Invoice the prorations now; apply the change if they are paid, or as the request says."""
    invoice = bill(ledger, subscription, planned, request)
    waits = request.behaviour == "pending_if_incomplete" and invoice["amount_due"] > 0
    before = subscription["latest_invoice"]
    subscription["latest_invoice"] = invoice["id"]
    if waits:
        invoice["_pending_update"] = True
        ledger.save(invoice)
        ledger.save(subscription)
    else:
        apply(subscription, planned)
        ledger.save(subscription)
    problem = invoice_collection.collect(ledger, invoice, on_session=True)
    if problem and request.behaviour == "error_if_incomplete":
        refused(problem)
    subscription["status"] = ledger.get("subscription", subscription["id"])["status"]
    if waits and invoice["status"] == "paid":
        apply(subscription, planned)
    elif waits:
        hold(ledger, subscription, planned, invoice, before)
    return problem


def bill(
    ledger: Ledger, subscription: Object, planned: proration.Change, request: Request
) -> Object:
    """Return a finalized invoice over the prorations."""
    customer = ledger.get("customer", subscription["customer"])
    pended = pend(ledger, subscription, planned.lines)
    lines = planned.lines
    if request.prorations == "none":
        lines = [line for line in lines if line["amount"] > 0]
    invoice = invoices.build(
        ledger, customer, subscription, lines, "subscription_update", request.at
    )
    bind(planned.items, invoice)
    for item in pended:
        ledger.emit("invoiceitem.created", item)
    claim(ledger, subscription, invoice)
    invoices.keep_draft(ledger, invoice)
    return invoices.finalize(ledger, invoice)


def bill_pending(ledger: Ledger, subscription: Object) -> None:
    """Invoice what was left for the next invoice, now."""
    lines = pending_lines(ledger, subscription)
    if not lines:
        return
    customer = ledger.get("customer", subscription["customer"])
    invoice = invoices.build(ledger, customer, subscription, lines, "subscription_update")
    subscription["latest_invoice"] = invoice["id"]
    ledger.save(subscription)
    invoices.keep_draft(ledger, invoice)
    claim(ledger, subscription, invoice)
    invoice_collection.collect(ledger, invoice, on_session=True)


def hold(
    ledger: Ledger,
    subscription: Object,
    planned: proration.Change,
    invoice: Object,
    before: str | None,
    *,
    trial_end: int | None = None,
) -> None:
    """Let the change wait for its payment; `trial_end` is when the trial ends by it."""
    moment = ledger.now(subscription["customer"])
    subscription["pending_update"] = {
        "billing_cycle_anchor": planned.anchor,
        "cancel_at_period_end": None,
        "discount": None,
        "discounts": None,
        "expires_at": min(moment + LIFE_OF_PENDING_UPDATE, period_end(subscription)),
        "metadata": None,
        "subscription_items": public(planned.items),
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


def period_end(subscription: Object) -> int:
    """Return the end of the period that has been billed."""
    return min(item["current_period_end"] for item in subscription["items"]["data"])


def extend_trial(subscription: Object, moment: int, end: int) -> None:
    """Begin or extend a trial; the cycle starts again at its end."""
    subscription["status"] = "trialing"
    subscription["trial_start"] = subscription["trial_start"] or moment
    subscription["trial_end"] = end
    subscription["billing_cycle_anchor"] = end
    for item in subscription["items"]["data"]:
        item["current_period_end"] = end
        item["_billed"] = None


def next_period(subscription: Object) -> None:
    """Move every item to the period that follows."""
    for item in subscription["items"]["data"]:
        start = item["current_period_end"]
        item["current_period_start"] = start
        item["current_period_end"] = periods.next_end(
            subscription["billing_cycle_anchor"], start, item["price"]["recurring"]
        )

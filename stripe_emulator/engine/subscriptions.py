"""Subscriptions begin (docs.stripe.com/billing/subscriptions/overview)."""

from dataclasses import dataclass, field

from stripe_emulator import periods
from stripe_emulator.engine import cancellation, invoice_collection, invoices
from stripe_emulator.errors import CardProblem, invalid
from stripe_emulator.objects import Object
from stripe_emulator.shapes import invoice as invoice_shapes
from stripe_emulator.shapes import subscription as shapes
from stripe_emulator.transaction import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody subscribes to: prices with quantities, and how."""

    customer: str
    items: list[tuple[Object, int]]
    trial_end: int | None = None
    fields: Object = field(default_factory=dict)


def recurring(ledger: Ledger, identifier: str, param: str) -> Object:
    """Return an active recurring price."""
    price = ledger.get("price", identifier, param)
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.")
    if not price["recurring"]:
        raise invalid(f"The price {identifier} is not recurring.", param)
    return price


def wording(ledger: Ledger, item: Object) -> tuple[str, str]:
    """Return a product's name and its price in words."""
    price = item["price"]
    product = ledger.peek(price["product"]) or {"name": "Subscription"}
    each = price["recurring"]["interval"]
    return product["name"], f"${price['unit_amount'] / 100:,.2f} / {each}"


def amount(item: Object) -> int:
    """Return what one period of an item costs, in cents."""
    return item["price"]["unit_amount"] * item.get("quantity", 1)


def period_line(ledger: Ledger, item: Object, *, trial: bool) -> Object:
    """Return the line for the current period of an item, and note what it was billed."""
    name, price = wording(ledger, item)
    quantity = item["quantity"]
    start, end = item["current_period_start"], item["current_period_end"]
    if trial:
        item["_billed"] = None
        text = f"Free trial for {quantity} × {name}"
        return invoice_shapes.item_line(item, 0, text, (start, end))
    cents = amount(item)
    line = invoice_shapes.item_line(item, cents, f"{quantity} × {name} (at {price})", (start, end))
    item["_billed"] = {"amount": cents, "start": start, "end": end, "line": line["id"]}
    return line


def bind(items: list[Object], invoice: Object) -> None:
    """Note on which invoice the items were billed, for credits to come."""
    ours = {line["id"] for line in invoice["lines"]["data"]}
    for item in items:
        billed = item.get("_billed")
        if billed and billed["line"] in ours:
            billed["invoice"] = invoice["id"]


def create(
    ledger: Ledger,
    order: Order,
    *,
    behaviour: str = "allow_incomplete",
    paid_by: Object | None = None,
) -> Object:
    """Begin a subscription and bill its first period; `paid_by` has collected it already."""
    customer = ledger.get("customer", order.customer, "customer")
    subscription = begin(ledger, customer, order)
    items = subscription["items"]["data"]
    trial = order.trial_end is not None
    lines = [period_line(ledger, item, trial=trial) for item in items]
    invoice = invoices.build(ledger, customer, subscription, lines, "subscription_create")
    bind(items, invoice)
    charged = invoice["amount_due"] > 0 and paid_by is None
    subscription["status"] = "trialing" if trial else "incomplete" if charged else "active"
    subscription["latest_invoice"] = invoice["id"]
    ledger.save(subscription)
    ledger.emit("customer.subscription.created", subscription)
    invoices.keep_draft(ledger, invoice)
    invoices.finalize(ledger, invoice, paid_by)
    bill(ledger, invoice, behaviour, paid_by)
    return ledger.get("subscription", subscription["id"])


def begin(ledger: Ledger, customer: Object, order: Order) -> Object:
    """Return a subscription with its items and its first period."""
    moment = ledger.now(customer["id"])
    currency = order.items[0][0]["currency"]
    subscription = shapes.subscription(moment, customer, currency)
    if order.trial_end is not None:
        subscription["trial_start"] = moment
        subscription["trial_end"] = order.trial_end
        subscription["billing_cycle_anchor"] = order.trial_end
    for price, quantity in order.items:
        item = shapes.item(moment, subscription["id"], price, quantity)
        item["current_period_end"] = order.trial_end or periods.next_end(
            moment, moment, price["recurring"]
        )
        subscription["items"]["data"].append(item)
    subscription |= order.fields
    if subscription["cancel_at_period_end"]:
        end = subscription["items"]["data"][0]["current_period_end"]
        cancellation.plan(ledger, subscription, end, at_end=True)
    return subscription


def bill(ledger: Ledger, invoice: Object, behaviour: str, paid_by: Object | None) -> None:
    """Collect the first invoice as the request wants it."""
    if paid_by is not None and invoice["amount_due"]:
        payment, _ = invoices.payment_of(ledger, invoice)
        invoice_collection.settle(ledger, invoice, payment)
    elif invoice["amount_due"] == 0:
        invoice_collection.settle(ledger, invoice)
    elif behaviour != "default_incomplete":
        problem = invoice_collection.attempt(ledger, invoice, on_session=True)
        if problem and behaviour == "error_if_incomplete":
            refused(problem)


def refused(problem: CardProblem) -> None:
    """Answer with the refusal, and leave no trace of the attempt."""
    problem.keeps = False
    raise problem

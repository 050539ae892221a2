"""Create subscriptions (docs.stripe.com/billing/subscriptions/overview)."""

from dataclasses import dataclass, field

from stripe_emulator import periods
from stripe_emulator.engine import cancellation, invoice_collection, invoices
from stripe_emulator.errors import CardError, invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.shapes import invoice as invoice_shapes
from stripe_emulator.shapes import subscription as shapes
from stripe_emulator.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionOrder:
    """Customer, prices with quantities, trial end and other fields of a new subscription."""

    customer: str
    items: list[tuple[Object, int]]
    trial_end: int | None = None
    fields: Object = field(default_factory=dict)


def active_recurring_price(tx: Transaction, identifier: str, param: str) -> Object:
    """Return an active recurring price; refuse others."""
    price = tx.get("price", identifier, param)
    if not price["active"]:
        raise invalid_request(
            "The price specified is inactive. This field only accepts active prices."
        )
    if not price["recurring"]:
        raise invalid_request(f"The price {identifier} is not recurring.", param)
    return price


def product_and_price_text(tx: Transaction, item: Object) -> tuple[str, str]:
    """Return the product's name and its price as text, such as `$29.00 / month`."""
    price = item["price"]
    product = tx.get_or_none(price["product"]) or {"name": "Subscription"}
    each = price["recurring"]["interval"]
    return product["name"], f"${price['unit_amount'] / 100:,.2f} / {each}"


def period_amount(item: Object) -> int:
    """Return the cost of one period of an item, in cents."""
    return item["price"]["unit_amount"] * item.get("quantity", 1)


def period_line(tx: Transaction, item: Object, *, trial: bool) -> Object:
    """Return the invoice line for an item's current period, and record the billed amount."""
    name, price = product_and_price_text(tx, item)
    quantity = item["quantity"]
    start, end = item["current_period_start"], item["current_period_end"]
    if trial:
        item["_billed"] = None
        text = f"Free trial for {quantity} × {name}"
        return invoice_shapes.subscription_item_line(item, 0, text, (start, end))
    cents = period_amount(item)
    line = invoice_shapes.subscription_item_line(
        item, cents, f"{quantity} × {name} (at {price})", (start, end)
    )
    item["_billed"] = {"amount": cents, "start": start, "end": end, "line": line["id"]}
    return line


def record_billing_invoice(items: list[Object], invoice: Object) -> None:
    """Record on the items which invoice bills them, for later credits."""
    line_ids = {line["id"] for line in invoice["lines"]["data"]}
    for item in items:
        billed = item.get("_billed")
        if billed and billed["line"] in line_ids:
            billed["invoice"] = invoice["id"]


def start_subscription(
    tx: Transaction,
    order: SubscriptionOrder,
    *,
    payment_behavior: str = "allow_incomplete",
    paid_by: Object | None = None,
) -> Object:
    """Create a subscription and bill its first period.

    `paid_by` is a payment intent that has already collected the amount.
    """
    customer = tx.get("customer", order.customer, "customer")
    subscription = build_subscription(tx, customer, order)
    items = subscription["items"]["data"]
    trial = order.trial_end is not None
    lines = [period_line(tx, item, trial=trial) for item in items]
    invoice = invoices.build_invoice(tx, customer, subscription, lines, "subscription_create")
    record_billing_invoice(items, invoice)
    charged = invoice["amount_due"] > 0 and paid_by is None
    subscription["status"] = "trialing" if trial else "incomplete" if charged else "active"
    subscription["latest_invoice"] = invoice["id"]
    tx.save(subscription)
    tx.emit("customer.subscription.created", subscription)
    invoices.save_draft(tx, invoice)
    invoices.finalize_draft(tx, invoice, paid_by)
    collect_first_invoice(tx, invoice, payment_behavior, paid_by)
    return tx.get("subscription", subscription["id"])


def build_subscription(tx: Transaction, customer: Object, order: SubscriptionOrder) -> Object:
    """Return a subscription with its items and its first period, without saving it."""
    moment = tx.now(customer["id"])
    currency = order.items[0][0]["currency"]
    subscription = shapes.new_subscription(moment, customer, currency)
    if order.trial_end is not None:
        subscription["trial_start"] = moment
        subscription["trial_end"] = order.trial_end
        subscription["billing_cycle_anchor"] = order.trial_end
    for price, quantity in order.items:
        item = shapes.new_subscription_item(moment, subscription["id"], price, quantity)
        item["current_period_end"] = order.trial_end or periods.next_period_end(
            moment, moment, price["recurring"]
        )
        subscription["items"]["data"].append(item)
    subscription |= order.fields
    if subscription["cancel_at_period_end"]:
        end = subscription["items"]["data"][0]["current_period_end"]
        cancellation.set_cancel_at(tx, subscription, end, at_end=True)
    return subscription


def collect_first_invoice(
    tx: Transaction, invoice: Object, payment_behavior: str, paid_by: Object | None
) -> None:
    """Collect the first invoice as `payment_behavior` says."""
    if paid_by is not None and invoice["amount_due"]:
        payment, _ = invoices.payment_and_intent_of(tx, invoice)
        invoice_collection.mark_invoice_paid(tx, invoice, payment)
    elif invoice["amount_due"] == 0:
        invoice_collection.mark_invoice_paid(tx, invoice)
    elif payment_behavior != "default_incomplete":
        error = invoice_collection.attempt_payment(tx, invoice, on_session=True)
        if error and payment_behavior == "error_if_incomplete":
            raise_and_roll_back(error)


def raise_and_roll_back(error: CardError) -> None:
    """Raise the card error so that the transaction is rolled back."""
    error.commit = False
    raise error

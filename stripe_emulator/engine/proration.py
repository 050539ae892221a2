"""Compute prorations in cents (docs.stripe.com/billing/subscriptions/prorations).

In flexible billing mode a credit is computed from the amount that was actually billed.
"""

from dataclasses import dataclass

from stripe_emulator import limits, periods
from stripe_emulator.engine.subscriptions import (
    active_recurring_price,
    period_amount,
    product_and_price_text,
)
from stripe_emulator.errors import invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.shapes import invoice as invoice_shapes
from stripe_emulator.shapes import subscription as shapes
from stripe_emulator.transaction import Transaction, snapshot

STATUSES_WITHOUT_PRORATION = ("trialing", "incomplete", "paused")


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """The new items, the proration lines, and the new billing cycle anchor if it changes."""

    items: list[Object]
    lines: list[Object]
    anchor: int | None


def check_proration_date(subscription: Object, at: int) -> None:
    """Refuse a proration date outside the current period."""
    items = subscription["items"]["data"]
    start = max(item["current_period_start"] for item in items)
    end = min(item["current_period_end"] for item in items)
    if not start <= at <= end:
        raise invalid_request(
            "Cannot specify a proration_date outside of the subscription's current period.",
            "proration_date",
        )


def apply_item_changes(tx: Transaction, subscription: Object, wanted: list[Object]) -> list[Object]:
    """Return the subscription's items after the changes, with unchanged periods."""
    items = {item["id"]: snapshot(item) for item in subscription["items"]["data"]}
    for index, want in enumerate(wanted):
        param = f"items[{index}]"
        if "id" not in want:
            added = add_item(tx, subscription, want, param)
            items[added["id"]] = added
        elif want["id"] not in items:
            text = f"Invalid subscription item ID given: {want['id']}"
            raise invalid_request(text, f"{param}[id]", "resource_missing")
        elif want.get("deleted"):
            del items[want["id"]]
        else:
            change_item(tx, items[want["id"]], want, param)
    return check_items(list(items.values()))


def check_items(items: list[Object]) -> list[Object]:
    """Refuse an empty list of items and prices that cannot be combined."""
    if not items:
        raise invalid_request("A subscription must have at least one active plan.", "items")
    limits.check_prices_compatible([item["price"] for item in items], "items")
    return items


def add_item(tx: Transaction, subscription: Object, want: Object, param: str) -> Object:
    """Return a new item in the current period."""
    if "price" not in want:
        raise invalid_request(f"Missing required param: {param}[price].", f"{param}[price]")
    price = active_recurring_price(tx, want["price"], f"{param}[price]")
    moment = tx.now(subscription["customer"])
    made = shapes.new_subscription_item(moment, subscription["id"], price, want.get("quantity", 1))
    first = subscription["items"]["data"][0]
    for name in ("current_period_start", "current_period_end"):
        made[name] = first[name]
    return made


def change_item(tx: Transaction, item: Object, want: Object, param: str) -> None:
    """Change the price, quantity or metadata of an item."""
    if "price" in want:
        price = active_recurring_price(tx, want["price"], f"{param}[price]")
        item["price"], item["plan"] = price, shapes.catalogue.legacy_plan(price)
    item["quantity"] = want.get("quantity", item["quantity"])
    item["metadata"] = item["metadata"] | (want.get("metadata") or {})


def plan_change(
    tx: Transaction, subscription: Object, wanted: list[Object], at: int, *, reset: bool = False
) -> PlannedChange:
    """Compute the items, credits and charges of a change without saving anything.

    A new interval, or `reset`, starts a new billing cycle now.
    """
    check_proration_date(subscription, at)
    items = apply_item_changes(tx, subscription, wanted)
    before = {item["id"]: item for item in subscription["items"]["data"]}
    cycle = next(iter(before.values()))["price"]["recurring"]
    new_cycle = items[0]["price"]["recurring"]
    moved = reset or any(cycle[name] != new_cycle[name] for name in ("interval", "interval_count"))
    if subscription["status"] in STATUSES_WITHOUT_PRORATION:
        return PlannedChange(items, [], None)
    after = {item["id"]: item for item in items}
    credits_ = [
        line
        for identifier, item in before.items()
        if moved or costs_differ(item, after.get(identifier))
        for line in unused_time_credit(tx, item, at)
    ]
    charges = [
        remaining_time_charge(tx, item, at, moved)
        for identifier, item in after.items()
        if moved or (item["current_period_end"] > at and costs_differ(item, before.get(identifier)))
    ]
    return PlannedChange(items, credits_ + charges, at if moved else None)


def costs_differ(item: Object, other: Object | None) -> bool:
    """Return whether two states of an item differ in price or quantity."""
    if other is None:
        return True
    return (item["price"]["id"], item["quantity"]) != (other["price"]["id"], other["quantity"])


def unused_time_credit(tx: Transaction, item: Object, at: int) -> list[Object]:
    """Return the credit line for the unused part of the billed period, or no line."""
    billed = item.get("_billed")
    if not billed or billed["end"] <= at:
        return []
    part, whole = billed["end"] - at, billed["end"] - billed["start"]
    cents = -periods.prorate_cents(billed["amount"], part, whole)
    name, _ = product_and_price_text(tx, item)
    text = f"Unused time on {name} after {periods.format_day(at)}"
    line = proration_line(item, cents, text, (at, billed["end"]))
    if billed.get("invoice"):
        line["parent"]["subscription_item_details"]["proration_details"]["credited_items"] = {
            "invoice": billed["invoice"],
            "invoice_line_items": [billed["line"]],
        }
    return [line]


def remaining_time_charge(tx: Transaction, item: Object, at: int, moved: bool) -> Object:
    """Return the charge for the rest of the period, or for a new period that starts now."""
    if moved:
        item["current_period_start"] = at
        item["current_period_end"] = periods.next_period_end(at, at, item["price"]["recurring"])
    start, end = item["current_period_start"], item["current_period_end"]
    cents = periods.prorate_cents(period_amount(item), end - at, end - start)
    name, price = product_and_price_text(tx, item)
    text = f"Remaining time on {name} after {periods.format_day(at)}"
    if moved:
        text = f"{item['quantity']} × {name} (at {price})"
    line = proration_line(item, cents, text, (at, end))
    line["parent"]["subscription_item_details"]["proration"] = not moved
    item["_billed"] = {"amount": cents, "start": at, "end": end, "line": line["id"]}
    return line


def proration_line(item: Object, cents: int, text: str, period: tuple[int, int]) -> Object:
    """Return an invoice line that is marked as a proration."""
    line = invoice_shapes.subscription_item_line(item, cents, text, period)
    line["discountable"] = False
    line["parent"]["subscription_item_details"]["proration"] = True
    return line

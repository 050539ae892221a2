"""Prorations to the cent (docs.stripe.com/billing/subscriptions/prorations).

In flexible billing mode a credit is the unused part of what was really billed.
"""

from dataclasses import dataclass

from stripe_emulator import limits, periods
from stripe_emulator.engine.subscriptions import amount, recurring, wording
from stripe_emulator.errors import invalid
from stripe_emulator.objects import Object
from stripe_emulator.shapes import invoice as invoice_shapes
from stripe_emulator.shapes import subscription as shapes
from stripe_emulator.transaction import Ledger, snapshot

UNBILLED = ("trialing", "incomplete", "paused")


@dataclass(frozen=True, slots=True)
class Change:
    """Items as they will be, what that costs, and the new anchor if the cycle starts again."""

    items: list[Object]
    lines: list[Object]
    anchor: int | None


def check(subscription: Object, at: int) -> None:
    """Refuse a proration date outside the current period."""
    items = subscription["items"]["data"]
    start = max(item["current_period_start"] for item in items)
    end = min(item["current_period_end"] for item in items)
    if not start <= at <= end:
        raise invalid(
            "Cannot specify a proration_date outside of the subscription's current period.",
            "proration_date",
        )


def wanted_items(ledger: Ledger, subscription: Object, wanted: list[Object]) -> list[Object]:
    """Return the items of a subscription after the wanted changes, periods unchanged."""
    items = {item["id"]: snapshot(item) for item in subscription["items"]["data"]}
    for index, want in enumerate(wanted):
        param = f"items[{index}]"
        if "id" not in want:
            added = add_item(ledger, subscription, want, param)
            items[added["id"]] = added
        elif want["id"] not in items:
            text = f"Invalid subscription item ID given: {want['id']}"
            raise invalid(text, f"{param}[id]", "resource_missing")
        elif want.get("deleted"):
            del items[want["id"]]
        else:
            change_item(ledger, items[want["id"]], want, param)
    return checked(list(items.values()))


def checked(items: list[Object]) -> list[Object]:
    """Refuse a subscription without items, with a price twice, or with several currencies."""
    if not items:
        raise invalid("A subscription must have at least one active plan.", "items")
    limits.mixable([item["price"] for item in items], "items")
    return items


def add_item(ledger: Ledger, subscription: Object, want: Object, param: str) -> Object:
    """Return a new item in the current period."""
    if "price" not in want:
        raise invalid(f"Missing required param: {param}[price].", f"{param}[price]")
    price = recurring(ledger, want["price"], f"{param}[price]")
    moment = ledger.now(subscription["customer"])
    made = shapes.item(moment, subscription["id"], price, want.get("quantity", 1))
    first = subscription["items"]["data"][0]
    for name in ("current_period_start", "current_period_end"):
        made[name] = first[name]
    return made


def change_item(ledger: Ledger, item: Object, want: Object, param: str) -> None:
    """Give an item another price or quantity."""
    if "price" in want:
        price = recurring(ledger, want["price"], f"{param}[price]")
        item["price"], item["plan"] = price, shapes.catalogue.plan(price)
    item["quantity"] = want.get("quantity", item["quantity"])
    item["metadata"] = item["metadata"] | (want.get("metadata") or {})


def change(
    ledger: Ledger, subscription: Object, wanted: list[Object], at: int, *, reset: bool = False
) -> Change:
    """Return what the wanted items mean: items, credits and charges; nothing is kept."""
    check(subscription, at)
    items = wanted_items(ledger, subscription, wanted)
    before = {item["id"]: item for item in subscription["items"]["data"]}
    cycle = next(iter(before.values()))["price"]["recurring"]
    new_cycle = items[0]["price"]["recurring"]
    moved = reset or any(cycle[name] != new_cycle[name] for name in ("interval", "interval_count"))
    if subscription["status"] in UNBILLED:
        return Change(items, [], None)
    after = {item["id"]: item for item in items}
    credits_ = [
        line
        for identifier, item in before.items()
        if moved or differs(item, after.get(identifier))
        for line in credit(ledger, item, at)
    ]
    charges = [
        charge(ledger, item, at, moved)
        for identifier, item in after.items()
        if moved or (item["current_period_end"] > at and differs(item, before.get(identifier)))
    ]
    return Change(items, credits_ + charges, at if moved else None)


def differs(item: Object, other: Object | None) -> bool:
    """Whether two states of an item cost something else."""
    if other is None:
        return True
    return (item["price"]["id"], item["quantity"]) != (other["price"]["id"], other["quantity"])


def credit(ledger: Ledger, item: Object, at: int) -> list[Object]:
    """Return the credit for the unused time of what was billed."""
    billed = item.get("_billed")
    if not billed or billed["end"] <= at:
        return []
    part, whole = billed["end"] - at, billed["end"] - billed["start"]
    cents = -periods.share(billed["amount"], part, whole)
    name, _ = wording(ledger, item)
    text = f"Unused time on {name} after {periods.day(at)}"
    line = prorated(item, cents, text, (at, billed["end"]))
    if billed.get("invoice"):
        line["parent"]["subscription_item_details"]["proration_details"]["credited_items"] = {
            "invoice": billed["invoice"],
            "invoice_line_items": [billed["line"]],
        }
    return [line]


def charge(ledger: Ledger, item: Object, at: int, moved: bool) -> Object:
    """Return the charge for the rest of the period, or for a new one that begins now."""
    if moved:
        item["current_period_start"] = at
        item["current_period_end"] = periods.next_end(at, at, item["price"]["recurring"])
    start, end = item["current_period_start"], item["current_period_end"]
    cents = periods.share(amount(item), end - at, end - start)
    name, _ = wording(ledger, item)
    text = f"Remaining time on {name} after {periods.day(at)}"
    line = prorated(item, cents, text, (at, end))
    if moved:
        line["parent"]["subscription_item_details"]["proration"] = False
    item["_billed"] = {"amount": cents, "start": at, "end": end, "line": line["id"]}
    return line


def prorated(item: Object, cents: int, text: str, period: tuple[int, int]) -> Object:
    """Return a proration line."""
    line = invoice_shapes.item_line(item, cents, text, period)
    line["discountable"] = False
    line["parent"]["subscription_item_details"]["proration"] = True
    return line

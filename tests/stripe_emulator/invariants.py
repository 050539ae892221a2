"""Invariants of stored objects that types cannot express, such as sums and references."""

from collections import defaultdict
from typing import Any

ENDED = ("canceled", "incomplete_expired")


def broken(bodies: list[dict[str, Any]]) -> list[str]:
    """Return a description of every violated invariant."""
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for body in bodies:
        by_kind[body["object"]].append(body)
    found: list[str] = []
    for invoice in by_kind["invoice"]:
        found += check_invoice(invoice, by_kind)
    for subscription in by_kind["subscription"]:
        found += check_subscription(subscription)
    known = {body["id"] for body in bodies}
    for event in by_kind["event"]:
        name = event["data"]["object"]["id"]
        if name not in known and not name.startswith("upcoming_in_"):
            found.append(f"{event['type']} about {name}, which does not exist")
    return found


def check_invoice(invoice: dict[str, Any], by_kind: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Check that an invoice is the sum of its lines and that the paid amount was charged."""
    found, name = [], invoice["id"]
    if invoice["total"] != sum(line["amount"] for line in invoice["lines"]["data"]):
        found.append(f"{name}: total is not the sum of the lines")
    if invoice["amount_paid"] + invoice["amount_remaining"] != invoice["amount_due"]:
        found.append(f"{name}: paid and remaining are not what was due")
    intents = [
        payment["payment"]["payment_intent"]
        for payment in by_kind["invoice_payment"]
        if payment["invoice"] == name
    ]
    charged = sum(
        charge["amount"]
        for charge in by_kind["charge"]
        if charge["paid"] and charge["payment_intent"] in intents
    )
    noted = sum(
        payment["amount_paid"] or 0
        for payment in by_kind["invoice_payment"]
        if payment["invoice"] == name
    )
    if noted != charged:
        found.append(f"{name}: {charged} charged, {noted} noted by its payments")
    if charged != invoice["amount_paid"]:
        found.append(f"{name}: {charged} charged, {invoice['amount_paid']} paid")
    if invoice["status"] == "paid" and invoice["amount_remaining"]:
        found.append(f"{name}: paid with a rest")
    return found


def check_subscription(subscription: dict[str, Any]) -> list[str]:
    """Check that a subscription has one item with a non-empty period and consistent end fields."""
    found, name = [], subscription["id"]
    items = subscription["items"]["data"]
    if len(items) != 1:
        found.append(f"{name}: {len(items)} items")
    if any(item["current_period_start"] >= item["current_period_end"] for item in items):
        found.append(f"{name}: a period that does not last")
    if (subscription["status"] in ENDED) != (subscription["ended_at"] is not None):
        found.append(f"{name}: {subscription['status']} and ended_at disagree")
    if subscription["status"] == "canceled" and subscription["schedule"]:
        found.append(f"{name}: ended with a schedule")
    return found

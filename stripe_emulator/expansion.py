"""Expand identifiers into their objects (docs.stripe.com/api/expanding_objects)."""

from collections.abc import Callable
from typing import Any

from stripe_emulator.errors import Problem, invalid
from stripe_emulator.objects import Object, listing
from stripe_emulator.transaction import Ledger

DEPTH = 4


def included(ledger: Ledger, item: Object, name: str) -> Object | None:
    """Return a list that is only there when somebody asks for it."""
    find: dict[tuple[str, str], Callable[[], list[Object]]] = {
        ("checkout.session", "line_items"): lambda: item.get("_line_items", []),
        ("invoice", "payments"): lambda: ledger.find("invoice_payment", parent=item["id"]),
        ("customer", "subscriptions"): lambda: [
            one
            for one in ledger.find("subscription", customer=item["id"])
            if one["status"] != "canceled"
        ],
    }
    made = find.get((item.get("object", ""), name))
    return listing(made(), f"/v1/{name}") if made else None


def expand(ledger: Ledger, answer: Object, paths: list[str]) -> Object:
    """Expand every path in place."""
    for path in paths:
        keys = path.split(".")
        if len(keys) > DEPTH:
            text = f"You cannot expand more than {DEPTH} levels of a property. Property: {path}"
            raise invalid(text, "expand")
        walk(ledger, answer, keys, path)
    return answer


def walk(ledger: Ledger, item: Any, keys: list[str], path: str) -> None:
    """Follow one path from an object, through lists."""
    if isinstance(item, list):
        for one in item:
            walk(ledger, one, keys, path)
        return
    if not keys or not isinstance(item, dict):
        return
    name = keys[0]
    found = item.get(name)
    if found is None:
        found = included(ledger, item, name)
    if isinstance(found, str):
        found = look_up(ledger, found, path)
    elif found is None and name not in item and not optional(item, name):
        raise unexpandable(path)
    if found is not None:
        item[name] = found
        walk(ledger, found, keys[1:], path)


def optional(item: Object, name: str) -> bool:
    """Whether an object may lack a key that can be expanded elsewhere."""
    return item.get("type") in ("payment_intent", "card") or name in ("charge", "default_price")


def look_up(ledger: Ledger, identifier: str, path: str) -> Object:
    """Return the object behind an identifier; a deleted one as Stripe shows it."""
    found = ledger.peek(identifier)
    if found is None:
        raise unexpandable(path)
    if found.get("deleted"):
        return {"id": found["id"], "object": found["object"], "deleted": True}
    return found


def unexpandable(path: str) -> Problem:
    """Return Stripe's refusal."""
    return invalid(f"This property cannot be expanded ({path}).", "expand")

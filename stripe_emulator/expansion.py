"""Expand object ids into objects (docs.stripe.com/api/expanding_objects)."""

from collections.abc import Callable
from typing import Any

from stripe_emulator.errors import ApiError, invalid_request
from stripe_emulator.objects import Object, list_object
from stripe_emulator.transaction import Transaction

MAX_EXPAND_DEPTH = 4


def expandable_list(tx: Transaction, item: Object, name: str) -> Object | None:
    """Return a list that an object includes only on request, or None."""
    find: dict[tuple[str, str], Callable[[], list[Object]]] = {
        ("checkout.session", "line_items"): lambda: item.get("_line_items", []),
        ("invoice", "payments"): lambda: tx.find_all("invoice_payment", parent=item["id"]),
        ("customer", "tax_ids"): lambda: tx.find_all("tax_id", customer=item["id"]),
        ("customer", "subscriptions"): lambda: [
            one
            for one in tx.find_all("subscription", customer=item["id"])
            if one["status"] != "canceled"
        ],
    }
    made = find.get((item.get("object", ""), name))
    return list_object(made(), f"/v1/{name}") if made else None


def expand_paths(tx: Transaction, answer: Object, paths: list[str]) -> Object:
    """Expand every path of `paths` in place and return the object."""
    for path in paths:
        keys = path.split(".")
        if len(keys) > MAX_EXPAND_DEPTH:
            limit = f"You cannot expand more than {MAX_EXPAND_DEPTH} levels of a property."
            raise invalid_request(f"{limit} Property: {path}", "expand")
        expand_path(tx, answer, keys, path)
    return answer


def expand_path(tx: Transaction, item: Any, keys: list[str], path: str) -> None:
    """Expand the remaining `keys` of one path, in every member of lists."""
    if isinstance(item, list):
        for one in item:
            expand_path(tx, one, keys, path)
        return
    if not keys or not isinstance(item, dict):
        return
    name = keys[0]
    found = item.get(name)
    if found is None:
        found = expandable_list(tx, item, name)
    if isinstance(found, str):
        found = fetch_expanded(tx, found, path)
    elif found is None and name not in item and not may_be_absent(item, name):
        raise cannot_expand(path)
    if found is not None:
        item[name] = found
        expand_path(tx, found, keys[1:], path)


def may_be_absent(item: Object, name: str) -> bool:
    """Return whether the object may lack a key that other objects can expand."""
    return item.get("type") in ("payment_intent", "card") or name in ("charge", "default_price")


def fetch_expanded(tx: Transaction, identifier: str, path: str) -> Object:
    """Return the object with this id; a deleted one is reduced to `deleted: true`."""
    found = tx.get_or_none(identifier)
    if found is None:
        raise cannot_expand(path)
    if found.get("deleted"):
        return {"id": found["id"], "object": found["object"], "deleted": True}
    return found


def cannot_expand(path: str) -> ApiError:
    """Return Stripe's error for a property that cannot be expanded."""
    return invalid_request(f"This property cannot be expanded ({path}).", "expand")

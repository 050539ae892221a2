"""The type checker of the tests detects missing, wrong and unknown values."""

from typing import Any

import pytest

from tests.stripe_emulator import oracle
from tests.stripe_emulator.actions import subscribe
from tests.stripe_emulator.conftest import Shop


def remove(item: dict[str, Any], *path: str) -> None:
    *way, last = path
    for name in way:
        item = item[name]
    del item[last]


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("status", "aktiv", "is not one of its words"),
        ("current_period_end", 5, "unknown key"),
        ("created", "today", "no integer"),
        ("created", True, "no integer"),
        ("cancel_at_period_end", None, ": null"),
        ("items", [], "no list object"),
        ("billing_mode", {"type": "flexible"}, ""),
        ("trial_settings", {"end_behavior": {}}, "missing_payment_method: missing"),
        ("discounts", {}, "is no list"),
        ("metadata", "x", "is no object"),
    ],
)
def test_wrong_values_are_reported(shop: Shop, path: str, value: object, says: str) -> None:
    made = shop.harness.v1.subscriptions.retrieve(subscribe(shop, shop.customer()).id)
    item = made.to_dict(for_json=True)
    assert oracle.violations(item) == []
    found = oracle.violations({**item, path: value})
    assert any(says in one for one in found) if says else found == []


@pytest.mark.parametrize(
    "path",
    [("status",), ("schedule",), ("trial_end",), ("items", "data"), ("billing_mode", "type")],
)
def test_missing_keys_are_reported(shop: Shop, path: tuple[str, ...]) -> None:
    item = subscribe(shop, shop.customer()).to_dict(for_json=True)
    remove(item, *path)
    assert oracle.violations(item)


def test_objects_inside_events_are_checked(shop: Shop) -> None:
    subscribe(shop, shop.customer())
    event = shop.harness.v1.events.list({"type": "invoice.paid"}).data[0].to_dict(for_json=True)
    assert oracle.violations(event) == []
    assert oracle.violations({**event, "type": "invoice.was_paid"})
    event["data"]["object"]["lines"]["data"][0]["amount"] = "29.00"
    assert oracle.violations(event)

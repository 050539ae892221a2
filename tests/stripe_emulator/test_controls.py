"""The controls of `/dev/stripe`."""

import pytest

from tests.stripe_emulator.actions import FAILS_LATER, advance, subscribe
from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.stripe_server import DAY, Harness


def post(harness: Harness, name: str, content: bytes) -> int:
    headers = {"Authorization": f"Bearer {harness.key}"}
    url = f"{harness.base}/dev/{name}"
    return harness.browser.post(url, content=content, headers=headers).status_code


def test_customers_are_listed_with_their_next_due_time(shop: Shop) -> None:
    customer = shop.customer()
    made = subscribe(shop, customer)
    shown = shop.harness.control("customers", get=True)[0]
    end = made.items.data[0].current_period_end
    assert (shown["id"], shown["clock"], shown["now"]) == (customer, None, shop.harness.now())
    assert shown["next"] == end - 7 * DAY
    assert shown["subscriptions"][0]["price"] == "pro"


def test_advancing_one_customer_does_not_affect_others(shop: Shop) -> None:
    mine, other = shop.customer("a@example.com"), shop.customer("b@example.com")
    first, second = subscribe(shop, mine), subscribe(shop, other)
    moved = advance(shop, mine, days=31)
    assert moved["now"] == shop.harness.now() + 31 * DAY
    v1 = shop.harness.v1
    assert len(v1.invoices.list({"customer": mine}).data) == 2
    assert len(v1.invoices.list({"customer": other}).data) == 1
    assert v1.subscriptions.retrieve(first.id).test_clock == moved["clock"]
    assert v1.subscriptions.retrieve(second.id).test_clock is None
    shop.harness.pass_time(31 * DAY + 3600)
    assert len(v1.invoices.list({"customer": mine}).data) == 2
    assert len(v1.invoices.list({"customer": other}).data) == 2


def test_advance_to_next_steps_through_due_times(shop: Shop) -> None:
    customer = shop.customer()
    subscribe(shop, customer, FAILS_LATER, subscription_data={"trial_period_days": 14})
    steps = []
    for _ in range(8):
        shown = advance(shop, customer, to="next")
        steps.append((shown["subscriptions"][0]["status"], shown["now"] - shop.harness.now()))
    ends = 14 * DAY
    assert steps == [
        ("trialing", 7 * DAY),
        ("trialing", 11 * DAY),
        ("active", ends),
        ("past_due", ends + 3600),
        ("past_due", ends + 3600 + 3 * DAY),
        ("past_due", ends + 3600 + 8 * DAY),
        ("canceled", ends + 3600 + 15 * DAY),
        ("canceled", ends + 3600 + 15 * DAY),
    ]


def test_events_are_listed_with_their_deliveries(shop: Shop) -> None:
    customer = shop.customer()
    shop.customer("b@example.com")
    subscribe(shop, customer)
    shop.harness.emulator.deliver_pending()
    shown = shop.harness.control("events", get=True, customer=customer)
    assert {one["customer"] for one in shown if one["type"] != "customer.created"} >= {customer}
    assert all(one["deliveries"][0]["status"] == "delivered" for one in shown)
    assert len(shop.harness.control("events", get=True, limit=2)) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("advance", b'{"customer": "cus_none"}'),
        ("advance", b'{"customer": "CUSTOMER", "days": -1}'),
        ("advance", b'{"customer": "CUSTOMER", "days": "x"}'),
        ("advance", b"no json"),
        ("advance", b"[]"),
        ("replay", b'{"event": "evt_none"}'),
        ("settings", b'{"drop": 2}'),
        ("settings", b'{"duplicate": true}'),
        ("settings", b'{"retry_days": [0]}'),
        ("settings", b'{"after_retries": "forgive"}'),
        ("settings", b'{"unheard": 1}'),
        ("nothing", b"{}"),
    ],
)
def test_invalid_controls_are_refused(shop: Shop, name: str, content: bytes) -> None:
    content = content.replace(b"CUSTOMER", shop.customer().encode())
    assert post(shop.harness, name, content) in (400, 404)
    assert shop.harness.control("settings", get=True)["drop"] == 0

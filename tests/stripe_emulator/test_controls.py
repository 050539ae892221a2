"""The controls of the development page."""

import pytest

from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.journeys import FAILS_LATER, advance, subscribe
from tests.stripe_emulator.stripe_server import DAY, Machine


def post(machine: Machine, name: str, content: bytes) -> int:
    headers = {"Authorization": f"Bearer {machine.key}"}
    url = f"{machine.base}/dev/{name}"
    return machine.browser.post(url, content=content, headers=headers).status_code


def test_customers_are_shown_with_what_comes_next(shop: Shop) -> None:
    owner = shop.customer()
    made = subscribe(shop, owner)
    shown = shop.machine.control("customers", get=True)[0]
    end = made.items.data[0].current_period_end
    assert (shown["id"], shown["clock"], shown["now"]) == (owner, None, shop.machine.now())
    assert shown["next"] == end - 7 * DAY
    assert shown["subscriptions"][0]["price"] == "pro"


def test_one_customers_time_moves_alone(shop: Shop) -> None:
    mine, other = shop.customer("a@example.com"), shop.customer("b@example.com")
    first, second = subscribe(shop, mine), subscribe(shop, other)
    moved = advance(shop, mine, days=31)
    assert moved["now"] == shop.machine.now() + 31 * DAY
    v1 = shop.machine.v1
    assert len(v1.invoices.list({"customer": mine}).data) == 2
    assert len(v1.invoices.list({"customer": other}).data) == 1
    assert v1.subscriptions.retrieve(first.id).test_clock == moved["clock"]
    assert v1.subscriptions.retrieve(second.id).test_clock is None
    shop.machine.pass_time(31 * DAY + 3600)
    assert len(v1.invoices.list({"customer": mine}).data) == 2
    assert len(v1.invoices.list({"customer": other}).data) == 2


def test_one_can_step_to_whatever_is_next(shop: Shop) -> None:
    owner = shop.customer()
    subscribe(shop, owner, FAILS_LATER, subscription_data={"trial_period_days": 14})
    steps = []
    for _ in range(8):
        shown = advance(shop, owner, to="next")
        steps.append((shown["subscriptions"][0]["status"], shown["now"] - shop.machine.now()))
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


def test_events_are_shown_with_their_deliveries(shop: Shop) -> None:
    owner = shop.customer()
    shop.customer("b@example.com")
    subscribe(shop, owner)
    shop.machine.emulator.deliver_pending()
    shown = shop.machine.control("events", get=True, customer=owner)
    assert {one["customer"] for one in shown if one["type"] != "customer.created"} >= {owner}
    assert all(one["deliveries"][0]["status"] == "delivered" for one in shown)
    assert len(shop.machine.control("events", get=True, limit=2)) == 2


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
def test_nonsense_is_refused(shop: Shop, name: str, content: bytes) -> None:
    content = content.replace(b"CUSTOMER", shop.customer().encode())
    assert post(shop.machine, name, content) in (400, 404)
    assert shop.machine.control("settings", get=True)["drop"] == 0

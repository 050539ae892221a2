"""Fixtures: an emulator on a port, and products to subscribe to.

After every test, all stored objects are checked against Stripe's published types and against the
invariants.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stripe_emulator.objects import public_copy
from tests.stripe_emulator import invariants, oracle
from tests.stripe_emulator.stripe_server import Harness, Receiver, Served, make_harness


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    server = Served()
    yield server
    server.close()


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def harness(tmp_path: Path, served: Served, receiver: Receiver) -> Iterator[Harness]:
    made = make_harness(tmp_path, served, receiver)
    yield made
    made.browser.close()
    served.client = "127.0.0.1"
    with made.emulator.store.reading() as connection:
        bodies = [json.loads(row["body"]) for row in connection.execute("select body from objects")]
    problems = {problem for body in bodies for problem in oracle.violations(public_copy(body))}
    assert not problems
    assert invariants.broken(bodies) == []


@dataclass(frozen=True)
class Shop:
    """Two products with monthly prices, and a portal configuration."""

    harness: Harness
    pro: str
    enterprise: str
    portal: str

    def customer(self, email: str = "ada@example.com", card: str | None = None) -> str:
        given = {"email": email}
        if card:
            settings = {"default_payment_method": card}
            given |= {"payment_method": card, "invoice_settings": settings}
        return self.harness.v1.customers.create(given).id


@pytest.fixture
def shop(harness: Harness) -> Shop:
    v1 = harness.v1
    prices = {}
    for name, cents in (("Pro", 2900), ("Enterprise", 9900)):
        product = v1.products.create({"name": name})
        prices[name] = v1.prices.create(
            {
                "product": product.id,
                "currency": "usd",
                "unit_amount": cents,
                "recurring": {"interval": "month"},
                "lookup_key": name.lower(),
            }
        )
    products = [{"product": price.product, "prices": [price.id]} for price in prices.values()]
    portal = v1.billing_portal.configurations.create(
        {
            "features": {
                "invoice_history": {"enabled": True},
                "payment_method_update": {"enabled": True},
                "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
                "subscription_update": {
                    "enabled": True,
                    "default_allowed_updates": ["price"],
                    "proration_behavior": "always_invoice",
                    "products": products,
                    "schedule_at_period_end": {"conditions": [{"type": "decreasing_item_amount"}]},
                },
            }
        }
    )
    return Shop(harness, prices["Pro"].id, prices["Enterprise"].id, portal.id)

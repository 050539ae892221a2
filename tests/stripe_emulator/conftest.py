"""An emulator on a port; after every test, all it ever said is held against Stripe's types."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stripe_emulator.objects import public_copy
from tests.stripe_emulator import invariants, oracle
from tests.stripe_emulator.stripe_server import Machine, Receiver, Served
from tests.stripe_emulator.stripe_server import machine as make_machine


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
def stripe_machine(tmp_path: Path, served: Served, receiver: Receiver) -> Iterator[Machine]:
    made = make_machine(tmp_path, served, receiver)
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
    """The plans of a product, as its set-up makes them."""

    machine: Machine
    pro: str
    enterprise: str
    portal: str

    def customer(self, email: str = "ada@example.com", card: str | None = None) -> str:
        given = {"email": email}
        if card:
            settings = {"default_payment_method": card}
            given |= {"payment_method": card, "invoice_settings": settings}
        return self.machine.v1.customers.create(given).id


@pytest.fixture
def shop(stripe_machine: Machine) -> Shop:
    v1 = stripe_machine.v1
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
    return Shop(stripe_machine, prices["Pro"].id, prices["Enterprise"].id, portal.id)

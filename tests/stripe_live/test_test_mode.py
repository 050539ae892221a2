"""One subscription's life through our services: at the emulator, and at Stripe's own test mode.

Set SP404_STRIPE_TEST_KEY to a key of Stripe's test mode (sk_test_…) and the same story is
played there too, on a test clock that is deleted afterwards.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sp404_app.db import transaction
from sp404_app.models import BillingCustomer, Subscription, User
from sp404_app.services.billing import (
    catalog,
    customers,
    entitlements,
    invoices,
    proration_preview,
    reconcile,
    stripe_client,
    subscriptions,
    sync,
)
from sp404_app.services.plans import PLANS, Tier
from sp404_app.settings import settings
from tests.shop import DAY

TEST_KEY = "SP404_STRIPE_TEST_KEY"
GIVEN = os.environ.get(TEST_KEY, "")  # read before the tests empty the environment
NO_KEY = f"set {TEST_KEY} to a key that begins with sk_test_ to play this at Stripe"
ABSENT = not GIVEN.startswith("sk_test_") or GIVEN.startswith(stripe_client.EMULATOR_KEY_PREFIX)
CLOCK_SECONDS, CLOCK_PAUSE = 150, 2.0


@dataclass
class Life:
    """One person at Stripe, whose time we move."""

    user: User
    clock: str

    @property
    def stripe(self) -> Any:
        return stripe_client.client().v1

    def pass_days(self, days: int) -> None:
        """Advance the clock, wait until all has happened, and take it over."""
        clocks = self.stripe.test_helpers.test_clocks
        moment = clocks.retrieve(self.clock).frozen_time + days * DAY
        clocks.advance(self.clock, {"frozen_time": moment})
        until = time.monotonic() + CLOCK_SECONDS
        while clocks.retrieve(self.clock).status != "ready":
            assert time.monotonic() < until, "the test clock did not arrive"
            time.sleep(CLOCK_PAUSE)
        self.look()

    def look(self) -> None:
        with transaction() as session:
            sync.sync_customer(session, self.user.id)

    def now(self) -> Subscription:
        with transaction() as session:
            found = entitlements.current_subscription(session, self.user.id)
            assert found
            return found

    def entitled(self) -> tuple[str, str]:
        with transaction() as session:
            found = entitlements.entitlement_of(session, self.user.id)
            return found.plan.tier, found.access

    def change(self, tier: Tier, stamp: int | None = None) -> None:
        with transaction() as session:
            subscriptions.change_plan(session, self.user.id, tier, stamp).ensure_paid()

    def paid(self) -> list[int]:
        """Return what was paid, the oldest first."""
        with transaction() as session:
            listed = invoices.list_invoices(session, self.user.id)
        ordered = sorted(listed, key=lambda row: row.created)
        return [row.amount_paid for row in ordered if row.amount_paid]


@pytest.fixture(
    params=[
        "emulator",
        pytest.param("Stripe", marks=pytest.mark.skipif(ABSENT, reason=NO_KEY)),
    ]
)
def life(request: pytest.FixtureRequest, user: User) -> Iterator[Life]:
    """A person who begins a trial of Pro with a good card, on a clock of their own."""
    if request.param == "emulator":
        request.getfixturevalue("shop")
    else:
        environment: pytest.MonkeyPatch = request.getfixturevalue("environment")
        environment.setenv("SP404_STRIPE_SECRET_KEY", GIVEN)
        settings.cache_clear()
    stripe: Any = stripe_client.client().v1
    clock = stripe.test_helpers.test_clocks.create({"frozen_time": int(time.time())}).id
    try:
        yield begun(Life(user, clock))
    finally:
        stripe.test_helpers.test_clocks.delete(clock)
        stripe_client._client.cache_clear()


def begun(life: Life) -> Life:
    """Stand in for Checkout, whose page only a person can fill in."""
    owner = {"user_id": str(life.user.id)}
    customer = life.stripe.customers.create(
        {"email": life.user.email, "metadata": owner, "test_clock": life.clock}
    ).id
    card = life.stripe.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    with transaction() as session:
        row: BillingCustomer = customers.lock_customer(session, life.user.id)
        row.stripe_id = customer
        prices = {tier: priced(session, tier) for tier in (Tier.PRO, Tier.ENTERPRISE)}
    life.stripe.subscriptions.create(
        {
            "customer": customer,
            "items": [{"price": prices[Tier.PRO]}],
            "trial_period_days": PLANS[Tier.PRO].trial_days,
            "default_payment_method": card,
            "metadata": owner,
        }
    )
    life.look()
    return life


def priced(session: Any, tier: Tier) -> str:
    """Return a price's id, made by the same lookup key as `billing setup` makes it."""
    plan = PLANS[tier]
    said = catalog._set_up_price(session, plan)
    assert str(plan.price_cents) in said
    return catalog.get_plan_price(session, tier).id


def test_a_subscription_lives_the_same_at_the_emulator_and_at_stripe(life: Life) -> None:
    assert (life.now().status, life.entitled()) == ("trialing", ("pro", "full"))
    life.pass_days(15)
    assert (life.now().status, life.paid()) == ("active", [2900])

    life.pass_days(12)
    with transaction() as session:
        seen = proration_preview.preview_change(session, life.user.id, Tier.ENTERPRISE)
    life.change(Tier.ENTERPRISE, seen.proration_date)
    assert life.paid() == [2900, seen.due_today]
    assert life.entitled() == ("enterprise", "full")

    life.change(Tier.PRO)
    row = life.now()
    assert (row.tier, row.pending_tier, row.pending_at) == ("enterprise", "pro", row.period_end)
    life.change(Tier.ENTERPRISE)  # released
    assert life.now().pending_tier == ""

    with transaction() as session:
        subscriptions.cancel_subscription(session, life.user.id)
    row = life.now()
    assert row.cancel_at == row.period_end
    with transaction() as session:
        subscriptions.resume_subscription(session, life.user.id)
    assert life.now().cancel_at is None

    life.pass_days(32)
    assert life.paid() == [2900, seen.due_today, 9900]
    with transaction() as session:
        assert reconcile.reconcile_user(session, life.user.id) == ([], [])

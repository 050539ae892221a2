"""One subscription's lifecycle through our services, at the emulator and at Stripe's test mode.

Set SP404_STRIPE_TEST_KEY to a test-mode key (sk_test_…) to run it at Stripe too, on a test clock
that is deleted afterwards.
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
from sp404_app.services.plans import PLANS, Interval, Tier
from sp404_app.settings import settings
from tests.shop import DAY

TEST_KEY = "SP404_STRIPE_TEST_KEY"
KEY = os.environ.get(TEST_KEY, "")  # read before the tests empty the environment
NO_KEY = f"set {TEST_KEY} to a key that begins with sk_test_ to run this at Stripe"
KEY_MISSING = not KEY.startswith("sk_test_") or KEY.startswith(stripe_client.EMULATOR_KEY_PREFIX)
CLOCK_TIMEOUT_S, CLOCK_POLL_S = 150, 2.0


@dataclass
class Subscriber:
    """A user with a Stripe customer on a test clock."""

    user: User
    clock: str

    @property
    def stripe(self) -> Any:
        return stripe_client.client().v1

    def pass_days(self, days: int) -> None:
        """Advance the clock, wait until Stripe is done, and sync."""
        clocks = self.stripe.test_helpers.test_clocks
        moment = clocks.retrieve(self.clock).frozen_time + days * DAY
        clocks.advance(self.clock, {"frozen_time": moment})
        until = time.monotonic() + CLOCK_TIMEOUT_S
        while clocks.retrieve(self.clock).status != "ready":
            assert time.monotonic() < until, "the test clock did not arrive"
            time.sleep(CLOCK_POLL_S)
        self.look()

    def look(self) -> None:
        with transaction() as session:
            sync.sync_customer(session, self.user.id)

    def now(self) -> Subscription:
        with transaction() as session:
            found = entitlements.find_current_subscription(session, self.user.id)
            assert found
            return found

    def entitled(self) -> tuple[str, str]:
        with transaction() as session:
            found = entitlements.get_entitlement(session, self.user.id)
            return found.plan.tier, found.access

    def change(self, tier: Tier, stamp: int | None = None) -> None:
        with transaction() as session:
            subscriptions.change_plan(session, self.user.id, tier, stamp).ensure_paid()

    def paid(self) -> list[int]:
        """Return the paid amounts, oldest first."""
        with transaction() as session:
            listed = invoices.list_invoices(session, self.user.id)
        ordered = sorted(listed, key=lambda row: row.created)
        return [row.amount_paid for row in ordered if row.amount_paid]


@pytest.fixture(
    params=[
        "emulator",
        pytest.param("Stripe", marks=pytest.mark.skipif(KEY_MISSING, reason=NO_KEY)),
    ]
)
def subscriber(request: pytest.FixtureRequest, user: User) -> Iterator[Subscriber]:
    """A user on a Pro trial with a valid card, on a test clock of their own."""
    if request.param == "emulator":
        request.getfixturevalue("shop")
    else:
        environment: pytest.MonkeyPatch = request.getfixturevalue("environment")
        environment.setenv("SP404_STRIPE_SECRET_KEY", KEY)
        settings.cache_clear()
    stripe: Any = stripe_client.client().v1
    clock = stripe.test_helpers.test_clocks.create({"frozen_time": int(time.time())}).id
    try:
        yield start_trial(Subscriber(user, clock))
    finally:
        stripe.test_helpers.test_clocks.delete(clock)
        stripe_client._client.cache_clear()


def start_trial(subscriber: Subscriber) -> Subscriber:
    """Create the subscription directly, because the Checkout page needs a browser."""
    owner = {"user_id": str(subscriber.user.id)}
    customer = subscriber.stripe.customers.create(
        {"email": subscriber.user.email, "metadata": owner, "test_clock": subscriber.clock}
    ).id
    card = subscriber.stripe.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    with transaction() as session:
        row: BillingCustomer = customers.lock_customer(session, subscriber.user.id)
        row.stripe_id = customer
        prices = {tier: create_price(session, tier) for tier in (Tier.PRO, Tier.ENTERPRISE)}
    subscriber.stripe.subscriptions.create(
        {
            "customer": customer,
            "items": [{"price": prices[Tier.PRO]}],
            "trial_period_days": PLANS[Tier.PRO].trial_days,
            "default_payment_method": card,
            "metadata": owner,
        }
    )
    subscriber.look()
    return subscriber


def create_price(session: Any, tier: Tier) -> str:
    """Return the id of a price created as `billing setup` does."""
    plan = PLANS[tier]
    said = catalog._set_up_price(session, plan, Interval.MONTH)
    assert str(plan.price_cents) in said
    return catalog.get_plan_price(session, tier).id


def test_a_subscription_behaves_the_same_at_the_emulator_and_at_stripe(
    subscriber: Subscriber,
) -> None:
    assert (subscriber.now().status, subscriber.entitled()) == ("trialing", ("pro", "full"))
    subscriber.pass_days(15)
    assert (subscriber.now().status, subscriber.paid()) == ("active", [2900])

    subscriber.pass_days(12)
    with transaction() as session:
        preview = proration_preview.preview_change(session, subscriber.user.id, Tier.ENTERPRISE)
    subscriber.change(Tier.ENTERPRISE, preview.proration_date)
    assert subscriber.paid() == [2900, preview.due_today]
    assert subscriber.entitled() == ("enterprise", "full")

    subscriber.change(Tier.PRO)
    row = subscriber.now()
    assert (row.tier, row.pending_tier, row.pending_at) == ("enterprise", "pro", row.period_end)
    subscriber.change(Tier.ENTERPRISE)  # released
    assert subscriber.now().pending_tier == ""

    with transaction() as session:
        subscriptions.cancel_subscription(session, subscriber.user.id)
    row = subscriber.now()
    assert row.cancel_at == row.period_end
    with transaction() as session:
        subscriptions.resume_subscription(session, subscriber.user.id)
    assert subscriber.now().cancel_at is None

    subscriber.pass_days(32)
    assert subscriber.paid() == [2900, preview.due_today, 9900]
    with transaction() as session:
        assert reconcile.reconcile_user(session, subscriber.user.id) == ([], [])

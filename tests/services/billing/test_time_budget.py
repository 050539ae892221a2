"""Stripe is silent or slow: a user gets an answer within the time budget."""

import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import stripe
from sqlmodel import Session

from sp404_app.db import transaction
from sp404_app.errors import AppError, Unavailable
from sp404_app.models import User
from sp404_app.services.billing import (
    checkout,
    invoices,
    proration_preview,
    stripe_client,
    subscriptions,
    sync,
)
from sp404_app.services.plans import Tier
from sp404_app.state.billing import billing as state
from sp404_app.state.billing import slow_request
from sp404_app.state.billing.plans import PlansState
from tests.accounts import cookie, sign_up_user
from tests.shop import Shop
from tests.tabs import in_tab

ACTIONS: dict[str, Callable[[Session, uuid.UUID], Any]] = {
    "preview": lambda session, user_id: proration_preview.preview_change(
        session, user_id, Tier.ENTERPRISE
    ),
    "change": lambda session, user_id: subscriptions.change_plan(session, user_id, Tier.ENTERPRISE),
    "cancel": subscriptions.cancel_subscription,
    "resume": subscriptions.resume_subscription,
    "keep": subscriptions.keep_plan,
    "portal": subscriptions.open_portal,
    "close": subscriptions.end_all_billing,
    "buy": lambda session, user_id: checkout.start_checkout(session, user_id, Tier.PRO),
}


SILENCE_S, SLOW_S = 40.0, 4.5  # longer than the budget; slow for each of several requests
MARGIN_S = 0.1


class SlowStripe:
    """Stripe's transport with a clock of its own: every response takes `pause` seconds of it."""

    def __init__(self, environment: pytest.MonkeyPatch) -> None:
        self.pause = 0.0
        self.elapsed = 0.0
        self.requests = 0
        self.send = stripe.RequestsClient.request
        transport = self

        def request(client: stripe.RequestsClient, *args: Any, **kwargs: Any) -> Any:
            return transport.request(client, *args, **kwargs)

        environment.setattr(stripe.RequestsClient, "request", request)
        environment.setattr(stripe.RequestsClient, "_sleep_time_seconds", self.back_off)
        for module in (stripe_client, state):
            clock = SimpleNamespace(monotonic=self.monotonic, perf_counter=self.monotonic)
            environment.setattr(module, "time", clock)
        environment.setattr(state, "asyncio", SimpleNamespace(sleep=self.sleep))
        environment.setattr(stripe_client, "RETRIES", 1)  # as in production
        stripe_client._client.cache_clear()

    def monotonic(self) -> float:
        return self.elapsed

    def request(self, client: Any, *args: Any, **kwargs: Any) -> Any:
        """Time out as the transport would, or send the request after `pause` seconds."""
        self.requests += 1
        self.elapsed += min(self.pause, client._timeout)
        if self.pause >= client._timeout:
            raise stripe.APIConnectionError("timed out", should_retry=True)
        return self.send(client, *args, **kwargs)

    def back_off(self, *_: Any) -> float:
        self.elapsed += 0.5
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


@pytest.fixture
def slow_stripe(shop: Shop, environment: pytest.MonkeyPatch) -> SlowStripe:
    return SlowStripe(environment)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("pause", [SILENCE_S, SLOW_S])
def test_a_request_ends_within_the_time_budget(
    shop: Shop, user: User, slow_stripe: SlowStripe, action: str, pause: float
) -> None:
    if action != "buy":
        shop.buy(user.id)
    slow_stripe.pause, refused = pause, None
    try:
        with transaction() as session:
            ACTIONS[action](session, user.id)
    except AppError as error:
        refused = error
    assert 0 < slow_stripe.elapsed <= stripe_client.TIME_BUDGET_S + MARGIN_S
    if pause == SILENCE_S:
        assert isinstance(refused, Unavailable)


def test_a_job_has_no_time_budget(shop: Shop, user: User, slow_stripe: SlowStripe) -> None:
    shop.buy(user.id)
    slow_stripe.pause = SLOW_S
    with transaction() as session:
        sync.sync_customer(session, user.id)
    assert slow_stripe.elapsed > stripe_client.TIME_BUDGET_S


def test_each_request_has_its_own_time_budget(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    assert stripe_client.time_left() == stripe_client.RESPONSE_TIMEOUT_S
    with transaction() as session:
        invoices.open_invoice_url(session, user.id)
    assert stripe_client.time_left() == stripe_client.RESPONSE_TIMEOUT_S


async def test_the_page_shows_that_a_request_is_slow(
    shop: Shop, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(slow_request, "SLOW_AFTER_S", 0.1)
    ada = sign_up_user()
    shop.buy(ada.id)
    tab: Any = in_tab(PlansState(), cookie(ada.id))
    await tab.load()
    seen = [(tab.busy, tab.slow) async for _ in tab.choose("enterprise")]
    shop.weather.slow = 0.3
    seen += [(tab.busy, tab.slow) async for _ in tab.choose("enterprise")]
    assert seen[-1] == (True, True)
    assert (tab.busy, tab.slow, tab.problem) == (False, False, "")
    assert tab.dialog.tier == "enterprise"


@pytest.mark.parametrize(("pause", "polls"), [(SILENCE_S, 1), (0.0, 10)])
async def test_activating_a_purchase_gives_up_after_its_timeout(
    shop: Shop, slow_stripe: SlowStripe, pause: float, polls: int
) -> None:
    ada = sign_up_user()
    shop.buy(ada.id)
    slow_stripe.pause, shop.weather.status = pause, 0 if pause else 500
    slow_stripe.requests, slow_stripe.elapsed = 0, 0.0
    assert await state.activate_purchase(ada.id, "cs_test_1")
    assert slow_stripe.elapsed <= state.ACTIVATION_TIMEOUT_S + MARGIN_S
    assert slow_stripe.requests == polls

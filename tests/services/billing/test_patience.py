"""Stripe that says nothing, or little: a person gets an answer within the time that is left."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
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
from tests.accounts import cookie, somebody
from tests.shop import Shop
from tests.tabs import in_tab

ACTS: dict[str, Callable[[Session, uuid.UUID], Any]] = {
    "preview": lambda session, user_id: proration_preview.preview_change(
        session, user_id, Tier.ENTERPRISE
    ),
    "change": lambda session, user_id: subscriptions.change_plan(session, user_id, Tier.ENTERPRISE),
    "cancel": subscriptions.cancel_subscription,
    "resume": subscriptions.resume_subscription,
    "keep": subscriptions.keep_plan,
    "portal": subscriptions.open_portal,
    "close": subscriptions.close_account,
    "buy": lambda session, user_id: checkout.start(session, user_id, Tier.PRO),
}


@pytest.fixture
def hurry(environment: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let everything together take a second from now on, with one retry as in use."""

    def begin() -> None:
        environment.setattr(stripe_client, "TIME_BUDGET_S", 1.0)
        environment.setattr(stripe_client, "RETRIES", 1)
        stripe_client._client.cache_clear()

    return begin


def taken(act: Callable[[Session, uuid.UUID], Any], user: User) -> tuple[float, type[Exception]]:
    started, kind = time.monotonic(), type(None)
    try:
        with transaction() as session:
            act(session, user.id)
    except AppError as error:
        kind = type(error)
    return time.monotonic() - started, kind  # type: ignore[return-value]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("pause", [4.0, 0.45])  # silent, and slow at each of several steps
def test_an_answer_comes_in_time(
    shop: Shop, user: User, hurry: Callable[[], None], act: str, pause: float
) -> None:
    if act != "buy":
        shop.buy(user.id)
    hurry()
    shop.weather.slow = pause
    seconds, refused = taken(ACTS[act], user)
    assert seconds < 2.5
    if pause > 1:
        assert issubclass(refused, Unavailable)


def test_a_job_has_the_time_it_needs(shop: Shop, user: User, hurry: Callable[[], None]) -> None:
    shop.buy(user.id)
    hurry()
    shop.weather.slow = 0.45
    with transaction() as session:
        sync.sync_customer(session, user.id)


def test_the_time_is_that_of_one_request(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    assert stripe_client.time_left() == stripe_client.RESPONSE_TIMEOUT_S
    with transaction() as session:
        invoices.open_invoice_url(session, user.id)
    assert stripe_client.time_left() == stripe_client.RESPONSE_TIMEOUT_S


async def test_after_two_seconds_the_page_says_so(
    shop: Shop, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(slow_request, "SLOW_AFTER_S", 0.1)
    ada = somebody()
    shop.buy(ada.id)
    tab: Any = in_tab(PlansState(), cookie(ada.id))
    await tab.load()
    seen = [(tab.busy, tab.slow) async for _ in tab.choose("enterprise")]
    shop.weather.slow = 0.3
    seen += [(tab.busy, tab.slow) async for _ in tab.choose("enterprise")]
    assert seen[-1] == (True, True)
    assert (tab.busy, tab.slow, tab.problem) == (False, False, "")
    assert tab.dialog.tier == "enterprise"


@pytest.mark.parametrize(("pause", "looks"), [(4.0, 1), (0.0, 3)])
async def test_a_purchase_that_does_not_arrive_is_awaited_no_longer(
    shop: Shop,
    environment: pytest.MonkeyPatch,
    hurry: Callable[[], None],
    pause: float,
    looks: int,
) -> None:
    environment.setattr(state, "ACTIVATION_TIMEOUT_S", 1.0)
    environment.setattr(state, "ACTIVATION_POLL_S", 0.3)
    ada = somebody()
    shop.buy(ada.id)
    hurry()
    shop.weather.slow, shop.weather.status = pause, 0 if pause else 500
    shop.weather.calls.clear()
    started = time.monotonic()
    assert await state.activate_purchase(ada.id, "cs_test_1")
    assert time.monotonic() - started < 2.5
    asked = [path for _, path in shop.weather.calls if path.startswith("/checkout")]
    assert 1 <= len(asked) <= looks

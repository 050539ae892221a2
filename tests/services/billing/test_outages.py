"""Stripe fails at any step of an action: a retry completes it, nothing is charged twice."""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlmodel import Session

from sp404_app.db import transaction
from sp404_app.errors import Unavailable
from sp404_app.jobs import billing
from sp404_app.models import User
from sp404_app.services.billing import stripe_client, subscriptions
from sp404_app.services.plans import Tier
from tests.shop import Shop

ActionFunction = Callable[[Session, uuid.UUID], object]
MIN_STEPS = 2  # one read and one write


def to_pro(session: Session, user_id: uuid.UUID) -> object:
    return subscriptions.change_plan(session, user_id, Tier.PRO)


def to_enterprise(session: Session, user_id: uuid.UUID) -> object:
    return subscriptions.change_plan(session, user_id, Tier.ENTERPRISE)


@dataclass(frozen=True)
class Action:
    """An action, its undo, and both states: (pending plan, is cancelled)."""

    do: ActionFunction
    undo: ActionFunction
    before: tuple[str, bool]
    after: tuple[str, bool]


UNCHANGED, DOWNGRADED, CANCELLED = ("", False), ("pro", False), ("", True)
ACTIONS = {
    "downgrade": Action(to_pro, to_enterprise, UNCHANGED, DOWNGRADED),
    "keep": Action(to_enterprise, to_pro, DOWNGRADED, UNCHANGED),
    "cancel": Action(
        subscriptions.cancel_subscription, subscriptions.resume_subscription, UNCHANGED, CANCELLED
    ),
    "resume": Action(
        subscriptions.resume_subscription, subscriptions.cancel_subscription, CANCELLED, UNCHANGED
    ),
}


def run(action: ActionFunction, user: User) -> None:
    with transaction() as session:
        action(session, user.id)


def change_of(shop: Shop, user: User) -> tuple[str, bool]:
    row = shop.subscription(user.id)
    return row.pending_tier, row.cancel_at is not None


def fails_at(shop: Shop, step: int, action: ActionFunction, user: User, *, after: bool) -> bool:
    """Fail the request number `step`; return whether there was one."""
    shop.weather.status, shop.weather.nth, shop.weather.after = 500, step, after
    message = ""
    try:
        run(action, user)
    except Unavailable as refusal:
        message = str(refusal)
    shop.weather.status, shop.weather.nth = 0, None
    assert not message or "try again" in message
    return bool(message)


@pytest.mark.parametrize(("name", "after"), itertools.product(ACTIONS, (False, True)))
def test_a_failure_at_any_step_is_completed_by_a_retry(
    shop: Shop, user: User, name: str, *, after: bool
) -> None:
    action = ACTIONS[name]
    shop.buy(user.id, "enterprise")
    if action.before != UNCHANGED:
        run(action.undo, user)
    step = 0
    while fails_at(shop, step, action.do, user, after=after):
        assert change_of(shop, user) == action.before  # the failed request changed no row
        assert shop.entitled(user.id) == ("enterprise", "full")
        run(action.do, user)
        assert change_of(shop, user) == action.after
        assert billing.reconcile()[1:] == ([], [])  # Stripe has the same state
        run(action.undo, user)
        assert change_of(shop, user) == action.before
        step += 1
    assert step >= MIN_STEPS
    assert change_of(shop, user) == action.after
    assert [row.amount_paid for row in shop.invoices(user.id)] == [9900]


@pytest.mark.parametrize("name", ACTIONS)
def test_a_write_whose_response_was_lost_is_synced_by_webhook(
    shop: Shop, user: User, name: str
) -> None:
    action = ACTIONS[name]
    shop.buy(user.id, "enterprise")
    if action.before != UNCHANGED:
        run(action.undo, user)
        shop.settle()
    shop.weather.method = "POST"
    lost = 1 if name == "downgrade" else 0  # the schedule is created first, then updated
    assert fails_at(shop, lost, action.do, user, after=True)
    shop.settle()
    assert change_of(shop, user) == action.after


@pytest.mark.parametrize("after", [False, True])
def test_a_failure_opening_the_portal_is_reported(shop: Shop, user: User, *, after: bool) -> None:
    shop.buy(user.id)
    assert fails_at(shop, 0, subscriptions.open_portal, user, after=after)
    with transaction() as session:
        assert "/_stripe/" in subscriptions.open_portal(session, user.id)


@pytest.mark.parametrize("completed_by", ["a retry", "a webhook", "reconcile"])
def test_an_upgrade_that_times_out_is_charged_once(
    shop: Shop, user: User, completed_by: str
) -> None:
    shop.buy(user.id)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe_client, "RESPONSE_TIMEOUT_S", 5.0)
        stripe_client._client.cache_clear()
        shop.weather.slow, shop.weather.only, shop.weather.method = 15.0, "/subscriptions", "POST"
        with pytest.raises(Unavailable, match=r"isn't responding.*try again"):
            run(to_enterprise, user)
    stripe_client._client.cache_clear()
    shop.weather.slow = 0
    assert shop.entitled(user.id) == ("pro", "full")
    if completed_by == "a retry":
        run(to_enterprise, user)
    elif completed_by == "a webhook":
        shop.settle()
    else:
        assert billing.reconcile()[1]
    assert shop.entitled(user.id) == ("enterprise", "full")
    shop.settle()
    assert [row.amount_paid > 0 for row in shop.invoices(user.id)] == [True, True]
    assert billing.reconcile()[1:] == ([], [])

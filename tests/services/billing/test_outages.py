"""Stripe down, slow or lost at every single step of what a person may do with a plan."""

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

Do = Callable[[Session, uuid.UUID], object]
LEAST_STEPS = 2  # somebody is looked up, and something is done


def to_pro(session: Session, user_id: uuid.UUID) -> object:
    return subscriptions.change_plan(session, user_id, Tier.PRO)


def to_enterprise(session: Session, user_id: uuid.UUID) -> object:
    return subscriptions.change_plan(session, user_id, Tier.ENTERPRISE)


@dataclass(frozen=True)
class Act:
    """What a person does, what takes it back, and how both look: next plan, and whether it ends."""

    do: Do
    undo: Do
    before: tuple[str, bool]
    after: tuple[str, bool]


STAYS, GOES_DOWN, ENDS = ("", False), ("pro", False), ("", True)
ACTS = {
    "downgrade": Act(to_pro, to_enterprise, STAYS, GOES_DOWN),
    "keep": Act(to_enterprise, to_pro, GOES_DOWN, STAYS),
    "cancel": Act(
        subscriptions.cancel_subscription, subscriptions.resume_subscription, STAYS, ENDS
    ),
    "resume": Act(
        subscriptions.resume_subscription, subscriptions.cancel_subscription, ENDS, STAYS
    ),
}


def run(act: Do, user: User) -> None:
    with transaction() as session:
        act(session, user.id)


def looks(shop: Shop, user: User) -> tuple[str, bool]:
    row = shop.subscription(user.id)
    return row.pending_tier, row.cancel_at is not None


def fails_at(shop: Shop, step: int, act: Do, user: User, *, after: bool) -> bool:
    """Let one step of it fail; say whether there was such a step."""
    shop.weather.status, shop.weather.nth, shop.weather.after = 500, step, after
    said = ""
    try:
        run(act, user)
    except Unavailable as refusal:
        said = str(refusal)
    shop.weather.status, shop.weather.nth = 0, None
    assert not said or "try again" in said
    return bool(said)


@pytest.mark.parametrize(("name", "after"), itertools.product(ACTS, (False, True)))
def test_an_outage_at_any_step_is_mended_by_the_next_try(
    shop: Shop, user: User, name: str, *, after: bool
) -> None:
    act = ACTS[name]
    shop.buy(user.id, "enterprise")
    if act.before != STAYS:
        run(act.undo, user)
    step = 0
    while fails_at(shop, step, act.do, user, after=after):
        assert looks(shop, user) == act.before  # nothing is half-done here
        assert shop.entitled(user.id) == ("enterprise", "full")
        run(act.do, user)
        assert looks(shop, user) == act.after
        assert billing.reconcile()[1:] == ([], [])  # and Stripe says the same
        run(act.undo, user)
        assert looks(shop, user) == act.before
        step += 1
    assert step >= LEAST_STEPS
    assert looks(shop, user) == act.after
    assert [row.amount_paid for row in shop.invoices(user.id)] == [9900]


@pytest.mark.parametrize("name", ACTS)
def test_what_was_done_and_not_heard_of_is_taken_over_from_the_news(
    shop: Shop, user: User, name: str
) -> None:
    act = ACTS[name]
    shop.buy(user.id, "enterprise")
    if act.before != STAYS:
        run(act.undo, user)
        shop.settle()
    shop.weather.method = "POST"
    lost = 1 if name == "downgrade" else 0  # a schedule is made first, and then filled in
    assert fails_at(shop, lost, act.do, user, after=True)
    shop.settle()
    assert looks(shop, user) == act.after


@pytest.mark.parametrize("after", [False, True])
def test_an_outage_on_the_way_to_the_portal_is_said(shop: Shop, user: User, *, after: bool) -> None:
    shop.buy(user.id)
    assert fails_at(shop, 0, subscriptions.open_portal, user, after=after)
    with transaction() as session:
        assert "/_stripe/" in subscriptions.open_portal(session, user.id)


@pytest.mark.parametrize("healed_by", ["the next try", "the news", "the night"])
def test_an_answer_that_takes_too_long_charges_once(shop: Shop, user: User, healed_by: str) -> None:
    shop.buy(user.id)
    with pytest.MonkeyPatch.context() as impatient:
        impatient.setattr(stripe_client, "RESPONSE_TIMEOUT_S", 5.0)
        stripe_client._client.cache_clear()
        shop.weather.slow, shop.weather.only, shop.weather.method = 15.0, "/subscriptions", "POST"
        with pytest.raises(Unavailable, match=r"isn't responding.*try again"):
            run(to_enterprise, user)
    stripe_client._client.cache_clear()
    shop.weather.slow = 0
    assert shop.entitled(user.id) == ("pro", "full")
    if healed_by == "the next try":
        run(to_enterprise, user)
    elif healed_by == "the news":
        shop.settle()
    else:
        assert billing.reconcile()[1]
    assert shop.entitled(user.id) == ("enterprise", "full")
    shop.settle()
    assert [row.amount_paid > 0 for row in shop.invoices(user.id)] == [True, True]
    assert billing.reconcile()[1:] == ([], [])

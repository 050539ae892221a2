"""Events in any order, any number of times, late or never; Stripe down, slow or lost: one end."""

import itertools
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlmodel import select, update

from sp404_app.db import transaction
from sp404_app.errors import AppError, Unavailable
from sp404_app.jobs import billing
from sp404_app.models import MailLog, StripeEvent, Subscription, User
from sp404_app.models.columns import now
from sp404_app.services.billing import stripe_client, subscriptions, webhooks
from sp404_app.services.billing.stripe_client import stripe_mode
from sp404_app.services.infra import events, queue
from sp404_app.services.plans import Tier
from sp404_app.settings import settings
from tests.shop import FAILS_LATER, Shop

Ids = list[str]
PLACES = ("/customers", "/checkout", "/subscriptions", "/prices", "/invoices")


def state(shop: Shop, user: User) -> tuple[Any, ...]:
    """Return everything that counts of a person's money here."""
    with transaction() as session:
        rows = session.exec(select(Subscription).where(Subscription.user_id == user.id)).all()
        letters = session.exec(select(MailLog.dedupe_key)).all()
    told = [(r.stripe_id, r.status, r.tier, r.cancel_at, r.surplus, r.attempts) for r in rows]
    bills = [(i.stripe_id, i.status, i.amount_paid) for i in shop.invoices(user.id)]
    return sorted(told, key=str), sorted(bills), sorted(letters), shop.entitled(user.id)


def arrived() -> Ids:
    with transaction() as session:
        return list(session.exec(select(StripeEvent.id)))


def begin_again(ids: Ids) -> None:
    """Let everything that arrived be news once more."""
    with transaction() as session:
        session.exec(
            update(StripeEvent)
            .where(StripeEvent.id.in_(ids))  # type: ignore[attr-defined]
            .values(handled_at=None, attempts=0, received_at=now())
        )


def test_any_order_and_any_copies_end_the_same(shop: Shop, user: User) -> None:
    shop.buy(user.id, trial=True)
    shop.advance(user.id, days=16)
    with transaction() as session:
        subscriptions.change_plan(session, user.id, Tier.ENTERPRISE)
        subscriptions.cancel_subscription(session, user.id)
    shop.settle()
    truth, ids = state(shop, user), arrived()
    assert len(ids) > 10

    @hypothesis_settings(
        max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(order=st.lists(st.sampled_from(ids), max_size=12), wipe=st.booleans())
    def replayed(order: Ids, wipe: bool) -> None:
        begin_again(ids)
        if wipe:  # as after restoring an old backup
            with transaction() as session:
                session.exec(update(Subscription).values(status="active", tier="pro"))
        for event_id in [*order, *random.sample(ids, len(ids)), *order]:
            billing.handle(event_id)
        assert state(shop, user) == truth

    replayed()


@pytest.mark.parametrize(
    "chaos", [{"shuffle": True, "duplicate": 3}, {"drop": 0.5, "shuffle": True}, {"drop": 1.0}]
)
def test_bad_delivery_is_healed_by_the_return_and_the_night(
    shop: Shop, user: User, chaos: dict[str, Any]
) -> None:
    shop.control("settings", **chaos)
    shop.buy(user.id, trial=True, card=FAILS_LATER)
    assert shop.entitled(user.id) == ("pro", "full")
    shop.advance(user.id, days=15)
    _, _, problems = billing.reconcile()
    assert not problems
    assert shop.entitled(user.id) == ("pro", "problem")
    assert billing.reconcile() == (1, [], [])
    truth = {one.id: one.status for one in shop.living(user.id)}
    row = shop.subscription(user.id)
    assert truth == {row.stripe_id: row.status}


def test_the_night_finds_whom_we_forgot(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    from sp404_app.models import BillingCustomer

    with transaction() as session:
        session.delete(session.exec(select(BillingCustomer)).one())
        session.delete(session.exec(select(Subscription)).one())
    assert shop.entitled(user.id)[0] == "free"
    _, healed, problems = billing.reconcile()
    assert healed
    assert not problems
    assert shop.entitled(user.id) == ("pro", "full")


@pytest.mark.parametrize(("place", "after"), itertools.product(PLACES, (False, True)))
def test_an_outage_while_buying_leaves_one_subscription(
    shop: Shop, user: User, place: str, after: bool
) -> None:
    shop.weather.status, shop.weather.only, shop.weather.after = 500, place, after
    with pytest.raises(Unavailable) as refusal:
        shop.finish(user.id, shop.pay(shop.start(user.id)))
    assert "try again" in str(refusal.value)
    shop.weather.status = 0
    if not shop.customer_known(user.id) or not shop.bought(user.id):
        shop.finish(user.id, shop.pay(shop.start(user.id)))
    shop.settle()
    assert shop.entitled(user.id) == ("pro", "full")
    assert len(shop.living(user.id)) == 1
    assert len([row for row in shop.invoices(user.id) if row.amount_paid]) == 1


ACTS: dict[str, Callable[..., object]] = {
    "upgrade": lambda session, user_id: subscriptions.change_plan(
        session, user_id, Tier.ENTERPRISE
    ),
    "cancel": subscriptions.cancel_subscription,
    "close": subscriptions.close_account,
}


@pytest.mark.parametrize(("act", "after"), itertools.product(ACTS, (False, True)))
def test_an_outage_while_changing_is_tried_again_and_charged_once(
    shop: Shop, user: User, act: str, after: bool
) -> None:
    shop.buy(user.id)
    shop.weather.status, shop.weather.only, shop.weather.after = 500, "/subscriptions", after
    shop.weather.method = "DELETE" if act == "close" else "POST"
    with pytest.raises(Unavailable), transaction() as session:
        ACTS[act](session, user.id)
    shop.weather.status = 0
    with transaction() as session:
        ACTS[act](session, user.id)
    shop.settle()
    expected = {"upgrade": "enterprise", "cancel": "pro", "close": "free"}[act]
    assert shop.entitled(user.id)[0] == expected
    charged = [row for row in shop.invoices(user.id) if row.amount_paid]
    assert len(charged) == (2 if act == "upgrade" else 1)
    assert billing.reconcile() == (1, [], [])


def test_events_wait_out_an_outage_and_are_given_up_at_last(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    shop.stripe().subscriptions.cancel(shop.subscription(user.id).stripe_id)
    shop.weather.status = 503
    shop.emulator.deliver_pending(ignore_delays=True)
    for _ in webhooks.PAUSES:
        shop.work()
    with transaction() as session:
        given_up = webhooks.list_dead_events(session)
        assert given_up
        assert "try again" in given_up[0].error
        assert webhooks.call_for_due(session, now()) == 0
    assert shop.entitled(user.id)[0] == "pro"
    shop.weather.status = 0
    with transaction() as session:
        assert webhooks.replay_dead_events(session) == len(given_up)
    shop.work()
    assert shop.entitled(user.id)[0] == "free"
    with transaction() as session:
        assert webhooks.list_dead_events(session) == []


def test_a_lost_bell_rings_again(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    begin_again(arrived())
    with transaction() as session:
        session.exec(update(StripeEvent).values(due_at=now()))
    queue.events_heard()  # as a worker does, which then dies
    with transaction() as session:
        assert webhooks.call_for_due(session, now()) == 1
    with transaction() as session:
        assert webhooks.call_for_due(session, now()) == 0  # not by every process
    events.connection().delete(queue.CALLED)  # the call itself may be lost, too
    with transaction() as session:
        assert webhooks.call_for_due(session, now()) == 1


def test_twenty_clicks_at_once_make_one_subscription(shop: Shop, user: User) -> None:
    with ThreadPoolExecutor(4) as threads:
        urls = set(threads.map(lambda _: shop.start(user.id), range(6)))
    assert len(urls) == 1
    with ThreadPoolExecutor(4) as threads:
        backs = list(threads.map(lambda _: shop.pay(next(iter(urls))), range(4)))
    shop.finish(user.id, next(back for back in backs if "session_id" in back))
    shop.settle()
    assert len(shop.living(user.id)) == 1

    def upgraded(_: int) -> bool:
        try:
            with transaction() as session:
                return subscriptions.change_plan(session, user.id, Tier.ENTERPRISE).done
        except AppError:
            return False

    with ThreadPoolExecutor(4) as threads:
        assert any(threads.map(upgraded, range(4)))
    shop.settle()
    charged = [row.reason for row in shop.invoices(user.id) if row.amount_paid]
    assert sorted(charged) == ["subscription_create", "subscription_update"]


def test_ids_of_another_world_are_never_used(
    shop: Shop, user: User, environment: pytest.MonkeyPatch
) -> None:
    shop.buy(user.id)
    environment.setenv("SP404_STRIPE_SECRET_KEY", "sk_live_x")
    settings.cache_clear()
    assert stripe_mode() == "live"
    assert shop.entitled(user.id) == ("free", "full")
    with transaction() as session:
        from sp404_app.services.billing import customers, invoices

        assert customers.find_customer(session, user.id) is None
        assert invoices.list_invoices(session, user.id) == []


def test_events_of_another_world_are_not_asked_about(
    shop: Shop, user: User, environment: pytest.MonkeyPatch
) -> None:
    shop.buy(user.id)
    begin_again(arrived())
    reached = stripe_client.client()
    environment.setattr(stripe_client, "client", lambda: reached)
    environment.setenv("SP404_STRIPE_SECRET_KEY", "sk_live_x")
    settings.cache_clear()
    shop.weather.calls.clear()
    assert shop.work()
    assert shop.weather.calls == []
    with transaction() as session:
        assert set(session.exec(select(StripeEvent.error))) == {"received in emulator mode"}

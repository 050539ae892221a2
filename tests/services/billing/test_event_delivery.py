"""Events in any order, duplicated, late or lost, and Stripe outages: the state converges."""

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
from sp404_app.models import BillingCustomer, MailLog, StripeEvent, Subscription, User
from sp404_app.models.columns import now
from sp404_app.services.billing import (
    customers,
    invoices,
    stripe_client,
    subscriptions,
    webhooks,
)
from sp404_app.services.billing.stripe_client import stripe_mode
from sp404_app.services.infra import events, queue
from sp404_app.services.plans import Tier
from sp404_app.settings import settings
from tests.shop import FAILS_LATER, Shop

Ids = list[str]
PATHS = ("/customers", "/checkout", "/subscriptions", "/prices", "/invoices")


def billing_state(shop: Shop, user: User) -> tuple[Any, ...]:
    """Return the user's subscriptions, invoices, sent emails and entitlement."""
    with transaction() as session:
        rows = session.exec(select(Subscription).where(Subscription.user_id == user.id)).all()
        email_keys = session.exec(select(MailLog.dedupe_key)).all()
    rows_seen = [
        (r.stripe_id, r.status, r.tier, r.cancel_at, r.is_secondary, r.attempts) for r in rows
    ]
    invoices_seen = [(i.stripe_id, i.status, i.amount_paid) for i in shop.invoices(user.id)]
    return (
        sorted(rows_seen, key=str),
        sorted(invoices_seen),
        sorted(email_keys),
        shop.entitled(user.id),
    )


def stored_event_ids() -> Ids:
    with transaction() as session:
        return list(session.exec(select(StripeEvent.id)))


def reopen(ids: Ids) -> None:
    """Make stored events due again."""
    with transaction() as session:
        session.exec(
            update(StripeEvent)
            .where(StripeEvent.id.in_(ids))  # type: ignore[attr-defined]
            .values(handled_at=None, attempts=0, received_at=now())
        )


def test_any_order_and_duplicates_of_events_give_the_same_state(shop: Shop, user: User) -> None:
    shop.buy(user.id, trial=True)
    shop.advance(user.id, days=16)
    with transaction() as session:
        subscriptions.change_plan(session, user.id, Tier.ENTERPRISE)
        subscriptions.cancel_subscription(session, user.id)
    shop.settle()
    expected, ids = billing_state(shop, user), stored_event_ids()
    assert len(ids) > 10

    @hypothesis_settings(
        max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(order=st.lists(st.sampled_from(ids), max_size=12), restore_backup=st.booleans())
    def replayed(order: Ids, restore_backup: bool) -> None:
        reopen(ids)
        if restore_backup:  # the state of an old backup
            with transaction() as session:
                session.exec(update(Subscription).values(status="active", tier="pro"))
        for event_id in [*order, *random.sample(ids, len(ids)), *order]:
            billing.handle_event(event_id)
        assert billing_state(shop, user) == expected

    replayed()


@pytest.mark.parametrize(
    "chaos", [{"shuffle": True, "duplicate": 3}, {"drop": 0.5, "shuffle": True}, {"drop": 1.0}]
)
def test_lost_and_shuffled_events_are_covered_by_checkout_return_and_reconcile(
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
    expected = {one.id: one.status for one in shop.living(user.id)}
    row = shop.subscription(user.id)
    assert expected == {row.stripe_id: row.status}


def test_reconcile_relinks_a_customer_whose_rows_were_lost(shop: Shop, user: User) -> None:
    shop.buy(user.id)

    with transaction() as session:
        session.delete(session.exec(select(BillingCustomer)).one())
        session.delete(session.exec(select(Subscription)).one())
    assert shop.entitled(user.id)[0] == "free"
    _, fixed, problems = billing.reconcile()
    assert fixed
    assert not problems
    assert shop.entitled(user.id) == ("pro", "full")


@pytest.mark.parametrize(("path", "after"), itertools.product(PATHS, (False, True)))
def test_an_outage_during_a_purchase_leaves_one_subscription(
    shop: Shop, user: User, path: str, after: bool
) -> None:
    shop.weather.status, shop.weather.only, shop.weather.after = 500, path, after
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


ACTIONS: dict[str, Callable[..., object]] = {
    "upgrade": lambda session, user_id: subscriptions.change_plan(
        session, user_id, Tier.ENTERPRISE
    ),
    "cancel": subscriptions.cancel_subscription,
    "close": subscriptions.end_all_billing,
}


@pytest.mark.parametrize(("action", "after"), itertools.product(ACTIONS, (False, True)))
def test_a_change_retried_after_an_outage_is_charged_once(
    shop: Shop, user: User, action: str, after: bool
) -> None:
    shop.buy(user.id)
    shop.weather.status, shop.weather.only, shop.weather.after = 500, "/subscriptions", after
    shop.weather.method = "DELETE" if action == "close" else "POST"
    with pytest.raises(Unavailable), transaction() as session:
        ACTIONS[action](session, user.id)
    shop.weather.status = 0
    with transaction() as session:
        ACTIONS[action](session, user.id)
    shop.settle()
    expected = {"upgrade": "enterprise", "cancel": "pro", "close": "free"}[action]
    assert shop.entitled(user.id)[0] == expected
    charged = [row for row in shop.invoices(user.id) if row.amount_paid]
    assert len(charged) == (2 if action == "upgrade" else 1)
    assert billing.reconcile() == (1, [], [])


def test_events_are_retried_during_an_outage_and_dead_after_the_last_attempt(
    shop: Shop, user: User
) -> None:
    shop.buy(user.id)
    shop.stripe().subscriptions.cancel(shop.subscription(user.id).stripe_id)
    shop.weather.status = 503
    shop.emulator.deliver_pending(ignore_delays=True)
    for _ in webhooks.RETRY_DELAYS:
        shop.work()
    with transaction() as session:
        assert webhooks.list_dead_events(session) == []  # the attempt after the last delay is due
    shop.work()
    with transaction() as session:
        dead = webhooks.list_dead_events(session)
        assert dead
        assert "try again" in dead[0].error
        assert webhooks.enqueue_if_events_due(session, now()) == 0
    assert shop.entitled(user.id)[0] == "pro"
    shop.weather.status = 0
    with transaction() as session:
        assert webhooks.replay_dead_events(session) == len(dead)
    shop.work()
    assert shop.entitled(user.id)[0] == "free"
    with transaction() as session:
        assert webhooks.list_dead_events(session) == []


def test_a_lost_event_job_is_enqueued_again(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    reopen(stored_event_ids())
    with transaction() as session:
        session.exec(update(StripeEvent).values(due_at=now()))
    queue.reset_stripe_events_flag()  # a worker took the job and died
    with transaction() as session:
        assert webhooks.enqueue_if_events_due(session, now()) == 1
    with transaction() as session:
        assert webhooks.enqueue_if_events_due(session, now()) == 0  # only one process enqueues it
    events.connection().delete(queue.EVENTS_QUEUED_KEY)  # the Redis flag may be lost, too
    with transaction() as session:
        assert webhooks.enqueue_if_events_due(session, now()) == 1


def test_concurrent_clicks_make_one_subscription(shop: Shop, user: User) -> None:
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


def test_ids_of_another_stripe_mode_are_never_used(
    shop: Shop, user: User, environment: pytest.MonkeyPatch
) -> None:
    shop.buy(user.id)
    environment.setenv("SP404_STRIPE_SECRET_KEY", "sk_live_x")
    settings.cache_clear()
    assert stripe_mode() == "live"
    assert shop.entitled(user.id) == ("free", "full")
    with transaction() as session:
        assert customers.find_customer(session, user.id) is None
        assert invoices.list_invoices(session, user.id) == []


def test_events_of_another_stripe_mode_are_not_fetched(
    shop: Shop, user: User, environment: pytest.MonkeyPatch
) -> None:
    shop.buy(user.id)
    reopen(stored_event_ids())
    reached = stripe_client.client()
    environment.setattr(stripe_client, "client", lambda: reached)
    environment.setenv("SP404_STRIPE_SECRET_KEY", "sk_live_x")
    settings.cache_clear()
    shop.weather.calls.clear()
    assert shop.work()
    assert shop.weather.calls == []
    with transaction() as session:
        assert set(session.exec(select(StripeEvent.error))) == {"received in emulator mode"}

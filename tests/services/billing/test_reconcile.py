"""Nightly reconcile: differences from Stripe are fixed and reported."""

import datetime as dt

import pytest
from rq.registry import StartedJobRegistry
from sqlmodel import select, update

from sp404_app.cli import billing as billing_commands
from sp404_app.db import transaction
from sp404_app.jobs import billing
from sp404_app.models import BillingCustomer, ReconcileReport, Subscription, User
from sp404_app.models.columns import now
from sp404_app.services.billing import reconcile
from sp404_app.services.infra import queue
from tests.shop import Shop

NIGHT = dt.datetime(2026, 11, 22, 3, 30, tzinfo=dt.UTC)
TODAY = NIGHT.date()


def enqueue(at: dt.datetime) -> int:
    with transaction() as session:
        return reconcile.enqueue_nightly_reconcile(session, at)


def queued_jobs() -> list[tuple[str, list[str]]]:
    return [(job.func_name, list(job.args)) for job in queue.rq_queue(queue.LOW).jobs]


@pytest.mark.usefixtures("services")
def test_the_nightly_run_is_enqueued_once() -> None:
    assert enqueue(NIGHT - dt.timedelta(hours=1)) == 0
    assert [enqueue(NIGHT + dt.timedelta(minutes=m)) for m in range(4)] == [1, 0, 0, 0]
    assert queued_jobs() == [("sp404_app.jobs.billing.reconcile", ["2026-11-22"])]
    assert enqueue(NIGHT + dt.timedelta(days=1)) == 1
    assert StartedJobRegistry(queue.LOW, connection=queue.rq_queue(queue.LOW).connection).count == 0


@pytest.mark.usefixtures("services")
def test_a_run_that_was_killed_is_enqueued_again() -> None:
    assert enqueue(NIGHT) == 1
    assert enqueue(NIGHT + reconcile.STALE_AFTER) == 0
    assert enqueue(NIGHT + reconcile.STALE_AFTER + dt.timedelta(minutes=1)) == 1
    with transaction() as session:
        reconcile.save_report(session, TODAY, 0, [], [])
    with transaction() as session:  # it finished after 03:00 UTC
        session.exec(update(ReconcileReport).values(finished_at=NIGHT + dt.timedelta(hours=4)))
    assert enqueue(NIGHT + dt.timedelta(hours=9)) == 0


@pytest.mark.usefixtures("services")
def test_a_manual_run_does_not_replace_the_nightly_one() -> None:
    with transaction() as session:
        reconcile.save_report(session, TODAY, 1, ["by hand"], [])
        session.exec(update(ReconcileReport).values(finished_at=NIGHT - dt.timedelta(hours=2)))
    assert enqueue(NIGHT) == 1
    with transaction() as session:
        reconcile.save_report(session, TODAY, 2, ["by night"], ["odd"])
    with transaction() as session:
        found = reconcile.latest_report(session)
        assert found
        assert (found.checked, found.healed, found.problems) == (
            2,
            ["by hand", "by night"],
            ["odd"],
        )


def test_the_least_recently_synced_user_comes_first(user: User, person: object) -> None:
    others = [person() for _ in range(3)]  # type: ignore[operator]
    seen = [now() - dt.timedelta(hours=hours) for hours in (1, 3, 2)]
    with transaction() as session:
        session.add(BillingCustomer(user_id=user.id, realm="emulator"))
        for one, at in zip(others, seen, strict=True):
            session.add(BillingCustomer(user_id=one.id, realm="emulator", synced_at=at))
        session.add(BillingCustomer(user_id=user.id, realm="live"))
    with transaction() as session:
        assert reconcile.list_billed_users(session) == [
            user.id, others[1].id, others[2].id, others[0].id,
        ]  # fmt: skip


def test_differences_are_fixed_and_reported(shop: Shop, user: User) -> None:
    expected = shop.buy(user.id)
    for changed in (
        {"tier": "enterprise"},
        {"status": "unpaid"},
        {"cancel_at": now()},
        {"period_end": now()},
        {"amount": 1},
    ):
        with transaction() as session:
            session.exec(update(Subscription).values(**changed))
        checked, fixed, problems = billing.reconcile("2026-11-22")
        assert (checked, problems) == (1, [])
        name = next(iter(changed))
        assert any(f"{user.id}: {name}: " in line for line in fixed), fixed
        assert getattr(shop.subscription(user.id), name) == getattr(expected, name)
    assert billing.reconcile("2026-11-22") == (1, [], [])
    with transaction() as session:
        found = session.get_one(ReconcileReport, TODAY)
        assert len(found.healed) >= 5
        assert found.finished_at


def test_problems_for_an_operator_are_reported(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    stripe, customer = shop.stripe(), shop.customer(user.id).stripe_id
    product = stripe.products.create({"name": "By hand"}).id
    cost = {"currency": "usd", "unit_amount": 700, "recurring": {"interval": "month"}}
    odd = stripe.prices.create({"product": product, **cost})
    second = stripe.subscriptions.create({"customer": customer, "items": [{"price": odd.id}]})
    card = {"payment_method": "pm_card_visa"}
    card |= {"invoice_settings": {"default_payment_method": "pm_card_visa"}}  # type: ignore[dict-item]
    stranger = stripe.customers.create({"email": "who@example.org", **card})
    price = shop.subscription(user.id).price_id
    stripe.subscriptions.create({"customer": stranger.id, "items": [{"price": price}]})
    shop.settle()
    _, _, problems = billing.reconcile()
    assert [line.split(":")[0] for line in problems].count(str(user.id)) == 2
    for expected in (
        f"{second.id} has an unknown price {odd.id}",
        f"{customer} has 2 subscriptions",
        f"{stranger.id} has a subscription but no user here",
    ):
        assert any(expected in line for line in problems), expected
    assert shop.entitled(user.id) == ("pro", "full")  # the more expensive one is current
    lines, code = billing_commands.run("reconcile")
    assert code == 1
    assert lines[0] == "1 checked, 0 fixed, 3 need attention"
    assert all(line.startswith("problem  ") for line in lines[1:])


def test_a_failure_for_one_user_does_not_stop_the_others(
    shop: Shop, user: User, person: object
) -> None:
    other = person()  # type: ignore[operator]
    for one in (user, other):
        shop.buy(one.id)
    with transaction() as session:
        session.exec(update(Subscription).values(status="unpaid"))
    gone = shop.customer(user.id).stripe_id
    shop.weather.status, shop.weather.only = 500, f"/customers/{gone}"
    _, fixed, problems = billing.reconcile()
    assert [line for line in problems if str(user.id) in line]
    assert [line for line in fixed if str(other.id) in line]
    shop.weather.status = 0
    assert billing.reconcile()[2] == []
    with transaction() as session:
        assert set(session.exec(select(Subscription.status))) == {"active"}

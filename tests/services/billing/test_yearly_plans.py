"""Yearly plans against the Stripe emulator: purchase, trial, proration, and the way back.

After every journey the nightly reconcile must find nothing to fix and no problem.
"""

import datetime as dt
from collections.abc import Iterator

import pytest

from sp404_app.db import transaction
from sp404_app.errors import Conflict, QuotaExceeded
from sp404_app.jobs import billing
from sp404_app.models import Subscription, User
from sp404_app.services.billing import (
    catalog,
    proration_preview,
    quotas,
    schemas,
    subscriptions,
    trials,
)
from sp404_app.services.billing.proration_preview import ChangeKind, ChangePreview
from sp404_app.services.plans import PLANS, Interval, Tier
from tests.accounts import mails, text_of
from tests.shop import FAILS_LATER, Shop

MONTH, YEAR = Interval.MONTH, Interval.YEAR


@pytest.fixture
def journey(shop: Shop) -> Iterator[Shop]:
    """A shop whose tables agree with Stripe at the end."""
    yield shop
    shop.settle()
    _, fixed, problems = billing.reconcile()
    assert (fixed, problems) == ([], [])


def preview(user: User, tier: Tier, interval: Interval | None = None) -> ChangePreview:
    with transaction() as session:
        return proration_preview.preview_change(session, user.id, tier, interval)


def change(
    shop: Shop, user: User, tier: Tier, interval: Interval | None, stamp: int | None = None
) -> Subscription:
    with transaction() as session:
        assert subscriptions.change_plan(session, user.id, tier, stamp, interval).done
    shop.settle()
    return shop.subscription(user.id)


def days_left(row: Subscription) -> int:
    return (row.period_end - row.period_start).days


def subjects(user: User) -> list[str]:
    return [str(email["Subject"]) for email in mails(user.email)]


def test_a_year_costs_ten_months() -> None:
    for plan in catalog.PAID_PLANS:
        assert plan.price_for(YEAR) == 10 * plan.price_for(MONTH)


@pytest.mark.parametrize(("tier", "cents"), [("pro", 29000), ("enterprise", 99000)])
def test_a_year_is_bought_and_renews(journey: Shop, user: User, tier: str, cents: int) -> None:
    row = journey.buy(user.id, tier, every="year")
    assert (row.tier, row.interval, row.amount) == (tier, "year", cents)
    assert days_left(row) in (365, 366)
    journey.advance(user.id, days=367)
    paid = [invoice.amount_paid for invoice in journey.invoices(user.id)]
    assert paid == [cents, cents]
    assert journey.entitled(user.id) == (tier, "full")
    welcome = next(mail for mail in mails(user.email) if "Welcome" in mail["Subject"])
    assert f"${cents // 100}.00 a year" in text_of(welcome)


def test_a_trial_of_a_yearly_plan_is_charged_a_year(journey: Shop, user: User) -> None:
    row = journey.buy(user.id, trial=True, every="year")
    assert (row.status, row.interval) == ("trialing", "year")
    assert days_left(row) == 14
    journey.advance(user.id, days=15)
    row = journey.subscription(user.id)
    assert (row.status, days_left(row) in (365, 366)) == ("active", True)
    assert [i.amount_paid for i in journey.invoices(user.id) if i.amount_paid] == [29000]
    with transaction() as session:
        assert not trials.is_trial_eligible(session, user.id)


def test_to_yearly_now_costs_what_the_preview_said(journey: Shop, user: User) -> None:
    journey.buy(user.id)
    journey.advance(user.id, days=15)
    seen = preview(user, Tier.PRO, YEAR)
    assert (seen.kind, seen.interval, seen.next_amount) == (ChangeKind.UPGRADE, YEAR, 29000)
    assert seen.next_at is None  # a new period starts today
    credit, charge = (line.amount for line in seen.lines)
    assert -1500 < credit < -1300
    assert charge == 29000
    row = change(journey, user, Tier.PRO, YEAR, seen.proration_date)
    assert (row.tier, row.interval, days_left(row) in (365, 366)) == ("pro", "year", True)
    newest = journey.invoices(user.id)[-1]
    assert (newest.reason, newest.amount_paid) == ("subscription_update", seen.due_today)
    assert seen.due_today == 29000 + credit
    assert subjects(user).count("You now pay every year") == 1
    again = change(journey, user, Tier.PRO, YEAR, seen.proration_date)  # a repeated request
    assert again.period_end == row.period_end
    assert journey.invoices(user.id)[-1].stripe_id == newest.stripe_id


def test_plan_and_interval_go_up_together(journey: Shop, user: User) -> None:
    journey.buy(user.id)
    journey.advance(user.id, days=10)
    seen = preview(user, Tier.ENTERPRISE, YEAR)
    row = change(journey, user, Tier.ENTERPRISE, YEAR, seen.proration_date)
    assert (row.tier, row.interval) == ("enterprise", "year")
    assert journey.invoices(user.id)[-1].amount_paid == seen.due_today


def test_a_higher_plan_within_the_year_is_prorated(journey: Shop, user: User) -> None:
    end = journey.buy(user.id, every="year").period_end
    journey.advance(user.id, days=182)
    seen = preview(user, Tier.ENTERPRISE)  # without an interval, the year stays
    assert (seen.interval, seen.kind, seen.next_at) == (YEAR, ChangeKind.UPGRADE, end)
    assert 34000 < seen.due_today < 36500  # half of 990 - 290
    row = change(journey, user, Tier.ENTERPRISE, None, seen.proration_date)
    assert (row.tier, row.interval, row.period_end) == ("enterprise", "year", end)
    assert journey.invoices(user.id)[-1].amount_paid == seen.due_today


@pytest.mark.parametrize(
    ("bought", "then"),
    [
        (("pro", "year"), ("pro", "month")),
        (("pro", "year"), ("enterprise", "month")),
        (("enterprise", "year"), ("enterprise", "month")),
        (("enterprise", "year"), ("pro", "year")),
        (("enterprise", "year"), ("pro", "month")),
        (("enterprise", "month"), ("pro", "year")),
    ],
)
def test_less_waits_for_the_end_of_the_period_and_can_be_undone(
    journey: Shop, user: User, bought: tuple[str, str], then: tuple[str, str]
) -> None:
    first = journey.buy(user.id, bought[0], every=bought[1])
    tier, interval = Tier(then[0]), Interval(then[1])
    seen = preview(user, tier, interval)
    assert (seen.kind, seen.due_today, seen.next_at) == (ChangeKind.DOWNGRADE, 0, first.period_end)
    price = PLANS[tier].price_for(interval)
    assert seen.next_amount == price
    for _ in range(2):  # idempotent
        row = change(journey, user, tier, interval)
        assert (row.tier, row.interval) == bought
        assert (row.pending_tier, row.pending_interval) == then
        assert row.pending_at == first.period_end
    row = change(journey, user, Tier(bought[0]), Interval(bought[1]))  # undone
    assert (row.pending_tier, row.pending_interval, row.schedule_id) == ("", "", "")
    change(journey, user, tier, interval)
    journey.advance(user.id, days=(first.period_end - first.period_start).days, hours=3)
    row = journey.subscription(user.id)
    assert (row.tier, row.interval, row.pending_tier) == (*then, "")
    assert row.amount == price
    assert [i.amount_paid for i in journey.invoices(user.id)][-1] == price
    assert journey.entitled(user.id) == (tier, "full")


def test_a_scheduled_month_can_become_another_plan_and_a_cancellation(
    journey: Shop, user: User
) -> None:
    journey.buy(user.id, "enterprise", every="year")
    change(journey, user, Tier.ENTERPRISE, MONTH)
    row = change(journey, user, Tier.PRO, MONTH)
    assert (row.pending_tier, row.pending_interval) == ("pro", "month")
    row = change(journey, user, Tier.FREE, None)
    assert (row.pending_tier, row.cancel_at) == ("", row.period_end)
    row = change(journey, user, Tier.ENTERPRISE, MONTH)
    assert (row.pending_interval, row.cancel_at) == ("month", None)
    with transaction() as session:
        subscriptions.keep_plan(session, user.id)
    assert journey.subscription(user.id).pending_interval == ""


@pytest.mark.parametrize(("first", "then"), [("month", "year"), ("year", "month")])
def test_a_trial_goes_on_when_its_interval_is_switched(
    journey: Shop, user: User, first: str, then: str
) -> None:
    before = journey.buy(user.id, trial=True, every=first)
    with transaction() as session:
        subscriptions.cancel_subscription(session, user.id)
    seen = preview(user, Tier.PRO, Interval(then))
    price = PLANS[Tier.PRO].price_for(Interval(then))
    assert (seen.kind, seen.due_today, seen.next_amount) == (ChangeKind.SWITCH, 0, price)
    assert seen.next_at == before.trial_end
    row = change(journey, user, Tier.PRO, Interval(then))
    assert (row.status, row.interval, row.amount) == ("trialing", then, price)
    assert (row.trial_end, row.cancel_at) == (before.trial_end, None)
    journey.advance(user.id, days=15)
    assert [i.amount_paid for i in journey.invoices(user.id) if i.amount_paid] == [price]
    assert journey.subscription(user.id).status == "active"


def test_a_higher_plan_ends_a_yearly_trial_at_once(journey: Shop, user: User) -> None:
    journey.buy(user.id, trial=True, every="year")
    seen = preview(user, Tier.ENTERPRISE, MONTH)
    assert (seen.kind, seen.due_today) == (ChangeKind.UPGRADE, 9900)
    row = change(journey, user, Tier.ENTERPRISE, MONTH, seen.proration_date)
    assert (row.status, row.tier, row.interval) == ("active", "enterprise", "month")
    paid = [invoice.amount_paid for invoice in journey.invoices(user.id) if invoice.amount_paid]
    assert paid == [9900]  # the trial's invoice of zero may be of the same second


def test_a_declined_card_leaves_the_monthly_plan(journey: Shop, user: User) -> None:
    before = journey.buy(user.id)
    journey.advance(user.id, days=10)
    journey.card(user.id, "pm_card_chargeCustomerFail")
    with transaction() as session:
        changed = subscriptions.change_plan(session, user.id, Tier.PRO, None, YEAR)
    assert not changed.done
    assert changed.pay_url
    journey.settle()
    row = journey.subscription(user.id)
    assert (row.interval, row.period_end, row.unpaid_change) == ("month", before.period_end, True)
    assert journey.entitled(user.id) == ("pro", "full")
    journey.card(user.id, "pm_card_visa")
    row = change(journey, user, Tier.PRO, YEAR)
    assert (row.interval, row.unpaid_change) == ("year", False)


@pytest.mark.parametrize("in_portal", [False, True])
def test_who_pays_a_year_after_cancelling_keeps_it(
    journey: Shop, user: User, in_portal: bool
) -> None:
    journey.buy(user.id)
    journey.card(user.id, "pm_card_chargeCustomerFail")
    with transaction() as session:
        assert not subscriptions.change_plan(session, user.id, Tier.PRO, None, YEAR).done
    if in_portal:
        row = journey.subscription(user.id)
        journey.stripe().subscriptions.update(row.stripe_id, {"cancel_at_period_end": True})
    else:
        with transaction() as session:
            subscriptions.cancel_subscription(session, user.id)
    journey.settle()
    assert journey.subscription(user.id).cancel_at
    (due,) = [each for each in journey.invoices(user.id) if each.status == "open"]
    journey.card(user.id, "pm_card_visa")
    journey.stripe().invoices.pay(due.stripe_id)
    journey.settle()
    row = journey.subscription(user.id)
    assert (row.interval, row.cancel_at, days_left(row) in (365, 366)) == ("year", None, True)
    journey.advance(user.id, days=60)
    assert journey.entitled(user.id) == ("pro", "full")


def test_a_card_that_fails_at_the_change_to_monthly_is_dunned(journey: Shop, user: User) -> None:
    journey.buy(user.id, every="year")
    change(journey, user, Tier.PRO, MONTH)
    journey.card(user.id, "pm_card_chargeCustomerFail")
    journey.advance(user.id, days=366, hours=3)
    row = journey.subscription(user.id)
    assert (row.status, row.interval) == ("past_due", "month")
    assert journey.entitled(user.id) == ("pro", "past_due")  # Stripe does not try again


def test_analyses_reset_monthly_in_a_yearly_period(
    journey: Shop, user: User, environment: pytest.MonkeyPatch
) -> None:
    journey.buy(user.id, every="year")
    with transaction() as session:
        assert quotas.reserve_analyses(session, user.id, 600).count == 500
        month = quotas.current_usage_month(session, user.id)
    assert 28 <= (month.end - month.start).days <= 31
    with transaction() as session, pytest.raises(QuotaExceeded):
        quotas.reserve_analysis(session, user.id)
    environment.setattr(quotas, "now", lambda: month.end + dt.timedelta(hours=1))
    with transaction() as session:
        assert quotas.get_quota_usage(session, user.id).analyses_used == 0
        quotas.reserve_analysis(session, user.id)


def test_a_change_in_the_wrong_direction_is_refused(journey: Shop, user: User) -> None:
    journey.buy(user.id, every="year")
    with transaction() as session, pytest.raises(Conflict):
        subscriptions.upgrade_plan(session, user.id, Tier.ENTERPRISE, None, MONTH)
    with transaction() as session, pytest.raises(Conflict):
        subscriptions.downgrade_plan(session, user.id, Tier.ENTERPRISE, YEAR)
    with transaction() as session, pytest.raises(Conflict):
        subscriptions.switch_interval(session, user.id, MONTH)


def test_a_trial_whose_card_fails_after_a_switch_is_unpaid(journey: Shop, user: User) -> None:
    journey.buy(user.id, trial=True, card=FAILS_LATER)
    change(journey, user, Tier.PRO, YEAR)
    journey.advance(user.id, days=14, hours=3)
    assert journey.entitled(user.id)[1] == "problem"


def test_both_prices_are_shown(journey: Shop) -> None:
    with transaction() as session:
        shown = [schemas.plan_view(session, plan, YEAR) for plan in PLANS.values()]
    assert [(view.price, view.interval) for view in shown] == [
        (0, "month"),
        (29000, "year"),
        (99000, "year"),
    ]
    assert [[(p.interval, p.price) for p in view.prices] for view in shown[:2]] == [
        [("month", 0)],
        [("month", 2900), ("year", 29000)],
    ]

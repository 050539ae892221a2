"""Access by subscription status, and its effect on quotas."""

import datetime as dt

import pytest
from sqlmodel import update

from sp404_app.db import transaction
from sp404_app.errors import QuotaExceeded, SubscriptionRestricted
from sp404_app.models import BillingCustomer, Subscription, User
from sp404_app.models.columns import now
from sp404_app.services.billing import entitlements, quotas
from sp404_app.services.billing.access_rules import (
    GRACE_PERIOD,
    Access,
    SubscriptionState,
    determine_access,
)
from sp404_app.services.billing.stripe_client import stripe_mode

AT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
LATE, FRESH = AT - GRACE_PERIOD, AT - GRACE_PERIOD + dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (SubscriptionState("trialing"), Access.FULL),
        (SubscriptionState("active"), Access.FULL),
        (SubscriptionState("active", 3, False, grace_since=LATE), Access.FULL),
        (SubscriptionState("past_due", 0), Access.PROBLEM),
        (SubscriptionState("past_due", 1), Access.PROBLEM),
        (SubscriptionState("past_due", 2), Access.PROBLEM),
        (SubscriptionState("past_due", 3), Access.PAST_DUE),
        (SubscriptionState("past_due", 3, grace_since=FRESH), Access.PAST_DUE),
        (SubscriptionState("past_due", 3, grace_since=LATE), Access.RESTRICTED),
        (SubscriptionState("past_due", 1, retries_left=False), Access.PAST_DUE),
        (SubscriptionState("past_due", 1, retries_left=False, grace_since=LATE), Access.RESTRICTED),
        (SubscriptionState("unpaid"), Access.RESTRICTED),
        (SubscriptionState("paused", pause_reason="final_payment_failure"), Access.RESTRICTED),
        (SubscriptionState("paused", pause_reason="trial_end_without_payment_method"), Access.FREE),
        (SubscriptionState("paused"), Access.FREE),
        (SubscriptionState("canceled"), Access.FREE),
        (SubscriptionState("incomplete"), Access.FREE),
        (SubscriptionState("incomplete_expired"), Access.FREE),
        (SubscriptionState("something_new"), Access.FREE),
    ],
)
def test_each_subscription_status_maps_to_its_access(
    standing: SubscriptionState, expected: Access
) -> None:
    assert determine_access(standing, AT) is expected


def add_subscription(user: User, status: str, **fields: object) -> None:
    with transaction() as session:
        session.add(BillingCustomer(user_id=user.id, realm=stripe_mode(), stripe_id="cus_1"))
        session.add(
            Subscription(
                user_id=user.id,
                realm=stripe_mode(),
                stripe_id="sub_1",
                status=status,
                tier="pro",
                price_id="price_1",
                amount=2900,
                currency="usd",
                period_start=now(),
                period_end=now() + dt.timedelta(days=30),
                **fields,  # type: ignore[arg-type]
            )
        )


def test_without_a_subscription_a_user_is_on_free_and_the_demo_account_on_pro(
    user: User, person: object
) -> None:
    demo = person(is_demo=True)  # type: ignore[operator]
    with transaction() as session:
        assert entitlements.get_entitlement(session, user.id).plan.tier == "free"
        assert entitlements.get_entitlement(session, demo.id).plan.tier == "pro"


def test_restricted_access_blocks_uploads_and_analyses_and_keeps_the_plan(user: User) -> None:
    add_subscription(user, "unpaid")
    with transaction() as session:
        for add in (
            lambda: quotas.ensure_storage(session, user.id, 1),
            lambda: quotas.reserve_analysis(session, user.id),
            lambda: quotas.ensure_analysis_quota(session, user.id),
        ):
            with pytest.raises(SubscriptionRestricted) as refusal:
                add()
            assert (refusal.value.status, refusal.value.code) == (402, "subscription_restricted")
            assert refusal.value.details["upgrade_url"] == "/billing"
        assert quotas.get_plan(session, user.id).tier == "pro"


def test_in_the_grace_period_uploads_work_and_analyses_do_not(user: User) -> None:
    add_subscription(user, "past_due", attempts=3, grace_since=now())
    with transaction() as session:
        quotas.ensure_storage(session, user.id, 1)
        with pytest.raises(SubscriptionRestricted):
            quotas.reserve_analysis(session, user.id)
        assert quotas.is_blocked(session, user.id)
    with transaction() as session:
        session.exec(update(Subscription).values(grace_since=now() - GRACE_PERIOD))
    with transaction() as session, pytest.raises(SubscriptionRestricted):
        quotas.ensure_storage(session, user.id, 1)


def test_the_grace_period_follows_the_test_clock(user: User) -> None:
    add_subscription(user, "past_due", attempts=3, grace_since=now() + dt.timedelta(days=40))
    with transaction() as session:
        assert entitlements.get_entitlement(session, user.id).access is Access.PAST_DUE
        session.exec(update(BillingCustomer).values(clock_ahead=43 * 86_400 + 60))
        assert entitlements.get_entitlement(session, user.id).access is Access.RESTRICTED


def test_the_eleventh_analysis_of_a_month_exceeds_the_free_quota(user: User) -> None:
    with transaction() as session:
        for _ in range(10):
            month = quotas.reserve_analysis(session, user.id)
        with pytest.raises(QuotaExceeded) as refusal:
            quotas.ensure_analysis_quota(session, user.id)
        assert refusal.value.code == "analysis_quota_exceeded"
        quotas.release_analyses(session, user.id, month, 1)
        quotas.ensure_analysis_quota(session, user.id)

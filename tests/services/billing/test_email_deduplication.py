"""Every billing email is sent once, whatever the order and number of its events."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlmodel import select, update

from sp404_app.db import transaction
from sp404_app.jobs import billing
from sp404_app.models import StripeEvent, Subscription, User
from sp404_app.services.billing import subscriptions
from sp404_app.services.plans import Interval, Tier
from tests.accounts import mails, text_of
from tests.shop import FAILS_LATER, Shop


def subscribe(shop: Shop, user: User) -> None:
    shop.buy(user.id)


def fail_renewal(shop: Shop, user: User) -> None:
    shop.buy(user.id, trial=True, card=FAILS_LATER)
    shop.advance(user.id, days=14, hours=3)


def start_trial(shop: Shop, user: User) -> None:
    shop.buy(user.id, trial=True)
    shop.advance(user.id, days=12)


def upgrade(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    with transaction() as session:
        subscriptions.change_plan(session, user.id, Tier.ENTERPRISE)


def pay_yearly(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    with transaction() as session:
        subscriptions.change_plan(session, user.id, Tier.PRO, None, Interval.YEAR)


def pay_yearly_after_trial(shop: Shop, user: User) -> None:
    shop.buy(user.id, trial=True)
    with transaction() as session:
        subscriptions.change_plan(session, user.id, Tier.PRO, None, Interval.YEAR)


def pay_monthly_next_year(shop: Shop, user: User) -> None:
    pay_yearly(shop, user)
    with transaction() as session:
        subscriptions.change_plan(session, user.id, Tier.PRO, None, Interval.MONTH)


def cancel(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    with transaction() as session:
        subscriptions.cancel_subscription(session, user.id)


def cancel_in_portal(shop: Shop, user: User) -> None:
    """Only the webhook reports it."""
    bought = shop.buy(user.id)
    shop.stripe().subscriptions.update(bought.stripe_id, {"cancel_at_period_end": True})


@dataclass(frozen=True)
class Case:
    """What the user does, and the subject and text of the one email it sends."""

    run: Callable[[Shop, User], None]
    subject: str
    text: str


CASES = {
    "receipt": Case(subscribe, r"Receipt \S+", r"payment of \$29\.00\. Invoice number: \S+"),
    "payment failed": Case(fail_renewal, "Your payment failed", r"declined for \$29\.00"),
    "trial ending": Case(start_trial, r"Your Pro trial ends on .+", r"Pro costs \$29\.00 a month"),
    "plan changed": Case(upgrade, "You're now on Enterprise", r"\$99\.00 a month"),
    "yearly": Case(pay_yearly, "You now pay every year", r"You now pay \$290\.00 a year for Pro"),
    "yearly after a trial": Case(
        pay_yearly_after_trial,
        "After your trial you pay every year",
        r"After that, Pro costs \$290\.00 a year",
    ),
    "scheduled": Case(
        pay_monthly_next_year,
        r"Your plan changes on .+",
        r"you stay on Pro and pay every month\. Until then nothing changes",
    ),
    "cancelled": Case(cancel, "Your subscription is cancelled", r"You keep Pro until"),
    "cancelled elsewhere": Case(
        cancel_in_portal, "Your subscription is cancelled", r"You keep Pro until"
    ),
}


def replay_all_events() -> None:
    """Handle every event twice more in random order, as after restoring an old backup."""
    with transaction() as session:
        session.exec(update(Subscription).values(tier="pro", cancel_at=None))
        ids = list(session.exec(select(StripeEvent.id)))
        session.exec(update(StripeEvent).values(handled_at=None, attempts=0))
    for event_id in random.sample(ids * 2, len(ids) * 2):
        billing.handle_event(event_id)


@pytest.mark.parametrize("name", CASES)
def test_shuffled_and_duplicated_events_send_one_email(shop: Shop, user: User, name: str) -> None:
    case = CASES[name]
    shop.control("settings", shuffle=True, duplicate=3)
    case.run(shop, user)
    shop.settle()
    replay_all_events()
    billing.reconcile()
    found = [one for one in mails(user.email) if re.fullmatch(case.subject, one["Subject"])]
    assert len(found) == 1
    assert re.search(case.text, text_of(found[0]))
    assert "http" in text_of(found[0])

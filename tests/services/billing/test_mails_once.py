"""Every mail about money comes once, whatever order and number its events arrive in."""

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
from sp404_app.services.plans import Tier
from tests.accounts import mails, text_of
from tests.shop import FAILS_LATER, Shop


def pays(shop: Shop, user: User) -> None:
    shop.buy(user.id)


def cannot_pay(shop: Shop, user: User) -> None:
    shop.buy(user.id, trial=True, card=FAILS_LATER)
    shop.advance(user.id, days=14, hours=3)


def tries(shop: Shop, user: User) -> None:
    shop.buy(user.id, trial=True)
    shop.advance(user.id, days=12)


def grows(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    with transaction() as session:
        subscriptions.change_plan(session, user.id, Tier.ENTERPRISE)


def leaves(shop: Shop, user: User) -> None:
    shop.buy(user.id)
    with transaction() as session:
        subscriptions.cancel_subscription(session, user.id)


def leaves_by_the_portal(shop: Shop, user: User) -> None:
    """Nobody but the news tells us."""
    bought = shop.buy(user.id)
    shop.stripe().subscriptions.update(bought.stripe_id, {"cancel_at_period_end": True})


@dataclass(frozen=True)
class Occasion:
    """What a person does, and the one mail that answers: its subject, and what it must say."""

    happens: Callable[[Shop, User], None]
    subject: str
    says: str


OCCASIONS = {
    "receipt": Occasion(pays, r"Receipt \S+", r"payment of \$29\.00\. Invoice number: \S+"),
    "payment failed": Occasion(cannot_pay, "Your payment failed", r"declined for \$29\.00"),
    "trial ending": Occasion(tries, r"Your Pro trial ends on .+", r"Pro costs \$29\.00 a month"),
    "plan changed": Occasion(grows, "You're now on Enterprise", r"\$99\.00 a month"),
    "cancelled": Occasion(leaves, "Your subscription is cancelled", r"You keep Pro until"),
    "cancelled elsewhere": Occasion(
        leaves_by_the_portal, "Your subscription is cancelled", r"You keep Pro until"
    ),
}


def everything_again() -> None:
    """Work on every event twice more, in any order, as after restoring an old backup."""
    with transaction() as session:
        session.exec(update(Subscription).values(tier="pro", cancel_at=None))
        ids = list(session.exec(select(StripeEvent.id)))
        session.exec(update(StripeEvent).values(handled_at=None, attempts=0))
    for event_id in random.sample(ids * 2, len(ids) * 2):
        billing.handle(event_id)


@pytest.mark.parametrize("name", OCCASIONS)
def test_it_comes_once_from_shuffled_and_copied_events(shop: Shop, user: User, name: str) -> None:
    occasion = OCCASIONS[name]
    shop.control("settings", shuffle=True, duplicate=3)
    occasion.happens(shop, user)
    shop.settle()
    everything_again()
    billing.reconcile()
    found = [one for one in mails(user.email) if re.fullmatch(occasion.subject, one["Subject"])]
    assert len(found) == 1
    assert re.search(occasion.says, text_of(found[0]))
    assert "http" in text_of(found[0])

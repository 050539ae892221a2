"""No unpaid invoice grants an upgrade: all combinations of state, card and target plan."""

import uuid
from itertools import product
from typing import Any

import pytest

from sp404_app.db import transaction
from sp404_app.errors import AppError
from sp404_app.models import User
from sp404_app.services.billing import subscriptions
from sp404_app.services.plans import Tier
from tests.accounts import mails
from tests.shop import FAILS_LATER, VISA, Shop

CARDS = {
    "good": "pm_card_visa",
    "failing": "pm_card_chargeCustomerFail",
    "authenticating": "pm_card_authenticationRequiredOnTransaction",
}
TIER_RANK = {tier: rank for rank, tier in enumerate(Tier)}
# State, and whether Stripe allows a pending update when a change ends a trial.
SITUATIONS = [
    ("trial", True),
    ("trial", False),
    ("active", True),
    ("cancelling", True),
    ("past_due", True),
]
CASES = [(*situation, *rest) for situation, *rest in product(SITUATIONS, CARDS, Tier)]


def prepare(shop: Shop, user: User, situation: str, card: str, *, allows_pending: bool) -> None:
    shop.control("settings", trial_end_can_be_pending=allows_pending)
    if situation == "past_due":
        shop.buy(user.id, trial=True, card=FAILS_LATER)
        shop.advance(user.id, days=14, hours=3)
        assert shop.subscription(user.id).status == "past_due"
    else:
        shop.buy(user.id, trial=situation == "trial", card=VISA)
    if situation == "cancelling":
        with transaction() as session:
            subscriptions.cancel_subscription(session, user.id)
    shop.card(user.id, CARDS[card])
    shop.settle()


def try_change(user: User, target: Tier) -> subscriptions.ChangeResult | AppError:
    try:
        with transaction() as session:
            return subscriptions.change_plan(session, user.id, target)
    except AppError as refusal:
        return refusal


def current_tier(shop: Shop, user: User) -> Tier:
    return Tier(shop.entitled(user.id)[0])


def paid_for(shop: Shop, user_id: uuid.UUID, target: Tier) -> bool:
    """Return whether Stripe has a paid invoice for this plan."""
    prices = {p.id for p in shop.stripe().prices.list().data if p.metadata["tier"] == target}
    found = shop.stripe().invoices.list({"customer": shop.customer(user_id).stripe_id}).data
    return any(
        line.pricing.price_details.price in prices
        for invoice in found
        if invoice.status == "paid"
        for line in invoice.lines.data
        if line.amount > 0
    )


def open_invoice(shop: Shop, user_id: uuid.UUID) -> Any:
    found = shop.stripe().invoices.list({"customer": shop.customer(user_id).stripe_id})
    return next((one for one in found.data if one.status == "open"), None)


@pytest.mark.parametrize(("situation", "allows_pending", "card", "target"), CASES)
def test_only_a_paid_invoice_grants_an_upgrade(
    shop: Shop, user: User, situation: str, card: str, target: Tier, *, allows_pending: bool
) -> None:
    prepare(shop, user, situation, card, allows_pending=allows_pending)
    before = current_tier(shop, user)
    result = try_change(user, target)
    for pause in ({}, {"hours": 30}):
        if pause:
            shop.advance(user.id, **pause)
        shop.settle()
        after = current_tier(shop, user)
        if TIER_RANK[after] > TIER_RANK[before]:
            assert paid_for(shop, user.id, after), f"{after} is not paid"
        if not paid_for(shop, user.id, Tier.ENTERPRISE):
            assert "You're now on Enterprise" not in [m["Subject"] for m in mails(user.email)]
    done = isinstance(result, subscriptions.ChangeResult) and result.done
    if target is Tier.ENTERPRISE:
        assert done == (card == "good" and situation != "past_due")
        assert (after is Tier.ENTERPRISE) == done
        if done:
            assert shop.subscription(user.id).cancel_at is None


@pytest.mark.parametrize("card", ["failing", "authenticating"])
@pytest.mark.parametrize(("situation", "allows_pending"), SITUATIONS[:4])
def test_an_upgrade_applies_once_its_invoice_is_paid(
    shop: Shop, user: User, situation: str, card: str, *, allows_pending: bool
) -> None:
    prepare(shop, user, situation, card, allows_pending=allows_pending)
    result = try_change(user, Tier.ENTERPRISE)
    assert isinstance(result, subscriptions.ChangeResult)
    assert result.pay_url
    assert shop.subscription(user.id).unpaid_change
    shop.card(user.id, "pm_card_visa")
    shop.stripe().invoices.pay(open_invoice(shop, user.id).id)
    shop.settle()
    row = shop.subscription(user.id)
    assert (row.tier, row.status, row.unpaid_change) == ("enterprise", "active", False)
    assert row.cancel_at is None
    assert not shop.living(user.id)[0].cancel_at_period_end

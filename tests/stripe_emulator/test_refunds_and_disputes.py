"""Refunds, disputes, and lost or stolen cards."""

from typing import Any

import pytest
import stripe

from tests.stripe_emulator.actions import advance, event_types, open_checkout, set_card, subscribe
from tests.stripe_emulator.conftest import Shop

DISPUTED = "4000000000000259"


def only_charge(shop: Shop) -> Any:
    (found,) = shop.harness.v1.charges.list().data
    return found


def test_a_charge_can_be_refunded_in_parts_and_its_invoice_stays_paid(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer())
    charge, refunds = only_charge(shop), shop.harness.v1.refunds
    first = refunds.create({"charge": charge.id, "amount": 900, "reason": "duplicate"})
    assert (first.amount, first.status, first.reason) == (900, "succeeded", "duplicate")
    assert (only_charge(shop).amount_refunded, only_charge(shop).refunded) == (900, False)
    refunds.create({"payment_intent": charge.payment_intent})
    assert (only_charge(shop).amount_refunded, only_charge(shop).refunded) == (2900, True)
    assert shop.harness.v1.invoices.retrieve(subscription.latest_invoice).status == "paid"
    assert shop.harness.v1.subscriptions.retrieve(subscription.id).status == "active"
    assert [one.amount for one in refunds.list({"charge": charge.id}).data] == [2000, 900]
    types = event_types(shop)
    assert (types.count("refund.created"), types.count("charge.refunded")) == (2, 2)


@pytest.mark.parametrize("amount", [0, -1, 2901])
def test_a_refund_cannot_exceed_the_charge(shop: Shop, amount: int) -> None:
    subscribe(shop, shop.customer())
    with pytest.raises(stripe.InvalidRequestError):
        shop.harness.v1.refunds.create({"charge": only_charge(shop).id, "amount": amount})
    assert only_charge(shop).amount_refunded == 0


def test_a_refund_requires_exactly_one_paid_charge(shop: Shop) -> None:
    subscribe(shop, shop.customer())
    charge, refunds = only_charge(shop), shop.harness.v1.refunds
    refunds.create({"charge": charge.id})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_already_refunded"
    both: Any = {"charge": charge.id, "payment_intent": charge.payment_intent}
    for odd in ({}, both, {"charge": "ch_none"}):
        with pytest.raises(stripe.InvalidRequestError):
            refunds.create(odd)


def test_a_disputed_charge_cannot_be_refunded(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer(), DISPUTED)
    assert subscription.status == "active"
    charge = only_charge(shop)
    assert charge.disputed
    (dispute,) = shop.harness.v1.disputes.list({"charge": charge.id}).data
    assert (dispute.status, dispute.reason, dispute.amount) == (
        "needs_response",
        "fraudulent",
        2900,
    )
    assert "charge.dispute.created" in event_types(shop)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.harness.v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_disputed"


@pytest.mark.parametrize("number", ["4000000000009987", "4000000000009979"])
def test_lost_and_stolen_cards_are_declined_in_checkout(shop: Shop, number: str) -> None:
    session = open_checkout(shop, shop.customer())
    form = {"number": number, "expiry": "12/34", "cvc": "123", "name": "Ada"}
    answer = shop.harness.browser.post(session.url, data=form)
    assert answer.status_code == 402
    (charge,) = shop.harness.v1.charges.list().data
    assert charge.failure_code == "card_declined"
    assert charge.outcome.reason in {"lost_card", "stolen_card"}


def test_a_hard_declined_card_is_not_retried(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from stripe_emulator import cards

    customer = shop.customer()
    subscription = subscribe(shop, customer)
    set_card(shop, customer, subscription.id, "pm_card_visa")
    lost = replace(
        cards.TEST_CARDS["4242424242424242"], charge_decline=cards.LOST
    )  # reported lost after it was attached
    monkeypatch.setitem(cards.TEST_CARDS, "4242424242424242", lost)
    advance(shop, customer, days=31)
    advance(shop, customer, days=4)
    failed = [one for one in shop.harness.v1.charges.list().data if one.status == "failed"]
    assert [one.outcome.reason for one in failed] == ["lost_card"]
    invoice = shop.harness.v1.invoices.list({"customer": customer}).data[0]
    assert invoice.attempt_count == 2  # the second attempt is counted but makes no charge

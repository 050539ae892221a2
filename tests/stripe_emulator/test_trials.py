"""End a trial early by an upgrade: only if the payment succeeds."""

from typing import Any

import pytest
import stripe

from tests.stripe_emulator.actions import event_types, set_card, subscribe
from tests.stripe_emulator.conftest import Shop

FAILS = "pm_card_chargeCustomerFail"
ASKS = "pm_card_authenticationRequiredOnTransaction"


def on_trial(shop: Shop, card: str) -> Any:
    customer = shop.customer()
    trial = subscribe(shop, customer, subscription_data={"trial_period_days": 14})
    set_card(shop, customer, trial.id, card)
    return trial


def end_with_upgrade(shop: Shop, trial: Any, behaviour: str = "pending_if_incomplete") -> Any:
    return shop.harness.v1.subscriptions.update(
        trial.id,
        {
            "items": [{"id": trial.items.data[0].id, "price": shop.enterprise}],
            "trial_end": "now",
            "proration_behavior": "always_invoice",
            "payment_behavior": behaviour,  # type: ignore[typeddict-item]
        },
    )


def test_a_paid_upgrade_ends_the_trial(shop: Shop) -> None:
    trial = on_trial(shop, "pm_card_visa")
    now = shop.harness.now()
    changed = end_with_upgrade(shop, trial)
    assert (changed.status, changed.trial_end, changed.pending_update) == ("active", now, None)
    item = changed.items.data[0]
    assert (item.price.id, item.current_period_start) == (shop.enterprise, now)
    invoice = shop.harness.v1.invoices.retrieve(changed.latest_invoice)
    assert (invoice.amount_paid, invoice.billing_reason) == (9900, "subscription_update")


@pytest.mark.parametrize("card", [FAILS, ASKS])
def test_an_unpaid_upgrade_leaves_the_trial_unchanged(shop: Shop, card: str) -> None:
    trial = on_trial(shop, card)
    held = end_with_upgrade(shop, trial)
    assert (held.status, held.trial_end) == ("trialing", trial.trial_end)
    assert held.items.data[0].price.id == shop.pro
    pending = held.pending_update
    assert pending.trial_end == shop.harness.now()
    assert pending.subscription_items[0].price.id == shop.enterprise
    invoice = shop.harness.v1.invoices.retrieve(held.latest_invoice)
    assert (invoice.status, invoice.amount_due) == ("open", 9900)
    assert invoice.next_payment_attempt is None
    shop.harness.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    applied = shop.harness.v1.subscriptions.retrieve(trial.id)
    assert (applied.status, applied.trial_end) == ("active", pending.trial_end)
    assert applied.items.data[0].price.id == shop.enterprise
    assert "customer.subscription.pending_update_applied" in event_types(shop)


def test_an_unpaid_upgrade_expires_and_the_trial_continues(shop: Shop) -> None:
    trial = on_trial(shop, FAILS)
    held = end_with_upgrade(shop, trial)
    shop.harness.pass_time(23 * 3600 + 1)
    left = shop.harness.v1.subscriptions.retrieve(trial.id)
    assert (left.status, left.pending_update) == ("trialing", None)
    assert shop.harness.v1.invoices.retrieve(held.latest_invoice).status == "void"


def test_a_second_upgrade_replaces_the_pending_one(shop: Shop) -> None:
    trial = on_trial(shop, FAILS)
    first = end_with_upgrade(shop, trial)
    second = end_with_upgrade(shop, trial)
    assert shop.harness.v1.invoices.retrieve(first.latest_invoice).status == "void"
    assert shop.harness.v1.invoices.retrieve(second.latest_invoice).status == "open"


def test_error_if_incomplete_keeps_the_trial(shop: Shop) -> None:
    trial = on_trial(shop, FAILS)
    with pytest.raises(stripe.CardError):
        end_with_upgrade(shop, trial, "error_if_incomplete")
    left = shop.harness.v1.subscriptions.retrieve(trial.id)
    assert (left.status, left.items.data[0].price.id) == ("trialing", shop.pro)


def test_without_pending_trial_end_the_trial_ends_unpaid(shop: Shop) -> None:
    """Stripe's behaviour is not documented, so both variants are supported."""
    shop.harness.control("settings", trial_end_can_be_pending=False)
    changed = end_with_upgrade(shop, on_trial(shop, FAILS))
    assert (changed.status, changed.pending_update) == ("past_due", None)
    assert changed.items.data[0].price.id == shop.enterprise

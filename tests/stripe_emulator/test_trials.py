"""A trial ends early by an upgrade: at once if it is paid, and not at all if it is not."""

from typing import Any

import pytest
import stripe

from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.journeys import event_types, set_card, subscribe

FAILS = "pm_card_chargeCustomerFail"
ASKS = "pm_card_authenticationRequiredOnTransaction"


def on_trial(shop: Shop, card: str) -> Any:
    owner = shop.customer()
    trial = subscribe(shop, owner, subscription_data={"trial_period_days": 14})
    set_card(shop, owner, trial.id, card)
    return trial


def end_with_upgrade(shop: Shop, trial: Any, behaviour: str = "pending_if_incomplete") -> Any:
    return shop.machine.v1.subscriptions.update(
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
    now = shop.machine.now()
    changed = end_with_upgrade(shop, trial)
    assert (changed.status, changed.trial_end, changed.pending_update) == ("active", now, None)
    item = changed.items.data[0]
    assert (item.price.id, item.current_period_start) == (shop.enterprise, now)
    invoice = shop.machine.v1.invoices.retrieve(changed.latest_invoice)
    assert (invoice.amount_paid, invoice.billing_reason) == (9900, "subscription_update")


@pytest.mark.parametrize("card", [FAILS, ASKS])
def test_an_unpaid_upgrade_leaves_the_trial_as_it_is(shop: Shop, card: str) -> None:
    trial = on_trial(shop, card)
    held = end_with_upgrade(shop, trial)
    assert (held.status, held.trial_end) == ("trialing", trial.trial_end)
    assert held.items.data[0].price.id == shop.pro
    pending = held.pending_update
    assert pending.trial_end == shop.machine.now()
    assert pending.subscription_items[0].price.id == shop.enterprise
    invoice = shop.machine.v1.invoices.retrieve(held.latest_invoice)
    assert (invoice.status, invoice.amount_due) == ("open", 9900)
    assert invoice.next_payment_attempt is None
    shop.machine.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    applied = shop.machine.v1.subscriptions.retrieve(trial.id)
    assert (applied.status, applied.trial_end) == ("active", pending.trial_end)
    assert applied.items.data[0].price.id == shop.enterprise
    assert "customer.subscription.pending_update_applied" in event_types(shop)


def test_an_unpaid_upgrade_is_forgotten_and_the_trial_goes_on(shop: Shop) -> None:
    trial = on_trial(shop, FAILS)
    held = end_with_upgrade(shop, trial)
    shop.machine.pass_time(23 * 3600 + 1)
    left = shop.machine.v1.subscriptions.retrieve(trial.id)
    assert (left.status, left.pending_update) == ("trialing", None)
    assert shop.machine.v1.invoices.retrieve(held.latest_invoice).status == "void"


def test_a_second_try_takes_the_place_of_the_first(shop: Shop) -> None:
    trial = on_trial(shop, FAILS)
    first = end_with_upgrade(shop, trial)
    second = end_with_upgrade(shop, trial)
    assert shop.machine.v1.invoices.retrieve(first.latest_invoice).status == "void"
    assert shop.machine.v1.invoices.retrieve(second.latest_invoice).status == "open"


def test_error_if_incomplete_keeps_the_trial(shop: Shop) -> None:
    trial = on_trial(shop, FAILS)
    with pytest.raises(stripe.CardError):
        end_with_upgrade(shop, trial, "error_if_incomplete")
    left = shop.machine.v1.subscriptions.retrieve(trial.id)
    assert (left.status, left.items.data[0].price.id) == ("trialing", shop.pro)


def test_the_other_reading_ends_the_trial_unpaid(shop: Shop) -> None:
    """What Stripe really does is not known here, so the product is tried with both."""
    shop.machine.control("settings", trial_end_can_be_pending=False)
    changed = end_with_upgrade(shop, on_trial(shop, FAILS))
    assert (changed.status, changed.pending_update) == ("past_due", None)
    assert changed.items.data[0].price.id == shop.enterprise

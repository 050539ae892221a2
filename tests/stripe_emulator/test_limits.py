"""Values that Stripe refuses are refused with the same error."""

from typing import Any

import pytest
import stripe

from tests.stripe_emulator.actions import open_checkout, subscribe
from tests.stripe_emulator.conftest import Shop

Given = dict[str, Any]


def price(shop: Shop, **given: Any) -> Any:
    product = shop.harness.v1.products.create({"name": "Tape"})
    wanted: Given = {
        "product": product.id,
        "currency": "usd",
        "unit_amount": 2900,
        "recurring": {"interval": "month"},
    }
    return shop.harness.v1.prices.create(wanted | given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"recurring": {"interval": "month", "interval_count": 0}}, "recurring[interval_count]"),
        ({"recurring": {"interval": "month", "interval_count": -1}}, "recurring[interval_count]"),
        ({"recurring": {"interval": "month", "interval_count": 37}}, "recurring[interval_count]"),
        ({"recurring": {"interval": "year", "interval_count": 4}}, "recurring[interval_count]"),
        ({"recurring": {"interval": "moon"}}, "recurring[interval]"),
        ({"unit_amount": -1}, "unit_amount"),
        ({"unit_amount": 100_000_000}, "unit_amount"),
        ({"currency": "xyzzy"}, "currency"),
        ({"currency": "zzz"}, "currency"),
        ({"metadata": {"k" * 41: "v"}}, "metadata"),
        ({"metadata": {"k": "v" * 501}}, "metadata"),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, "metadata"),
    ],
)
def test_invalid_prices_are_refused(shop: Shop, given: Given, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        price(shop, **given)
    assert refusal.value.param == param


def test_the_longest_interval_is_three_years(shop: Shop) -> None:
    assert price(shop, recurring={"interval": "month", "interval_count": 36}).id
    assert price(shop, recurring={"interval": "year", "interval_count": 3}).id


@pytest.mark.parametrize("quantity", [-1, 1_000_000])
def test_quantities_out_of_range_are_refused(shop: Shop, quantity: int) -> None:
    customer = shop.customer(card="pm_card_visa")
    item = {"price": shop.pro, "quantity": quantity}
    create = shop.harness.v1.subscriptions.create
    with pytest.raises(stripe.InvalidRequestError, match="non-negative"):
        create({"customer": customer, "items": [item]})  # type: ignore[list-item]
    with pytest.raises(stripe.InvalidRequestError):
        open_checkout(shop, customer, line_items=[item])
    subscription = subscribe(shop, shop.customer("bob@example.com"))
    change = [{"id": subscription.items.data[0].id, "quantity": quantity}]
    with pytest.raises(stripe.InvalidRequestError, match="non-negative"):
        shop.harness.v1.subscriptions.update(subscription.id, {"items": change})  # type: ignore[typeddict-item]


@pytest.mark.parametrize("second", ["same", "other cycle", "other currency", "too many"])
def test_incompatible_prices_are_refused(shop: Shop, second: str) -> None:
    customer = shop.customer(card="pm_card_visa")
    others = {
        "same": [shop.pro],
        "other cycle": [price(shop, recurring={"interval": "month", "interval_count": 2}).id],
        "other currency": [price(shop, currency="eur").id],
        "too many": [price(shop).id for _ in range(20)],
    }[second]
    items: Any = [{"price": name, "quantity": 1} for name in (shop.pro, *others)]
    v1 = shop.harness.v1
    for refused in (
        lambda: v1.subscriptions.create({"customer": customer, "items": items}),
        lambda: open_checkout(shop, customer, line_items=items),
        lambda: v1.invoices.create_preview(
            {"customer": customer, "subscription_details": {"items": items}}
        ),
    ):
        with pytest.raises(stripe.InvalidRequestError):
            refused()
    assert v1.subscriptions.list().data == []


def test_a_phase_of_zero_length_is_refused(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer())
    schedules = shop.harness.v1.subscription_schedules
    made = schedules.create({"from_subscription": subscription.id})
    now = made.phases[0]
    for count in (0, -1, 400):
        phases: Any = [
            {
                "items": [{"price": shop.pro, "quantity": 1}],
                "start_date": now.start_date,
                "end_date": now.end_date,
            },
            {
                "items": [{"price": shop.enterprise, "quantity": 1}],
                "duration": {"interval": "month", "interval_count": count},
            },
        ]
        with pytest.raises(stripe.InvalidRequestError, match="interval_count"):
            schedules.update(made.id, {"phases": phases})


@pytest.mark.parametrize(
    "given", [{"email": "nobody"}, {"email": "a b@example.com"}, {"metadata": {"k": "v" * 501}}]
)
def test_invalid_customers_are_refused(shop: Shop, given: Given) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shop.harness.v1.customers.create(given)  # type: ignore[arg-type]
    assert shop.harness.v1.customers.list().data == []


@pytest.mark.parametrize("days", [-1, 731])
def test_trial_days_out_of_range_are_refused(shop: Shop, days: int) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        open_checkout(shop, None, subscription_data={"trial_period_days": days})


def test_a_trial_is_at_most_two_years_long(shop: Shop) -> None:
    customer, v1 = shop.customer(card="pm_card_visa"), shop.harness.v1
    latest = shop.harness.now() + 730 * 86_400
    kept = v1.subscriptions.create(
        {"customer": customer, "items": [{"price": shop.pro}], "trial_end": latest}
    )
    later = latest + 10
    for refused in (
        lambda: v1.subscriptions.create(
            {"customer": customer, "items": [{"price": shop.pro}], "trial_end": later}
        ),
        lambda: v1.subscriptions.update(kept.id, {"trial_end": later}),
        lambda: open_checkout(shop, customer, subscription_data={"trial_end": later}),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="two years"):
            refused()
    assert v1.subscriptions.retrieve(kept.id).trial_end == latest

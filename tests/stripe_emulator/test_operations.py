"""Every operation that the product needs exists and does what Stripe documents."""

import pytest
import stripe

from stripe_emulator.api import find_operation
from stripe_emulator.errors import ApiError
from tests.stripe_emulator.actions import advance, event_types, subscribe
from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.stripe_server import DAY

NEEDED = """
POST customers|GET customers/x|POST customers/x|GET customers|DELETE customers/x
GET prices|GET prices/x|POST prices|POST prices/x
GET products|POST products|GET products/x|POST products/x
POST checkout/sessions|GET checkout/sessions/x|POST checkout/sessions/x/expire
GET subscriptions|GET subscriptions/x|POST subscriptions/x|DELETE subscriptions/x
POST subscriptions|POST subscriptions/x/resume
POST subscription_schedules|GET subscription_schedules/x|POST subscription_schedules/x
POST subscription_schedules/x/release
GET invoices|GET invoices/x|POST invoices/x/pay|POST invoices/create_preview|POST invoices/x/void
GET invoice_payments|GET payment_methods|GET payment_intents/x|GET charges/x
POST billing_portal/sessions|GET billing_portal/configurations|POST billing_portal/configurations
GET events|GET events/x|POST webhook_endpoints
POST test_helpers/test_clocks|GET test_helpers/test_clocks/x
POST test_helpers/test_clocks/x/advance
"""


@pytest.mark.parametrize("needed", NEEDED.strip().replace("\n", "|").split("|"))
def test_required_operations_are_implemented(needed: str) -> None:
    method, path = needed.split()
    assert find_operation(method, f"/v1/{path}")
    with pytest.raises(ApiError):
        find_operation("PATCH", f"/v1/{path}")


def test_updating_a_customer_emits_previous_attributes(shop: Shop) -> None:
    v1 = shop.harness.v1
    customer = shop.customer(card="pm_card_visa")
    changed = v1.customers.update(
        customer, {"name": "Ada", "address": {"city": "London"}, "preferred_locales": ["en"]}
    )
    assert (changed.name, changed.address.city, changed.address.line1) == ("Ada", "London", None)
    event = v1.events.list({"type": "customer.updated"}).data[0]
    assert event.data.previous_attributes.to_dict()["name"] is None
    assert v1.customers.update(customer, {"address": ""}).address is None
    v1.customers.update(customer, {"description": "same"})
    count = len(event_types(shop))
    v1.customers.update(customer, {"description": "same"})
    assert len(event_types(shop)) == count


def test_a_detached_card_is_no_longer_a_default(shop: Shop) -> None:
    v1 = shop.harness.v1
    customer = shop.customer(card="pm_card_visa")
    card = v1.customers.payment_methods.list(customer).data[0]
    made = v1.subscriptions.create(
        {"customer": customer, "items": [{"price": shop.pro}], "default_payment_method": card.id}
    )
    assert made.status == "active"
    assert v1.payment_methods.detach(card.id).customer is None
    assert v1.customers.retrieve(customer).invoice_settings.default_payment_method is None
    assert v1.subscriptions.retrieve(made.id).default_payment_method is None
    assert v1.payment_methods.list({"customer": customer}).data == []
    other = shop.customer("eve@example.com", card="pm_card_visa")
    theirs = v1.payment_methods.list({"customer": other}).data[0].id
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        v1.subscriptions.update(made.id, {"default_payment_method": theirs})


def test_equal_card_numbers_have_equal_fingerprints(shop: Shop) -> None:
    prints = []
    for card in ("pm_card_visa", "pm_card_visa", "pm_card_mastercard"):
        customer = shop.customer(card=card)
        found = shop.harness.v1.payment_methods.list({"customer": customer}).data[0]
        prints.append(found.card.fingerprint)
    assert prints[0] == prints[1] != prints[2]


def test_creating_products_and_prices_is_repeatable(shop: Shop) -> None:
    v1 = shop.harness.v1
    made = v1.products.create({"id": "plan_pro", "name": "Pro", "metadata": {"key": "pro"}})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.products.create({"id": "plan_pro", "name": "Pro"})
    assert refused.value.code == "resource_already_exists"
    changed = v1.products.update(made.id, {"name": "Pro!", "description": "More"})
    assert (changed.name, changed.metadata["key"]) == ("Pro!", "pro")
    assert [one.id for one in v1.products.list({"ids": [made.id]}).data] == [made.id]
    price = v1.prices.retrieve(shop.pro)
    assert v1.prices.update(price.id, {"nickname": "n"}).nickname == "n"
    found = v1.prices.list({"product": price.product, "recurring": {"interval": "month"}}).data
    assert [one.id for one in found] == [shop.pro]
    for wrong in ({"unit_amount": -1}, {"currency": "usd"}, {"product": "prod_none"}):
        params = {"product": made.id, "currency": "usd", "unit_amount": 1, **wrong}
        if "unit_amount" not in wrong and "product" not in wrong:
            del params["product"]
        with pytest.raises(stripe.InvalidRequestError):
            v1.prices.create(params)


def test_the_next_invoice_equals_its_preview(shop: Shop) -> None:
    customer = shop.customer()
    made = subscribe(shop, customer)
    v1 = shop.harness.v1
    end = made.items.data[0].current_period_end
    shown = v1.invoices.create_preview({"subscription": made.id})
    assert (shown.total, shown.billing_reason, shown.status) == (2900, "upcoming", "draft")
    assert shown.lines.data[0].period.start == end
    assert shown.id.startswith("upcoming_in_")
    v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.invoices.create_preview({"subscription": made.id})
    assert refused.value.code == "invoice_upcoming_none"
    assert len(v1.invoices.list().data) == 1


def test_a_new_subscription_can_be_previewed(shop: Shop) -> None:
    v1, customer = shop.harness.v1, shop.customer()
    items = [{"price": shop.enterprise, "quantity": 2}]
    shown = v1.invoices.create_preview(
        {"customer": customer, "subscription_details": {"items": items}}
    )
    assert shown.total == 19800
    with pytest.raises(stripe.InvalidRequestError):
        v1.invoices.create_preview({"customer": customer})
    assert v1.subscriptions.list().data == []


def test_ending_a_trial_with_another_plan_costs_what_the_preview_says(shop: Shop) -> None:
    made = subscribe(shop, shop.customer(), subscription_data={"trial_period_days": 14})
    v1, item = shop.harness.v1, made.items.data[0].id
    change = {"items": [{"id": item, "price": shop.enterprise}], "trial_end": "now"}
    shown = v1.invoices.create_preview({"subscription": made.id, "subscription_details": change})
    now = v1.subscriptions.update(made.id, change)
    invoice = v1.invoices.retrieve(now.latest_invoice)
    assert shown.total == invoice.amount_paid == 9900
    assert (now.status, now.items.data[0].price.id) == ("active", shop.enterprise)
    assert shown.lines.data[0].period.end == now.items.data[0].current_period_end


def test_a_trial_can_be_extended(shop: Shop) -> None:
    made = subscribe(shop, shop.customer(), subscription_data={"trial_period_days": 14})
    v1, end = shop.harness.v1, shop.harness.now() + 20 * DAY
    longer = v1.subscriptions.update(made.id, {"trial_end": end})
    assert (longer.trial_end, longer.items.data[0].current_period_end) == (end, end)
    with pytest.raises(stripe.InvalidRequestError):
        v1.subscriptions.update(made.id, {"trial_end": shop.harness.now() - 1})


def test_cancel_at_ends_the_subscription_at_that_time(shop: Shop) -> None:
    customer = shop.customer()
    made = subscribe(shop, customer)
    v1, at = shop.harness.v1, shop.harness.now() + 5 * DAY
    for wrong in (5, shop.harness.now()):
        with pytest.raises(stripe.InvalidRequestError):
            v1.subscriptions.update(made.id, {"cancel_at": wrong})
    assert v1.subscriptions.update(made.id, {"cancel_at": "min_period_end"}).cancel_at == (
        made.items.data[0].current_period_end
    )
    assert v1.subscriptions.update(made.id, {"cancel_at": ""}).cancel_at is None
    assert v1.subscriptions.update(made.id, {"cancel_at": at}).cancel_at == at
    advance(shop, customer, days=6)
    assert v1.subscriptions.retrieve(made.id).ended_at == at


def test_a_draft_can_be_finalized_and_paid_early(shop: Shop) -> None:
    customer = shop.customer()
    made = subscribe(shop, customer)
    v1 = shop.harness.v1
    advance(shop, customer, to=made.items.data[0].current_period_end)
    draft = v1.invoices.list({"status": "draft"}).data[0]
    opened = v1.invoices.finalize_invoice(draft.id)
    assert (opened.status, opened.attempt_count) == ("open", 0)
    with pytest.raises(stripe.InvalidRequestError):
        v1.invoices.finalize_invoice(draft.id)
    assert v1.invoices.pay(draft.id).status == "paid"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.invoices.pay(draft.id)
    assert refused.value.code == "invoice_already_paid"
    assert v1.invoices.line_items.list(draft.id).data[0].amount == 2900


def test_cancelling_a_subscription_cancels_its_schedule(shop: Shop) -> None:
    v1 = shop.harness.v1
    for way in ("subscription", "schedule"):
        made = subscribe(shop, shop.customer())
        schedule = v1.subscription_schedules.create({"from_subscription": made.id})
        if way == "subscription":
            v1.subscriptions.cancel(made.id)
        else:
            v1.subscription_schedules.cancel(schedule.id)
        assert v1.subscription_schedules.retrieve(schedule.id).status == "canceled"
        assert v1.subscriptions.retrieve(made.id).status == "canceled"
        with pytest.raises(stripe.InvalidRequestError):
            v1.subscription_schedules.release(schedule.id)
    assert len(v1.subscription_schedules.list().data) == 2


def test_end_behavior_cancel_ends_the_subscription(shop: Shop) -> None:
    customer = shop.customer()
    made = subscribe(shop, customer)
    v1 = shop.harness.v1
    schedule = v1.subscription_schedules.create({"from_subscription": made.id})
    v1.subscription_schedules.update(schedule.id, {"end_behavior": "cancel"})
    advance(shop, customer, days=31)
    assert v1.subscription_schedules.retrieve(schedule.id).status == "completed"
    gone = v1.subscriptions.retrieve(made.id)
    assert (gone.status, gone.ended_at) == ("canceled", made.items.data[0].current_period_end)
    assert len(v1.invoices.list().data) == 1


def test_unimplemented_parameters_are_refused(shop: Shop) -> None:
    v1, customer = shop.harness.v1, shop.customer(card="pm_card_visa")
    items = [{"price": shop.pro}]
    for given in (
        {"collection_method": "send_invoice", "days_until_due": 5},
        {"automatic_tax": {"enabled": True}},
        {"discounts": [{"coupon": "x"}]},
    ):
        with pytest.raises(stripe.InvalidRequestError, match="emulator"):
            v1.subscriptions.create({"customer": customer, "items": items, **given})
    with pytest.raises(stripe.InvalidRequestError, match="emulator"):
        v1.subscription_schedules.create({"customer": customer, "phases": [{"items": items}]})

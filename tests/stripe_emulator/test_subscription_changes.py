"""Upgrade, downgrade, cancel and resume a subscription, with exact amounts."""

import pytest
import stripe

from tests.stripe_emulator.actions import (
    ALWAYS_AUTHENTICATES,
    advance,
    card,
    event_types,
    in_order,
    open_checkout,
    subscribe,
    upgrade,
)
from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.stripe_server import DAY


def half_way(shop: Shop, subscription: object) -> int:
    """Advance real time to the middle of the period and return it."""
    item = subscription.items.data[0]  # type: ignore[attr-defined]
    middle = (item.current_period_start + item.current_period_end) // 2
    shop.harness.pass_time(middle - shop.harness.now())
    return middle


def preview(shop: Shop, subscription: object, price: str, **details: object) -> object:
    return shop.harness.v1.invoices.create_preview(
        {
            "subscription": subscription.id,  # type: ignore[attr-defined]
            "subscription_details": {
                "items": [{"id": subscription.items.data[0].id, "price": price}],  # type: ignore[attr-defined]
                "proration_behavior": "always_invoice",
                **details,
            },
        }
    )


def test_an_upgrade_in_the_middle_of_the_period_costs_35_dollars(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer())
    middle = half_way(shop, subscription)
    shown = preview(shop, subscription, shop.enterprise, proration_date=middle)
    shop.harness.pass_time(600)
    before = len(event_types(shop))
    changed = upgrade(shop, subscription, shop.enterprise, proration_date=middle)
    charged = shop.harness.v1.invoices.retrieve(changed.latest_invoice)
    assert [line.amount for line in charged.lines.data] == [-1450, 4950]
    assert shown.total == charged.total == charged.amount_paid == 3500
    assert [line.amount for line in shown.lines.data] == [-1450, 4950]
    assert charged.billing_reason == "subscription_update"
    details = [line.parent.subscription_item_details for line in charged.lines.data]
    assert all(detail.proration for detail in details)
    assert details[0].proration_details.credited_items.invoice == subscription.latest_invoice
    assert changed.items.data[0].price.unit_amount == 9900
    types = event_types(shop, before)
    assert in_order(types, "invoice.created", "invoice.paid", "customer.subscription.updated")
    assert types.count("invoiceitem.created") == 2
    event = shop.harness.v1.events.list({"type": "customer.subscription.updated"}).data[0]
    previous = event.data.previous_attributes.to_dict()
    assert previous["items"]["data"][0]["price"]["unit_amount"] == 2900


@pytest.mark.parametrize("share", [0, 1, 12_345, 1_000_003, 2_591_999])
def test_a_preview_equals_the_charge_at_any_second(shop: Shop, share: int) -> None:
    subscription = subscribe(shop, shop.customer())
    at = subscription.items.data[0].current_period_start + share
    shop.harness.pass_time(share)
    shown = preview(shop, subscription, shop.enterprise, proration_date=at)
    changed = upgrade(shop, subscription, shop.enterprise, proration_date=at)
    charged = shop.harness.v1.invoices.retrieve(changed.latest_invoice)
    assert (shown.total, shown.amount_due) == (charged.total, charged.amount_due)
    rest = 30 * DAY - share
    assert charged.total == round(9900 * rest / (30 * DAY)) - round(2900 * rest / (30 * DAY))


def test_an_upgrade_and_a_downgrade_in_one_period_cancel_out(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer)
    at = half_way(shop, subscription)
    subscription = upgrade(shop, subscription, shop.enterprise, proration_date=at)
    upgrade(shop, subscription, shop.pro, proration_date=at)
    invoice = shop.harness.v1.invoices.list({"customer": customer}).data[0]
    assert (invoice.total, invoice.amount_due, invoice.status) == (-3500, 0, "paid")
    assert shop.harness.v1.customers.retrieve(customer).balance == -3500
    advance(shop, customer, days=17)
    renewal = shop.harness.v1.invoices.list({"customer": customer}).data[0]
    assert (renewal.total, renewal.starting_balance, renewal.amount_paid) == (2900, -3500, 0)
    assert shop.harness.v1.customers.retrieve(customer).balance == -600


def test_create_prorations_leaves_prorations_to_the_next_invoice(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer)
    half_way(shop, subscription)
    upgrade(
        shop,
        subscription,
        shop.enterprise,
        proration_behavior="create_prorations",
        payment_behavior="allow_incomplete",
    )
    assert len(shop.harness.v1.invoices.list({"customer": customer}).data) == 1
    shown = shop.harness.v1.invoices.create_preview({"subscription": subscription.id})
    advance(shop, customer, days=17)
    renewal = shop.harness.v1.invoices.list({"customer": customer}).data[0]
    assert renewal.total == shown.total == 9900 + 3500
    assert renewal.amount_paid == 13400


def test_proration_behavior_none_bills_nothing_now(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer)
    half_way(shop, subscription)
    none = {"proration_behavior": "none", "payment_behavior": "allow_incomplete"}
    upgrade(shop, subscription, shop.enterprise, **none)
    advance(shop, customer, days=17)
    totals = [invoice.total for invoice in shop.harness.v1.invoices.list().data]
    assert totals == [9900, 2900]


def test_a_failed_payment_leaves_the_upgrade_pending(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer)
    method = shop.harness.v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": customer}
    )
    shop.harness.v1.subscriptions.update(subscription.id, {"default_payment_method": method.id})
    half_way(shop, subscription)
    held = upgrade(shop, subscription, shop.enterprise)
    assert held.status == "active"
    assert held.items.data[0].price.id == shop.pro
    assert held.pending_update.subscription_items[0].price.id == shop.enterprise
    assert held.pending_update.expires_at <= shop.harness.now() + 23 * 3600
    invoice = shop.harness.v1.invoices.retrieve(held.latest_invoice)
    assert (invoice.status, invoice.next_payment_attempt) == ("open", None)
    shop.harness.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    applied = shop.harness.v1.subscriptions.retrieve(subscription.id)
    assert applied.items.data[0].price.id == shop.enterprise
    assert applied.pending_update is None
    assert "customer.subscription.pending_update_applied" in event_types(shop)


def test_an_unpaid_pending_update_expires_and_voids_its_invoice(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer)
    method = shop.harness.v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": customer}
    )
    shop.harness.v1.subscriptions.update(subscription.id, {"default_payment_method": method.id})
    shop.harness.pass_time(DAY)
    held = upgrade(shop, subscription, shop.enterprise)
    shop.harness.pass_time(23 * 3600 + 1)
    left = shop.harness.v1.subscriptions.retrieve(subscription.id)
    assert (left.pending_update, left.items.data[0].price.id) == (None, shop.pro)
    assert left.latest_invoice == subscription.latest_invoice
    assert shop.harness.v1.invoices.retrieve(held.latest_invoice).status == "void"
    types = event_types(shop)
    assert "customer.subscription.pending_update_expired" in types
    assert "invoice.voided" in types


def test_an_upgrade_can_require_authentication(shop: Shop) -> None:
    customer = shop.customer()
    session = open_checkout(shop, customer)
    browser = shop.harness.browser
    question = browser.post(session.url, data=card(ALWAYS_AUTHENTICATES)).headers["location"]
    browser.post(question, data={"answer": "complete"})
    subscription = shop.harness.v1.subscriptions.list().data[0]
    held = upgrade(shop, subscription, shop.enterprise)
    assert held.pending_update
    assert "invoice.payment_action_required" in event_types(shop)
    invoice = shop.harness.v1.invoices.retrieve(held.latest_invoice)
    question = browser.post(invoice.hosted_invoice_url, data={}).headers["location"]
    assert browser.post(question, data={"answer": "complete"}).status_code == 303
    applied = shop.harness.v1.subscriptions.retrieve(subscription.id)
    assert applied.items.data[0].price.id == shop.enterprise


def test_pending_updates_accept_only_documented_parameters(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer())
    with pytest.raises(stripe.InvalidRequestError, match="metadata"):
        upgrade(shop, subscription, shop.enterprise, metadata={"a": "b"})


def test_error_if_incomplete_rolls_back_a_declined_upgrade(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer)
    shop.harness.v1.subscriptions.update(
        subscription.id,
        {
            "default_payment_method": shop.harness.v1.payment_methods.attach(
                "pm_card_chargeCustomerFail", {"customer": customer}
            ).id
        },
    )
    before = event_types(shop)
    with pytest.raises(stripe.CardError):
        upgrade(shop, subscription, shop.enterprise, payment_behavior="error_if_incomplete")
    assert event_types(shop) == before
    assert len(shop.harness.v1.invoices.list().data) == 1


def test_a_plan_change_during_a_trial_is_free(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer(), subscription_data={"trial_period_days": 14})
    changed = upgrade(shop, subscription, shop.enterprise)
    assert changed.items.data[0].price.id == shop.enterprise
    assert changed.trial_end == subscription.trial_end
    assert len(shop.harness.v1.invoices.list().data) == 1


def test_trial_end_now_starts_and_bills_the_first_period(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer(), subscription_data={"trial_period_days": 14})
    shop.harness.pass_time(DAY)
    now = shop.harness.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    assert (now.status, now.trial_end) == ("active", shop.harness.now())
    assert now.items.data[0].current_period_start == shop.harness.now()
    assert shop.harness.v1.invoices.retrieve(now.latest_invoice).amount_paid == 2900


def downgrade(shop: Shop, subscription: object) -> object:
    """Schedule a downgrade for the next period."""
    v1 = shop.harness.v1
    schedule = v1.subscription_schedules.create({"from_subscription": subscription.id})  # type: ignore[attr-defined]
    current = schedule.phases[0]
    return v1.subscription_schedules.update(
        schedule.id,
        {
            "end_behavior": "release",
            "phases": [
                {
                    "items": [{"price": shop.enterprise, "quantity": 1}],
                    "start_date": current.start_date,
                    "end_date": current.end_date,
                },
                {
                    "items": [{"price": shop.pro, "quantity": 1}],
                    "duration": {"interval": "month", "interval_count": 1},
                    "proration_behavior": "none",
                },
            ],
        },
    )


def test_a_scheduled_downgrade_takes_effect_with_the_next_period(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer, price=shop.enterprise)
    schedule = downgrade(shop, subscription)
    v1 = shop.harness.v1
    assert v1.subscriptions.retrieve(subscription.id).schedule == schedule.id
    assert v1.subscriptions.retrieve(subscription.id).items.data[0].price.id == shop.enterprise
    before = len(event_types(shop))
    advance(shop, customer, days=32)
    changed = v1.subscriptions.retrieve(subscription.id)
    assert changed.items.data[0].price.id == shop.pro
    assert changed.items.data[0].id == subscription.items.data[0].id
    assert [one.total for one in v1.invoices.list().data] == [2900, 9900]
    assert in_order(
        event_types(shop, before),
        "subscription_schedule.updated",
        "customer.subscription.updated",
        "invoice.created",
        "invoice.paid",
    )
    advance(shop, customer, days=31)
    assert v1.subscription_schedules.retrieve(schedule.id).status == "released"
    assert v1.subscriptions.retrieve(subscription.id).schedule is None
    assert [one.total for one in v1.invoices.list().data] == [2900, 2900, 9900]


def test_a_scheduled_subscription_cannot_be_changed_directly(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer(), price=shop.enterprise)
    schedule = downgrade(shop, subscription)
    v1 = shop.harness.v1
    for params in (
        {"cancel_at_period_end": True},
        {"items": [{"id": subscription.items.data[0].id, "price": shop.pro}]},
    ):
        with pytest.raises(stripe.InvalidRequestError, match=schedule.id):
            v1.subscriptions.update(subscription.id, params)
    with pytest.raises(stripe.InvalidRequestError, match="already attached"):
        v1.subscription_schedules.create({"from_subscription": subscription.id})
    assert v1.subscription_schedules.release(schedule.id).released_subscription == subscription.id
    assert v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True}).cancel_at


@pytest.mark.parametrize(
    ("phases", "param"),
    [
        ([{"items": [{"price": "{pro}"}]}], "phases[0][start_date]"),
        ([{"items": [{"price": "{pro}"}], "start_date": 5}], "phases[0][start_date]"),
        ([{"items": [{"price": "{pro}"}], "iterations": 1}], "phases[0][iterations]"),
        (
            [{"items": [{"price": "price_none"}], "start_date": "{start}"}],
            "phases[0][items][0][price]",
        ),
        (
            [{"items": [{"price": "{pro}"}], "start_date": "{start}", "end_date": 9}],
            "phases[0][end_date]",
        ),
    ],
)
def test_invalid_phases_are_refused(shop: Shop, phases: list[dict], param: str) -> None:
    subscription = subscribe(shop, shop.customer())
    made = shop.harness.v1.subscription_schedules.create({"from_subscription": subscription.id})
    filled = [
        {
            **phase,
            "items": [
                {"price": item["price"].replace("{pro}", shop.pro)} for item in phase["items"]
            ],
            **(
                {"start_date": made.phases[0].start_date}
                if phase.get("start_date") == "{start}"
                else {}
            ),
        }
        for phase in phases
    ]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.harness.v1.subscription_schedules.update(made.id, {"phases": filled})
    assert refused.value.param == param


@pytest.mark.parametrize("both", [True, False])
def test_cancel_at_period_end_can_be_undone(shop: Shop, both: bool) -> None:
    shop.harness.control("settings", api_cancel_sets_cancel_at=both)
    customer = shop.customer()
    subscription = subscribe(shop, customer)
    v1, end = shop.harness.v1, subscription.items.data[0].current_period_end
    ending = v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert (ending.status, ending.cancel_at_period_end) == ("active", True)
    assert ending.cancel_at == (end if both else None)
    assert ending.cancellation_details.reason == "cancellation_requested"
    back = v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    assert (back.cancel_at, back.canceled_at, back.cancel_at_period_end) == (None, None, False)
    v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    advance(shop, customer, days=31)
    gone = v1.subscriptions.retrieve(subscription.id)
    assert (gone.status, gone.ended_at) == ("canceled", end)
    assert event_types(shop)[-2] == "customer.subscription.deleted"
    assert len(v1.invoices.list().data) == 1
    with pytest.raises(stripe.InvalidRequestError):
        v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})


def test_an_immediate_cancellation_credits_unused_time(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer)
    half_way(shop, subscription)
    v1 = shop.harness.v1
    gone = v1.subscriptions.cancel(
        subscription.id,
        {
            "prorate": True,
            "invoice_now": True,
            "cancellation_details": {"feedback": "unused", "comment": "bye"},
        },
    )
    assert (gone.status, gone.cancellation_details.feedback) == ("canceled", "unused")
    assert v1.invoices.list().data[0].total == -1450
    assert v1.customers.retrieve(customer).balance == -1450
    with pytest.raises(stripe.InvalidRequestError):
        v1.subscriptions.cancel(subscription.id)
    assert v1.subscriptions.list().data == []
    assert len(v1.subscriptions.list({"status": "ended"}).data) == 1
    assert len(v1.subscriptions.list({"status": "all"}).data) == 1


def test_deleting_a_customer_cancels_its_subscriptions(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer)
    v1 = shop.harness.v1
    assert v1.customers.delete(customer).deleted
    assert v1.customers.retrieve(customer).deleted
    assert v1.subscriptions.retrieve(subscription.id).status == "canceled"
    types = event_types(shop)
    assert in_order(types, "customer.subscription.deleted", "customer.deleted")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_checkout(shop, customer)
    assert (refused.value.code, refused.value.param) == ("resource_missing", "customer")


def test_billing_cycle_anchor_now_starts_a_new_period(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer())
    half_way(shop, subscription)
    moved = upgrade(shop, subscription, shop.enterprise, billing_cycle_anchor={"type": "now"})
    assert moved.items.data[0].current_period_start == shop.harness.now()
    assert moved.billing_cycle_anchor == shop.harness.now()
    assert shop.harness.v1.invoices.retrieve(moved.latest_invoice).total == 9900 - 1450


def test_invalid_item_changes_are_refused(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer())
    for items, code in (
        ([{"id": "si_none", "price": shop.pro}], "resource_missing"),
        ([{"price": shop.pro}], None),
        ([{"id": subscription.items.data[0].id, "deleted": True}], None),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            shop.harness.v1.subscriptions.update(subscription.id, {"items": items})
        assert refused.value.code == code


def yearly_price(shop: Shop) -> str:
    product = shop.harness.v1.prices.retrieve(shop.pro).product
    return shop.harness.v1.prices.create(
        {
            "product": product,
            "currency": "usd",
            "unit_amount": 29000,
            "recurring": {"interval": "year"},
        }
    ).id


def test_a_change_to_yearly_credits_the_month_and_starts_a_year_now(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer())
    middle, price = half_way(shop, subscription), yearly_price(shop)
    shown = preview(shop, subscription, price, proration_date=middle)
    changed = upgrade(shop, subscription, price, proration_date=middle)
    charged = shop.harness.v1.invoices.retrieve(changed.latest_invoice)
    assert [line.amount for line in charged.lines.data] == [-1450, 29000]
    assert shown.total == charged.amount_paid == 27550
    assert charged.lines.data[1].description.endswith("(at $290.00 / year)")
    details = [line.parent.subscription_item_details.proration for line in charged.lines.data]
    assert details == [True, False]  # the year is a whole period
    item = changed.items.data[0]
    assert (item.current_period_start, changed.billing_cycle_anchor) == (middle, middle)
    assert (item.current_period_end - middle) // DAY in (365, 366)


def test_a_schedule_changes_to_monthly_when_the_year_ends(shop: Shop) -> None:
    subscription = subscribe(shop, shop.customer(), price=yearly_price(shop))
    end = subscription.items.data[0].current_period_end
    schedules = shop.harness.v1.subscription_schedules
    schedule = schedules.create({"from_subscription": subscription.id})
    current = schedule.phases[0]
    phases: list[object] = [
        {
            "items": [{"price": current.items[0].price, "quantity": 1}],
            "start_date": current.start_date,
            "end_date": current.end_date,
        },
        {
            "items": [{"price": shop.pro, "quantity": 1}],
            "duration": {"interval": "month", "interval_count": 1},
            "proration_behavior": "none",
        },
    ]
    schedules.update(schedule.id, {"phases": phases, "end_behavior": "release"})  # type: ignore[arg-type]
    shop.harness.pass_time(end - shop.harness.now() + 1)
    found = shop.harness.v1.subscriptions.retrieve(subscription.id)
    item = found.items.data[0]
    assert (item.price.id, item.current_period_start) == (shop.pro, end)
    assert (item.current_period_end - end) // DAY in range(28, 32)
    charged = shop.harness.v1.invoices.retrieve(found.latest_invoice)
    assert (charged.amount_paid, len(charged.lines.data)) == (2900, 1)

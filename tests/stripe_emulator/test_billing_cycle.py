"""Trials, renewals, failed payments and retries over time."""

from typing import Any

import pytest
import stripe

from stripe_emulator import periods
from tests.stripe_emulator.actions import (
    EXPIRED,
    FAILS_LATER,
    advance,
    card,
    event_types,
    in_order,
    subscribe,
)
from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.stripe_server import DAY

TRIAL = {"subscription_data": {"trial_period_days": 14}}


def failing(shop: Shop) -> tuple[str, Any]:
    """Return a customer whose next payments fail, and the subscription."""
    customer = shop.customer()
    subscription = subscribe(shop, customer)
    v1 = shop.harness.v1
    bad = v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    v1.subscriptions.update(subscription.id, {"default_payment_method": bad.id})
    return customer, subscription


def statuses(shop: Shop, subscription: Any) -> tuple[str, Any]:
    found = shop.harness.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    return found.status, found.latest_invoice


def test_a_renewal_drafts_finalizes_and_charges_an_invoice(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer)
    before = len(event_types(shop))
    end = subscription.items.data[0].current_period_end
    assert advance(shop, customer, to="next")["now"] == end - 7 * DAY
    assert "invoice.upcoming" in event_types(shop, before)
    assert advance(shop, customer, to="next")["now"] == end
    status, draft = statuses(shop, subscription)
    assert (status, draft.status, draft.billing_reason) == ("active", "draft", "subscription_cycle")
    assert draft.automatically_finalizes_at == end + 3600
    assert (draft.period_start, draft.period_end) == (end - 30 * DAY, end)
    assert draft.lines.data[0].period.start == end
    assert advance(shop, customer, to="next")["now"] == end + 3600
    assert statuses(shop, subscription)[1].amount_paid == 2900
    assert in_order(
        event_types(shop, before),
        "invoice.upcoming",
        "customer.subscription.updated",
        "invoice.created",
        "invoice.finalized",
        "charge.succeeded",
        "invoice.paid",
    )


def test_subscriptions_renew_in_real_time(shop: Shop) -> None:
    subscribe(shop, shop.customer())
    shop.harness.pass_time(3 * 31 * DAY)
    assert [one.total for one in shop.harness.v1.invoices.list().data] == [2900] * 4
    assert shop.harness.emulator.run_due() == 0


def test_a_trial_emits_trial_will_end_and_is_then_charged(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer, **TRIAL)
    before = len(event_types(shop))
    advance(shop, customer, days=10)
    assert "customer.subscription.trial_will_end" not in event_types(shop, before)
    advance(shop, customer, days=1)
    assert event_types(shop, before).count("customer.subscription.trial_will_end") == 1
    advance(shop, customer, days=3)
    status, draft = statuses(shop, subscription)
    assert (status, draft.status, draft.total) == ("active", "draft", 2900)
    advance(shop, customer, hours=1)
    assert statuses(shop, subscription)[1].status == "paid"
    assert event_types(shop, before).count("customer.subscription.trial_will_end") == 1


def test_a_trial_whose_card_fails_becomes_past_due(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer, FAILS_LATER, **TRIAL)
    advance(shop, customer, days=14, hours=2)
    status, invoice = statuses(shop, subscription)
    assert (status, invoice.attempt_count) == ("past_due", 1)


@pytest.mark.parametrize(
    ("choice", "status", "event"),
    [
        ("cancel", "canceled", "customer.subscription.deleted"),
        ("pause", "paused", "customer.subscription.paused"),
        ("create_invoice", "past_due", "invoice.payment_failed"),
    ],
)
def test_a_trial_without_a_card_follows_missing_payment_method(
    shop: Shop, choice: str, status: str, event: str
) -> None:
    customer = shop.customer()
    subscription = shop.harness.v1.subscriptions.create(
        {
            "customer": customer,
            "items": [{"price": shop.pro}],
            "trial_period_days": 14,
            "trial_settings": {"end_behavior": {"missing_payment_method": choice}},
        }
    )
    advance(shop, customer, days=15)
    found, _ = statuses(shop, subscription)
    assert found == status
    assert event in event_types(shop)


def test_a_paused_trial_resumes_after_a_card_was_added(shop: Shop) -> None:
    customer = shop.customer()
    v1 = shop.harness.v1
    subscription = v1.subscriptions.create(
        {
            "customer": customer,
            "items": [{"price": shop.pro}],
            "trial_period_days": 14,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        }
    )
    with pytest.raises(stripe.InvalidRequestError, match="trialing"):
        v1.subscriptions.resume(subscription.id)
    advance(shop, customer, days=15)
    paused = v1.subscriptions.retrieve(subscription.id)
    reason = paused.status_details.paused.subscription.type
    assert reason == "trial_end_without_payment_method"
    v1.subscriptions.update(subscription.id, {"default_payment_method": "pm_card_visa"})
    resumed = v1.subscriptions.resume(subscription.id)
    assert resumed.status == "active"
    assert "customer.subscription.resumed" in event_types(shop)
    assert v1.invoices.retrieve(resumed.latest_invoice).amount_paid == 2900


def test_failed_payments_are_retried_until_the_subscription_is_canceled(shop: Shop) -> None:
    customer, subscription = failing(shop)
    end = subscription.items.data[0].current_period_end
    before = len(event_types(shop))
    seen = []
    advance(shop, customer, to=end + 3600)
    for _ in range(4):
        status, invoice = statuses(shop, subscription)
        after = invoice.next_payment_attempt
        seen.append((status, invoice.attempt_count, after and (after - end - 3600) // DAY))
        if after:
            advance(shop, customer, to=after)
    assert seen == [
        ("past_due", 1, 3),
        ("past_due", 2, 8),
        ("past_due", 3, 15),
        ("canceled", 4, None),
    ]
    types = event_types(shop, before)
    assert types.count("invoice.payment_failed") == 4
    assert in_order(types, "charge.failed", "invoice.payment_failed")
    gone = shop.harness.v1.subscriptions.retrieve(subscription.id)
    assert gone.cancellation_details.reason == "payment_failed"
    event = shop.harness.v1.events.list({"type": "customer.subscription.updated"}).data[0]
    assert event.data.previous_attributes.to_dict() == {"status": "active"}


@pytest.mark.parametrize(
    ("setting", "status"), [("unpaid", "unpaid"), ("past_due", "past_due"), ("pause", "paused")]
)
def test_after_retries_decides_what_follows_the_last_retry(
    shop: Shop, setting: str, status: str
) -> None:
    shop.harness.control("settings", after_retries=setting, retry_days=[1])
    customer, subscription = failing(shop)
    advance(shop, customer, days=33)
    found, invoice = statuses(shop, subscription)
    assert (found, invoice.attempt_count, invoice.next_payment_attempt) == (status, 2, None)


def test_unpaid_subscriptions_draft_invoices_without_charging(shop: Shop) -> None:
    shop.harness.control("settings", after_retries="unpaid", retry_days=[1])
    customer, subscription = failing(shop)
    advance(shop, customer, days=64)
    status, invoice = statuses(shop, subscription)
    assert (status, invoice.status, invoice.auto_advance) == ("unpaid", "draft", False)


@pytest.mark.parametrize("way", ["api", "page", "retry"])
def test_paying_the_invoice_reactivates_the_subscription(shop: Shop, way: str) -> None:
    customer, subscription = failing(shop)
    advance(shop, customer, days=31)
    v1 = shop.harness.v1
    status, invoice = statuses(shop, subscription)
    assert status == "past_due"
    if way == "api":
        v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    elif way == "page":
        shop.harness.browser.post(invoice.hosted_invoice_url, data=card("4242424242424242"))
    else:
        v1.subscriptions.update(subscription.id, {"default_payment_method": "pm_card_visa"})
        advance(shop, customer, days=4)
    status, invoice = statuses(shop, subscription)
    assert (status, invoice.status, invoice.next_payment_attempt) == ("active", "paid", None)
    event = v1.events.list({"type": "customer.subscription.updated"}).data[0]
    assert event.data.previous_attributes.to_dict()["status"] == "past_due"


def test_a_manual_payment_attempt_does_not_move_the_retries(shop: Shop) -> None:
    customer, subscription = failing(shop)
    advance(shop, customer, days=31)
    _, before = statuses(shop, subscription)
    with pytest.raises(stripe.CardError) as refused:
        shop.harness.v1.invoices.pay(before.id)
    assert refused.value.code == "card_declined"
    assert refused.value.http_status == 402
    _, after = statuses(shop, subscription)
    assert after.attempt_count == before.attempt_count == 1
    assert after.next_payment_attempt == before.next_payment_attempt


def test_an_expired_card_is_not_charged_again(shop: Shop) -> None:
    customer = shop.customer()
    subscription = subscribe(shop, customer, **TRIAL)
    v1 = shop.harness.v1
    with pytest.raises(stripe.CardError):
        v1.payment_methods.attach("pm_card_chargeDeclinedExpiredCard", {"customer": customer})
    # The card can be attached and expires later.
    books = shop.harness.emulator.store
    with books.writing() as connection:
        connection.execute(
            "update objects set body = json_set(body, '$._behaviour', ?)"
            " where kind = 'payment_method' and customer = ?",
            (EXPIRED, customer),
        )
    advance(shop, customer, days=19)
    status, invoice = statuses(shop, subscription)
    assert (status, invoice.attempt_count) == ("past_due", 2)
    assert len(v1.charges.list().data) == 1
    v1.subscriptions.update(subscription.id, {"default_payment_method": "pm_card_visa"})
    advance(shop, customer, days=5)
    assert statuses(shop, subscription)[0] == "active"


def test_voiding_the_open_invoice_reactivates_the_subscription(shop: Shop) -> None:
    customer, subscription = failing(shop)
    advance(shop, customer, days=31)
    _, invoice = statuses(shop, subscription)
    voided = shop.harness.v1.invoices.void_invoice(invoice.id)
    assert (voided.status, voided.next_payment_attempt) == ("void", None)
    assert statuses(shop, subscription)[0] == "active"
    assert {"invoice.voided", "payment_intent.canceled"} <= set(event_types(shop))
    with pytest.raises(stripe.InvalidRequestError):
        shop.harness.v1.invoices.pay(invoice.id)


def test_an_incomplete_subscription_expires(shop: Shop) -> None:
    customer = shop.customer(card="pm_card_chargeCustomerFail")
    v1 = shop.harness.v1
    params = {"customer": customer, "items": [{"price": shop.pro}]}
    first = v1.subscriptions.create(params)
    second = v1.subscriptions.create(params)
    assert (first.status, second.status) == ("incomplete", "incomplete")
    v1.invoices.pay(second.latest_invoice, {"payment_method": "pm_card_visa"})
    shop.harness.pass_time(DAY)
    assert v1.subscriptions.retrieve(first.id).status == "incomplete_expired"
    assert v1.invoices.retrieve(first.latest_invoice).status == "void"
    assert v1.subscriptions.retrieve(second.id).status == "active"


def test_an_anchor_on_the_31st_is_clamped_to_shorter_months(shop: Shop) -> None:
    anchor = 1_769_860_800  # 2026-01-31 12:00 UTC
    ends = [periods.format_day(periods.add_intervals(anchor, "month", count)) for count in range(4)]
    assert ends == ["31 Jan 2026", "28 Feb 2026", "31 Mar 2026", "30 Apr 2026"]
    clock = shop.harness.v1.test_helpers.test_clocks.create({"frozen_time": anchor})
    customer = shop.harness.v1.customers.create(
        {
            "test_clock": clock.id,
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        }
    )
    subscription = shop.harness.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": shop.pro}]}
    )
    for wanted in ends[1:]:
        end = subscription.items.data[0].current_period_end
        assert periods.format_day(end) == wanted
        done = shop.harness.v1.test_helpers.test_clocks.advance(
            clock.id, {"frozen_time": end + 3600}
        )
        assert (done.status, done.frozen_time) == ("ready", end + 3600)
        subscription = shop.harness.v1.subscriptions.retrieve(subscription.id)


def test_test_clocks_enforce_stripes_limits(shop: Shop) -> None:
    clocks = shop.harness.v1.test_helpers.test_clocks
    clock = clocks.create({"frozen_time": shop.harness.now()})
    customer = shop.harness.v1.customers.create({"test_clock": clock.id, "email": "c@example.com"})
    shop.harness.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": shop.pro}], "trial_period_days": 14}
    )
    for wrong in (shop.harness.now() - 1, shop.harness.now() + 100 * DAY):
        with pytest.raises(stripe.InvalidRequestError):
            clocks.advance(clock.id, {"frozen_time": wrong})
    shop.harness.pass_time(100 * DAY)
    on_clock = shop.harness.v1.subscriptions.list({"test_clock": clock.id}).data
    assert [one.status for one in on_clock] == ["trialing"]
    assert shop.harness.v1.subscriptions.list({"test_clock": "clock_none"}).data == []
    assert clocks.delete(clock.id).deleted
    assert shop.harness.v1.subscriptions.list().data == []

"""Checkout with every kind of test card."""

import re

import pytest

from tests.stripe_emulator.actions import (
    ALWAYS_AUTHENTICATES,
    AUTHENTICATES,
    DECLINED,
    EXPIRED,
    FAILS_LATER,
    GOOD,
    NO_FUNDS,
    advance,
    card,
    event_types,
    in_order,
    open_checkout,
    subscribe,
)
from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.stripe_server import DAY

TRIAL = {"subscription_data": {"trial_period_days": 14}}


def test_a_paid_checkout_creates_an_active_subscription(shop: Shop) -> None:
    customer = shop.customer()
    session = open_checkout(shop, customer, client_reference_id="user 7")
    answer = shop.harness.browser.post(session.url, data=card(GOOD))
    assert answer.headers["location"] == f"http://app.test/done?id={session.id}"
    done = shop.harness.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["subscription.latest_invoice", "line_items"]}
    )
    assert (done.status, done.payment_status, done.amount_total) == ("complete", "paid", 2900)
    assert done.client_reference_id == "user 7"
    assert done.line_items.data[0].price.id == shop.pro
    subscription = done.subscription
    assert subscription.status == "active"
    invoice = subscription.latest_invoice
    assert (invoice.status, invoice.amount_paid) == ("paid", 2900)
    assert invoice.billing_reason == "subscription_create"
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert subscription.billing_mode.type == "flexible"
    item = subscription.items.data[0]
    assert (item.current_period_end - item.current_period_start) // DAY == 30


def test_a_paid_checkout_emits_stripes_events(shop: Shop) -> None:
    before = len(event_types(shop))
    subscribe(shop, shop.customer())
    types = event_types(shop, before)
    assert set(types) >= {
        "customer.created",
        "payment_method.attached",
        "charge.succeeded",
        "payment_intent.succeeded",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "checkout.session.completed",
    }
    assert in_order(types, "invoice.created", "invoice.finalized", "invoice.paid")
    assert in_order(types, "charge.succeeded", "customer.subscription.created")
    assert types[-1] == "checkout.session.completed"


@pytest.mark.parametrize("number", [DECLINED, FAILS_LATER, NO_FUNDS, EXPIRED])
def test_a_declined_card_creates_no_subscription(shop: Shop, number: str) -> None:
    session = open_checkout(shop, shop.customer())
    answer = shop.harness.browser.post(session.url, data=card(number))
    assert answer.status_code == 402
    assert 'data-testid="checkout-error"' in answer.text
    assert shop.harness.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert shop.harness.v1.subscriptions.list({"status": "all"}).data == []
    assert shop.harness.v1.invoices.list().data == []
    assert "charge.failed" in event_types(shop)
    assert shop.harness.browser.post(session.url, data=card(GOOD)).status_code == 303


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"number": "4242424242424241"}, "card number is invalid"),
        ({"number": ""}, "card number is invalid"),
        ({"number": "4539578763621486"}, "non test card"),
        ({"expiry": "13/34"}, "expiration month"),
        ({"expiry": "01/20"}, "expiration year"),
        ({"expiry": "soon"}, "incomplete"),
        ({"cvc": "12"}, "security code"),
    ],
)
def test_invalid_card_fields_show_stripes_error(
    shop: Shop, wrong: dict[str, str], says: str
) -> None:
    session = open_checkout(shop, shop.customer())
    answer = shop.harness.browser.post(session.url, data=card(GOOD) | wrong)
    assert answer.status_code == 402
    assert says in answer.text


def test_submitting_checkout_twice_charges_once(shop: Shop) -> None:
    session = open_checkout(shop, shop.customer())
    for _ in range(2):
        assert shop.harness.browser.post(session.url, data=card(GOOD)).status_code == 303
    assert shop.harness.browser.get(session.url).status_code == 303
    assert len(shop.harness.v1.subscriptions.list().data) == 1
    assert len(shop.harness.v1.charges.list().data) == 1


def test_a_trial_has_nothing_due_today(shop: Shop) -> None:
    customer = shop.customer()
    page = shop.harness.browser.get(open_checkout(shop, customer, **TRIAL).url).text
    assert "14 days free" in page
    assert re.search(r'checkout-total">\$0\.00<', page)
    assert "$29.00 per month" in page
    subscription = subscribe(shop, customer, **TRIAL)
    assert subscription.status == "trialing"
    assert subscription.trial_end - subscription.trial_start == 14 * DAY
    invoice = shop.harness.v1.invoices.retrieve(subscription.latest_invoice)
    assert (invoice.status, invoice.total) == ("paid", 0)
    assert "setup_intent.succeeded" in event_types(shop)


def test_a_card_that_fails_on_charge_can_start_a_trial(shop: Shop) -> None:
    assert subscribe(shop, shop.customer(), FAILS_LATER, **TRIAL).status == "trialing"


def test_a_card_that_cannot_be_attached_cannot_start_a_trial(shop: Shop) -> None:
    session = open_checkout(shop, shop.customer(), **TRIAL)
    assert shop.harness.browser.post(session.url, data=card(DECLINED)).status_code == 402
    assert "setup_intent.setup_failed" in event_types(shop)


def test_a_trial_can_start_without_a_card(shop: Shop) -> None:
    session = open_checkout(
        shop,
        shop.customer(),
        payment_method_collection="if_required",
        subscription_data={
            "trial_period_days": 14,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        },
    )
    assert shop.harness.browser.post(session.url, data={}).status_code == 303
    subscription = shop.harness.v1.subscriptions.list().data[0]
    assert (subscription.status, subscription.default_payment_method) == ("trialing", None)


@pytest.mark.parametrize("number", [AUTHENTICATES, ALWAYS_AUTHENTICATES])
@pytest.mark.parametrize("given", [{}, TRIAL])
def test_checkout_continues_after_a_3d_secure_challenge(
    shop: Shop, number: str, given: dict[str, object]
) -> None:
    session = open_checkout(shop, shop.customer(), **given)
    browser = shop.harness.browser
    question = browser.post(session.url, data=card(number)).headers["location"]
    assert shop.harness.v1.subscriptions.list().data == []
    assert "3D Secure" in browser.get(question).text
    back = browser.post(question, data={"answer": "fail"}).headers["location"]
    assert "could not confirm" in browser.get(back).text
    assert browser.post(question, data={"answer": "complete"}).status_code == 404
    question = browser.post(session.url, data=card(number)).headers["location"]
    done = browser.post(question, data={"answer": "complete"}).headers["location"]
    assert done == f"http://app.test/done?id={session.id}"
    assert len(shop.harness.v1.subscriptions.list().data) == 1


def test_a_card_that_always_requires_authentication_fails_at_renewal(shop: Shop) -> None:
    for number, status in ((AUTHENTICATES, "active"), (ALWAYS_AUTHENTICATES, "past_due")):
        customer = shop.customer()
        session = open_checkout(shop, customer)
        question = shop.harness.browser.post(session.url, data=card(number)).headers["location"]
        shop.harness.browser.post(question, data={"answer": "complete"})
        advance(shop, customer, days=32)
        found = shop.harness.v1.subscriptions.list({"customer": customer}).data[0]
        assert found.status == status


def test_checkout_creates_the_customer_only_on_completion(shop: Shop) -> None:
    session = open_checkout(shop, None)
    browser = shop.harness.browser
    assert browser.post(session.url, data=card(GOOD)).status_code == 402
    assert shop.harness.v1.customers.list().data == []
    answer = browser.post(session.url, data={**card(GOOD), "email": "new@example.com"})
    assert answer.status_code == 303
    done = shop.harness.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert done.customer.email == "new@example.com"
    assert done.customer_details.email == "new@example.com"


def test_an_expired_session_cannot_be_paid(shop: Shop) -> None:
    first = open_checkout(shop, shop.customer())
    shop.harness.v1.checkout.sessions.expire(first.id)
    second = open_checkout(shop, shop.customer())
    shop.harness.pass_time(DAY)
    for session in (first, second):
        assert shop.harness.v1.checkout.sessions.retrieve(session.id).status == "expired"
        assert shop.harness.browser.post(session.url, data=card(GOOD)).status_code == 404
    assert event_types(shop).count("checkout.session.expired") == 2


def test_setup_mode_saves_a_card(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.harness.v1.checkout.sessions.create(
        {
            "mode": "setup",
            "currency": "usd",
            "customer": customer,
            "success_url": "http://app.test/{CHECKOUT_SESSION_ID}",
        }
    )
    assert shop.harness.browser.post(session.url, data=card(GOOD)).status_code == 303
    done = shop.harness.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    kept = shop.harness.v1.payment_methods.list({"customer": customer}).data
    assert [method.id for method in kept] == [done.setup_intent.payment_method]


def test_card_numbers_are_not_stored(shop: Shop) -> None:
    session = open_checkout(shop, shop.customer())
    shop.harness.browser.post(session.url, data=card("4539578763621486"))
    with shop.harness.emulator.store.reading() as connection:
        bodies = "".join(row["body"] for row in connection.execute("select body from objects"))
    assert "4539578763621486" not in bodies

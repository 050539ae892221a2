"""Common actions of customers, as helpers for tests."""

from typing import Any

from tests.stripe_emulator.conftest import Shop

GOOD = "4242 4242 4242 4242"
DECLINED = "4000000000000002"
FAILS_LATER = "4000000000000341"
NO_FUNDS = "4000000000009995"
AUTHENTICATES = "4000002500003155"
ALWAYS_AUTHENTICATES = "4000002760003184"
EXPIRED = "4000000000000069"


def card(number: str) -> dict[str, str]:
    """Return the form fields of a card."""
    return {"number": number, "expiry": "12 / 34", "cvc": "123", "name": "Ada"}


def open_checkout(shop: Shop, customer: str | None, *, price: str = "", **given: Any) -> Any:
    """Create a Checkout Session."""
    params: dict[str, Any] = {
        "mode": "subscription",
        "line_items": [{"price": price or shop.pro, "quantity": 1}],
        "success_url": "http://app.test/done?id={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://app.test/plans",
        **given,
    }
    if customer:
        params["customer"] = customer
    return shop.harness.v1.checkout.sessions.create(params)


def subscribe(shop: Shop, customer: str, number: str = GOOD, **given: Any) -> Any:
    """Complete Checkout on its page and return the subscription."""
    session = open_checkout(shop, customer, **given)
    answer = shop.harness.browser.post(session.url, data=card(number))
    assert answer.status_code == 303, answer.text
    done = shop.harness.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    return done.subscription


def advance(shop: Shop, customer: str, **how: Any) -> Any:
    """Advance a customer's test clock."""
    return shop.harness.control("advance", customer=customer, **how)


def event_types(shop: Shop, since: int = 0) -> list[str]:
    """Return the types of all events from position `since` on, oldest first."""
    found = shop.harness.v1.events.list({"limit": 100})
    return [event.type for event in found.auto_paging_iter()][::-1][since:]


def in_order(types: list[str], *wanted: str) -> bool:
    """Return whether the events occur in this order, possibly with others in between."""
    rest = iter(types)
    return all(any(found == one for found in rest) for one in wanted)


def upgrade(shop: Shop, subscription: Any, price: str, **given: Any) -> Any:
    """Change the price of a subscription now."""
    item = subscription.items.data[0]
    params: dict[str, Any] = {
        "items": [{"id": item.id, "price": price}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "pending_if_incomplete",
        **given,
    }
    return shop.harness.v1.subscriptions.update(subscription.id, params)


def set_card(shop: Shop, customer: str, subscription: str, name: str) -> None:
    """Set the default payment method of a subscription."""
    shop.harness.v1.subscriptions.update(subscription, {"default_payment_method": name})

"""The portal page, the hosted invoice page and the invoice PDF."""

import re
import zlib

import pytest
import stripe

from tests.stripe_emulator.actions import (
    DECLINED,
    FAILS_LATER,
    GOOD,
    advance,
    card,
    subscribe,
)
from tests.stripe_emulator.conftest import Shop


def portal_url(shop: Shop, customer: str) -> str:
    """Create a portal session and return its URL."""
    session = shop.harness.v1.billing_portal.sessions.create(
        {"customer": customer, "return_url": "http://app.test/billing"}
    )
    assert session.configuration == shop.portal
    return session.url


def text(page: str, testid: str) -> str:
    """Return the text of an element."""
    found = re.search(rf'data-testid="{testid}"[^>]*>([^<]*)<', page)
    assert found, f"no {testid}"
    return found[1]


def test_the_portal_shows_plan_card_and_invoices(shop: Shop) -> None:
    customer = shop.customer()
    subscribe(shop, customer)
    page = shop.harness.browser.get(portal_url(shop, customer)).text
    assert text(page, "portal-plan") == "Pro"
    assert text(page, "portal-status") == "active"
    assert text(page, "portal-card") == "Visa •••• 4242"
    assert page.count('data-testid="portal-invoice"') == 1
    assert "TEST MODE" in page


def test_cancelling_in_the_portal_sets_cancel_at_only(shop: Shop) -> None:
    customer = shop.customer()
    made = subscribe(shop, customer)
    url = portal_url(shop, customer)
    shop.harness.browser.post(url, data={"action": "cancel", "value": made.id})
    found = shop.harness.v1.subscriptions.retrieve(made.id)
    end = found.items.data[0].current_period_end
    assert (found.cancel_at, found.cancel_at_period_end) == (end, False)
    assert "Ends on" in text(shop.harness.browser.get(url).text, "portal-period")
    shop.harness.browser.post(url, data={"action": "resume", "value": made.id})
    assert shop.harness.v1.subscriptions.retrieve(made.id).cancel_at is None


def test_the_portal_replaces_the_card(shop: Shop) -> None:
    customer = shop.customer()
    made = subscribe(shop, customer)
    url = portal_url(shop, customer)
    refused = shop.harness.browser.post(url, data={"action": "card", **card(DECLINED)})
    assert (refused.status_code, text(refused.text, "portal-error")) == (
        402,
        "Your card was declined.",
    )
    shop.harness.browser.post(url, data={"action": "card", **card(FAILS_LATER)})
    found = shop.harness.v1.subscriptions.retrieve(
        made.id, {"expand": ["default_payment_method", "customer"]}
    )
    assert found.default_payment_method.card.last4 == "0341"
    default = found.customer.invoice_settings.default_payment_method
    assert default == found.default_payment_method.id
    advance(shop, customer, days=31)
    assert shop.harness.v1.subscriptions.retrieve(made.id).status == "past_due"


def test_the_portal_upgrades_now_and_schedules_downgrades(shop: Shop) -> None:
    customer = shop.customer()
    made = subscribe(shop, customer)
    v1, url = shop.harness.v1, portal_url(shop, customer)
    shop.harness.browser.post(url, data={"action": "switch", "value": shop.enterprise})
    assert v1.invoices.list().data[0].amount_paid == 7000
    shop.harness.browser.post(url, data={"action": "switch", "value": shop.pro})
    held = v1.subscriptions.retrieve(made.id, {"expand": ["schedule"]})
    assert held.items.data[0].price.id == shop.enterprise
    assert held.schedule.phases[1].items[0].price == shop.pro
    page = shop.harness.browser.post(url, data={"action": "cancel", "value": made.id})
    assert page.status_code == 402
    advance(shop, customer, days=32)
    assert v1.subscriptions.retrieve(made.id).items.data[0].price.id == shop.pro


@pytest.mark.parametrize("form", [{"action": "switch", "value": "price_x"}, {"action": "steal"}])
def test_disabled_portal_actions_are_refused(shop: Shop, form: dict[str, str]) -> None:
    customer = shop.customer()
    subscribe(shop, customer)
    assert shop.harness.browser.post(portal_url(shop, customer), data=form).status_code == 402


def test_the_portal_refuses_other_customers_subscriptions(shop: Shop) -> None:
    theirs = subscribe(shop, shop.customer())
    url = portal_url(shop, shop.customer("eve@example.com"))
    form = {"action": "cancel", "value": theirs.id}
    assert shop.harness.browser.post(url, data=form).status_code == 402
    assert shop.harness.v1.subscriptions.retrieve(theirs.id).cancel_at is None


def test_a_portal_session_expires_after_an_hour(shop: Shop) -> None:
    url = portal_url(shop, shop.customer())
    assert shop.harness.browser.get(url).status_code == 200
    assert shop.harness.browser.get(url[:-1]).status_code == 404
    shop.harness.pass_time(3601)
    assert shop.harness.browser.get(url).status_code == 404


def test_a_portal_session_requires_a_configuration(harness: object, shop: Shop) -> None:
    v1 = shop.harness.v1
    updated = v1.billing_portal.configurations.update(
        shop.portal, {"features": {"subscription_cancel": {"enabled": False}}}
    )
    assert updated.features.subscription_cancel.mode == "at_period_end"
    assert updated.is_default
    customer = shop.customer()
    made = subscribe(shop, customer)
    form = {"action": "cancel", "value": made.id}
    assert shop.harness.browser.post(portal_url(shop, customer), data=form).status_code == 402
    with pytest.raises(stripe.InvalidRequestError):
        v1.billing_portal.sessions.create({"customer": customer, "configuration": "bpc_none"})


def test_an_open_invoice_can_be_paid_on_its_page(shop: Shop) -> None:
    customer = shop.customer(card="pm_card_chargeCustomerFail")
    v1, browser = shop.harness.v1, shop.harness.browser
    made = v1.subscriptions.create({"customer": customer, "items": [{"price": shop.pro}]})
    invoice = v1.invoices.retrieve(made.latest_invoice)
    page = browser.get(invoice.hosted_invoice_url).text
    assert (text(page, "invoice-status"), text(page, "invoice-total")) == ("open", "$29.00")
    refused = browser.post(invoice.hosted_invoice_url, data={})
    assert text(refused.text, "invoice-error") == "Your card was declined."
    assert browser.post(invoice.hosted_invoice_url, data=card(GOOD)).status_code == 303
    assert text(browser.get(invoice.hosted_invoice_url).text, "invoice-status") == "paid"
    assert browser.post(invoice.hosted_invoice_url, data=card(GOOD)).status_code == 303
    assert v1.subscriptions.retrieve(made.id).status == "active"
    assert len([one for one in v1.charges.list().data if one.paid]) == 1


def test_the_invoice_pdf_contains_the_amounts(shop: Shop) -> None:
    made = subscribe(shop, shop.customer())
    invoice = shop.harness.v1.invoices.retrieve(made.latest_invoice)
    answer = shop.harness.browser.get(invoice.invoice_pdf)
    assert answer.headers["content-type"] == "application/pdf"
    assert f"Invoice-{invoice.number}.pdf" in answer.headers["content-disposition"]
    body = answer.content
    assert body.startswith(b"%PDF-1.4")
    packed = re.search(rb"stream\n(.*?)\nendstream", body, re.DOTALL)
    assert packed
    drawing = zlib.decompress(packed[1]).decode("cp1252")
    assert "(Receipt)" in drawing
    assert "($29.00)" in drawing
    assert f"(Number {invoice.number})" in drawing
    start = int(re.findall(rb"startxref\n(\d+)", body)[0])
    assert body[start:].startswith(b"xref")
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", body), 1):
        assert body[int(place) :].startswith(f"{number} 0 obj".encode())

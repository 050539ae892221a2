"""The portal, the hosted invoice and its PDF."""

import re
import zlib

import pytest
import stripe

from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.journeys import (
    DECLINED,
    FAILS_LATER,
    GOOD,
    advance,
    card,
    subscribe,
)


def visit(shop: Shop, owner: str) -> str:
    """Open the portal."""
    session = shop.machine.v1.billing_portal.sessions.create(
        {"customer": owner, "return_url": "http://app.test/billing"}
    )
    assert session.configuration == shop.portal
    return session.url


def text(page: str, testid: str) -> str:
    """Return what an element says."""
    found = re.search(rf'data-testid="{testid}"[^>]*>([^<]*)<', page)
    assert found, f"no {testid}"
    return found[1]


def test_the_portal_shows_plan_card_and_invoices(shop: Shop) -> None:
    owner = shop.customer()
    subscribe(shop, owner)
    page = shop.machine.browser.get(visit(shop, owner)).text
    assert text(page, "portal-plan") == "Pro"
    assert text(page, "portal-status") == "active"
    assert text(page, "portal-card") == "Visa •••• 4242"
    assert page.count('data-testid="portal-invoice"') == 1
    assert "TEST MODE" in page


def test_cancelling_in_the_portal_sets_cancel_at_only(shop: Shop) -> None:
    owner = shop.customer()
    made = subscribe(shop, owner)
    url = visit(shop, owner)
    shop.machine.browser.post(url, data={"action": "cancel", "value": made.id})
    found = shop.machine.v1.subscriptions.retrieve(made.id)
    end = found.items.data[0].current_period_end
    assert (found.cancel_at, found.cancel_at_period_end) == (end, False)
    assert "Ends on" in text(shop.machine.browser.get(url).text, "portal-period")
    shop.machine.browser.post(url, data={"action": "resume", "value": made.id})
    assert shop.machine.v1.subscriptions.retrieve(made.id).cancel_at is None


def test_changing_the_card_in_the_portal(shop: Shop) -> None:
    owner = shop.customer()
    made = subscribe(shop, owner)
    url = visit(shop, owner)
    refused = shop.machine.browser.post(url, data={"action": "card", **card(DECLINED)})
    assert (refused.status_code, text(refused.text, "portal-error")) == (
        402,
        "Your card was declined.",
    )
    shop.machine.browser.post(url, data={"action": "card", **card(FAILS_LATER)})
    found = shop.machine.v1.subscriptions.retrieve(
        made.id, {"expand": ["default_payment_method", "customer"]}
    )
    assert found.default_payment_method.card.last4 == "0341"
    default = found.customer.invoice_settings.default_payment_method
    assert default == found.default_payment_method.id
    advance(shop, owner, days=31)
    assert shop.machine.v1.subscriptions.retrieve(made.id).status == "past_due"


def test_switching_up_now_and_down_later(shop: Shop) -> None:
    owner = shop.customer()
    made = subscribe(shop, owner)
    v1, url = shop.machine.v1, visit(shop, owner)
    shop.machine.browser.post(url, data={"action": "switch", "value": shop.enterprise})
    assert v1.invoices.list().data[0].amount_paid == 7000
    shop.machine.browser.post(url, data={"action": "switch", "value": shop.pro})
    held = v1.subscriptions.retrieve(made.id, {"expand": ["schedule"]})
    assert held.items.data[0].price.id == shop.enterprise
    assert held.schedule.phases[1].items[0].price == shop.pro
    page = shop.machine.browser.post(url, data={"action": "cancel", "value": made.id})
    assert page.status_code == 402
    advance(shop, owner, days=32)
    assert v1.subscriptions.retrieve(made.id).items.data[0].price.id == shop.pro


@pytest.mark.parametrize("form", [{"action": "switch", "value": "price_x"}, {"action": "steal"}])
def test_the_portal_does_only_what_it_offers(shop: Shop, form: dict[str, str]) -> None:
    owner = shop.customer()
    subscribe(shop, owner)
    assert shop.machine.browser.post(visit(shop, owner), data=form).status_code == 402


def test_nobody_acts_on_another_persons_plan(shop: Shop) -> None:
    theirs = subscribe(shop, shop.customer())
    url = visit(shop, shop.customer("eve@example.com"))
    form = {"action": "cancel", "value": theirs.id}
    assert shop.machine.browser.post(url, data=form).status_code == 402
    assert shop.machine.v1.subscriptions.retrieve(theirs.id).cancel_at is None


def test_a_visit_lasts_an_hour(shop: Shop) -> None:
    url = visit(shop, shop.customer())
    assert shop.machine.browser.get(url).status_code == 200
    assert shop.machine.browser.get(url[:-1]).status_code == 404
    shop.machine.pass_time(3601)
    assert shop.machine.browser.get(url).status_code == 404


def test_a_portal_needs_a_configuration(stripe_machine: object, shop: Shop) -> None:
    v1 = shop.machine.v1
    updated = v1.billing_portal.configurations.update(
        shop.portal, {"features": {"subscription_cancel": {"enabled": False}}}
    )
    assert updated.features.subscription_cancel.mode == "at_period_end"
    assert updated.is_default
    owner = shop.customer()
    made = subscribe(shop, owner)
    form = {"action": "cancel", "value": made.id}
    assert shop.machine.browser.post(visit(shop, owner), data=form).status_code == 402
    with pytest.raises(stripe.InvalidRequestError):
        v1.billing_portal.sessions.create({"customer": owner, "configuration": "bpc_none"})


def test_an_open_invoice_is_paid_on_its_page(shop: Shop) -> None:
    owner = shop.customer(card="pm_card_chargeCustomerFail")
    v1, browser = shop.machine.v1, shop.machine.browser
    made = v1.subscriptions.create({"customer": owner, "items": [{"price": shop.pro}]})
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


def test_the_pdf_says_what_was_paid(shop: Shop) -> None:
    made = subscribe(shop, shop.customer())
    invoice = shop.machine.v1.invoices.retrieve(made.latest_invoice)
    answer = shop.machine.browser.get(invoice.invoice_pdf)
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

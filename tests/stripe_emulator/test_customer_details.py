"""Name, address and tax ids: the portal's form, the API, and what invoices then show."""

import re
import zlib
from typing import Any

import pytest
import stripe

from stripe_emulator import tax_ids
from tests.stripe_emulator.actions import advance, event_types, subscribe
from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.test_pages import portal_url, text

ADDRESS = {"line1": "Torstraße 1", "postal_code": "10119", "city": "Berlin", "country": "DE"}
DETAILS = {"action": "details", "name": "Klang & Söhne GmbH", **ADDRESS}
VAT = {"action": "add-tax-id", "type": "eu_vat", "value": "de 123 456 789"}


@pytest.fixture
def customer(shop: Shop) -> str:
    """A customer whose portal offers address, name and tax id."""
    update: Any = {"enabled": True, "allowed_updates": ["address", "name", "tax_id"]}
    shop.harness.v1.billing_portal.configurations.update(
        shop.portal, {"features": {"customer_update": update}}
    )
    return shop.customer()


def pdf_text(content: bytes) -> str:
    """Return the drawing operators of a PDF page."""
    packed = re.search(rb"stream\n(.*?)\nendstream", content, re.DOTALL)
    assert packed
    return zlib.decompress(packed[1]).decode("cp1252")


def test_address_and_tax_id_are_on_invoices_finalized_afterwards(shop: Shop, customer: str) -> None:
    v1, browser = shop.harness.v1, shop.harness.browser
    first = subscribe(shop, customer).latest_invoice
    url = portal_url(shop, customer)
    for form in (DETAILS, VAT):
        assert browser.post(url, data=form).status_code == 303
    page = browser.get(url).text
    assert "EU VAT <strong>DE123456789</strong>" in page
    assert 'value="Klang &amp; Söhne GmbH"' in page
    advance(shop, customer, days=31)
    second, old = v1.invoices.list({"customer": customer}).data
    assert (old.id, old.customer_address, old.customer_tax_ids) == (first, None, [])
    assert second.customer_name == "Klang & Söhne GmbH"
    assert second.customer_address.to_dict() == {**ADDRESS, "line2": None, "state": None}
    assert [one.to_dict() for one in second.customer_tax_ids] == [
        {"type": "eu_vat", "value": "DE123456789"}
    ]
    shown = browser.get(second.hosted_invoice_url).text
    drawing = pdf_text(browser.get(second.invoice_pdf).content)
    for line in ("Torstraße 1", "10119 Berlin", "DE", "EU VAT DE123456789"):
        assert f"<br>{line}" in shown
        assert f"({line})" in drawing
    assert "Torstraße" not in pdf_text(browser.get(old.invoice_pdf).content)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (DETAILS | {"country": "XX"}, "Country &#x27;XX&#x27; is unknown"),
        (DETAILS | {"line1": ""}, "Enter an address."),
        (DETAILS | {"line2": "x" * 501}, "too long"),
        (VAT | {"type": "moon_vat"}, "Invalid type"),
        (VAT | {"value": "DE12345678"}, "Invalid value for eu_vat."),
        (VAT | {"value": "US123456789"}, "Invalid value for eu_vat."),
        (VAT | {"type": "us_ein", "value": "12-34"}, "Invalid value for us_ein."),
        (VAT | {"type": "au_abn", "value": "١٢٣٤٥٦٧٨٩٠١"}, "Invalid value for au_abn."),
        ({"action": "remove-tax-id", "value": "txi_none"}, "No such tax id"),
    ],
)
def test_the_portal_refuses_wrong_details(
    shop: Shop, customer: str, form: dict[str, str], message: str
) -> None:
    answer = shop.harness.browser.post(portal_url(shop, customer), data=form)
    assert answer.status_code == 402
    assert message in text(answer.text, "portal-error")
    found = shop.harness.v1.customers.retrieve(customer, {"expand": ["tax_ids"]})
    assert (found.address, found.tax_ids.data) == (None, [])


def test_a_refused_form_keeps_what_was_entered(shop: Shop, customer: str) -> None:
    form = DETAILS | {"line1": ""}
    answer = shop.harness.browser.post(portal_url(shop, customer), data=form)
    assert 'value="10119"' in answer.text
    assert '<option value="DE" selected>' in answer.text


def test_a_portal_without_customer_update_refuses_it(shop: Shop) -> None:
    url = portal_url(shop, shop.customer())
    assert "Billing information" not in shop.harness.browser.get(url).text
    for form in (DETAILS, VAT, {"action": "remove-tax-id"}):
        assert shop.harness.browser.post(url, data=form).status_code == 402


def test_customer_update_needs_allowed_updates(shop: Shop) -> None:
    configurations = shop.harness.v1.billing_portal.configurations
    with pytest.raises(stripe.InvalidRequestError, match="allowed_updates"):
        configurations.update(shop.portal, {"features": {"customer_update": {"enabled": True}}})


def test_tax_ids_are_created_listed_and_deleted_through_the_api(shop: Shop, customer: str) -> None:
    v1 = shop.harness.v1
    made = v1.customers.tax_ids.create(customer, {"type": "eu_vat", "value": "EL123456789"})
    assert (made.country, made.verification.status) == ("GR", "pending")
    assert v1.customers.tax_ids.retrieve(customer, made.id).value == "EL123456789"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.customers.tax_ids.create(customer, {"type": "eu_vat", "value": "EL123456789"})
    assert refused.value.code == "resource_already_exists"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.customers.tax_ids.create(customer, {"type": "us_ein", "value": "abc"})
    assert refused.value.code == "tax_id_invalid"
    with pytest.raises(stripe.InvalidRequestError):
        v1.customers.tax_ids.retrieve(shop.customer("eve@example.com"), made.id)
    assert v1.customers.tax_ids.delete(customer, made.id).deleted
    assert v1.customers.tax_ids.list(customer).data == []
    assert event_types(shop)[-2:] == ["customer.created", "customer.tax_id.deleted"]
    for number in range(5):
        v1.customers.tax_ids.create(customer, {"type": "us_ein", "value": f"12-345678{number}"})
    with pytest.raises(stripe.InvalidRequestError, match="up to 5"):
        v1.customers.tax_ids.create(customer, {"type": "us_ein", "value": "12-3456789"})


def test_an_unknown_country_is_refused_by_the_api(shop: Shop, customer: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Country 'Germany' is unknown"):
        shop.harness.v1.customers.update(customer, {"address": {"country": "Germany"}})


def test_every_format_belongs_to_a_type_of_the_api_version() -> None:
    assert tax_ids.FORMATS.keys() <= set(tax_ids.known_types())
    assert {"DE", "US", "JP"} <= tax_ids.known_countries()


def test_the_portal_removes_tax_ids(shop: Shop, customer: str) -> None:
    url = portal_url(shop, customer)
    shop.harness.browser.post(url, data=VAT)
    (made,) = shop.harness.v1.customers.tax_ids.list(customer).data
    form = {"action": "remove-tax-id", "value": made.id}
    assert shop.harness.browser.post(url, data=form).status_code == 303
    assert "DE123456789" not in shop.harness.browser.get(url).text

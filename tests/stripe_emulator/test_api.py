"""The API as the official client and raw HTTP requests see it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from stripe_emulator import form_encoding
from stripe_emulator.errors import ApiError
from tests.stripe_emulator.actions import open_checkout, subscribe
from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.stripe_server import Harness


def raw(harness: Harness, method: str, path: str, **given: Any) -> Any:
    """Send a request without the client."""
    headers = {"Authorization": f"Bearer {harness.key}", **given.pop("headers", {})}
    return harness.browser.request(method, harness.base + path, headers=headers, **given)


@pytest.mark.parametrize("key", ["", "sk_test_wrong", "sk_live_nothing"])
def test_requests_without_a_valid_api_key_get_401(harness: Harness, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    for path in ("/v1/customers", "/dev/customers"):
        answer = harness.browser.get(harness.base + path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert harness.key not in answer.text


def test_the_api_key_can_be_sent_by_basic_authentication(harness: Harness) -> None:
    url = f"{harness.base}/v1/customers"
    assert harness.browser.get(url, auth=(harness.key, "")).status_code == 200


def test_a_wrong_api_key_raises_authentication_error(harness: Harness) -> None:
    client = stripe.StripeClient("sk_test_wrong", base_addresses={"api": harness.base})
    with pytest.raises(stripe.AuthenticationError):
        client.v1.customers.list()


def test_responses_have_request_id_and_version_headers(harness: Harness) -> None:
    headers = {"Stripe-Version": "2020-01-01", "Idempotency-Key": "k"}
    answer = raw(harness, "POST", "/v1/customers", headers=headers)
    assert answer.headers["request-id"].startswith("req_")
    assert answer.headers["stripe-version"] == "2020-01-01"
    assert answer.headers["idempotency-key"] == "k"
    default = raw(harness, "GET", "/v1/customers")
    assert default.headers["stripe-version"] == stripe.api_version


@pytest.mark.parametrize(
    ("params", "param", "code"),
    [
        ({"nonsense": "1"}, "nonsense", "parameter_unknown"),
        ({"address[planet]": "Mars"}, "address[planet]", "parameter_unknown"),
        ({"preferred_locales": "en"}, "preferred_locales", None),
        ({"tax_exempt": "maybe"}, "tax_exempt", None),
        ({"shipping[name]": "Ada"}, "shipping[address]", "parameter_missing"),
        ({"coupon": "x"}, "coupon", "parameter_unknown"),
        (
            {"invoice_settings[footer]": "x", "balance": "abc"},
            "balance",
            "parameter_invalid_integer",
        ),
        ({"tax_exempt": "exempt"}, "tax_exempt", "emulator_not_implemented"),
        ({"test_clock": ""}, "test_clock", "parameter_invalid_empty"),
        ({"a[": "5"}, "a[", None),
        ({"test_clock": "clock_none"}, "test_clock", "resource_missing"),
    ],
)
def test_errors_name_the_wrong_parameter(
    harness: Harness, params: dict[str, str], param: str, code: str | None
) -> None:
    answer = raw(harness, "POST", "/v1/customers", data=params)
    error = answer.json()["error"]
    assert answer.status_code in (400, 404)
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert error.get("code") == code
    assert harness.v1.customers.list().data == []


def test_unknown_paths_return_404(harness: Harness) -> None:
    for method, path in (("GET", "/v1/nothing"), ("DELETE", "/v1/invoices/in_1")):
        assert raw(harness, method, path).status_code == 404


def test_missing_objects_return_stripes_error(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription: 'sub_none'") as no:
        shop.harness.v1.subscriptions.retrieve("sub_none")
    assert (no.value.http_status, no.value.code, no.value.param) == (404, "resource_missing", "id")
    with pytest.raises(stripe.InvalidRequestError):
        shop.harness.v1.subscriptions.retrieve(shop.pro)


def test_nested_form_fields_are_decoded() -> None:
    decoded = form_encoding.decode_form("a[b][0][c]=1&a[b][1][c]=2&d[]=x&d[]=y&e=%F0%9F%8E%B9&f=")
    assert decoded == {
        "a": {"b": {"0": {"c": "1"}, "1": {"c": "2"}}},
        "d": {"0": "x", "1": "y"},
        "e": "🎹",
        "f": "",
    }
    for wrong in ("a=1&a[b]=2", "a" + "[b]" * 20 + "=1"):
        with pytest.raises(ApiError):
            form_encoding.decode_form(wrong)


def test_a_repeated_idempotency_key_replays_the_response(harness: Harness) -> None:
    options = {"idempotency_key": "cus:7:1"}
    first = harness.v1.customers.create({"email": "a@example.com"}, options)
    again = harness.v1.customers.create({"email": "a@example.com"}, options)
    assert first.id == again.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert again.last_response.headers["original-request"] == first.last_response.request_id
    assert "idempotent-replayed" not in first.last_response.headers
    assert len(harness.v1.customers.list().data) == 1
    with pytest.raises(stripe.IdempotencyError):
        harness.v1.customers.create({"email": "b@example.com"}, options)
    harness.pass_time(86_401)
    assert harness.v1.customers.create({"email": "b@example.com"}, options).id != first.id


def test_card_errors_are_replayed_and_parameter_errors_are_not(shop: Shop) -> None:
    customer = shop.customer(card="pm_card_chargeCustomerFail")
    v1 = shop.harness.v1
    invoice = v1.subscriptions.create(
        {"customer": customer, "items": [{"price": shop.pro}]}
    ).latest_invoice
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            v1.invoices.pay(invoice, options={"idempotency_key": "pay"})
    assert refused.value.headers["idempotent-replayed"] == "true"
    assert refused.value.error.decline_code == "generic_decline"
    assert refused.value.error.payment_intent.status == "requires_payment_method"
    assert len(v1.charges.list().data) == 2
    options = {"idempotency_key": "fix"}
    with pytest.raises(stripe.InvalidRequestError):
        v1.products.update("prod_none", {"name": "x"}, options)
    with pytest.raises(stripe.InvalidRequestError):
        v1.products.update("prod_none", {"name": "y"}, options)


def test_concurrent_requests_with_one_key_create_one_customer(harness: Harness) -> None:
    def click(_: int) -> str:
        client = stripe.StripeClient(harness.key, base_addresses={"api": harness.base})
        options = {"idempotency_key": "once"}
        return client.v1.customers.create({"email": "a@example.com"}, options).id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(click, range(8)))) == 1
    assert len(harness.v1.customers.list().data) == 1


def test_lists_are_paginated_by_cursor(harness: Harness) -> None:
    v1 = harness.v1
    made = [v1.customers.create({"email": f"{n}@example.com"}).id for n in range(7)][::-1]
    first = v1.customers.list({"limit": 3})
    assert ([one.id for one in first.data], first.has_more) == (made[:3], True)
    rest = v1.customers.list({"limit": 100, "starting_after": made[2]})
    assert ([one.id for one in rest.data], rest.has_more) == (made[3:], False)
    back = v1.customers.list({"limit": 2, "ending_before": made[3]})
    assert ([one.id for one in back.data], back.has_more) == (made[1:3], True)
    assert [one.id for one in v1.customers.list({"limit": 2}).auto_paging_iter()] == made
    for wrong in (
        {"limit": 0},
        {"limit": 101},
        {"starting_after": "cus_none"},
        {"starting_after": made[0], "ending_before": made[0]},
    ):
        with pytest.raises(stripe.InvalidRequestError):
            v1.customers.list(wrong)


def test_lists_filter_by_parameters(shop: Shop) -> None:
    v1 = shop.harness.v1
    assert [one.id for one in v1.prices.list({"lookup_keys": ["enterprise"]}).data] == [
        shop.enterprise
    ]
    customer = shop.customer()
    subscribe(shop, customer)
    other = shop.customer("bob@example.com")
    assert v1.invoices.list({"customer": other}).data == []
    assert len(v1.invoices.list({"customer": customer, "status": "paid"}).data) == 1
    assert v1.invoices.list({"created": {"gt": shop.harness.now()}}).data == []
    assert len(v1.customers.list({"email": "bob@example.com"}).data) == 1
    assert {one.type for one in v1.events.list({"type": "invoice.*"}).data} == {
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
    }
    assert v1.subscriptions.list({"customer": customer, "price": shop.enterprise}).data == []
    payments = v1.invoice_payments.list({"invoice": v1.invoices.list().data[0].id}).data
    assert [one.status for one in payments] == ["paid"]
    intent = payments[0].payment.payment_intent
    assert v1.payment_intents.retrieve(intent).status == "succeeded"
    charge = v1.charges.list({"payment_intent": intent}).data[0]
    assert v1.charges.retrieve(charge.id).amount == 2900


def test_expand_replaces_ids_with_objects(shop: Shop) -> None:
    customer = shop.customer()
    made = subscribe(shop, customer)
    v1 = shop.harness.v1
    listed = v1.subscriptions.list(
        {"expand": ["data.customer", "data.latest_invoice.payments", "data.default_payment_method"]}
    ).data[0]
    assert listed.customer.email == "ada@example.com"
    assert listed.default_payment_method.card.last4 == "4242"
    assert listed.latest_invoice.payments.data[0].status == "paid"
    found = v1.subscriptions.retrieve(made.id, {"expand": ["items.data.price.product"]})
    assert found.items.data[0].price.product.name == "Pro"
    payments = v1.invoice_payments.list({"expand": ["data.payment.payment_intent"]})
    assert payments.data[0].payment.payment_intent.amount == 2900
    for wrong in ("nothing", "status.x.y", "items.data.price.product.name"):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            shop.harness.v1.subscriptions.retrieve(made.id, {"expand": [wrong]})
        assert refused.value.param == "expand"


def test_metadata_is_merged_and_empty_values_remove_keys(harness: Harness) -> None:
    v1 = harness.v1
    made = v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    changed = v1.customers.update(made.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert v1.customers.update(made.id, {"metadata": ""}).metadata.to_dict() == {}


def test_a_lookup_key_belongs_to_one_price(shop: Shop) -> None:
    v1 = shop.harness.v1
    product = v1.prices.retrieve(shop.pro).product
    params = {
        "product": product,
        "currency": "usd",
        "unit_amount": 3900,
        "recurring": {"interval": "month"},
        "lookup_key": "pro",
    }
    with pytest.raises(stripe.InvalidRequestError):
        v1.prices.create(params)
    moved = v1.prices.create({**params, "transfer_lookup_key": True})
    assert v1.prices.list({"lookup_keys": ["pro"]}).data[0].id == moved.id
    assert v1.prices.retrieve(shop.pro).lookup_key is None
    v1.prices.update(shop.pro, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        open_checkout(shop, shop.customer())


@pytest.mark.parametrize(
    "given",
    [
        {"line_items": [{"price": "price_none", "quantity": 1}]},
        {"line_items": []},
        {"line_items": [{"price": "{pro}", "quantity": 0}]},
        {"line_items": [{"price": "{pro}"}]},
        {"mode": "payment"},
        {"success_url": "javascript:alert(1)"},
        {"payment_method_types": ["card"]},
        {"customer_email": "x@example.com"},
        {"subscription_data": {"trial_period_days": 0}},
        {"subscription_data": {"trial_period_days": 3, "trial_end": 5}},
        {"expires_at": 5},
        {"automatic_tax": {"enabled": True}},
        {"ui_mode": "embedded_page"},
    ],
)
def test_invalid_checkout_sessions_are_refused(shop: Shop, given: dict[str, Any]) -> None:
    for line in given.get("line_items", []):
        line["price"] = line["price"].replace("{pro}", shop.pro)
    with pytest.raises(stripe.InvalidRequestError):
        open_checkout(shop, shop.customer(), **given)
    assert shop.harness.v1.checkout.sessions.list().data == []

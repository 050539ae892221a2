"""Billing routes and the Stripe webhook."""

import json
import time
from typing import Any

import pytest
import stripe
from fastapi.testclient import TestClient
from sqlmodel import select, update

from sp404_app.db import transaction
from sp404_app.models import StripeEvent, Subscription, User
from sp404_app.settings import settings
from tests.accounts import bearer, sign_up_user
from tests.ids import UNKNOWN_ID
from tests.shop import VISA, Shop

PRIVATE = [
    ("POST", "/api/billing/subscribe"),
    ("GET", "/api/billing/subscription"),
    ("PUT", "/api/billing/subscription"),
    ("DELETE", "/api/billing/subscription"),
    ("POST", "/api/billing/subscription/preview"),
    ("POST", "/api/billing/subscription/resume"),
    ("POST", "/api/billing/portal"),
    ("GET", "/api/billing/invoices"),
    ("GET", f"/api/billing/invoices/{UNKNOWN_ID}"),
    ("GET", "/api/quotas"),
    ("GET", "/api/quotas/can-analyze"),
    ("GET", "/api/quotas/can-upload"),
    ("GET", "/api/usage"),
]


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_billing_routes_require_authentication(api: TestClient, method: str, path: str) -> None:
    answer = api.request(method, path, json={"plan": "pro"} if method != "GET" else None)
    assert answer.status_code == 401


def test_plans_are_public(api: TestClient) -> None:
    body = api.get("/api/billing/plans").json()
    assert [(p["plan"], p["price"], p["trial_days"]) for p in body["plans"]] == [
        ("free", 0, 0),
        ("pro", 2900, 14),
        ("enterprise", 9900, 0),
    ]


def test_plans_have_monthly_and_yearly_prices(api: TestClient) -> None:
    body = api.get("/api/billing/plans?interval=year").json()
    assert [(p["interval"], p["price"]) for p in body["plans"]] == [
        ("month", 0),
        ("year", 29000),
        ("year", 99000),
    ]
    assert body["plans"][1]["prices"] == [
        {"interval": "month", "price": 2900, "currency": "usd"},
        {"interval": "year", "price": 29000, "currency": "usd"},
    ]
    assert api.get("/api/billing/plans?interval=week").status_code == 422


def test_a_year_is_bought_previewed_and_left_through_the_api(api: TestClient, shop: Shop) -> None:
    ada = sign_up_user()
    headers = bearer(ada.id)

    def ask(method: str, path: str, body: Any) -> Any:
        return api.request(method, f"/api/billing/{path}", json=body, headers=headers).json()

    shop.finish(ada.id, shop.pay(ask("POST", "subscribe", {"plan": "pro"})["checkout_url"]))
    seen = ask("POST", "subscription/preview", {"plan": "pro", "interval": "year"})
    assert (seen["kind"], seen["interval"], seen["next_amount"]) == ("upgrade", "year", 29000)
    wanted = {"plan": "pro", "interval": "year", "proration_date": seen["proration_date"]}
    assert ask("PUT", "subscription", wanted)["interval"] == "year"
    shown = ask("PUT", "subscription", {"plan": "pro"})  # says no interval: the year stays
    assert (shown["interval"], shown["pending_interval"]) == ("year", None)
    shown = ask("PUT", "subscription", {"plan": "pro", "interval": "month"})
    assert (shown["interval"], shown["pending_plan"], shown["pending_interval"]) == (
        "year",
        "pro",
        "month",
    )
    assert ask("POST", "subscription/resume", None)["pending_interval"] is None
    assert ask("PUT", "subscription", {"plan": "pro", "interval": "week"})["status"] == 422
    other = bearer(sign_up_user().id)
    body = {"plan": "enterprise", "interval": "year"}
    url = api.post("/api/billing/subscribe", json=body, headers=other).json()["checkout_url"]
    assert "$990.00 per year" in shop.browser.get(url).text


def test_a_subscription_is_bought_changed_and_cancelled_through_the_api(
    api: TestClient, shop: Shop
) -> None:
    ada = sign_up_user()
    headers = bearer(ada.id)

    def ask(method: str, path: str, body: Any = None) -> Any:
        answer = api.request(method, f"/api/billing/{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    forged = {
        "price": "price_1",
        "amount": 1,
        "quantity": 0,
        "customer": "cus_1",
        "trial_days": 999,
    }
    url = ask("POST", "subscribe", {"plan": "pro", "trial": True, **forged})["checkout_url"]
    shop.pay(url)
    shop.settle()
    shown = ask("GET", "subscription")
    assert (shown["plan"], shown["status"], shown["access"]) == ("pro", "trialing", "full")
    assert shown["trial_eligible"] is False
    days = (shop.subscription(ada.id).trial_end - shop.subscription(ada.id).period_start).days  # type: ignore[operator]
    assert days == 14
    shop.advance(ada.id, days=20)
    seen = ask("POST", "subscription/preview", {"plan": "enterprise"})
    assert seen["kind"] == "upgrade"
    asked = {"plan": "enterprise", "proration_date": seen["proration_date"], **forged}
    assert ask("PUT", "subscription", asked)["plan"] == "enterprise"
    listed = ask("GET", "invoices")["invoices"]
    assert listed[0]["amount_paid"] == seen["due_today"]
    assert ask("PUT", "subscription", {"plan": "pro"})["pending_plan"] == "pro"
    assert ask("POST", "subscription/resume")["pending_plan"] is None
    assert ask("DELETE", "subscription")["cancel_at"]
    assert ask("POST", "subscription/resume")["cancel_at"] is None
    assert ask("POST", "portal")["portal_url"].startswith("http")
    assert api.get("/api/quotas", headers=headers).json()["storage"]["limit_bytes"] is None

    pdf = api.get(listed[0]["pdf_url"], headers=headers)
    assert pdf.content.startswith(b"%PDF")
    assert "attachment" in pdf.headers["content-disposition"]
    theirs = bearer(sign_up_user().id)
    assert api.get(listed[0]["pdf_url"], headers=theirs).status_code == 404
    assert api.get("/api/billing/invoices", headers=theirs).json()["invoices"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "subscribe", {"plan": "free"}, 422),
        ("POST", "subscribe", {"plan": "gold"}, 422),
        ("POST", "subscribe", {}, 422),
        ("POST", "subscribe", {"plan": "enterprise", "trial": True}, 422),
        ("PUT", "subscription", {"plan": "pro"}, 404),
        ("DELETE", "subscription", None, 404),
        ("POST", "subscription/resume", None, 404),
        ("POST", "portal", None, 404),
    ],
)
def test_invalid_requests_are_refused(
    api: TestClient, shop: Shop, method: str, path: str, body: Any, status: int
) -> None:
    headers = bearer(sign_up_user().id)
    answer = api.request(method, f"/api/billing/{path}", json=body, headers=headers)
    assert answer.status_code == status, answer.text


def test_restricted_access_allows_reading_but_not_adding(
    api: TestClient, shop: Shop, user: User
) -> None:
    shop.buy(user.id)
    with transaction() as session:
        session.exec(update(Subscription).values(status="unpaid"))
    headers = bearer(user.id)
    for path in ("can-analyze", "can-upload?bytes=1"):
        body = api.get(f"/api/quotas/{path}", headers=headers).json()
        assert (body["allowed"], body["code"]) == (False, "subscription_restricted")
    wav = (b"RIFF", "audio/wav")
    answer = api.post("/api/samples", files={"file": ("x.wav", *wav)}, headers=headers)
    assert answer.status_code in {402, 422}
    for path in ("/api/samples", "/api/me", "/api/billing/subscription", "/api/usage"):
        assert api.get(path, headers=headers).status_code == 200


def test_quota_checks_and_usage_validate_their_parameters(api: TestClient, user: User) -> None:
    headers = bearer(user.id)
    limit = 100 << 20
    assert api.get(f"/api/quotas/can-upload?bytes={limit}", headers=headers).json()["allowed"]
    body = api.get(f"/api/quotas/can-upload?bytes={limit + 1}", headers=headers).json()
    assert body["code"] == "storage_quota_exceeded"
    assert body["details"]["limit"] == limit
    assert api.get("/api/quotas/can-analyze", headers=headers).json()["allowed"]
    assert api.get("/api/quotas/can-upload?bytes=-1", headers=headers).status_code == 422
    assert api.get("/api/usage?days=7", headers=headers).json()["total"] == 7
    assert api.get("/api/usage?days=0", headers=headers).status_code == 422


@pytest.mark.parametrize("situation", ["trial", "cancelling"])
def test_an_upgrade_with_a_failing_card_is_402_and_grants_nothing(
    api: TestClient, shop: Shop, situation: str
) -> None:
    ada = sign_up_user()
    headers = bearer(ada.id)
    path = "/api/billing/subscription"
    shop.buy(ada.id, trial=situation == "trial")
    if situation == "cancelling":
        assert api.delete(path, headers=headers).json()["cancel_at"]
    shop.card(ada.id, "pm_card_chargeCustomerFail")
    answer = api.put(path, json={"plan": "enterprise"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (402, "payment_failed")
    assert answer.json()["details"]["pay_url"].startswith("http")
    shop.settle()
    shown = api.get(path, headers=headers).json()
    assert (shown["tier"], shown["plan"], shown["upgrade_unpaid"]) == ("pro", "pro", True)
    assert bool(shown["cancel_at"]) == (situation == "cancelling")
    shop.card(ada.id, "pm_card_visa")
    due = next(row for row in shop.invoices(ada.id) if row.status == "open")
    shop.stripe().invoices.pay(due.stripe_id)
    shop.settle()
    shown = api.get(path, headers=headers).json()
    assert (shown["tier"], shown["status"], shown["cancel_at"]) == ("enterprise", "active", None)


def test_resuming_after_the_end_is_409(api: TestClient, shop: Shop) -> None:
    ada = sign_up_user()
    headers = bearer(ada.id)
    path = "/api/billing/subscription"
    assert api.post(f"{path}/resume", headers=headers).status_code == 404
    shop.buy(ada.id)
    api.delete(path, headers=headers)
    shop.advance(ada.id, days=32)
    answer = api.post(f"{path}/resume", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def event(**changes: Any) -> str:
    made = {
        "id": "evt_1",
        "object": "event",
        "type": "invoice.paid",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": {"object": "invoice", "id": "in_1", "customer": "cus_nobody"}},
    }
    return json.dumps(made | changes)


def signed(body: str, secret: str, at: float = 0.0) -> str:
    stamp = int(time.time() + at)
    return stripe.WebhookSignature.generate_signature_header(body, secret, stamp)


def post(api: TestClient, body: str | bytes, header: str | None) -> Any:
    headers = {"Stripe-Signature": header} if header is not None else {}
    return api.post("/api/webhooks/stripe", content=body, headers=headers)


def stored_event_ids() -> list[str]:
    with transaction() as session:
        return list(session.exec(select(StripeEvent.id)))


def test_an_event_is_stored_once(api: TestClient, shop: Shop) -> None:
    body, secret = event(), shop.emulator.keys.webhook_secret
    answers = [post(api, body, signed(body, secret)).json() for _ in range(3)]
    assert answers == [
        {"received": True, "new": True},
        {"received": True, "new": False},
        {"received": True, "new": False},
    ]
    for ignored in (event(id="evt_2", type="radar.x"), event(id="evt_3", livemode=True)):
        assert post(api, ignored, signed(ignored, secret)).json()["new"] is False
    assert stored_event_ids() == ["evt_1"]


def test_unsigned_and_malformed_events_are_refused_and_not_stored(
    api: TestClient, shop: Shop
) -> None:
    body, secret = event(), shop.emulator.keys.webhook_secret
    good = signed(body, secret)
    hostile: list[tuple[str | bytes, str | None]] = [
        (body, None),
        (body, ""),
        (body, "t=1,v1=abc"),
        (body, f"v1={good.split('v1=')[1]}"),
        (body, signed(body, "whsec_other")),
        (body, signed(body, secret, -301)),
        (body, signed(body, secret, +330)),  # the limit is 300; some seconds may pass first
        (body, good.replace("v1=", "v0=")),
        (body.replace("invoice.paid", "invoice.void"), good),
        (json.dumps(json.loads(body), indent=1), good),
        (b"\xff\xfe", good),
    ]
    odd = ("", "[]", "{}", "null", event(id=7), event(created="x"), event(data={}))
    hostile += [(text, signed(text, secret)) for text in odd]
    for content, header in hostile:
        answer = post(api, content, header)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature"), content
    assert stored_event_ids() == []


def test_during_a_rotation_both_webhook_secrets_are_valid(
    api: TestClient, shop: Shop, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_STRIPE_SECRET_KEY", "sk_test_1")
    environment.setenv("SP404_STRIPE_WEBHOOK_SECRET", "whsec_new, whsec_old")
    settings.cache_clear()
    for number, secret in enumerate(("whsec_old", "whsec_new")):
        body = event(id=f"evt_{number}")
        assert post(api, body, signed(body, secret)).status_code == 200
    for secrets in ("", " , "):
        environment.setenv("SP404_STRIPE_WEBHOOK_SECRET", secrets)
        settings.cache_clear()
        for secret in ("", " ", "whsec_old"):
            assert post(api, event(), signed(event(), secret)).status_code == 400


def test_two_tabs_get_one_checkout_session_and_a_second_purchase_is_refused(
    api: TestClient, shop: Shop
) -> None:
    headers = bearer(sign_up_user().id)
    answers = [
        api.post("/api/billing/subscribe", json={"plan": "pro"}, headers=headers) for _ in range(2)
    ]
    urls = {answer.json()["checkout_url"] for answer in answers}
    assert len(urls) == 1
    assert shop.pay(urls.pop(), VISA)
    again = api.post("/api/billing/subscribe", json={"plan": "pro"}, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")

"""`SP404_BILLING=off`: the API has no URL, no field and no text about money."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import create_api
from sp404_app.models import User
from sp404_app.services.auth import personal_access_tokens
from sp404_app.settings import Settings, settings

MONEY = re.compile(
    r"stripe|billing|subscri|invoice|checkout|webhook|\bpay|payment|pric(?:e|ing)|upgrade|refund|\$\d",
    re.IGNORECASE,
)


def words_around(text: str) -> list[str]:
    return [text[max(0, found.start() - 60) : found.end() + 60] for found in MONEY.finditer(text)]


SHAPE = {"error", "status", "code", "details"}


@pytest.fixture
def client(services: Settings, environment: pytest.MonkeyPatch) -> Iterator[TestClient]:
    environment.setenv("SP404_BILLING", "off")
    settings.cache_clear()
    with TestClient(create_api(), base_url=settings().origin) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/billing/plans"),
        ("POST", "/api/billing/subscribe"),
        ("GET", "/api/billing/subscription"),
        ("PUT", "/api/billing/subscription"),
        ("DELETE", "/api/billing/subscription"),
        ("POST", "/api/billing/portal"),
        ("GET", "/api/billing/invoices"),
        ("POST", "/api/webhooks/stripe"),
        ("GET", "/api/webhooks/stripe"),
    ],
)
def test_billing_urls_do_not_exist(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert set(answer.json()) == SHAPE
    assert answer.json()["code"] == "not_found"


def test_the_description_of_the_api_has_no_word_about_money(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert "/api/samples" in described["paths"]
    assert MONEY.findall(json.dumps(described)) == [], words_around(json.dumps(described))


@pytest.mark.parametrize("path", ["/terms", "/privacy", "/contact", "/api/docs"])
def test_pages_of_the_api_have_no_word_about_money(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert MONEY.findall(page.text) == []
    assert "<!-- " not in page.text.replace("<!-- prettier", "")


def test_the_default_texts_are_whole_with_billing(api: TestClient) -> None:
    terms, privacy = api.get("/terms").text, api.get("/privacy").text
    assert "Plans and payment" in terms
    assert "Payments are processed by" in privacy
    assert "<td>with a paid plan" in privacy
    assert "billing --" not in terms + privacy


def test_no_token_gets_a_scope_that_opens_nothing(
    client: TestClient, user: User, person: Callable[..., User]
) -> None:
    problems = personal_access_tokens._token_problems("one", ["billing:read"], None)
    assert "billing" not in json.dumps(problems)
    assert personal_access_tokens._token_problems("one", ["samples:read"], None) == {}

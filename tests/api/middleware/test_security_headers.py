"""Security headers."""

import pytest
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.api.middleware.security_headers import PAGE_PART_POLICY, add_security_headers
from sp404_app.settings import Settings, settings


@pytest.fixture
def client(services: Settings) -> TestClient:
    return TestClient(
        wrap_in_middleware(api), base_url=services.origin, raise_server_exceptions=False
    )


def test_every_response_has_the_security_headers(client: TestClient) -> None:
    headers = client.get("/api/health/live").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize("path", ["/metrics", "/ping", "/api/nothing", "/auth/nothing"])
def test_an_answer_without_a_rule_is_not_stored(client: TestClient, path: str) -> None:
    assert client.get(path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("media_type", "is_page_part"),
    [
        ("text/javascript", True),
        ("text/css; charset=utf-8", True),
        ("font/woff2", True),
        ("text/html; charset=utf-8", False),
        ("image/svg+xml", False),  # a browser runs its scripts if it is opened by itself
        ("application/json", False),
    ],
)
def test_parts_of_a_page_have_the_headers_that_take_effect(
    services: Settings, media_type: str, *, is_page_part: bool
) -> None:
    app = FastAPI()
    app.add_api_route("/file", lambda: Response(b"", media_type=media_type))
    headers = TestClient(add_security_headers(app), base_url=services.origin).get("/file").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert ("x-frame-options" in headers) is not is_page_part
    assert "default-src 'self'" in headers["content-security-policy"]
    assert (headers["content-security-policy"] == PAGE_PART_POLICY) is is_page_part


def test_hsts_is_sent_over_https_only(client: TestClient, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SP404_PUBLIC_URL", "https://crate.example")
    settings.cache_clear()
    assert "max-age" in client.get("/api/health/live").headers["strict-transport-security"]

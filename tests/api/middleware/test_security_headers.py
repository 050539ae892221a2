"""Security headers."""

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api, wrap_in_middleware
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


def test_hsts_is_sent_over_https_only(client: TestClient, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SP404_PUBLIC_URL", "https://crate.example")
    settings.cache_clear()
    assert "max-age" in client.get("/api/health/live").headers["strict-transport-security"]

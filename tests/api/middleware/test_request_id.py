"""Request ids."""

import re

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.settings import Settings, settings


@pytest.fixture
def client(services: Settings) -> TestClient:
    return TestClient(
        wrap_in_middleware(api), base_url=services.origin, raise_server_exceptions=False
    )


def test_every_response_has_a_request_id_that_the_client_cannot_choose(client: TestClient) -> None:
    first = client.get("/api/health/live", headers={"X-Request-ID": "mine"})
    second = client.get("/api/health/live")
    assert first.headers["x-request-id"] != second.headers["x-request-id"] != "mine"


@pytest.fixture
def behind_proxy(services: Settings, environment: pytest.MonkeyPatch) -> TestClient:
    environment.setenv("SP404_TRUSTED_PROXIES", "127.0.0.1")
    settings.cache_clear()
    return TestClient(
        wrap_in_middleware(api), base_url=services.origin, client=("127.0.0.1", 50000)
    )


def test_the_request_id_of_a_trusted_proxy_is_kept(behind_proxy: TestClient) -> None:
    sent = {"X-Request-ID": "7f3a9c-proxy.1_x"}
    assert (
        behind_proxy.get("/api/health/live", headers=sent).headers["x-request-id"]
        == sent["X-Request-ID"]
    )


@pytest.mark.parametrize("invalid", ["short", "with space", "x" * 65, 'quote"quote', "ünïcödé-id"])
def test_an_invalid_id_of_a_trusted_proxy_is_replaced(
    behind_proxy: TestClient, invalid: str
) -> None:
    sent = {"X-Request-ID": invalid.encode()}
    answer = behind_proxy.get("/api/health/live", headers=sent)
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])

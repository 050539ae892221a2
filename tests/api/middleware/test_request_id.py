"""Request ids."""

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.settings import Settings


@pytest.fixture
def client(services: Settings) -> TestClient:
    return TestClient(
        wrap_in_middleware(api), base_url=services.origin, raise_server_exceptions=False
    )


def test_every_response_has_a_request_id_that_the_client_cannot_choose(client: TestClient) -> None:
    first = client.get("/api/health/live", headers={"X-Request-ID": "mine"})
    second = client.get("/api/health/live")
    assert first.headers["x-request-id"] != second.headers["x-request-id"] != "mine"

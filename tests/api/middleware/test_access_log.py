"""The access log."""

import io
import json

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.settings import Settings
from tests.accounts import bearer, sign_up_user


@pytest.fixture
def client(services: Settings) -> TestClient:
    return TestClient(
        wrap_in_middleware(api), base_url=services.origin, raise_server_exceptions=False
    )


def test_the_access_log_has_route_status_and_user_and_no_secret(
    client: TestClient, own_logs: io.StringIO
) -> None:
    ada = sign_up_user()
    headers = bearer(ada.id)
    client.get("/api/me?token=hunter2", headers=headers)
    lines = [json.loads(line) for line in own_logs.getvalue().splitlines()]
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["route"], line["status"], line["user_id"]) == ("/api/me", 200, str(ada.id))
    assert len(line["request_id"]) == 32
    assert "hunter2" not in json.dumps(lines)
    assert headers["Authorization"].split(".")[1] not in json.dumps(lines)

"""The client IP behind trusted proxies."""

import io
import json

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.api.middleware import client_ip as client_ip_module
from sp404_app.api.middleware.client_ip import client_ip_behind_proxies
from sp404_app.settings import Settings, settings


@pytest.fixture
def client(services: Settings) -> TestClient:
    return TestClient(
        wrap_in_middleware(api), base_url=services.origin, raise_server_exceptions=False
    )


@pytest.mark.parametrize(
    ("peer", "forwarded", "client_ip"),
    [
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "rubbish", "rubbish"),
        ("testclient", "198.51.100.1", "testclient"),
        ("::1", "198.51.100.1", "198.51.100.1"),
        ("::2", "198.51.100.1", "::2"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "6.6.6.6, 198.51.100.1, ::ffff:10.0.0.2", "198.51.100.1"),
        ("::ffff:11.0.0.1", "198.51.100.1", "::ffff:11.0.0.1"),
    ],
)
def test_x_forwarded_for_counts_only_from_trusted_proxies(
    environment: pytest.MonkeyPatch, peer: str, forwarded: str, client_ip: str
) -> None:
    environment.setenv("SP404_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    settings.cache_clear()
    assert client_ip_behind_proxies(peer, forwarded) == client_ip


def test_a_forged_x_forwarded_for_does_not_evade_the_sign_in_limit(client: TestClient) -> None:
    body = {"email": "nobody@example.org", "password": "wrong password"}
    codes = [
        client.post("/api/auth/login", json=body, headers={"X-Forwarded-For": f"9.9.9.{n}"})
        for n in range(6)
    ]
    assert codes[-1].status_code == 429


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_a_proxy_that_is_not_trusted_is_logged_once(
    services: Settings,
    environment: pytest.MonkeyPatch,
    own_logs: io.StringIO,
    header: str,
) -> None:
    environment.setattr(client_ip_module, "_warned", set())
    proxy = TestClient(wrap_in_middleware(api), client=("198.51.100.7", 1))
    for _ in range(3):
        proxy.get("/api/health/live", headers={header: "9.9.9.9"})
    lines = [json.loads(line) for line in own_logs.getvalue().splitlines()]
    (warning,) = [line for line in lines if "SP404_TRUSTED_PROXIES" in line["event"]]
    assert warning["ip"] == "198.51.100.7"
    assert "9.9.9.9" not in json.dumps(warning)


def test_a_trusted_proxy_and_a_browser_are_not_logged(
    services: Settings, environment: pytest.MonkeyPatch, own_logs: io.StringIO
) -> None:
    environment.setattr(client_ip_module, "_warned", set())
    environment.setenv("SP404_TRUSTED_PROXIES", "10.0.0.0/8")
    settings.cache_clear()
    app = wrap_in_middleware(api)
    TestClient(app, client=("10.0.0.1", 1)).get(
        "/api/health/live", headers={"X-Forwarded-For": "9.9.9.9"}
    )
    TestClient(app, client=("9.9.9.9", 1)).get("/api/health/live")
    assert "SP404_TRUSTED_PROXIES" not in own_logs.getvalue()

"""The whole stack of middlewares."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.api.middleware.body_limits import JSON_BYTES
from sp404_app.settings import Settings, settings


async def test_websockets_pass_the_stack_with_their_client_ip(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("SP404_TRUSTED_PROXIES", "10.0.0.1")
    settings.cache_clear()
    seen: list[Any] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope.get("client"))

    async def nothing() -> Message:
        return {"type": "websocket.disconnect"}

    async def ignore(_: Message) -> None:
        return

    scope = {
        "type": "websocket",
        "path": "/_event",
        "client": ("10.0.0.1", 1),
        "headers": [(b"x-forwarded-for", b"198.51.100.1")],
    }
    await wrap_in_middleware(app)(scope, nothing, ignore)
    await wrap_in_middleware(app)({"type": "lifespan"}, nothing, ignore)
    assert seen == [("198.51.100.1", 1), None]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/samples", 401),
        ("POST", "/api/samples", 401),
        ("GET", "/_stripe/v1/customers", 404),
        ("GET", "/api/nowhere", 404),
        ("POST", "/api/auth/login", 413),
    ],
)
def test_a_refusal_of_any_layer_has_a_request_id_and_security_headers(
    services: Settings, method: str, path: str, status: int
) -> None:
    client = TestClient(
        wrap_in_middleware(api), base_url=services.origin, client=("203.0.113.7", 1)
    )
    content = b"x" * (JSON_BYTES + 1) if status == 413 else b""
    response = client.request(method, path, content=content)
    assert response.status_code == status
    assert len(response.headers["x-request-id"]) == 32
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert set(response.json()) == {"error", "status", "code", "details"}

"""Size limits of request bodies."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.api.middleware.body_limits import JSON_BYTES, MULTIPART_OVERHEAD_BYTES
from sp404_app.settings import MB, Settings, settings
from tests.accounts import bearer, sign_up_user


@pytest.fixture
def client(services: Settings) -> TestClient:
    return TestClient(
        wrap_in_middleware(api), base_url=services.origin, raise_server_exceptions=False
    )


async def body_size(_: Scope, receive: Receive, send: Send) -> None:
    """Read the body and answer with its size."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def chunks(size: int) -> Iterator[bytes]:
    for _ in range(0, size, 65_536):
        yield b"x" * 65_536


def test_a_content_length_above_the_limit_is_413(client: TestClient) -> None:
    answer = client.post("/api/auth/login", content=b"x" * (JSON_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    answer = client.post("/api/auth/login", headers={"Content-Length": "-1"})
    assert answer.status_code == 413


def test_a_chunked_body_above_the_limit_is_413(client: TestClient) -> None:
    answer = client.post(
        "/api/auth/login",
        content=chunks(JSON_BYTES + 65_536),
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    wrapped = TestClient(wrap_in_middleware(body_size))
    assert wrapped.post("/_upload", content=chunks(JSON_BYTES + 65_536)).status_code == 413
    assert wrapped.post("/_upload", content=chunks(JSON_BYTES)).text == str(JSON_BYTES)


@pytest.mark.parametrize("announced", [True, False])
def test_uploads_have_a_larger_limit_of_their_own(
    services: Settings, environment: pytest.MonkeyPatch, *, announced: bool
) -> None:
    environment.setenv("SP404_MAX_UPLOAD_MB", "2")
    settings.cache_clear()
    wrapped, headers = TestClient(wrap_in_middleware(body_size)), bearer(sign_up_user().id)
    for size, status in ((2 * MB, 200), (2 * MB + MULTIPART_OVERHEAD_BYTES + 65_536, 413)):
        content = b"x" * size if announced else chunks(size)
        assert wrapped.post("/api/samples", content=content, headers=headers).status_code == status


def test_an_unauthenticated_upload_is_401_before_its_body_is_read(client: TestClient) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b"x" * 65_536

    answer = client.post("/api/samples", content=endless())
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")

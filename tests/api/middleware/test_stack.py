"""What stands in front of every route."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from sp404_app.api.app import api, gateway
from sp404_app.api.middleware import stack as gates
from sp404_app.api.middleware.body_limits import JSON_BYTES, SLACK
from sp404_app.services.infra import events
from sp404_app.settings import MB, Settings, settings
from tests.accounts import bearer, somebody


@pytest.fixture
def client(services: Settings) -> TestClient:
    return TestClient(gateway(api), base_url=services.origin, raise_server_exceptions=False)


async def echo(_: Scope, receive: Receive, send: Send) -> None:
    """Read everything and say how much it was."""
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


def test_every_answer_has_an_id_of_our_own(client: TestClient) -> None:
    first = client.get("/api/health/live", headers={"X-Request-ID": "mine"})
    second = client.get("/api/health/live")
    assert first.headers["x-request-id"] != second.headers["x-request-id"] != "mine"


def test_browsers_are_told_what_not_to_do(client: TestClient) -> None:
    headers = client.get("/api/health/live").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


def test_https_is_for_ever(client: TestClient, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SP404_PUBLIC_URL", "https://crate.example")
    settings.cache_clear()
    assert "max-age" in client.get("/api/health/live").headers["strict-transport-security"]


def test_a_body_that_says_it_is_too_large_is_not_read(client: TestClient) -> None:
    answer = client.post("/api/auth/login", content=b"x" * (JSON_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    answer = client.post("/api/auth/login", headers={"Content-Length": "-1"})
    assert answer.status_code == 413


def test_a_body_that_does_not_say_is_measured(client: TestClient) -> None:
    answer = client.post(
        "/api/auth/login",
        content=chunks(JSON_BYTES + 65_536),
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    wrapped = TestClient(gateway(echo))
    assert wrapped.post("/_upload", content=chunks(JSON_BYTES + 65_536)).status_code == 413
    assert wrapped.post("/_upload", content=chunks(JSON_BYTES)).text == str(JSON_BYTES)


@pytest.mark.parametrize("announced", [True, False])
def test_uploads_may_be_larger_and_have_an_end_too(
    services: Settings, environment: pytest.MonkeyPatch, *, announced: bool
) -> None:
    environment.setenv("SP404_MAX_UPLOAD_MB", "2")
    settings.cache_clear()
    wrapped, headers = TestClient(gateway(echo)), bearer(somebody().id)
    for size, status in ((2 * MB, 200), (2 * MB + SLACK + 65_536, 413)):
        content = b"x" * size if announced else chunks(size)
        assert wrapped.post("/api/samples", content=content, headers=headers).status_code == status


def test_a_stranger_s_upload_is_refused_before_it_is_read(client: TestClient) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b"x" * 65_536

    answer = client.post("/api/samples", content=endless())
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_a_person_is_told_how_many_requests_are_left(
    client: TestClient, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "3")
    settings.cache_clear()
    ada, bob = bearer(somebody().id), bearer(somebody().id)
    left = [client.get("/api/me", headers=ada).headers["ratelimit-remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    answer = client.get("/api/me", headers=ada)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert answer.headers["ratelimit-limit"] == "3"
    assert answer.headers["ratelimit-remaining"] == "0"
    assert answer.headers["ratelimit-reset"] == answer.headers["retry-after"]
    assert client.get("/api/me", headers=bob).headers["ratelimit-limit"] == "3"


def test_sounds_have_a_bucket_of_their_own(
    client: TestClient, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "1")
    settings.cache_clear()
    ada = bearer(somebody().id)
    path = "/api/samples/01a204c0-82ec-769a-8e34-995e038227bd/audio"
    answers = [client.get(path, headers=ada) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[-1].headers["ratelimit-limit"] == str(settings().media_requests_per_minute)
    assert client.get("/api/me", headers=ada).status_code == 200


def test_without_redis_people_are_served_and_guessing_stays_limited(
    client: TestClient, environment: pytest.MonkeyPatch
) -> None:
    ada = somebody()
    headers = bearer(ada.id)
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1/0")
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "1")
    settings.cache_clear()
    events.connection.cache_clear()
    assert [client.get("/api/me", headers=headers).status_code for _ in range(3)] == [200] * 3
    body = {"email": ada.email, "password": "wrong password"}
    codes = [client.post("/api/auth/login", json=body).status_code for _ in range(6)]
    events.connection.cache_clear()
    assert codes == [401] * 5 + [429]


@pytest.mark.parametrize(
    ("peer", "forwarded", "believed"),
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
def test_only_our_own_proxies_may_say_who_is_behind_them(
    environment: pytest.MonkeyPatch, peer: str, forwarded: str, believed: str
) -> None:
    environment.setenv("SP404_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    settings.cache_clear()
    assert gates.believed(peer, forwarded) == believed


def test_a_forged_address_does_not_escape_the_limits(client: TestClient) -> None:
    body = {"email": "nobody@example.org", "password": "wrong password"}
    codes = [
        client.post("/api/auth/login", json=body, headers={"X-Forwarded-For": f"9.9.9.{n}"})
        for n in range(6)
    ]
    assert codes[-1].status_code == 429


async def test_websockets_pass_with_the_address_of_their_caller(
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
    await gateway(app)(scope, nothing, ignore)
    await gateway(app)({"type": "lifespan"}, nothing, ignore)
    assert seen == [("198.51.100.1", 1), None]


def test_the_log_says_who_and_how_long_and_nothing_secret(
    client: TestClient, own_logs: io.StringIO
) -> None:
    ada = somebody()
    headers = bearer(ada.id)
    client.get("/api/me?token=hunter2", headers=headers)
    lines = [json.loads(line) for line in own_logs.getvalue().splitlines()]
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["route"], line["status"], line["user_id"]) == ("/api/me", 200, str(ada.id))
    assert len(line["request_id"]) == 32
    assert "hunter2" not in json.dumps(lines)
    assert headers["Authorization"].split(".")[1] not in json.dumps(lines)

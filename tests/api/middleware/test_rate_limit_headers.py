"""Rate limits of requests and their headers."""

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.services.infra import events
from sp404_app.settings import Settings, settings
from tests.accounts import bearer, sign_up_user


@pytest.fixture
def client(services: Settings) -> TestClient:
    return TestClient(
        wrap_in_middleware(api), base_url=services.origin, raise_server_exceptions=False
    )


def test_responses_carry_the_rate_limit_of_their_user(
    client: TestClient, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "3")
    settings.cache_clear()
    ada, bob = bearer(sign_up_user().id), bearer(sign_up_user().id)
    left = [client.get("/api/me", headers=ada).headers["ratelimit-remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    answer = client.get("/api/me", headers=ada)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert answer.headers["ratelimit-limit"] == "3"
    assert answer.headers["ratelimit-remaining"] == "0"
    assert answer.headers["ratelimit-reset"] == answer.headers["retry-after"]
    assert client.get("/api/me", headers=bob).headers["ratelimit-limit"] == "3"


def test_media_requests_have_a_rate_limit_of_their_own(
    client: TestClient, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "1")
    settings.cache_clear()
    ada = bearer(sign_up_user().id)
    path = "/api/samples/01a204c0-82ec-769a-8e34-995e038227bd/audio"
    answers = [client.get(path, headers=ada) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[-1].headers["ratelimit-limit"] == str(settings().media_requests_per_minute)
    assert client.get("/api/me", headers=ada).status_code == 200


def test_without_redis_requests_are_served_and_sign_in_attempts_stay_limited(
    client: TestClient, environment: pytest.MonkeyPatch
) -> None:
    ada = sign_up_user()
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

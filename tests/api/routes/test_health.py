"""Health that tells the truth."""

import socket
from collections.abc import Iterator

import pytest
import redis
from fastapi.testclient import TestClient
from rq import Queue, Worker

from sp404_app.services.infra import storage
from sp404_app.settings import Settings, settings
from tests.accounts import without_database


@pytest.fixture
def worker(services: Settings) -> Iterator[Worker]:
    with redis.Redis.from_url(services.redis_url) as connection:
        worker = Worker([Queue("low", connection=connection)], connection=connection)
        worker.register_birth()
        yield worker
        worker.register_death()


@pytest.mark.usefixtures("worker")
def test_when_all_is_well_everything_says_so(api: TestClient) -> None:
    for path in ("/api/health", "/api/health/ready"):
        answer = api.get(path)
        assert answer.status_code == 200
        body = answer.json()
        assert (body["status"], body["database"], body["redis"]) == ("ok", "ok", "ok")
        assert (body["workers"], body["storage"], body["service"]) == (1, "ok", "sp404")
        assert body["version"]
        assert body["timestamp"].endswith("+00:00")


def test_without_workers_pages_are_served_and_health_says_so(api: TestClient) -> None:
    assert api.get("/api/health").status_code == 503
    assert api.get("/api/health/ready").status_code == 200


@pytest.mark.usefixtures("worker")
def test_without_redis_we_are_alive_and_not_ready(
    api: TestClient, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    answer = api.get("/api/health/ready")
    assert (answer.status_code, answer.json()["redis"]) == (503, "failing")
    assert answer.json()["database"] == "ok"
    assert api.get("/api/health/live").json() == {"status": "ok"}


def test_a_redis_that_hangs_does_not_make_us_hang(
    api: TestClient, environment: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        environment.setenv("SP404_REDIS_URL", f"redis://127.0.0.1:{port}/0")
        settings.cache_clear()
        answer = api.get("/api/health/ready")  # a hanging store would end in the test's timeout
    assert (answer.status_code, answer.json()["redis"]) == (503, "failing")


@pytest.mark.usefixtures("worker")
def test_without_a_database_we_are_not_ready(api: TestClient) -> None:
    with without_database():
        answer = api.get("/api/health/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, "failing")
    assert "127.0.0.1" not in answer.text


@pytest.mark.usefixtures("worker")
def test_without_storage_we_are_not_ready(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> bool:
        raise OSError("disk gone")

    monkeypatch.setattr(storage, "is_reachable", away)
    answer = api.get("/api/health/ready")
    assert (answer.status_code, answer.json()["storage"]) == (503, "failing")

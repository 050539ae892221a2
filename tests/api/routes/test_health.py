"""Health checks."""

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
def test_health_reports_every_dependency(api: TestClient) -> None:
    for path in ("/api/health", "/api/health/ready"):
        answer = api.get(path)
        assert answer.status_code == 200
        body = answer.json()
        assert (body["status"], body["database"], body["redis"]) == ("ok", "ok", "ok")
        assert (body["workers"], body["storage"], body["service"]) == (1, "ok", "sp404")
        assert body["version"]
        assert body["timestamp"].endswith("+00:00")


def test_without_workers_health_fails_and_ready_does_not(api: TestClient) -> None:
    assert api.get("/api/health").status_code == 503
    assert api.get("/api/health/ready").status_code == 200


@pytest.mark.usefixtures("worker")
def test_without_redis_the_process_is_live_and_not_ready(
    api: TestClient, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    answer = api.get("/api/health/ready")
    assert (answer.status_code, answer.json()["redis"]) == (503, "failing")
    assert answer.json()["database"] == "ok"
    assert api.get("/api/health/live").json() == {"status": "ok"}


def test_a_hanging_redis_fails_the_check_after_its_timeout(
    api: TestClient, environment: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        environment.setenv("SP404_REDIS_URL", f"redis://127.0.0.1:{port}/0")
        settings.cache_clear()
        answer = api.get(
            "/api/health/ready"
        )  # if the check had no timeout, the test would time out
    assert (answer.status_code, answer.json()["redis"]) == (503, "failing")


@pytest.mark.usefixtures("worker")
def test_without_a_database_the_process_is_not_ready(api: TestClient) -> None:
    with without_database():
        answer = api.get("/api/health/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, "failing")
    assert "127.0.0.1" not in answer.text


@pytest.mark.usefixtures("worker")
def test_without_storage_the_process_is_not_ready(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable() -> bool:
        raise OSError("disk gone")

    monkeypatch.setattr(storage, "is_reachable", unreachable)
    answer = api.get("/api/health/ready")
    assert (answer.status_code, answer.json()["storage"]) == (503, "failing")

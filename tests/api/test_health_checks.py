"""Health checks and the status page: shared between requests, limited, and true."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from sp404_app.api import health_checks
from sp404_app.api.health_checks import HealthReport
from sp404_app.api.routes.status import State, headline, parts
from sp404_app.services.infra import redis_counters, storage
from sp404_app.settings import Settings, settings
from tests.accounts import without_database

FINE = HealthReport(True, True, True, 2, 0, "2026-11-27T04:04:00+00:00")
PATHS = ("/api/health", "/api/health/ready", "/status")


@pytest.fixture(autouse=True)
def no_requests_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_counters, "_local_counts", {})
    monkeypatch.setattr(health_checks, "_shared", health_checks.SharedCheck())


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each check of the object store."""
    made: list[int] = []
    lock = threading.Lock()
    reachable = storage.is_reachable

    def counted() -> bool:
        with lock:
            made.append(1)
        return reachable()

    monkeypatch.setattr(storage, "is_reachable", counted)
    return made


def test_many_requests_cause_one_check(api: TestClient, checks: list[int]) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: api.get(PATHS[n % 3]).status_code, range(24)))
    assert set(answers) == {200, 503}  # no worker runs
    assert len(checks) == 1


def test_the_check_is_made_again_later(
    api: TestClient, checks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_checks, "KEPT_S", 0.0)
    for path in PATHS:
        api.get(path)
    assert len(checks) == 3


@pytest.mark.parametrize("path", PATHS)
def test_one_address_may_ask_so_often(
    api: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_checks, "MAX_REQUESTS_PER_MINUTE", 3)
    codes = [api.get(path).status_code for _ in range(5)]
    assert codes[3:] == [429, 429]
    assert 429 not in codes[:3]
    assert int(api.get(path).headers["Retry-After"]) > 0
    assert api.get("/api/health/live").status_code == 200


def test_the_page_works_without_database_and_redis(
    api: TestClient, environment: pytest.MonkeyPatch, services: Settings
) -> None:
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    with without_database():
        answer = api.get("/status")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.count("Not available") == 3
    assert "Partly not available" in answer.text
    assert answer.text.count("<script") == 1  # of the theme, which it does not need
    for secret in (services.database_url, services.redis_url, "127.0.0.1", "psycopg"):
        assert secret not in answer.text


@pytest.mark.parametrize(
    ("report", "expected", "states"),
    [
        (FINE, "Everything works", {}),
        (
            HealthReport(True, True, True, 0, 0, FINE.at),
            "Analyses and exports: not available",
            {"Analyses and exports": State.DOWN},
        ),
        (
            HealthReport(True, True, True, 2, 3600, FINE.at),
            "Jobs are delayed",
            {"Analyses and exports": State.DELAYED},
        ),
        (
            HealthReport(True, True, False, 2, 0, FINE.at),
            "Sounds: not available",
            {"Sounds": State.DOWN},
        ),
        (
            HealthReport(False, True, True, 2, None, FINE.at),
            "Partly not available",
            {"Accounts and library": State.DOWN, "Analyses and exports": State.DOWN},
        ),
    ],
)
def test_the_page_says_what_fails(
    report: HealthReport, expected: str, states: dict[str, State]
) -> None:
    found = list(parts(report))
    assert headline(found) == expected
    assert {part.name: part.state for part in found if part.state is not State.OK} == states

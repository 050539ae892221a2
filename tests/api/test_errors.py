"""The shape of API errors, for every kind of error."""

import uuid
from typing import Any

import pytest
import redis
from fastapi import APIRouter
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError
from sqlmodel import text
from structlog.testing import capture_logs

from sp404_app import sp404_app
from sp404_app.api.app import allowed_methods, api, wrap_in_middleware
from sp404_app.api.deps import Database
from sp404_app.db import transaction
from sp404_app.models import SignIn
from sp404_app.models.columns import now
from sp404_app.services.auth.personal_access_tokens import Scope, create_personal_token
from sp404_app.settings import Settings
from tests.accounts import CLIENT, bearer, sign_up_user, without_database

SECRET = "/srv/secret/path.py line select * from users"


@pytest.fixture
def client(services: Settings) -> TestClient:
    return TestClient(
        wrap_in_middleware(api), base_url=services.origin, raise_server_exceptions=False
    )


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add routes that raise errors no service handles."""
    router = APIRouter()

    @router.get("/broken")
    def raise_runtime_error() -> None:
        raise RuntimeError(SECRET)

    @router.get("/unstorable")
    def unstorable(session: Database) -> None:
        session.execute(text("select :value"), {"value": "zero \0 byte"})

    @router.get("/integrity")
    def integrity(session: Database) -> None:
        session.add(SignIn(user_id=uuid.uuid4(), user_agent=SECRET, expires_at=now()))

    @router.get("/read-only")
    def read_only(session: Database) -> None:
        session.execute(text("set transaction read only"))
        session.execute(text("delete from sign_ins"))

    @router.get("/redis")
    def ask_redis() -> None:
        redis.Redis.from_url("redis://127.0.0.1:1").ping()

    routes = list(api.router.routes)
    api.include_router(router, prefix="/broken")
    api.router.routes.insert(0, api.router.routes.pop())
    monkeypatch.setattr(api.router, "routes", api.router.routes)
    yield  # type: ignore[misc]
    api.router.routes[:] = routes


def assert_error(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status
    body = answer.json()
    assert set(body) == {"error", "status", "code", "details"}
    assert (body["status"], body["code"]) == (status, code)
    assert body["error"].endswith(".")
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nope", "/api/me/nope", "/api/a/b/c/d", "/api/%00"]
)
def test_an_unknown_api_url_is_404_for_every_method(
    client: TestClient, method: str, path: str
) -> None:
    assert_error(client.request(method, path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/me", "DELETE, GET, PATCH"),
        ("GET", "/api/auth/login", "POST"),
        ("DELETE", "/api/health", "GET"),
        ("PUT", "/api/me/sessions/01a204c0-82ec-769a-8e34-995e038227bd", "DELETE"),
    ],
)
def test_a_wrong_method_is_405_with_the_allowed_methods(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)
    assert_error(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


def test_an_invalid_value_is_422_by_field_and_is_not_repeated(client: TestClient) -> None:
    headers = bearer(sign_up_user().id)
    answer = client.delete("/api/me/sessions/hunter2", headers=headers)
    assert_error(answer, 422, "invalid")
    assert list(answer.json()["details"]) == ["sign_in_id"]
    answer = client.post("/api/auth/login", json={"email": "x", "password": ["hunter2"]})
    assert answer.json()["details"] == {"password": ["This must be text."]}
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "content",
    [b"{", b"", b"\xff\xfe", b"[1,2", b'{"email": NaN}', b"{" * 50_000, b'"' + b"x" * 900_000],
)
def test_invalid_json_is_refused(client: TestClient, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/auth/login", content=content, headers=headers)
    assert answer.status_code in (400, 422)
    assert set(answer.json()) == {"error", "status", "code", "details"}


@pytest.mark.usefixtures("broken")
def test_an_unhandled_exception_is_500_and_shows_nothing_internal(client: TestClient) -> None:
    answer = client.get("/broken/broken")
    assert_error(answer, 500, "internal_error")
    for word in SECRET.split():
        assert word not in answer.text


@pytest.mark.usefixtures("broken")
def test_a_value_the_database_cannot_store_is_422(client: TestClient) -> None:
    assert_error(client.get("/broken/unstorable"), 422, "invalid")


@pytest.mark.usefixtures("broken")
def test_a_violated_constraint_is_409_and_only_its_name_is_logged(client: TestClient) -> None:
    with capture_logs() as lines:
        answer = client.get("/broken/integrity")
    assert_error(answer, 409, "conflict")
    assert answer.json()["details"] == {}
    logged = [line for line in lines if line["event"] == "constraint violated"]
    assert [line["constraint"] for line in logged] == ["sign_ins_user_id_fkey"]
    assert SECRET not in answer.text + repr(lines)


def test_without_a_database_the_answer_is_503_with_retry_after(client: TestClient) -> None:
    headers = bearer(sign_up_user().id)
    with without_database():
        answer = client.get("/api/me", headers=headers)
    assert_error(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_without_a_database_an_upload_by_token_is_503(client: TestClient) -> None:
    user_id = sign_up_user().id
    with transaction() as session:
        made = create_personal_token(session, user_id, "sync", [Scope.SAMPLES_WRITE], 30, CLIENT)
    file = {"file": ("kick.wav", b"RIFF")}
    with without_database(), capture_logs() as lines:
        answer = client.post(
            "/api/samples", files=file, headers={"Authorization": f"Bearer {made.token}"}
        )
    assert_error(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "unexpected error" not in [line["event"] for line in lines]


@pytest.mark.usefixtures("broken")
def test_a_database_that_only_reads_is_503(client: TestClient) -> None:
    with capture_logs() as lines:
        answer = client.get("/broken/read-only")
    assert_error(answer, 503, "unavailable")
    assert "unexpected error" not in [line["event"] for line in lines]


@pytest.mark.usefixtures("broken")
def test_without_redis_the_answer_is_503_and_one_line_is_logged(client: TestClient) -> None:
    with capture_logs() as lines:
        answer = client.get("/broken/redis")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    logged = [line["event"] for line in lines if line["log_level"] == "error"]
    assert logged == ["redis unavailable"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (redis.ConnectionError(SECRET), "This is unavailable for a moment."),
        (redis.TimeoutError(SECRET), "This is unavailable for a moment."),
        (OperationalError(SECRET, {}, OSError(SECRET)), "The database is unavailable."),
        (RuntimeError(SECRET), "Something went wrong on our side."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_of_an_event_handler_is_said_in_words(error: Exception, said: str) -> None:
    with capture_logs() as lines:
        shown = str(sp404_app.show_error(error))
    assert said in shown
    assert "secret" not in shown
    assert [("exc_info" in line) for line in lines] == [isinstance(error, RuntimeError)]


def test_openapi_describes_the_api_and_no_forms(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert {"/api/auth/login", "/api/me", "/api/samples", "/api/jobs", "/api/health"} <= set(paths)
    assert "/auth/session" not in paths
    assert client.get("/api/docs").status_code == 200
    assert allowed_methods("/api/samples/x", api) >= {"GET", "PATCH", "DELETE"}
    assert allowed_methods("/api/samples/x/y/z", api) == set()

"""Hostile requests to the gateway."""

import json
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from sp404_app import db
from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.api.middleware.body_limits import HEADER_BYTES
from sp404_app.models import User
from sp404_app.settings import Settings
from tests.accounts import PASSWORD, SignedUpUser, bearer, mails, sign_up_user, text_of
from tests.security.world import dump

TEXT = "application/json"
FORBIDDEN: dict[str, object] = {
    "id": "01a204c0-82ec-769a-8e34-995e038227bd",
    "user_id": "01a204c0-82ec-769a-8e34-995e038227bd",
    "is_admin": True,
    "is_demo": True,
    "email_verified_at": "2026-01-01T00:00:00Z",
    "email_verified": True,
    "tier": "enterprise",
    "password_hash": "x",
    "created_at": "2000-01-01T00:00:00Z",
}


@pytest.fixture
def client(services: Settings) -> Iterator[TestClient]:
    app = wrap_in_middleware(api)
    with TestClient(app, base_url=services.origin, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def ada(services: Settings) -> SignedUpUser:
    return sign_up_user()


def row(person: SignedUpUser) -> User:
    with db.transaction() as session:
        return session.get_one(User, person.id)


def test_oversized_headers_are_refused(client: TestClient) -> None:
    for headers in ({"X-Much": "x" * (1 << 20)}, {f"X-{n}": "x" * 1000 for n in range(70)}):
        answer = client.get("/api/health/live", headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (431, 431)
    assert HEADER_BYTES < 1 << 20
    answer = client.get("/api/me", headers={"Authorization": "Bearer " + "x" * 60_000})
    assert answer.status_code == 401


def test_a_duplicate_json_key_counts_once(client: TestClient, ada: SignedUpUser) -> None:
    """A body is parsed once, so two parts of the product cannot read it differently."""
    wrong = f'{{"email": "{ada.email}", "password": "{PASSWORD}", "password": "wrong one"}}'
    headers = {"Content-Type": TEXT}
    assert client.post("/api/auth/login", content=wrong, headers=headers).status_code == 401
    right = f'{{"email": "x@example.org", "password": "{PASSWORD}", "email": "{ada.email}"}}'
    answer = client.post("/api/auth/login", content=right, headers=headers)
    assert answer.json()["user"]["id"] == str(ada.id)


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"x"', b"1", b"{", b"\xff\xfe", b'{"email": {"$ne": null}}', b"NaN"],
)
def test_a_body_of_another_content_type_is_refused_with_a_message(
    client: TestClient, body: bytes
) -> None:
    answer = client.post("/api/auth/login", content=body, headers={"Content-Type": TEXT})
    assert answer.status_code == 422
    assert answer.json()["details"]


def test_deeply_nested_bodies_are_refused_with_a_message(client: TestClient) -> None:
    body = b"[" * 200_000
    answer = client.post("/api/auth/login", content=body, headers={"Content-Type": TEXT})
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "\0"])
def test_characters_that_cannot_be_stored_are_refused(
    client: TestClient, ada: SignedUpUser, value: str
) -> None:
    headers = bearer(ada.id) | {"Content-Type": TEXT}
    for method, path, field in (
        ("PATCH", "/api/me", "first_name"),
        ("POST", "/api/auth/login", "email"),
        ("POST", "/api/auth/refresh", "refresh_token"),
        ("POST", "/api/auth/forgot-password", "email"),
        ("POST", "/api/auth/verify-email", "token"),
    ):
        body = json.dumps({field: value, "password": value})
        answer = client.request(method, path, content=body, headers=headers)
        assert answer.status_code < 500
        assert answer.headers["content-type"].startswith(TEXT)
    answer = client.get("/api/samples", params={"q": value.encode("utf-8", "replace")})
    assert answer.status_code == 401


def test_mass_assignment_grants_no_privileges(client: TestClient, ada: SignedUpUser) -> None:
    before = row(ada)
    for method, path, good in (
        ("PATCH", "/api/me", {"first_name": "Ada"}),
        ("PATCH", "/api/me/preferences", {"theme": "dark"}),
        ("PUT", "/api/me/password", {"current_password": PASSWORD, "password": "x"}),
    ):
        client.request(method, path, json=good | FORBIDDEN, headers=bearer(ada.id))
    after = row(ada)
    for name in ("id", "email", "is_demo", "email_verified_at", "password_hash", "created_at"):
        assert getattr(after, name) == getattr(before, name)
    new = {"email": "new@example.org", "password": PASSWORD, "first_name": "", "last_name": ""}
    assert client.post("/api/auth/register", json=new | FORBIDDEN).status_code in (201, 422)
    assert "email_verified_at': datetime" not in str(
        [text for text in dump()["users"].values() if "new@example.org" in text]
    )


def test_mailed_links_ignore_host_headers(client: TestClient, ada: SignedUpUser) -> None:
    evil = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "Forwarded": "host=evil.example",
        "Origin": "https://evil.example",
        "Referer": "https://evil.example/",
    }
    body = {"email": ada.email}
    assert client.post("/api/auth/forgot-password", json=body, headers=evil).status_code == 200
    (letter,) = mails(ada.email)
    assert "evil" not in str(letter)
    assert "localhost:3000/reset-password" in text_of(letter)


def test_identity_headers_are_ignored(client: TestClient, ada: SignedUpUser) -> None:
    bob = sign_up_user()
    claims = {
        "X-User-ID": str(ada.id),
        "X-User-Tier": "enterprise",
        "X-Forwarded-User": ada.email,
        "Remote-User": ada.email,
        "X-Original-URL": "/api/health/live",
        "X-Rewrite-URL": "/api/health/live",
    }
    assert client.get("/api/me", headers=claims).status_code == 401
    answer = client.get("/api/me", headers=claims | bearer(bob.id)).json()
    assert (answer["id"], answer["tier"]) == (str(bob.id), "free")


def test_method_override_headers_are_ignored(client: TestClient, ada: SignedUpUser) -> None:
    headers = bearer(ada.id)
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = client.get("/api/me?_method=DELETE", headers=headers | {name: "DELETE"})
        assert answer.status_code == 200
    assert row(ada).email == ada.email


@pytest.mark.parametrize(
    "path",
    [
        "/api/me/",
        "//api/me",
        "/api//me",
        "/API/me",
        "/api/./me",
        "/api/x/../me",
        "/api/x/%2e%2e/me",
        "/api/%6de",
        "/api/me;a=b",
        "/api/me%00",
        "/api/me%2f",
        "/api/..%2f..%2fetc/passwd",
        "/api/me\\..\\me",
        "/auth/../api/me",
    ],
)
def test_unusual_paths_bypass_no_authentication(client: TestClient, path: str) -> None:
    answer = client.get(path, follow_redirects=False)
    assert answer.status_code in (307, 401, 404)
    assert "email" not in answer.text
    if answer.status_code == 307:
        assert answer.headers["location"].startswith("http://localhost:3000/")

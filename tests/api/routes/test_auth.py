"""Authentication routes for API clients."""

import base64
import datetime as dt
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from fastapi.testclient import TestClient
from jwt.algorithms import RSAAlgorithm

from sp404_app.db import transaction
from sp404_app.models.columns import now
from sp404_app.services.auth import signing_keys
from tests.accounts import (
    PASSWORD,
    active_sessions,
    bearer,
    mailed_token,
    mails,
    sign_in_api_client,
    sign_up_user,
)

FORM = {"email": "ada@example.org", "password": PASSWORD, "first_name": "Ada", "last_name": "L."}


@pytest.fixture
def client(api: TestClient) -> Iterator[TestClient]:
    return api  # type: ignore[return-value]


def login(client: TestClient, email: str, password: str = PASSWORD) -> Any:
    return client.post("/api/auth/login", json={"email": email, "password": password})


def test_a_user_signs_up_verifies_and_signs_in(client: TestClient) -> None:
    answer = client.post("/api/auth/register", json=FORM)
    assert answer.status_code == 201
    assert answer.json()["user"] == {
        "email": "ada@example.org",
        "first_name": "Ada",
        "last_name": "L.",
    }
    assert login(client, FORM["email"]).json()["code"] == "email_not_verified"
    token = mailed_token(mails("ada@example.org")[0])
    assert client.post("/api/auth/verify-email", json={"token": token}).status_code == 200
    answer = login(client, FORM["email"])
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"token", "refresh_token", "expires_in", "user"}
    assert body["expires_in"] == 3600
    assert set(body["user"]) == {"id", "email", "first_name", "last_name", "tier"}
    me = client.get("/api/me", headers={"Authorization": f"Bearer {body['token']}"})
    assert me.json()["id"] == body["user"]["id"]


def test_a_known_email_gets_the_response_of_a_new_one(client: TestClient) -> None:
    sign_up_user("ada@example.org")
    known = client.post("/api/auth/register", json=FORM)
    new = client.post("/api/auth/register", json=FORM | {"email": "eva@example.org"})
    assert known.status_code == new.status_code == 201
    assert known.json()["message"] == new.json()["message"]
    assert known.json()["user"] == new.json()["user"] | {"email": "ada@example.org"}


@pytest.mark.parametrize("path", ["resend-verification", "forgot-password"])
def test_requesting_a_mail_does_not_reveal_whether_an_account_exists(
    client: TestClient, path: str
) -> None:
    ada = sign_up_user(verified=path == "forgot-password")
    answers = [
        client.post(f"/api/auth/{path}", json={"email": email})
        for email in (ada.email, "nobody@example.org", "not an address")
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(mails()) == 1


@pytest.mark.parametrize(("path", "most"), [("resend-verification", 1), ("forgot-password", 5)])
def test_mails_have_the_same_limit_for_known_and_unknown_emails(
    client: TestClient, path: str, most: int
) -> None:
    ada = sign_up_user(verified=path == "forgot-password")
    for email in (ada.email, "nobody@example.org"):
        for _ in range(most):
            answer = client.post(f"/api/auth/{path}", json={"email": email})
            assert answer.status_code == 200
        answer = client.post(f"/api/auth/{path}", json={"email": email})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0


def test_extra_fields_of_a_sign_up_grant_no_privileges(client: TestClient) -> None:
    extra = {
        "is_admin": True,
        "is_demo": True,
        "tier": "enterprise",
        "id": "01a204c0-82ec-769a-8e34-995e038227bd",
        "email_verified_at": "2020-01-01T00:00:00Z",
        "password_hash": "x",
    }
    assert client.post("/api/auth/register", json=FORM | extra).status_code == 201
    assert login(client, FORM["email"]).json()["code"] == "email_not_verified"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "ada@example.org"},
        {"email": None, "password": None},
        {"email": ["ada@example.org"], "password": {"$ne": ""}},
        {"email": 7, "password": True},
        [],
        "x",
        None,
    ],
)
@pytest.mark.parametrize("path", ["register", "login"])
def test_malformed_bodies_are_refused_by_field(client: TestClient, path: str, body: Any) -> None:
    answer = client.post(f"/api/auth/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"
    assert all(isinstance(value, list) for value in answer.json()["details"].values())


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("nobody@example.org", PASSWORD),
        ("\0", "\0"),
        ("ada@example.org", "é" * 100),
        ("ada@example.org", "🥁" * 64),
        ("ada@example.org", "x" * 20_000),
        ("' or 1=1 --", "' or 1=1 --"),
        ("ada@example.org\r\nX: y", "x"),
    ],
)
def test_every_wrong_email_or_password_gets_the_same_response(
    client: TestClient, email: str, password: str
) -> None:
    sign_up_user("ada@example.org")
    answer = login(client, email, password)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": "Wrong email or password.",
        "status": 401,
        "code": "wrong_credentials",
        "details": {},
    }


def test_lone_surrogates_are_refused_without_a_server_error(client: TestClient) -> None:
    raw = b'{"email": "\\ud83e@example.org", "password": "\\ud83e\\ud83e\\ud83e\\ud83e", '
    raw += b'"first_name": "\\ud83e", "last_name": "\\u0000"}'
    headers = {"Content-Type": "application/json"}
    assert client.post("/api/auth/register", content=raw, headers=headers).status_code == 422
    assert client.post("/api/auth/login", content=raw, headers=headers).status_code == 422


def test_too_many_failures_get_a_retry_after(client: TestClient) -> None:
    ada = sign_up_user()
    for _ in range(5):
        assert login(client, ada.email, "wrong password").status_code == 401
    answer = login(client, ada.email)
    assert answer.status_code == 429
    assert answer.json()["code"] == "rate_limited"
    assert 0 < int(answer.headers["retry-after"]) <= 300


def test_a_reused_refresh_token_revokes_the_session(client: TestClient) -> None:
    ada = sign_up_user()
    first = login(client, ada.email).json()["refresh_token"]

    def refresh(token: str) -> Any:
        return client.post("/api/auth/refresh", json={"refresh_token": token})

    second = refresh(first).json()
    assert (
        refresh(first).json()["refresh_token"] == second["refresh_token"]
    )  # as two tabs do at once
    third = refresh(second["refresh_token"]).json()
    assert set(third) == {"token", "refresh_token", "expires_in", "user"}
    assert refresh(first).status_code == 401
    assert refresh(third["refresh_token"]).status_code == 401
    dead = client.get("/api/me", headers={"Authorization": f"Bearer {third['token']}"})
    assert dead.status_code == 401
    assert mails(ada.email)[-1]["Subject"] == "We signed out one of your devices"


def test_refresh_and_access_tokens_are_not_interchangeable(client: TestClient) -> None:
    ada = sign_up_user()
    pair = sign_in_api_client(ada.id)
    for token in (pair.refresh_token, pair.token[:-2], pair.token + "x", "null", ""):
        answer = client.get("/api/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    refreshed = client.post("/api/auth/refresh", json={"refresh_token": pair.token})
    assert refreshed.status_code == 401
    for path in ("verify-email", "reset-password"):
        for token in (pair.token, pair.refresh_token):
            body = {"token": token, "password": "a brand new one"}
            assert client.post(f"/api/auth/{path}", json=body).status_code == 422


def test_signing_out_revokes_both_tokens_of_this_session_only(client: TestClient) -> None:
    ada = sign_up_user()
    mine, other = sign_in_api_client(ada.id), sign_in_api_client(ada.id)
    headers = {"Authorization": f"Bearer {mine.token}"}
    assert client.get("/api/me", headers=headers).status_code == 200
    assert client.post("/api/auth/logout", headers=headers).status_code == 204
    assert client.get("/api/me", headers=headers).status_code == 401
    refresh = client.post("/api/auth/refresh", json={"refresh_token": mine.refresh_token})
    assert refresh.status_code == 401
    headers = {"Authorization": f"Bearer {other.token}"}
    assert client.get("/api/me", headers=headers).status_code == 200


def test_signing_out_everywhere_revokes_all_sessions(client: TestClient) -> None:
    ada = sign_up_user()
    pairs = [sign_in_api_client(ada.id) for _ in range(3)]
    headers = [{"Authorization": f"Bearer {pair.token}"} for pair in pairs]
    assert client.post("/api/auth/logout-all", headers=headers[0]).status_code == 204
    assert {client.get("/api/me", headers=one).status_code for one in headers} == {401}


def test_an_expired_access_token_is_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = sign_up_user()
    past = now() - dt.timedelta(hours=2)
    with monkeypatch.context() as patch:
        patch.setattr("sp404_app.services.auth.access_tokens.now", lambda: past)
        token = sign_in_api_client(ada.id).token
    answer = client.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_a_forgotten_password_is_reset(client: TestClient) -> None:
    ada = sign_up_user()
    client.post("/api/auth/forgot-password", json={"email": ada.email})
    body = {"token": mailed_token(mails(ada.email)[0]), "password": "a brand new one"}
    assert client.post("/api/auth/reset-password", json=body).status_code == 200
    assert client.post("/api/auth/reset-password", json=body).status_code == 422
    assert login(client, ada.email).status_code == 401
    assert login(client, ada.email, "a brand new one").status_code == 200


def test_access_tokens_verify_with_the_published_keys(client: TestClient) -> None:
    ada = sign_up_user()
    token = sign_in_api_client(ada.id).token
    key_set = client.get("/.well-known/jwks.json")
    assert key_set.headers["cache-control"] == "public, max-age=600"
    header = jwt.get_unverified_header(token)
    (jwk,) = [key for key in key_set.json()["keys"] if key["kid"] == header["kid"]]
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(jwk)
    claims = jwt.decode(
        token, RSAAlgorithm.from_jwk(jwk), algorithms=["RS256"], audience="sp404-api"
    )  # type: ignore[arg-type]
    assert claims["sub"] == str(ada.id)
    pem = client.get("/api/auth/public-key")
    assert pem.headers["cache-control"] == "public, max-age=3600"
    assert pem.text == signing_keys.signing_public_key_pem()
    assert "PRIVATE" not in pem.text


@pytest.mark.parametrize("scheme", ["Basic", "Token", "bearer", "BEARER"])
def test_only_the_bearer_scheme_authenticates(client: TestClient, scheme: str) -> None:
    ada = sign_up_user()
    answer = client.get(
        "/api/me", headers={"Authorization": f"{scheme} {sign_in_api_client(ada.id).token}"}
    )
    assert answer.status_code == (200 if scheme.lower() == "bearer" else 401)


def test_an_invalid_token_is_refused_despite_a_valid_cookie(client: TestClient) -> None:
    ada = sign_up_user()
    form = {"email": ada.email, "password": PASSWORD}
    assert client.post("/auth/session", data=form, follow_redirects=False).status_code == 303
    assert client.get("/api/me").status_code == 200
    assert client.get("/api/me", headers={"Authorization": "Bearer x"}).status_code == 401


def test_headers_that_name_a_user_are_ignored(client: TestClient) -> None:
    ada, bob = sign_up_user(), sign_up_user()
    forged = {"X-User-ID": str(bob.id), "X-User-Tier": "enterprise", "X-Forwarded-User": bob.email}
    assert client.get("/api/me", headers=forged).status_code == 401
    answer = client.get("/api/me", headers=bearer(ada.id) | forged).json()
    assert (answer["id"], answer["tier"]) == (str(ada.id), "free")


def test_mailed_links_ignore_the_host_header(client: TestClient) -> None:
    client.post("/api/auth/register", json=FORM, headers={"Host": "evil.example"})
    letter = mails("ada@example.org")[0]
    assert "evil.example" not in letter.as_string()
    assert b"evil.example" not in base64.b64encode(letter.as_bytes())


def test_a_revoked_session_is_refused_without_the_cache(client: TestClient) -> None:
    ada = sign_up_user()
    headers = bearer(ada.id)
    with transaction() as session:
        active_sessions(session, ada.id)[0].revoked_at = now()
    assert client.get("/api/me", headers=headers).status_code == 401

"""Re-authentication, two-factor authentication, tokens and change of email over the API."""

import datetime as dt
import uuid

import pytest
from fastapi.testclient import TestClient
from pyotp.totp import TOTP
from sqlmodel import select, update

from sp404_app.api.app import api as app
from sp404_app.db import transaction
from sp404_app.models import PersonalToken, SignIn
from sp404_app.models.columns import now
from tests.accounts import PASSWORD, bearer, mailed_token, mails, sign_up_user
from tests.ids import UNKNOWN_ID

ALL = [
    "samples:read",
    "samples:write",
    "projects:read",
    "projects:write",
    "account:read",
    "billing:read",
]
SENSITIVE = [
    ("PUT", "/api/me/email", {"email": "new@example.org"}),
    ("POST", "/api/me/two-factor", None),
    ("POST", "/api/me/two-factor/confirm", {"code": "123456"}),
    ("POST", "/api/me/two-factor/recovery-codes", None),
    ("DELETE", "/api/me/two-factor", None),
    ("POST", "/api/me/tokens", {"name": "x", "abilities": ["samples:read"]}),
    ("DELETE", f"/api/me/sessions/{UNKNOWN_ID}", None),
    ("POST", "/api/me/export", None),
    ("DELETE", "/api/me", None),
]


def expire_reauthentication() -> None:
    """Move all re-authentications eleven minutes into the past."""
    with transaction() as session:
        session.exec(update(SignIn).values(confirmed_at=now() - dt.timedelta(minutes=11)))


def token_of(api: TestClient, headers: dict[str, str], *abilities: str) -> dict[str, str]:
    form = {"name": "script", "abilities": list(abilities)}
    body = api.post("/api/me/tokens", json=form, headers=headers).json()
    return {"Authorization": f"Bearer {body['token']}"}


@pytest.mark.parametrize(("method", "path", "body"), SENSITIVE)
def test_sensitive_routes_need_reauthentication(
    api: TestClient, method: str, path: str, body: object
) -> None:
    headers = bearer(sign_up_user().id)
    expire_reauthentication()
    answer = api.request(method, path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "password_confirmation_required")
    assert api.post("/api/me/confirm", json={"password": "x"}, headers=headers).status_code == 422
    again = api.request(method, path, json=body, headers=headers)
    assert again.json()["code"] == "password_confirmation_required"


def test_reauthentication_counts_for_its_own_session_only(api: TestClient) -> None:
    ada = sign_up_user()
    one, other = bearer(ada.id), bearer(ada.id)
    expire_reauthentication()
    assert api.post("/api/me/confirm", json={"password": PASSWORD}, headers=one).status_code == 204
    assert api.post("/api/me/two-factor", headers=one).status_code == 200
    assert api.post("/api/me/two-factor", headers=other).status_code == 403


def test_reauthentication_is_rate_limited(api: TestClient) -> None:
    headers = bearer(sign_up_user().id)
    wrong = [
        api.post("/api/me/confirm", json={"password": f"guess {n}"}, headers=headers).status_code
        for n in range(6)
    ]
    assert wrong == [422] * 5 + [429]


def test_two_factor_authentication_over_the_api(api: TestClient) -> None:
    ada = sign_up_user()
    headers = bearer(ada.id)
    setup = api.post("/api/me/two-factor", headers=headers).json()
    code = TOTP(setup["secret"]).now()
    answer = api.post("/api/me/two-factor/confirm", json={"code": code}, headers=headers)
    codes = answer.json()["recovery_codes"]
    assert len(codes) == 10
    assert api.get("/api/me/two-factor", headers=headers).json() == {"on": True, "codes_left": 10}

    login = {"email": ada.email, "password": PASSWORD}
    answer = api.post("/api/auth/login", json=login)
    assert (answer.status_code, answer.json()["code"]) == (401, "two_factor_required")
    challenge = answer.json()["details"]["challenge"]
    for header in (challenge, code, codes[0]):
        bad = {"Authorization": f"Bearer {header}"}
        assert api.get("/api/me", headers=bad).status_code == 401
    form = {"challenge": challenge, "code": code}
    assert api.post("/api/auth/two-factor", json=form).json()["code"] == "wrong_credentials"
    answer = api.post("/api/auth/two-factor", json=form | {"code": codes[0]})
    assert answer.json()["user"]["email"] == ada.email
    assert api.post("/api/auth/two-factor", json=form | {"code": codes[1]}).status_code == 401
    token = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert api.delete("/api/me/two-factor", headers=token).status_code == 204
    assert api.post("/api/auth/login", json=login).status_code == 200


def test_a_personal_token_is_shown_once_and_stored_as_a_hash(api: TestClient) -> None:
    ada = sign_up_user()
    headers = bearer(ada.id)
    form = {"name": " My  script ", "abilities": ["samples:read"], "expires_in_days": 30}
    made = api.post("/api/me/tokens", json=form, headers=headers)
    assert made.status_code == 201
    token = made.json()["token"]
    assert token.startswith("sp404_")
    shown = api.get("/api/me/tokens", headers=headers)
    assert token not in shown.text
    assert shown.json()["tokens"][0]["name"] == "My script"
    with transaction() as session:
        assert token.encode() not in session.exec(select(PersonalToken)).one().hash


def test_a_personal_token_is_limited_to_its_scopes(api: TestClient) -> None:
    headers = bearer(sign_up_user().id)
    reads = token_of(api, headers, "samples:read")
    assert api.get("/api/samples", headers=reads).status_code == 200
    for method, path in (("GET", "/api/me"), ("POST", "/api/samples/bulk"), ("GET", "/api/quotas")):
        body = {"ids": [], "action": "delete"} if method == "POST" else None
        answer = api.request(method, path, json=body, headers=reads)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_ability"), path
    account = token_of(api, headers, "account:read")
    assert api.get("/api/me", headers=account).status_code == 200
    assert api.patch("/api/me", json={"first_name": "x"}, headers=account).status_code == 403
    assert api.get("/api/samples", headers=account).status_code == 403
    shown = api.get("/api/me/tokens", headers=headers).json()["tokens"]
    assert all(token["last_used_at"] for token in shown)


def test_no_personal_token_changes_an_account_or_creates_tokens(api: TestClient) -> None:
    best = token_of(api, bearer(sign_up_user().id), *ALL)
    paths = [(method, path, body) for method, path, body in SENSITIVE]
    paths += [
        ("GET", "/api/me/tokens", None),
        ("GET", "/api/me/sessions", None),
        ("POST", "/api/me/confirm", {"password": PASSWORD}),
        ("PUT", "/api/me/password", {"current_password": PASSWORD, "password": "x" * 20}),
        ("POST", "/api/auth/logout-all", None),
        ("DELETE", f"/api/me/tokens/{UNKNOWN_ID}", None),
    ]
    for method, path, body in paths:
        answer = api.request(method, path, json=body, headers=best)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_ability"), path


def test_every_writing_route_refuses_a_token_with_read_scopes(
    api: TestClient,
) -> None:
    reads = token_of(api, bearer(sign_up_user().id), "samples:read", "account:read", "billing:read")
    for path, methods in app.openapi()["paths"].items():
        if path.startswith(("/api/auth", "/api/webhooks", "/.well-known", "/api/health")):
            continue
        for method in set(methods) - {"get", "head"}:
            where = path.replace("{", "").replace("}", "")
            for name in ("sample_id", "sign_in_id", "token_id", "job_id", "export_id"):
                where = where.replace(name, str(uuid.uuid4()))
            status = api.request(method.upper(), where, headers=reads).status_code
            assert status in {403, 422}, (method, path, status)


def test_revoked_and_expired_tokens_are_refused_at_once(api: TestClient) -> None:
    headers = bearer(sign_up_user().id)
    dead = token_of(api, headers, "samples:read")
    (row,) = api.get("/api/me/tokens", headers=headers).json()["tokens"]
    stranger = bearer(sign_up_user().id)
    assert api.delete(f"/api/me/tokens/{row['id']}", headers=stranger).status_code == 404
    assert api.get("/api/samples", headers=dead).status_code == 200
    assert api.delete(f"/api/me/tokens/{row['id']}", headers=headers).status_code == 204
    assert api.get("/api/samples", headers=dead).status_code == 401
    old = token_of(api, headers, "samples:read")
    with transaction() as session:
        session.exec(update(PersonalToken).values(expires_at=now() - dt.timedelta(seconds=1)))
    assert api.get("/api/samples", headers=old).status_code == 401


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "abilities": ALL},
        {"name": "x" * 101, "abilities": ALL},
        {"name": "x", "abilities": []},
        {"name": "x", "abilities": ["samples:read", "*"]},
        {"name": "x", "abilities": ["admin"]},
        {"name": "x", "abilities": "samples:read"},
        {"name": "x", "abilities": ALL, "expires_in_days": 0},
        {"name": "x", "abilities": ALL, "expires_in_days": 10**12},
        {"name": "x", "abilities": ALL, "user_id": UNKNOWN_ID},
    ],
)
def test_invalid_fields_of_a_new_token_are_refused(
    api: TestClient, form: dict[str, object]
) -> None:
    assert (
        api.post("/api/me/tokens", json=form, headers=bearer(sign_up_user().id)).status_code == 422
    )


def test_nul_bytes_never_reach_the_database(api: TestClient) -> None:
    headers = bearer(sign_up_user().id)
    form = {"name": "a\0b", "abilities": ALL}
    assert api.post("/api/me/tokens", json=form, headers=headers).status_code in {201, 422}
    bad = {"challenge": "a\0", "code": "\0"}
    assert api.post("/api/auth/two-factor", json=bad).status_code == 401
    for path in ("change-email", "revert-email"):
        assert api.post(f"/api/auth/{path}", json={"token": "a\0b"}).status_code == 422


def test_a_change_of_email_over_the_api(api: TestClient) -> None:
    ada = sign_up_user()
    headers = bearer(ada.id)
    answer = api.put("/api/me/email", json={"email": "new@example.org"}, headers=headers)
    assert answer.status_code == 202
    token = mailed_token(mails("new@example.org")[-1])
    assert api.post("/api/auth/change-email", json={"token": token}).status_code == 200
    assert api.get("/api/me", headers=headers).json()["email"] == "new@example.org"
    back = mailed_token(mails(ada.email)[-1])
    assert api.post("/api/auth/revert-email", json={"token": back}).status_code == 200
    assert api.get("/api/me", headers=headers).status_code == 401

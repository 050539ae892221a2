"""Browser sign-in and sign-out by HTML forms."""

import uuid
from functools import partial
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api as app
from sp404_app.api.middleware.stack import wrap_in_middleware
from sp404_app.db import transaction
from sp404_app.models import Purpose
from sp404_app.services.account import admin
from sp404_app.services.auth import login, one_time_tokens, redirects, sessions, users
from sp404_app.settings import Settings, settings
from tests.accounts import (
    CLIENT,
    PASSWORD,
    SignedUpUser,
    active_sessions,
    reset,
    run_after,
    sign_up_user,
    without_database,
)
from tests.services.auth.test_two_factor import enable_two_factor


def sign_in(api: TestClient, who: SignedUpUser, **more: Any) -> Any:
    form = {"email": who.email, "password": who.password} | more.pop("form", {})
    return api.post("/auth/session", data=form, follow_redirects=False, **more)


def test_the_right_password_sets_an_httponly_cookie(api: TestClient) -> None:
    answer = sign_in(api, sign_up_user(), form={"next": "/samples/7?x=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/samples/7?x=1")
    cookie = answer.headers.get_list("set-cookie")[0]
    assert cookie.startswith(f"sp404_session_{settings().port}=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert api.get("/api/me").status_code == 200


def test_the_cookie_has_the_host_prefix_on_https(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    from sp404_app.api.app import api as app

    who = sign_up_user()
    environment.setenv("SP404_PUBLIC_URL", "https://crate.example")
    settings.cache_clear()
    with TestClient(app, base_url="https://crate.example") as client:
        answer = sign_in(client, who)
        cookie = answer.headers.get_list("set-cookie")[0]
        assert cookie.startswith("__Host-sp404_session=")
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
        assert client.get("/api/me").status_code == 200


def test_a_wrong_password_redirects_with_an_error_code_and_keeps_the_email(api: TestClient) -> None:
    who = sign_up_user()
    answer = sign_in(api, who, form={"password": "wrong password", "next": "/account"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?error=wrong_credentials&next=%2Faccount"
    assert who.email not in answer.headers["location"]
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f'{sessions.typed_email_cookie_name()}="{who.email}"')
    assert "HttpOnly" in cookie
    assert api.get("/api/me").status_code == 401


def test_a_sign_in_is_rejected_if_the_password_changed_after_verification(
    api: TestClient,
) -> None:
    who = sign_up_user()
    with run_after(login, login.verify_credentials, partial(reset, who)):
        answer = sign_in(api, who, form={"next": "/account"})
    assert answer.headers["location"] == "/login?error=too_late&next=%2Faccount"
    assert api.get("/api/me").status_code == 401
    who = sign_up_user()
    with run_after(login, login.verify_credentials, partial(reset, who)):
        answer = api.post("/api/auth/login", json={"email": who.email, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    with transaction() as session:
        assert active_sessions(session, who.id) == []


def test_an_unverified_email_redirects_with_an_error_code(api: TestClient) -> None:
    answer = sign_in(api, sign_up_user(verified=False))
    assert answer.headers["location"] == "/login?error=email_not_verified"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example",
        "javascript:alert(1)", "/\t/evil.example", "/%0d%0aset-cookie:x=y\r\nx: y", "",
        "library", "/a b", "/login", "/auth/session/end", "http:/evil.example", "/ü", "/\0",
        "/x//evil.example", "/..//evil.example", "/.", "/a/../b", "/a/./b", "/%2Fevil.example",
        "/%2f%2fevil.example", "/%5Cevil.example", "/%252F/evil.example", "/%2e%2e//evil.example",
        "/%09/evil.example", "/Login", "/%6Cogin", "/%61uth/session/end", "//x/..", "/%00",
    ],
)  # fmt: skip
def test_redirects_to_other_hosts_are_replaced(api: TestClient, target: str) -> None:
    assert redirects.safe_redirect_target(target) == "/library"
    answer = sign_in(api, sign_up_user(), form={"next": target})
    assert answer.headers["location"] == "/library"
    assert "x" not in answer.cookies


@pytest.mark.parametrize("target", [None, 7, ["/x"], {"a": 1}])
def test_redirect_targets_that_are_no_strings_are_replaced(target: object) -> None:
    assert redirects.safe_redirect_target(target) == "/library"


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/library?q=kick&sort=-bpm",
        "/samples/01a2#x",
        "/library?q=a//b%2F..%5C%00&x=..",
        "/samples/01a2/",
        "/samples/%C3%BC",
    ],
)
def test_redirects_to_local_pages_are_kept(target: str) -> None:
    assert redirects.safe_redirect_target(target) == target


def test_signing_in_again_revokes_the_previous_session(api: TestClient) -> None:
    who = sign_up_user()
    sign_in(api, who)
    old = api.cookies[sessions.cookie_name()]
    sign_in(api, who)
    assert api.cookies[sessions.cookie_name()] != old
    api.cookies[sessions.cookie_name()] = old
    assert api.get("/api/me").status_code == 401


def test_a_planted_session_cookie_is_not_adopted(api: TestClient) -> None:
    api.cookies[sessions.cookie_name()] = "planted"
    answer = sign_in(api, sign_up_user())
    assert answer.cookies[sessions.cookie_name()] != "planted"


def test_signing_out_revokes_the_session_and_clears_the_cookie(api: TestClient) -> None:
    sign_in(api, sign_up_user())
    cookie = api.cookies[sessions.cookie_name()]
    answer = api.post("/auth/session/end", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert sessions.cookie_name() not in api.cookies
    api.cookies[sessions.cookie_name()] = cookie
    assert api.get("/api/me").status_code == 401
    assert api.post("/auth/session/end", follow_redirects=False).status_code == 303


CROSS_SITE: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost:1"},
    {"Origin": "http://localhost.evil.example:3000"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
]


@pytest.mark.parametrize("headers", CROSS_SITE)
def test_cross_site_requests_are_refused(api: TestClient, headers: dict[str, str]) -> None:
    who = sign_up_user()
    sign_in(api, who)
    answer = api.patch("/api/me", json={"first_name": "Eve"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert api.get("/api/me", headers=headers).json()["first_name"] == ""
    assert api.post("/auth/session/end", headers=headers).status_code == 403
    assert sign_in(api, who, headers=headers).status_code == 403
    assert api.get("/api/me").status_code == 200


@pytest.mark.parametrize("with_headers", [True, False])
def test_same_origin_requests_and_api_clients_are_accepted(
    api: TestClient, *, with_headers: bool
) -> None:
    sign_in(api, sign_up_user())
    headers = {"Origin": settings().origin, "Sec-Fetch-Site": "same-origin"} if with_headers else {}
    answer = api.patch("/api/me", json={"first_name": "Ada"}, headers=headers)
    assert answer.json()["first_name"] == "Ada"


def test_a_bearer_token_needs_no_origin(api: TestClient) -> None:
    who = sign_up_user()
    body = {"email": who.email, "password": PASSWORD}
    token = api.post("/api/auth/login", json=body).json()["token"]
    headers = {"Authorization": f"Bearer {token}", "Origin": "https://a-program.example"}
    assert api.patch("/api/me", json={"first_name": "Ada"}, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "form", [{}, {"email": "x"}, {"email": "\0", "password": "\0"}, {"password": "x" * 19_000}]
)
def test_malformed_forms_redirect_to_the_page(api: TestClient, form: dict[str, str]) -> None:
    answer = api.post("/auth/session", data=form, follow_redirects=False)
    assert answer.headers["location"].startswith("/login?error=")


def test_production_trusts_its_own_origin_only(
    api: TestClient, environment: pytest.MonkeyPatch
) -> None:
    who = sign_up_user()
    environment.setenv("SP404_ENV", "production")
    environment.setenv("SP404_PUBLIC_URL", "https://crate.example")
    settings.cache_clear()
    local = {"Origin": f"http://localhost:{settings().port}"}
    assert sign_in(api, who, headers=local).status_code == 403
    assert sign_in(api, who, headers={"Origin": "https://crate.example"}).status_code == 303


def test_a_two_factor_sign_in_keeps_the_challenge_in_a_cookie(api: TestClient) -> None:
    ada = sign_up_user()
    _, codes = enable_two_factor(ada)
    origin = {"Origin": str(api.base_url)}
    form = {"email": ada.email, "password": PASSWORD, "next": "/samples/1"}
    first = api.post("/auth/session", data=form, headers=origin, follow_redirects=False)
    assert first.headers["location"] == "/login?step=code&next=%2Fsamples%2F1"
    name = sessions.challenge_cookie_name()
    assert {name} <= {cookie.name for cookie in api.cookies.jar}
    assert "HttpOnly" in first.headers["set-cookie"]
    assert sessions.cookie_name() not in {cookie.name for cookie in api.cookies.jar}
    code = {"code": "000000", "next": "https://evil.example"}
    wrong = api.post("/auth/session/code", data=code, headers=origin, follow_redirects=False)
    assert wrong.headers["location"] == "/login?step=code&error=wrong_code"
    code = {"code": codes[0], "next": "/samples/1"}
    right = api.post("/auth/session/code", data=code, headers=origin, follow_redirects=False)
    assert right.headers["location"] == "/samples/1"
    assert {cookie.name for cookie in api.cookies.jar} == {sessions.cookie_name()}
    again = api.post("/auth/session/code", data=code, headers=origin, follow_redirects=False)
    assert again.headers["location"].startswith("/login?error=too_late")
    evil = {"Origin": "https://evil.example"}
    assert api.post("/auth/session/code", data=code, headers=evil).status_code == 403


def confirmation_token(who: SignedUpUser) -> str:
    with transaction() as session:
        return one_time_tokens.create_one_time_token(session, who.id, Purpose.VERIFY_EMAIL)


def confirm(api: TestClient, token: str, **more: Any) -> Any:
    form = {"token": token}
    return api.post("/auth/session/confirmed", data=form, follow_redirects=False, **more)


def test_confirming_the_email_signs_in_once(api: TestClient) -> None:
    ada = sign_up_user(verified=False)
    token = confirmation_token(ada)
    assert confirm(api, token, headers={"Origin": "https://evil.example"}).status_code == 403
    answer = confirm(api, token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/library")
    assert api.get("/api/me").json()["email"] == ada.email
    assert confirm(api, token).headers["location"] == "/library"  # sent twice
    api.cookies.clear()
    used = confirm(api, token)
    assert used.headers["location"] == "/verify-email?error=invalid"
    assert not api.cookies
    with transaction() as session:
        assert len(active_sessions(session, ada.id)) == 1


def test_confirming_the_email_keeps_the_session_of_another_account(api: TestClient) -> None:
    grace = sign_up_user()
    sign_in(api, grace)
    answer = confirm(api, confirmation_token(sign_up_user(verified=False)))
    assert answer.headers["location"] == "/verify-email?confirmed=other"
    assert api.get("/api/me").json()["email"] == grace.email


def test_confirming_the_email_does_not_replace_the_second_factor(api: TestClient) -> None:
    ada = sign_up_user()
    enable_two_factor(ada)
    answer = confirm(api, confirmation_token(ada))
    assert answer.headers["location"] == "/verify-email?confirmed=sign_in"
    assert api.get("/api/me").status_code == 401


@pytest.mark.parametrize("how", ["operator", "password"])
def test_a_mailed_confirmation_does_not_outlast_other_ways(api: TestClient, how: str) -> None:
    ada = sign_up_user(verified=how == "password")
    token = confirmation_token(ada)
    if how == "operator":
        admin.verify_email_as_operator(ada.email)
    else:
        with transaction() as session:
            found = users.get_credential(session, ada.id)
            users.change_password(session, found, found.password_hash, CLIENT, uuid.uuid4())
    assert confirm(api, token).headers["location"] == "/verify-email?error=invalid"


@pytest.mark.parametrize("token", ["", "x", "\0", "a" * 400])
def test_a_wrong_confirmation_link_signs_nobody_in(api: TestClient, token: str) -> None:
    assert confirm(api, token).headers["location"] == "/verify-email?error=invalid"
    assert api.get("/api/me").status_code == 401


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "path", "body", "page"),
    [
        ("POST", "/auth/session", {"data": {"email": "a" * 500}}, "/login?error=failed"),
        ("POST", "/auth/session", {"data": {"email": "x" * (2 << 20)}}, "/login?error=failed"),
        ("POST", "/auth/session/code", {"data": {"code": "1" * 500}}, "/login?error=failed"),
        (
            "POST",
            "/auth/session/confirmed",
            {"data": {"token": "1" * 500}},
            "/verify-email?error=failed",
        ),
        ("GET", "/auth/session", {}, "/login"),
        ("GET", "/auth/avatar", {}, "/login"),
        ("POST", "/auth/avatar", {}, "/account?picture=failed"),
        ("POST", "/auth/avatar", {"content": b"x" * (12 << 20)}, "/account?picture=heavy"),
    ],
)
def test_a_refused_form_redirects_a_browser_and_returns_json_to_a_client(
    services: Settings, method: str, path: str, body: dict[str, Any], page: str
) -> None:
    client = TestClient(wrap_in_middleware(app), services.origin, follow_redirects=False)
    sign_in(client, sign_up_user())
    answer = client.request(method, path, headers=BROWSER, **body)
    assert (answer.status_code, answer.headers["location"], answer.content) == (303, page, b"")
    answer = client.request(method, path, **body)
    assert answer.status_code in (405, 413, 422)
    assert answer.json()["error"]


@pytest.mark.parametrize("path", ["/auth/avatar", "/auth/account/end"])
def test_a_form_with_an_ended_session_redirects_to_the_sign_in_page(
    services: Settings, path: str
) -> None:
    client = TestClient(wrap_in_middleware(app), services.origin, follow_redirects=False)
    answer = client.post(path, headers=BROWSER, files={"picture": ("me.png", b"x")})
    to = "/login?error=not_signed_in&next=%2Faccount"
    assert (answer.status_code, answer.headers["location"]) == (303, to)


def test_a_sign_in_without_the_database_redirects_to_the_page(
    services: Settings,
) -> None:
    client = TestClient(wrap_in_middleware(app), services.origin, follow_redirects=False)
    with without_database():
        answer = client.post("/auth/session", data={"email": "a@example.org"}, headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?error=failed")

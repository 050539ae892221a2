"""Profile, preferences and devices over the API."""

import uuid

import pytest
from fastapi.testclient import TestClient

from tests.accounts import PASSWORD, bearer, cookie, sign_up_user

PATHS = [
    ("GET", "/api/me"),
    ("PATCH", "/api/me"),
    ("PUT", "/api/me/password"),
    ("GET", "/api/me/preferences"),
    ("PATCH", "/api/me/preferences"),
    ("GET", "/api/me/sessions"),
    ("DELETE", "/api/me/sessions/01a204c0-82ec-769a-8e34-995e038227bd"),
    ("POST", "/api/auth/logout"),
    ("POST", "/api/auth/logout-all"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_profile_routes_need_authentication(api: TestClient, method: str, path: str) -> None:
    body = {"current_password": "x", "password": "y"} if path.endswith("password") else {}
    answer = api.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_a_profile_has_what_the_contract_says(api: TestClient) -> None:
    ada = sign_up_user()
    body = api.get("/api/me", headers=bearer(ada.id)).json()
    assert set(body) == {
        "id",
        "email",
        "first_name",
        "last_name",
        "avatar_url",
        "tier",
        "email_verified",
        "created_at",
    }
    assert body["email"] == ada.email
    assert body["email_verified"] is True


def test_a_patch_changes_names_only(api: TestClient) -> None:
    ada = sign_up_user()
    headers = bearer(ada.id)
    answer = api.patch("/api/me", json={"first_name": "Ada"}, headers=headers)
    assert (answer.json()["first_name"], answer.json()["last_name"]) == ("Ada", "")
    for field in ("email", "tier", "id", "is_admin", "email_verified_at", "password_hash"):
        answer = api.patch("/api/me", json={field: "x"}, headers=headers)
        assert answer.status_code == 422
        assert field in answer.json()["details"]


@pytest.mark.parametrize("name", ["x" * 101, "a\0b", "\x1b[2J", 7, ["x"]])
def test_invalid_names_are_refused(api: TestClient, name: object) -> None:
    answer = api.patch("/api/me", json={"first_name": name}, headers=bearer(sign_up_user().id))
    assert answer.status_code == 422
    assert "first_name" in answer.json()["details"]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "Анна", "🥁", "O'Neill; drop table"])
def test_unusual_names_are_accepted(api: TestClient, name: str) -> None:
    answer = api.patch("/api/me", json={"first_name": name}, headers=bearer(sign_up_user().id))
    assert answer.json()["first_name"] == name


def test_a_password_change_needs_the_current_one_and_revokes_other_sessions(
    api: TestClient,
) -> None:
    ada = sign_up_user()
    mine, other = bearer(ada.id), bearer(ada.id)
    form = {"current_password": "wrong password", "password": "a brand new one"}
    answer = api.put("/api/me/password", json=form, headers=mine)
    assert answer.status_code == 422
    assert set(answer.json()["details"]) == {"current_password"}
    form["current_password"] = PASSWORD
    assert api.put("/api/me/password", json=form, headers=mine).status_code == 204
    assert api.get("/api/me", headers=mine).status_code == 200
    assert api.get("/api/me", headers=other).status_code == 401


def test_preferences_have_defaults_and_change_one_by_one(api: TestClient) -> None:
    headers = bearer(sign_up_user().id)
    assert api.get("/api/me/preferences", headers=headers).json() == {
        "theme": "dark",
        "autoplay": True,
        "level_previews": True,
        "folders_become_tags": True,
    }
    changed = api.patch("/api/me/preferences", json={"theme": "light"}, headers=headers)
    assert changed.json()["theme"] == "light"
    changed = api.patch("/api/me/preferences", json={"theme": "system"}, headers=headers)
    assert changed.json()["theme"] == "system"
    changed = api.patch("/api/me/preferences", json={"theme": "light"}, headers=headers)
    changed = api.patch("/api/me/preferences", json={"autoplay": False}, headers=headers)
    assert (changed.json()["theme"], changed.json()["autoplay"]) == ("light", False)


@pytest.mark.parametrize(
    "change", [{"theme": "pink"}, {"autoplay": "yes"}, {"autoplay": 1}, {"user_id": "x"}, {"a": 1}]
)
def test_invalid_preferences_are_refused(api: TestClient, change: dict[str, object]) -> None:
    answer = api.patch("/api/me/preferences", json=change, headers=bearer(sign_up_user().id))
    assert answer.status_code == 422


def test_devices_are_listed_and_signed_out_by_their_owner_only(api: TestClient) -> None:
    ada, bob = sign_up_user(), sign_up_user()
    mine, theirs = bearer(ada.id), bearer(bob.id)
    cookie(ada.id)
    listed = api.get("/api/me/sessions", headers=mine).json()
    assert listed["total"] == 2
    (browser,) = [device for device in listed["sessions"] if device["kind"] == "browser"]
    path = f"/api/me/sessions/{browser['id']}"
    never = f"/api/me/sessions/{uuid.uuid4()}"
    refusals = [api.delete(path, headers=theirs), api.delete(never, headers=theirs)]
    assert {answer.status_code for answer in refusals} == {404}
    assert refusals[0].json() == refusals[1].json()
    assert api.delete(path, headers=mine).status_code == 204
    assert api.delete(path, headers=mine).status_code == 404
    assert api.get("/api/me/sessions", headers=mine).json()["total"] == 1

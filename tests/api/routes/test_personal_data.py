"""Avatar, audit log, export and account deletion over the API."""

import io
import uuid
import zipfile

import pytest
from fastapi.testclient import TestClient
from sqlmodel import update

from sp404_app.api.app import api as app
from sp404_app.api.app import wrap_in_middleware
from sp404_app.api.middleware.body_limits import limit_bodies
from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import SignIn, User
from sp404_app.models.columns import now
from sp404_app.services.account import avatars
from sp404_app.settings import Settings
from tests.accounts import PASSWORD, bearer, cookie, sign_up_user
from tests.services.account.test_avatars import decompression_bomb, picture


def send(api: TestClient, content: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    answer = api.put(
        "/api/me/avatar", files={"picture": ("me.png", content, "image/png")}, headers=headers
    )
    return answer.status_code, answer.json()


@pytest.fixture
def api(services: Settings) -> TestClient:
    """Return a client of the whole gateway, which sets the cache headers."""
    return TestClient(wrap_in_middleware(app), base_url=services.origin)


def test_an_avatar_is_served_to_its_owner_only(api: TestClient) -> None:
    ada, bob = bearer(sign_up_user().id), bearer(sign_up_user().id)
    status, body = send(api, picture(), ada)
    assert status == 200
    where = body["avatar_url"]
    assert api.get("/api/me", headers=ada).json()["avatar_url"] == where
    mine = api.get(where, headers=ada)
    assert (mine.headers["content-type"], mine.content[8:12]) == ("image/webp", b"WEBP")
    assert mine.headers["cache-control"].startswith("private")
    assert mine.headers["vary"] == "Cookie, Authorization"
    assert api.get(where, headers=bob).status_code == 404
    assert api.get(f"/api/avatars/{uuid.uuid4()}", headers=ada).status_code == 404
    assert api.get(where).status_code == 401
    assert api.delete("/api/me/avatar", headers=ada).status_code == 204
    assert api.get(where, headers=ada).status_code == 404


@pytest.mark.parametrize("content", [b"", b"GIF89a", decompression_bomb(50_000, 50_000)])
def test_a_file_that_is_no_image_changes_nothing(api: TestClient, content: bytes) -> None:
    ada = bearer(sign_up_user().id)
    assert send(api, content, ada)[0] == 422
    assert api.get("/api/me", headers=ada).json()["avatar_url"] is None


@pytest.mark.parametrize(
    ("size", "status"), [(avatars.MAX_AVATAR_BYTES * 2, 413), (9_000_000, 401)]
)
@pytest.mark.parametrize(("method", "path"), [("PUT", "/api/me/avatar"), ("POST", "/auth/avatar")])
async def test_avatar_uploads_may_be_larger_only_when_signed_in(
    services: Settings, method: str, path: str, size: int, status: int
) -> None:
    answers: list[object] = []

    async def read_or_pass_on(*_: object) -> None:
        raise AssertionError("nobody comes as far as this")

    async def send(message: dict[str, object]) -> None:
        answers.append(message.get("status"))

    headers = [(b"content-length", str(size).encode())]
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    await limit_bodies(read_or_pass_on)(scope, read_or_pass_on, send)  # type: ignore[arg-type]
    assert answers[0] == status


def test_a_browser_uploads_an_avatar_by_form(api: TestClient) -> None:
    ada = sign_up_user()
    headers = {"Cookie": f"sp404_session_3000={cookie(ada.id)}", "Origin": str(api.base_url)}
    bomb = decompression_bomb(9000, 9000)
    for content, said in ((picture(), "saved"), (b"x", "unreadable"), (bomb, "large")):
        files = {"picture": ("me.png", content, "image/png")}
        answer = api.post("/auth/avatar", files=files, headers=headers, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/account?picture={said}")
    other = headers | {"Origin": "https://evil.example"}
    files = {"picture": ("me.png", picture(), "image/png")}
    assert api.post("/auth/avatar", files=files, headers=other).status_code == 403


def test_an_export_job_ends_as_a_zip_for_its_owner(api: TestClient) -> None:
    ada, bob = bearer(sign_up_user().id), bearer(sign_up_user().id)
    answer = api.post("/api/me/export", headers=ada)
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert (job["kind"], job["status"]) == ("account_export", "queued")
    where = f"/api/exports/{job['id']}"
    assert api.get(where, headers=ada).status_code == 404
    runner.run(job["id"])
    assert api.get(f"/api/jobs/{job['id']}", headers=ada).json()["result"]["url"] == where
    zipped = api.get(where, headers=ada)
    assert "data/users.json" in zipfile.ZipFile(io.BytesIO(zipped.content)).namelist()
    part = api.get(where, headers=ada | {"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"PK\x03\x04")
    assert api.get(where, headers=bob).status_code == 404
    assert api.get(where).status_code == 401


def test_a_user_reads_only_their_own_audit_log(api: TestClient) -> None:
    ada, bob = sign_up_user(), bearer(sign_up_user().id)
    login = {"email": ada.email, "password": "wrong wrong wrong"}
    api.post("/api/auth/login", json=login)
    token = api.post("/api/auth/login", json=login | {"password": PASSWORD}).json()["token"]
    mine = {"Authorization": f"Bearer {token}"}
    body = api.get("/api/me/activity?limit=1", headers=mine).json()
    assert ([event["action"] for event in body["events"]], body["total"]) == (["signed_in"], 2)
    rest = api.get(f"/api/me/activity?cursor={body['next_cursor']}", headers=mine).json()
    assert [event["action"] for event in rest["events"]] == ["sign_in_failed"]
    assert api.get("/api/me/activity", headers=bob).json()["total"] == 0


def test_a_deleted_account_cannot_be_accessed(api: TestClient) -> None:
    ada = sign_up_user()
    one, other = bearer(ada.id), bearer(ada.id)
    form = {"name": "x", "abilities": ["samples:read"]}
    token = api.post("/api/me/tokens", json=form, headers=one).json()["token"]
    assert api.delete("/api/me", headers=one).status_code == 204
    for headers in (one, other, {"Authorization": f"Bearer {token}"}):
        assert api.get("/api/samples", headers=headers).status_code == 401
    login = {"email": ada.email, "password": PASSWORD}
    assert api.post("/api/auth/login", json=login).status_code == 401


def test_a_browser_deletes_its_account_by_form(api: TestClient) -> None:
    ada = sign_up_user()
    headers = {"Cookie": f"sp404_session_3000={cookie(ada.id)}", "Origin": str(api.base_url)}
    evil = headers | {"Origin": "https://evil.example"}
    assert api.post("/auth/account/end", headers=evil).status_code == 403
    with transaction() as session:
        session.exec(update(SignIn).values(confirmed_at=None))
    stale = api.post("/auth/account/end", headers=headers, follow_redirects=False)
    assert stale.headers["location"] == "/account?end=password_confirmation_required"
    with transaction() as session:
        session.exec(update(SignIn).values(confirmed_at=now()))
    ended = api.post("/auth/account/end", headers=headers, follow_redirects=False)
    assert ended.headers["location"] == "/login?error=gone"
    with transaction() as session:
        assert session.get(User, ada.id) is None

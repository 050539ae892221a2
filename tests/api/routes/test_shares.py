"""Public links as their owner manages them."""

import datetime as dt
import uuid

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from sp404_app import db
from sp404_app.devices.capabilities import MK2
from sp404_app.models import Share, User
from sp404_app.models.columns import now
from sp404_app.services.library import samples
from sp404_app.services.projects import projects
from sp404_app.services.sharing import share_counts, shares
from tests.sounds import Keep


@pytest.fixture
def sample_id(keep: Keep) -> str:
    return str(keep("Dusty kick.wav"))


def share(client: TestClient, **fields: object) -> dict[str, object]:
    answer = client.post("/api/shares", json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def make_project(user: User, sample_id: str) -> str:
    with db.transaction() as session:
        made = projects.create_project(session, user.id, "Kit", MK2, [uuid.UUID(sample_id)])
        return str(made.project.id)


def test_a_new_link_is_for_listening_only_and_is_not_indexed(
    client: TestClient, sample_id: str
) -> None:
    made = share(client, sample_id=sample_id)
    assert made["kind"] == "sample"
    assert made["name"] == "Dusty kick"
    assert made["status"] == "active"
    assert (made["allow_download"], made["allow_indexing"]) == ("none", False)
    assert (made["has_password"], made["expires_at"]) == (False, None)
    assert made["embed_url"] == f"{made['url']}/embed"


def test_the_database_holds_neither_token_nor_password_as_text(
    client: TestClient, sample_id: str
) -> None:
    made = share(client, sample_id=sample_id, password="sixteen pads and dust")
    token = str(made["url"]).rpartition("/")[2]
    assert len(token) >= 22  # 128 bits
    with db.transaction() as session:
        row = session.exec(select(Share)).one()
    assert token not in str(row.model_dump())
    assert "sixteen" not in str(row.model_dump())


def test_two_links_to_one_sound_have_different_tokens(client: TestClient, sample_id: str) -> None:
    assert share(client, sample_id=sample_id)["url"] != share(client, sample_id=sample_id)["url"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "sample_id"),
        ({"allow_download": "everything"}, "allow_download"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"password": "short"}, "password"),
        ({"password": ""}, "password"),  # null is none; an empty field was a mistake
        ({"allow_indexing": "yes"}, "allow_indexing"),
        ({"user_id": "01a204c0-82ec-769a-8e34-995e038227bd"}, "user_id"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(
    client: TestClient, sample_id: str, fields: dict[str, object], named: str
) -> None:
    body = {"sample_id": sample_id} | fields if fields else {}
    answer = client.post("/api/shares", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert named in answer.json()["details"]


def test_one_link_has_one_target(client: TestClient, user: User, sample_id: str) -> None:
    project_id = make_project(user, sample_id)
    answer = client.post("/api/shares", json={"sample_id": sample_id, "project_id": project_id})
    assert answer.status_code == 422


def test_another_users_sound_is_unknown(
    client: TestClient, stranger: dict[str, str], sample_id: str
) -> None:
    made = share(client, sample_id=sample_id)
    body = {"sample_id": sample_id}
    assert client.post("/api/shares", json=body, headers=stranger).status_code == 404
    address = f"/api/shares/{made['id']}"
    for method, change in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        answer = client.request(method, address, json=change, headers=stranger)
        assert answer.status_code == 404
    assert client.get("/api/shares", headers=stranger).json()["total"] == 0
    assert client.get(address).status_code == 200


def test_a_sound_in_the_trash_cannot_be_shared(
    client: TestClient, user: User, sample_id: str
) -> None:
    with db.transaction() as session:
        samples.delete_samples(session, user.id, [uuid.UUID(sample_id)])
    assert client.post("/api/shares", json={"sample_id": sample_id}).status_code == 404


def test_a_change_keeps_the_address_and_what_it_does_not_name(
    client: TestClient, sample_id: str
) -> None:
    later = (now() + dt.timedelta(days=3)).isoformat()
    made = share(client, sample_id=sample_id, expires_at=later, password="sixteen pads and dust")
    changed = client.patch(f"/api/shares/{made['id']}", json={"allow_download": "sp404"}).json()
    assert changed["url"] == made["url"]
    assert changed["allow_download"] == "sp404"
    assert changed["has_password"]
    assert changed["expires_at"] == made["expires_at"]
    empty = client.patch(f"/api/shares/{made['id']}", json={"password": ""})
    assert empty.status_code == 422
    freed = client.patch(
        f"/api/shares/{made['id']}", json={"password": None, "expires_at": None}
    ).json()
    assert (freed["has_password"], freed["expires_at"]) == (False, None)
    assert freed["allow_download"] == "sp404"


def test_a_download_is_allowed_by_true_and_forbidden_by_false(
    client: TestClient, sample_id: str
) -> None:
    made = share(client, sample_id=sample_id, allow_download=True)
    assert made["allow_download"] == "original"
    path = f"/api/shares/{made['id']}"
    assert client.patch(path, json={"allow_download": False}).json()["allow_download"] == "none"


def test_a_revoked_link_is_unknown_and_stays_so(client: TestClient, sample_id: str) -> None:
    made = share(client, sample_id=sample_id)
    address = f"/api/shares/{made['id']}"
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404
    assert client.get(address).status_code == 404
    assert client.patch(address, json={"allow_indexing": True}).status_code == 404
    assert client.get("/api/shares").json()["shares"] == []


def test_a_list_is_read_in_pages(client: TestClient, sample_id: str) -> None:
    made = [share(client, sample_id=sample_id)["id"] for _ in range(3)]
    first = client.get("/api/shares", params={"limit": 2}).json()
    assert [each["id"] for each in first["shares"]] == [made[2], made[1]]
    rest = client.get("/api/shares", params={"cursor": first["next_cursor"]}).json()
    assert [each["id"] for each in rest["shares"]] == [made[0]]
    assert (rest["next_cursor"], rest["total"]) == (None, 3)


def test_plays_and_downloads_are_counted_by_day(
    client: TestClient, api: TestClient, sample_id: str
) -> None:
    made = share(client, sample_id=sample_id, allow_download="original")
    path = "/s/" + str(made["url"]).rpartition("/")[2]
    for _ in range(3):
        assert api.post(f"{path}/plays").status_code == 204
    assert api.get(f"{path}/download/1").status_code == 200
    with db.transaction() as session:
        assert share_counts.write_counts(session) == 1
    with db.transaction() as session:
        assert share_counts.write_counts(session) == 0
    found = client.get(f"/api/shares/{made['id']}").json()
    assert (found["plays"], found["downloads"]) == (3, 1)
    assert found["days"] == [{"day": now().date().isoformat(), "plays": 3, "downloads": 1}]


def test_counts_of_a_transaction_that_fails_are_written_by_the_next(
    client: TestClient, api: TestClient, sample_id: str
) -> None:
    made = share(client, sample_id=sample_id)
    api.post("/s/" + str(made["url"]).rpartition("/")[2] + "/plays")

    def fail() -> None:
        with db.transaction() as session:
            share_counts.write_counts(session)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with db.transaction() as session:
        share_counts.write_counts(session)
    assert client.get(f"/api/shares/{made['id']}").json()["plays"] == 1


def test_a_user_has_a_limited_number_of_links(
    client: TestClient, sample_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MAX_SHARES", 2)
    made = [share(client, sample_id=sample_id) for _ in range(2)]
    assert client.post("/api/shares", json={"sample_id": sample_id}).status_code == 409
    client.delete(f"/api/shares/{made[0]['id']}")
    assert client.post("/api/shares", json={"sample_id": sample_id}).status_code == 201


def test_revoked_links_are_deleted_after_a_month(client: TestClient, sample_id: str) -> None:
    made = share(client, sample_id=sample_id)
    client.delete(f"/api/shares/{made['id']}")
    with db.transaction() as session:
        assert shares.purge_revoked_shares(session, now()) == 0
        assert shares.purge_revoked_shares(session, now() + dt.timedelta(days=31)) == 1

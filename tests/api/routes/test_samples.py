"""/api/samples: ownership, validation, pagination, trash and bulk actions."""

import base64
import json
import uuid

import pytest
from fastapi.testclient import TestClient

from sp404_app.db import transaction
from sp404_app.models import Sample, User
from sp404_app.services.library import samples
from tests.services.processing.test_jobs import kept
from tests.sounds import Keep

Headers = dict[str, str]


def test_another_users_sample_is_not_found(
    client: TestClient, keep: Keep, stranger: Headers
) -> None:
    theirs, nothing = keep(), uuid.uuid4()
    routes = [
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/restore"), ("POST", "/analyze"),
        ("GET", "/audio"), ("GET", "/audio?format=ogg"), ("GET", "/download"), ("GET", "/waveform"),
    ]  # fmt: skip
    for method, path in routes:
        body = {"json": {"name": "mine"}} if method == "PATCH" else {}
        answers = [
            client.request(method, f"/api/samples/{i}{path}", headers=stranger, **body)
            for i in (theirs, nothing)
        ]
        assert [answer.status_code for answer in answers] == [404, 404], path
        assert answers[0].json() == answers[1].json()
    assert (kept(theirs).name, kept(theirs).deleted_at) == ("Kick", None)
    listed = client.get("/api/samples", headers=stranger).json()
    assert (listed["samples"], listed["total"]) == ([], 0)


def test_requests_without_a_token_are_rejected(api: TestClient) -> None:
    for path in ("", f"/{uuid.uuid4()}", "/tags", f"/{uuid.uuid4()}/audio"):
        assert api.get(f"/api/samples{path}").status_code == 401
    assert api.get("/api/samples", headers={"X-User-ID": str(uuid.uuid4())}).status_code == 401


def test_a_change_is_returned_and_marked_as_user_value(client: TestClient, keep: Keep) -> None:
    sample_id = keep()
    change = {"name": "New", "bpm": 92, "key": "F# minor", "tags": ["a", "b"], "rating": 3}
    shown = client.patch(f"/api/samples/{sample_id}", json=change).json()
    assert {field: shown[field] for field in change} == change
    assert (shown["bpm_source"], shown["key_source"], shown["camelot"]) == ("user", "user", "11A")
    shown = client.patch(f"/api/samples/{sample_id}", json={"bpm": None, "name": None}).json()
    assert (shown["bpm"], shown["name"]) == (None, "New")


@pytest.mark.parametrize(
    "field",
    ["user_id", "storage_key", "is_demo", "id", "status", "size", "digest", "deleted_at",
     "search_text", "words", "duplicate_group_id", "copy_group", "bpm_source", "preview_key",
     "filename", "created_at", "__class__"],
)  # fmt: skip
def test_only_documented_fields_can_be_set(client: TestClient, keep: Keep, field: str) -> None:
    sample_id = keep()
    before = kept(sample_id)
    answer = client.patch(f"/api/samples/{sample_id}", json={"name": "x", field: "x"})
    assert answer.status_code == 422
    assert field in answer.json()["details"]
    assert kept(sample_id) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 5), ("name", ""), ("name", "\u0000"), ("name", ["a"]), ("name", "x" * 401),
        ("tags", "drums"), ("tags", [1]), ("tags", ["x"] * 31), ("tags", {"a": 1}),
        ("bpm", "92"), ("bpm", True), ("bpm", -1), ("bpm", 1e308), ("key", "H"), ("key", 5),
        ("kind", "x"), ("favourite", "yes"), ("favourite", 1), ("rating", 6), ("rating", 2.5),
        ("rating", "3"), ("note", "x" * 4001), ("note", {}),
    ],
)  # fmt: skip
def test_invalid_values_are_rejected_with_their_field(
    client: TestClient, keep: Keep, field: str, value: object
) -> None:
    sample_id = keep()
    answer = client.patch(f"/api/samples/{sample_id}", json={field: value})
    assert answer.status_code == 422
    assert any(name.startswith(field) for name in answer.json()["details"])


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"bpm": NaN}', b'"x"', b"\xff"])
def test_a_malformed_change_is_rejected(client: TestClient, keep: Keep, body: bytes) -> None:
    answer = client.patch(
        f"/api/samples/{keep()}", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {400, 422}
    assert answer.json()["error"]


@pytest.mark.parametrize("note", ["half \ud800", "zero \x00", "🥁 \u202e"])
def test_control_characters_and_surrogates_in_a_note_are_harmless(
    client: TestClient, keep: Keep, note: str
) -> None:
    content = json.dumps({"note": note}).encode()
    answer = client.patch(
        f"/api/samples/{keep()}", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {200, 422}


@pytest.mark.parametrize(
    "query",
    [
        "bpm_min=nan", "bpm_min=inf", "bpm_min=-1", "bpm_max=x", "bpm_max=1e309", "limit=0",
        "limit=201", "limit=x", "sort=digest", "sort=-", "key=H", "kind=x", "status=x", "cursor=x",
        "compatible_key=x", "favourite=perhaps", "duration_max=nan", "cursor=" + "x" * 2001,
        "q=" + "x" * 401, "&".join(["tag=x"] * 31),
    ],
)  # fmt: skip
def test_an_invalid_search_is_rejected(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/samples?{query}")
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid"


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=%27%22%5C%26%7C%21%3A%2A",
        "q=%F0%9F%A5%81",
        "tag=%F0%9F%A5%81",
        "q=%FF%FE",
        "tag=",
        "q=%ED%A0%80",
        "tag=%27%22",
        "q=" + "%E3%8C%80" * 300,
        "bpm_min=0&bpm_max=1000000",
        "q=-",
    ],
)
def test_any_search_text_is_accepted(client: TestClient, keep: Keep, query: str) -> None:
    keep()
    assert client.get(f"/api/samples?{query}").status_code == 200


def test_pages_are_linked_by_cursors(client: TestClient, keep: Keep) -> None:
    ids = [str(keep(f"{letter}.wav")) for letter in "CAB"]
    first = client.get("/api/samples?sort=name&limit=2").json()
    rest = client.get(f"/api/samples?sort=name&limit=2&cursor={first['next_cursor']}").json()
    found = [row["id"] for row in first["samples"] + rest["samples"]]
    assert found == [ids[1], ids[2], ids[0]]
    assert (first["total"], rest["next_cursor"]) == (3, None)
    other = client.get(f"/api/samples?sort=-bpm&cursor={first['next_cursor']}")
    assert other.status_code == 422


def test_a_deeply_nested_cursor_is_rejected(client: TestClient) -> None:
    cursor = base64.urlsafe_b64encode(b"[" * 1400).decode()
    assert client.get(f"/api/samples?cursor={cursor}").status_code == 422


def test_tags_filter_and_are_counted(client: TestClient, keep: Keep) -> None:
    sample_id = keep()
    keep()
    client.patch(f"/api/samples/{sample_id}", json={"tags": ["Dusty", "lo-fi"]})
    found = client.get("/api/samples?tag=Dusty&tag=lo-fi").json()["samples"]
    assert [row["id"] for row in found] == [str(sample_id)]
    assert {"name": "Dusty", "samples": 1} in client.get("/api/samples/tags").json()


def test_deleting_moves_to_the_trash_and_then_deletes_permanently(
    client: TestClient, keep: Keep
) -> None:
    sample_id = keep()
    path = f"/api/samples/{sample_id}"
    assert client.delete(path).status_code == 204
    assert client.get("/api/samples?trash=true").json()["total"] == 1
    assert client.post(f"{path}/restore").status_code == 200
    assert client.get("/api/samples").json()["total"] == 1
    assert (client.delete(path).status_code, client.delete(path).status_code) == (204, 204)
    assert client.get(path).status_code == 404


def test_restoring_a_duplicate_is_rejected_with_the_existing_sample(
    client: TestClient, keep: Keep, user: User
) -> None:
    first, second = keep(), keep()
    with transaction() as session:
        samples.delete_samples(session, user.id, [first])
        session.flush()
        session.get_one(Sample, first).digest = session.get_one(Sample, second).digest
    answer = client.post(f"/api/samples/{first}/restore")
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
    assert answer.json()["details"]["sample_id"] == str(second)


def test_two_analysis_requests_return_one_job(client: TestClient, keep: Keep) -> None:
    path = f"/api/samples/{keep()}/analyze"
    first, second = client.post(path), client.post(path)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["job"]["id"] == second.json()["job"]["id"]


def test_bulk_actions_return_a_result_for_each_sample(client: TestClient, keep: Keep) -> None:
    mine, nothing = str(keep()), str(uuid.uuid4())
    request = {"ids": [mine, nothing], "action": "tag", "tags": ["x"]}
    results = client.post("/api/samples/bulk", json=request).json()["results"]
    assert results == {mine: "ok", nothing: "not_found"}


@pytest.mark.parametrize(
    "body",
    [
        {}, {"action": "explode", "ids": []}, {"action": "delete"}, {"action": "tag", "ids": []},
        {"action": "delete", "ids": ["x"]}, {"action": "delete", "ids": [], "filter": {}},
        {"action": "delete", "filter": {"user_id": "x"}}, {"action": "delete", "ids": "all"},
        {"action": "delete", "filter": {"sort": "digest"}}, {"action": "delete", "filter": []},
        {"action": "delete", "ids": [], "user_id": "x"}, {"action": "tag", "ids": [], "tags": "x"},
        {"action": "delete", "ids": [str(uuid.uuid4())] * 20_001},
    ],
)  # fmt: skip
def test_an_invalid_bulk_request_is_rejected(client: TestClient, keep: Keep, body: object) -> None:
    keep()
    assert client.post("/api/samples/bulk", json=body).status_code == 422
    assert client.get("/api/samples").json()["total"] == 1


def test_a_bulk_request_accepts_twenty_thousand_ids(client: TestClient) -> None:
    body = {"action": "delete", "ids": [str(uuid.uuid4()) for _ in range(20_000)]}
    answer = client.post("/api/samples/bulk", json=body)
    assert (answer.status_code, len(answer.json()["results"])) == (200, 20_000)


@pytest.mark.parametrize("given", ["x", "1", "%00", "00000000-0000-0000-0000-00000000000g"])
def test_an_invalid_id_is_not_found_or_rejected(client: TestClient, given: str) -> None:
    assert client.get(f"/api/samples/{given}").status_code in {404, 422}
    assert client.delete(f"/api/samples/{given}").status_code in {404, 405, 422}

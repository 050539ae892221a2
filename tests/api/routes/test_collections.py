"""/api/collections: lists, samples, order, rules, and searches inside a collection."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session

from sp404_app.models import Collection, User
from tests.sounds import Keep

Create = Callable[..., dict[str, Any]]
KICKS = {"match": "all", "terms": [{"field": "q", "op": "matches", "value": "kick"}]}


@pytest.fixture
def create(client: TestClient) -> Create:
    """Return a function that creates a collection."""

    def create_one(name: str = "Set", **fields: object) -> dict[str, Any]:
        made = client.post("/api/collections", json={"name": name, **fields})
        assert made.status_code == 201, made.text
        return made.json()

    return create_one


def names(client: TestClient, address: str) -> list[str]:
    answer = client.get(f"/api/samples?{address}")
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["samples"]]


def test_a_name_is_found_among_250_collections(
    client: TestClient, session: Session, user: User, create: Create
) -> None:
    session.add_all(Collection(user_id=user.id, name=f"Crate {n}") for n in range(250))
    session.commit()
    create("Kicks", rules=KICKS)
    answer = client.get("/api/collections?q=crate 24").json()
    assert {each["name"] for each in answer["collections"]} == {
        "Crate 24", "Crate 124", "Crate 224", *(f"Crate {n}" for n in range(240, 250)),
    }  # fmt: skip
    assert (answer["total"], answer["next_cursor"]) == (13, None)
    everything = client.get("/api/collections?q=crate&limit=500&counts=false").json()
    assert len(everything["collections"]) == 250
    assert client.get("/api/collections?limit=501").status_code == 422


def test_smart_collections_are_not_counted_on_request(
    client: TestClient, keep: Keep, create: Create
) -> None:
    keep("Kick.wav")
    create(rules=KICKS)
    for counts, count in (("true", 1), ("false", 0)):
        (found,) = client.get(f"/api/collections?counts={counts}").json()["collections"]
        assert found["count"] == count


def test_a_manual_collection_is_listed_in_its_own_order_unless_another_is_requested(
    client: TestClient, keep: Keep, create: Create
) -> None:
    kick, snare, hat = (str(keep(f"{name}.wav")) for name in ("Kick", "Snare", "Hat"))
    keep("Other.wav")
    made = create(sample_ids=[snare, hat, kick])
    assert (made["count"], made["is_smart"], made["rules"]) == (3, False, None)
    inside = f"collection={made['id']}"
    assert names(client, inside) == ["Snare", "Hat", "Kick"]
    assert names(client, f"{inside}&sort=-position") == ["Kick", "Hat", "Snare"]
    assert names(client, f"{inside}&sort=name") == ["Hat", "Kick", "Snare"]
    assert names(client, f"{inside}&q=hat") == ["Hat"]
    moved = client.post(
        f"/api/collections/{made['id']}/samples/move",
        json={"sample_ids": [kick], "before": snare},
    )
    assert moved.json()["revision"] > made["revision"]
    assert names(client, inside) == ["Kick", "Snare", "Hat"]
    by_name = client.post(f"/api/collections/{made['id']}/sort", json={"by": "-name"})
    assert by_name.status_code == 200
    assert names(client, inside) == ["Snare", "Kick", "Hat"]


@pytest.mark.parametrize("sort", ["position", "-position", "name", "-created"])
def test_pages_of_a_collection_contain_every_sample_once(
    client: TestClient, keep: Keep, create: Create, sort: str
) -> None:
    ids = [str(keep(f"Hit {number}.wav")) for number in range(5)]
    made = create(sample_ids=ids[::-1])
    found, cursor = [], ""
    for _ in range(3):
        page = client.get(
            "/api/samples",
            params={"collection": made["id"], "sort": sort, "limit": 2, "cursor": cursor},
        ).json()
        assert page["total"] == 5
        found += [each["id"] for each in page["samples"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert sorted(found) == ids


def test_a_page_continues_after_its_last_sample_was_removed(
    client: TestClient, keep: Keep, create: Create
) -> None:
    ids = [str(keep(f"Hit {number}.wav")) for number in range(4)]
    made = create(sample_ids=ids)
    address = f"/api/samples?collection={made['id']}&limit=2"
    page = client.get(address).json()
    for gone in ids[:2]:
        path = f"/api/collections/{made['id']}/samples/{gone}"
        assert client.delete(path).status_code == 204
        assert client.delete(path).status_code == 404
    rest = client.get(f"{address}&cursor={page['next_cursor']}").json()
    assert [each["id"] for each in rest["samples"]] == ids[2:]


def test_a_smart_collection_follows_the_library(
    client: TestClient, keep: Keep, create: Create
) -> None:
    keep("Kick 1.wav")
    made = create(rules=KICKS, colour="#ffb020", note="low ones")
    assert (made["count"], made["is_smart"], made["rules"]) == (1, True, KICKS)
    keep("Kick 2.wav")
    inside = f"collection={made['id']}"
    assert names(client, inside) == ["Kick 2", "Kick 1"]
    assert names(client, f"{inside}&sort=position") == ["Kick 2", "Kick 1"]
    assert client.get(f"/api/collections/{made['id']}").json()["count"] == 2
    assert client.post("/api/collections/count", json={"rules": KICKS}).json() == {"count": 2}
    refused = client.put(f"/api/collections/{made['id']}/samples/{uuid.uuid4()}")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    copy = client.post(f"/api/collections/{made['id']}/duplicate", json={"as_manual": True}).json()
    assert (copy["is_smart"], copy["count"], copy["name"]) == (False, 2, "Set copy")
    kept = client.post(f"/api/collections/{made['id']}/duplicate").json()
    assert (kept["rules"], kept["colour"], kept["note"]) == (KICKS, "#ffb020", "low ones")


def test_a_change_leaves_what_it_does_not_name(client: TestClient, create: Create) -> None:
    made = create(note="by hand", colour="#ff6b3d")
    changed = client.put(f"/api/collections/{made['id']}", json={"name": "  Night\nset "}).json()
    assert (changed["name"], changed["note"], changed["colour"]) == (
        "Night set",
        "by hand",
        "#ff6b3d",
    )
    refused = client.put(f"/api/collections/{made['id']}", json={"colour": "#123456"})
    assert (refused.status_code, list(refused.json()["details"])) == (422, ["colour"])
    rules = client.put(f"/api/collections/{made['id']}", json={"rules": KICKS})
    assert (rules.status_code, list(rules.json()["details"])) == (422, ["rules"])


def test_collections_are_listed_newest_first_page_by_page(
    client: TestClient, create: Create
) -> None:
    for number in range(3):
        create(f"Set {number}")
    first = client.get("/api/collections?limit=2").json()
    assert [each["name"] for each in first["collections"]] == ["Set 2", "Set 1"]
    rest = client.get(f"/api/collections?limit=2&cursor={first['next_cursor']}").json()
    assert [each["name"] for each in rest["collections"]] == ["Set 0"]
    assert (rest["next_cursor"], rest["total"]) == (None, 3)


def test_deletion_moves_to_the_trash_then_deletes(client: TestClient, create: Create) -> None:
    path = f"/api/collections/{create()['id']}"
    assert client.delete(path).status_code == 204
    assert client.get("/api/collections").json()["collections"] == []
    (trashed,) = client.get("/api/collections?trash=true").json()["collections"]
    assert trashed["deleted_at"] is not None
    assert client.put(path, json={"name": "x"}).status_code == 409
    assert client.post(f"{path}/restore").json()["deleted_at"] is None
    for _ in range(2):
        assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_merging_keeps_the_order_and_each_sample_once(
    client: TestClient, keep: Keep, create: Create
) -> None:
    kick, snare, hat = (str(keep(f"{name}.wav")) for name in ("Kick", "Snare", "Hat"))
    ids = [
        create(sample_ids=[hat, snare])["id"],
        create(rules=KICKS)["id"],
        create(sample_ids=[snare, kick])["id"],
    ]
    merged = client.post("/api/collections/merge", json={"collection_ids": ids, "name": "All"})
    assert names(client, f"collection={merged.json()['id']}") == ["Hat", "Snare", "Kick"]


def test_everything_of_another_user_is_unknown(
    client: TestClient, keep: Keep, create: Create, stranger: dict[str, str]
) -> None:
    mine = str(keep())
    made = create(sample_ids=[mine])
    theirs = client.post("/api/collections", json={"name": "Mine"}, headers=stranger).json()["id"]
    like = {"sample_ids": [mine], "max_distance": 0.5}
    for rules in (
        {"match": "all", "terms": [{"field": "like", "op": "near", "value": like}]},
        {"match": "all", "terms": [{"field": "collection", "op": "is", "value": made["id"]}]},
    ):
        for method, path in (("POST", "/api/collections"), ("POST", "/api/collections/count")):
            body = {"rules": rules} | ({"name": "x"} if path.endswith("s") else {})
            answer = client.request(method, path, json=body, headers=stranger)
            assert answer.status_code == 404, answer.text
    for method, path, body in (
        ("GET", f"/api/samples?collection={made['id']}", None),
        ("POST", f"/api/collections/{theirs}/samples", {"sample_ids": [mine]}),
        ("POST", f"/api/collections/{theirs}/samples/move", {"sample_ids": [], "before": mine}),
        ("POST", "/api/projects", {"name": "x", "collection_id": made["id"]}),
        ("POST", "/api/collections", {"name": "x", "sample_ids": [mine]}),
    ):
        answer = client.request(method, path, json=body, headers=stranger)
        assert answer.status_code == 404, (path, answer.text)


def test_a_trashed_sample_leaves_a_collection_and_returns_to_its_place(
    client: TestClient, keep: Keep, create: Create
) -> None:
    ids = [str(keep(f"Hit {number}.wav")) for number in range(3)]
    made = create(sample_ids=ids)
    inside = f"collection={made['id']}"
    client.delete(f"/api/samples/{ids[1]}")
    assert names(client, inside) == ["Hit 0", "Hit 2"]
    assert client.get(f"/api/collections/{made['id']}").json()["count"] == 2
    refused = client.post(f"/api/collections/{create()['id']}/samples", json={"sample_ids": ids})
    assert refused.status_code == 404
    client.post(f"/api/samples/{ids[1]}/restore")
    assert names(client, inside) == ["Hit 0", "Hit 1", "Hit 2"]

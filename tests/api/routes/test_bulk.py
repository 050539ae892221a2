"""POST /api/samples/bulk by jobs, its preview, and /api/bulk-edits."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sp404_app.db import transaction
from sp404_app.models import User
from sp404_app.services.collections import collection_samples, collections
from tests.accounts import bearer
from tests.services.bulk.conftest import insert_sounds, load, run_job


@pytest.fixture
def client(api: TestClient, user: User) -> TestClient:
    api.headers.update(bearer(user.id))
    return api


@pytest.fixture
def ids(user: User) -> list[uuid.UUID]:
    return insert_sounds(user.id, 3, bpm=92.5)


def change(client: TestClient, ids: list[uuid.UUID] | None, **body: Any) -> Any:
    chosen = {} if ids is None else {"ids": list(map(str, ids))}
    return client.post("/api/samples/bulk", json=chosen | body)


def run(answer: Any) -> dict[str, Any]:
    """Run the job of an answer, and return its result."""
    assert answer.status_code == 202, answer.text
    job = answer.json()["job"]
    assert (job["kind"], job["status"]) == ("bulk", "queued")
    return run_job(uuid.UUID(job["id"])).result or {}


def names(ids: list[uuid.UUID]) -> list[str]:
    return [sample.name for sample in load(ids)]


def test_sounds_are_renamed_by_a_job_and_the_edit_is_listed_and_undone(
    client: TestClient, ids: list[uuid.UUID]
) -> None:
    done = run(change(client, ids, action="rename", template="{name} {bpm} {n:02}"))
    assert names(ids) == ["Kick 1 92.5 01", "Kick 2 92.5 02", "Kick 3 92.5 03"]
    (listed,) = client.get("/api/bulk-edits").json()["bulk_edits"]
    assert listed["id"] == done["bulk_edit_id"]
    assert (listed["title"], listed["changed"], listed["can_undo"]) == ("Rename", 3, True)
    undone = run(client.post(f"/api/bulk-edits/{listed['id']}/undo"))
    assert (undone["restored"], names(ids)) == (3, ["Kick 1", "Kick 2", "Kick 3"])
    (listed,) = client.get("/api/bulk-edits").json()["bulk_edits"]
    assert (listed["is_undo"], listed["can_undo"], bool(listed["undone_at"])) == (True, False, True)
    again = client.post(f"/api/bulk-edits/{listed['id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_all_sounds_of_a_search_are_changed(client: TestClient, ids: list[uuid.UUID]) -> None:
    body = {"action": "edit", "changes": {"rating": 4, "key": None}, "filter": {"q": "kick 2"}}
    assert run(change(client, None, **body))["changed"] == 1
    assert [sample.rating for sample in load(ids)] == [0, 4, 0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"action": "tag", "tags": ["dusty"], "as_job": True}, {"tags": ["dusty"]}),
        ({"action": "favourite", "as_job": True}, {"favourite": True}),
        ({"action": "edit", "changes": {"bpm_factor": 2}}, {"bpm": 185.0}),
        ({"action": "edit", "changes": {"bpm": None}}, {"bpm": None}),
        (
            {"action": "replace", "find": r"k(\w+)", "replacement": r"\1!", "is_regex": True},
            {"name": "ick! 1"},
        ),
    ],
)
def test_each_action_changes_the_sounds(
    client: TestClient, ids: list[uuid.UUID], body: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert run(change(client, ids, **body))["changed"] == 3
    sample = load(ids)[0]
    assert {name: getattr(sample, name) for name in expected} == expected


def test_deletion_by_a_job_is_undone(client: TestClient, ids: list[uuid.UUID]) -> None:
    done = run(change(client, ids, action="delete", as_job=True))
    assert all(sample.deleted_at for sample in load(ids))
    run(client.post(f"/api/bulk-edits/{done['bulk_edit_id']}/undo"))
    assert not any(sample.deleted_at for sample in load(ids))


def test_a_preview_shows_names_and_problems_and_changes_nothing(
    client: TestClient, user: User, ids: list[uuid.UUID]
) -> None:
    ids += insert_sounds(user.id, 1)
    body = {"ids": list(map(str, ids)), "action": "rename", "template": "{bpm}"}
    found = client.post("/api/samples/bulk/preview?limit=10", json=body).json()
    assert {k: found[k] for k in ("total", "changed", "skipped", "failed")} == {
        "total": 4,
        "changed": 3,
        "skipped": 0,
        "failed": 1,
    }
    assert found["rows"][0] == {
        "id": str(ids[0]),
        "name": "Kick 1",
        "before": {"name": "Kick 1"},
        "after": {"name": "92.5"},
        "problem": "",
    }
    assert found["rows"][3]["problem"] == "The new name would be empty."
    assert names(ids)[0] == "Kick 1"


def test_sounds_are_added_to_a_collection_with_a_result_for_each(
    client: TestClient, user: User, ids: list[uuid.UUID], person: Callable[..., User]
) -> None:
    with transaction() as session:
        made = collections.create_collection(session, user.id, name="Kit", sample_ids=ids[:1])
    body = {"action": "add_to_collection", "collection": str(made.id)}
    answer = change(client, ids, **body)
    assert answer.status_code == 200
    assert [answer.json()["results"][str(each)] for each in ids] == ["already_there", "ok", "ok"]
    with transaction() as session:
        assert collection_samples.list_sample_ids(session, user.id, made.id, 9) == ids
    assert change(client, ids, action="add_to_collection").status_code == 422
    stranger = bearer(person().id)
    request = {"ids": list(map(str, ids)), **body}
    assert client.post("/api/samples/bulk", json=request, headers=stranger).status_code == 404


def test_sounds_are_added_to_a_collection_by_a_job(
    client: TestClient, user: User, ids: list[uuid.UUID], person: Callable[..., User]
) -> None:
    with transaction() as session:
        made = collections.create_collection(session, user.id, name="Kit", sample_ids=ids[:1])
    body = {"action": "add_to_collection", "collection": str(made.id), "as_job": True}
    answer = change(client, ids, **body)
    assert answer.status_code == 202
    job = run_job(uuid.UUID(answer.json()["job"]["id"]))
    assert (job.result or {})["changed"] == 2
    with transaction() as session:
        assert collection_samples.list_sample_ids(session, user.id, made.id, 9) == ids
    assert change(client, ids, action="add_to_collection", as_job=True).status_code == 422
    request = {"ids": list(map(str, ids)), **body}
    stranger = bearer(person().id)
    assert client.post("/api/samples/bulk", json=request, headers=stranger).status_code == 404


def test_other_peoples_sounds_and_edits_are_404(
    client: TestClient, ids: list[uuid.UUID], person: Callable[..., User]
) -> None:
    done = run(change(client, ids, action="clean"))
    stranger = bearer(person().id)
    body = {"ids": list(map(str, ids)), "action": "clean"}
    for path in ("/api/samples/bulk", "/api/samples/bulk/preview"):
        assert client.post(path, json=body, headers=stranger).status_code == 404
    for edit_id in (done["bulk_edit_id"], uuid.uuid4()):
        answer = client.post(f"/api/bulk-edits/{edit_id}/undo", headers=stranger)
        assert answer.status_code == 404
    assert client.get("/api/bulk-edits", headers=stranger).json() == {"bulk_edits": []}


@pytest.mark.parametrize(
    "body",
    [
        {"action": "rename", "template": "{unknown}"},
        {"action": "rename", "template": "x" * 10_000},
        {"action": "replace", "find": "(a+", "is_regex": True},
        {"action": "replace", "find": ""},
        {"action": "edit"},
        {"action": "edit", "changes": {}},
        {"action": "edit", "changes": {"bpm": 1}},
        {"action": "edit", "changes": {"colour": "red"}},
        {"action": "normalise", "value": 10},
        {"action": "analyse", "as_job": True},
        {"action": "tag", "as_job": True},
        {"action": "explode"},
        {"action": "rename", "ids": []},
        {"action": "rename", "ids": None},
        {"action": "rename", "filter": {"unknown": 1}},
    ],
)
def test_an_invalid_edit_is_422(
    client: TestClient, ids: list[uuid.UUID], body: dict[str, Any]
) -> None:
    answer = client.post("/api/samples/bulk", json={"ids": list(map(str, ids))} | body)
    assert answer.status_code == 422, answer.text


def test_an_unknown_field_of_a_template_is_named(client: TestClient, ids: list[uuid.UUID]) -> None:
    answer = change(client, ids, action="rename", template="{nmae}")
    assert answer.json()["details"]["template"][0].startswith("{nmae} is not a field.")

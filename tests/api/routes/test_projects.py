"""/api/projects: projects, pads, revisions, undo and redo."""

import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sp404_app.db import transaction
from sp404_app.models import Sample
from tests.sounds import Keep

ANY = {"If-Match": "*"}


@pytest.fixture
def project(client: TestClient) -> str:
    """The id of an empty MKII project."""
    made = client.post("/api/projects", json={"name": "Night set", "device": "mk2"})
    assert made.status_code == 201, made.text
    return made.json()["project"]["id"]


def read(client: TestClient, project: str) -> dict[str, Any]:
    return client.get(f"/api/projects/{project}").json()


def names(project: dict[str, Any]) -> dict[str, str]:
    return {f"{pad['bank']}{pad['pad']}": pad["name"] for pad in project["pads"]}


def test_samples_fill_the_pads_from_a1_on(client: TestClient, keep: Keep) -> None:
    ids = [str(keep(f"Hit {n}.wav")) for n in range(18)]
    made = client.post(
        "/api/projects", json={"name": "Kit", "device": "mk2", "sample_ids": ids}
    ).json()
    assert names(made["project"])["A1"] == "Hit 0"
    assert names(made["project"])["B2"] == "Hit 17"
    assert made["not_placed"] == []


def test_a_change_needs_the_revision_that_was_seen(
    client: TestClient, project: str, keep: Keep
) -> None:
    path, body = f"/api/projects/{project}/pads/A/1", {"sample_id": str(keep())}
    assert client.put(path, json=body).status_code == 428
    assert client.put(path, json=body, headers={"If-Match": '"0"'}).status_code == 200
    stale = client.put(path, json={"name": "x"}, headers={"If-Match": '"0"'})
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    assert names(read(client, project)) == {"A1": "Kick"}


def test_changes_of_different_pads_do_not_collide(
    client: TestClient, project: str, keep: Keep
) -> None:
    for pad in (1, 2):
        put = client.put(
            f"/api/projects/{project}/pads/A/{pad}",
            json={"sample_id": str(keep())},
            headers={"If-Match": '"0"'},
        )
        assert put.status_code == 200, put.text


def test_undo_and_redo_restore_pads_and_settings(
    client: TestClient, project: str, keep: Keep
) -> None:
    base = f"/api/projects/{project}"
    client.put(f"{base}/pads/A/1", json={"sample_id": str(keep())}, headers=ANY)
    client.put(f"{base}/pads/A/1", json={"settings": {"level": 40}}, headers=ANY)
    client.post(
        f"{base}/pads/move",
        json={"from": {"bank": "A", "pad": 1}, "to": {"bank": "B", "pad": 3}},
        headers=ANY,
    )
    moved = read(client, project)
    assert [(p["bank"], p["pad"], p["settings"]["level"]) for p in moved["pads"]] == [("B", 3, 40)]
    for _ in range(3):
        assert client.post(f"{base}/undo", headers=ANY).status_code == 200
    assert read(client, project)["pads"] == []
    assert client.post(f"{base}/undo", headers=ANY).status_code == 409
    for _ in range(3):
        assert client.post(f"{base}/redo", headers=ANY).status_code == 200
    assert names(read(client, project)) == names(moved)
    assert client.post(f"{base}/redo", headers=ANY).status_code == 409


def test_an_edit_moves_start_and_end_with_the_audio(
    client: TestClient, project: str, keep: Keep
) -> None:
    path = f"/api/projects/{project}/pads/A/1"
    pad = client.put(path, json={"sample_id": str(keep())}, headers=ANY).json()
    frames = pad["frames"]
    client.put(path, json={"settings": {"start": 2000, "end": frames // 2}}, headers=ANY)
    slowed = client.put(path, json={"edit": {"stretch": 2.0}}, headers=ANY).json()
    assert slowed["frames"] == 2 * frames
    assert abs(slowed["settings"]["start"] - 4000) <= 2
    assert abs(slowed["settings"]["end"] - frames // 2 * 2) <= 2
    plain = client.put(path, json={"edit": None}, headers=ANY).json()
    assert (plain["edit"], plain["frames"]) == (None, frames)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"settings": {"level": 128}}, "settings.level"),
        ({"settings": {"level": True}}, "settings.level"),
        ({"settings": {"colour": 1}}, "settings.colour"),
        ({"settings": {"pitch": 9}}, "settings.pitch"),
        ({"edit": {"stretch": 9}}, "edit.stretch"),
        (
            {"edit": {"stretch": 2, "stretch_to_bpm": {"from": 90, "to": 100}}},
            "edit.stretch_to_bpm",
        ),
    ],
)
def test_a_value_out_of_range_is_422_with_its_field(
    client: TestClient, project: str, keep: Keep, body: dict[str, Any], field: str
) -> None:
    path = f"/api/projects/{project}/pads/A/1"
    client.put(path, json={"sample_id": str(keep())}, headers=ANY)
    refused = client.put(path, json=body, headers=ANY)
    assert refused.status_code == 422
    assert list(refused.json()["details"]) == [field]


@pytest.mark.parametrize("place", ["K/1", "A/0", "A/17", "a/1", "AA/1", "A/x"])
def test_a_pad_that_the_device_lacks_is_422(
    client: TestClient, project: str, keep: Keep, place: str
) -> None:
    path = f"/api/projects/{project}/pads/{place}"
    put = client.put(path, json={"sample_id": str(keep())}, headers=ANY)
    assert put.status_code == 422


def test_a_foreign_project_or_sample_is_404(
    client: TestClient, project: str, keep: Keep, stranger: dict[str, str]
) -> None:
    assert client.get(f"/api/projects/{project}", headers=stranger).status_code == 404
    body = {"sample_id": str(uuid.uuid4())}
    put = client.put(f"/api/projects/{project}/pads/A/1", json=body, headers=ANY)
    assert put.status_code == 404


def test_a_trashed_sample_keeps_its_pad_and_a_deleted_one_leaves_its_name(
    client: TestClient, project: str, keep: Keep
) -> None:
    sample_id = keep("Snare.wav")
    path = f"/api/projects/{project}/pads/C/5"
    client.put(path, json={"sample_id": str(sample_id)}, headers=ANY)
    client.delete(f"/api/samples/{sample_id}")
    assert client.get(path).json()["sample_status"] == "trashed"
    assert client.get("/api/quotas").json()["storage"]["used_bytes"] > 0
    client.delete(f"/api/samples/{sample_id}")
    gone = client.get(path).json()
    assert (gone["sample_status"], gone["sample_id"], gone["name"]) == ("missing", None, "Snare")


def test_a_copy_for_the_sx_reports_what_does_not_fit(client: TestClient, keep: Keep) -> None:
    ids = [str(keep(f"Hit {n}.wav")) for n in range(14)]
    body = {"name": "Kit", "device": "mk2", "sample_ids": ids}
    made = client.post("/api/projects", json=body).json()["project"]
    copy = client.post(f"/api/projects/{made['id']}/duplicate", json={"device": "sx"}).json()
    assert (copy["project"]["device"], copy["project"]["rate"]) == ("sx", 44_100)
    assert len(copy["project"]["pads"]) == 12
    assert [(each["bank"], each["pad"]) for each in copy["report"]] == [("A", 13), ("A", 14)]


def test_a_project_is_made_from_a_folder_or_a_tag(client: TestClient, keep: Keep) -> None:
    for name, folder, tag in (("Kick.wav", "Drums", "dusty"), ("Pad.wav", "Keys", "warm")):
        sample_id = keep(name)
        with transaction() as session:
            sample = session.get_one(Sample, sample_id)
            sample.folder, sample.tags = folder, [tag]
    for source, expected in (({"folder": "Drums"}, "Kick"), ({"tag": "warm"}, "Pad")):
        made = client.post("/api/projects", json={"name": "Kit", **source})
        assert names(made.json()["project"]) == {"A1": expected}, made.text
    both = client.post("/api/projects", json={"name": "Kit", "folder": "Drums", "tag": "warm"})
    assert names(both.json()["project"]) == {"A1": "Pad", "A2": "Kick"}


def test_a_project_is_made_from_a_collection_in_its_order(client: TestClient, keep: Keep) -> None:
    first, second, third = (str(keep(f"{name}.wav")) for name in ("A", "B", "C"))
    made = client.post(
        "/api/collections", json={"name": "Set", "sample_ids": [third, first, second]}
    ).json()
    body = {"name": "Kit", "collection_id": made["id"], "sample_ids": [first]}
    project = client.post("/api/projects", json=body).json()["project"]
    assert names(project) == {"A1": "A", "A2": "C", "A3": "B"}
    unknown = client.post("/api/projects", json=body | {"collection_id": str(uuid.uuid4())})
    assert unknown.status_code == 404


def test_projects_are_listed_without_pads_and_the_trash_apart(
    client: TestClient, project: str, keep: Keep
) -> None:
    body = {"sample_id": str(keep())}
    pad = client.put(f"/api/projects/{project}/pads/A/1", json=body, headers=ANY).json()
    (listed,) = client.get("/api/projects").json()["projects"]
    assert (listed["id"], listed["pad_count"], listed["bytes"]) == (project, 1, pad["bytes"])
    assert "pads" not in listed
    assert client.delete(f"/api/projects/{project}", headers=ANY).status_code == 204
    assert client.get("/api/projects").json() == {"projects": [], "total": 0}
    assert client.get("/api/projects?trash=true").json()["total"] == 1


def test_an_empty_pad_is_404_and_a_cleared_one_has_revision_0(
    client: TestClient, project: str, keep: Keep
) -> None:
    path = f"/api/projects/{project}/pads/A/1"
    assert client.get(path).status_code == 404
    put = client.put(path, json={"sample_id": str(keep())}, headers={"If-Match": '"0"'})
    cleared = client.delete(path, headers={"If-Match": put.headers["etag"]})
    assert cleared.status_code == 204
    again = client.delete(path, headers={"If-Match": put.headers["etag"]})
    assert again.json()["details"] == {"revision": 0}

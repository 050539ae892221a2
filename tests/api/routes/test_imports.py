"""Taking in a card by the API: file by file, as one archive, compared, checked and mended."""

import hashlib
import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api as app
from sp404_app.api.app import wrap_in_middleware
from sp404_app.jobs import runner
from sp404_app.models import User
from sp404_app.settings import settings
from tests.accounts import bearer
from tests.services.cards import cards

FOLDER = "EXPORT/PROJECT/PROJECT_01"
CARD = cards.mk2_project(FOLDER)


def new_import(client: TestClient) -> str:
    made = client.post("/api/imports", json={"kind": "mk2"})
    assert made.status_code == 201, made.text
    return f"/api/imports/{made.json()['id']}"


def put(client: TestClient, path: str, name: str, content: bytes = b"x") -> Any:
    return client.put(f"{path}/files/{name}", content=content)


def result_of(client: TestClient, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["job"]["id"]
    runner.run(job_id)
    job = client.get(f"/api/jobs/{job_id}").json()
    assert job["status"] == "done", job
    return job["result"]


def take_in(client: TestClient) -> str:
    """Take in the card; return the path of its project."""
    path = new_import(client)
    for name, content in CARD.items():
        assert put(client, path, name, content).status_code == 200
    result = result_of(client, client.post(f"{path}/finish"))
    return f"/api/projects/{result['project_ids'][0]}"


def test_a_card_is_planned_sent_and_read(client: TestClient) -> None:
    path = new_import(client)
    names = [{"path": name, "bytes": len(content)} for name, content in CARD.items()]
    config = f"{FOLDER}/PADCONF.BIN"
    first = client.post(f"{path}/plan", json={"files": names}).json()
    assert (first["kind"], first["title"], first["send"]) == ("mk2", "MKII EXPORT", [config])
    sent = put(client, path, config, CARD[config]).json()
    assert sent["sha256"] == hashlib.sha256(CARD[config]).hexdigest()
    second = client.post(f"{path}/plan", json={"files": names}).json()
    assert second["room"]["ok"]
    for name in second["send"]:
        assert put(client, path, name, CARD[name]).status_code == 200
    assert {each["path"] for each in client.get(path).json()["files"] if each["sent"]} == set(CARD)
    result = result_of(client, client.post(f"{path}/finish", json={"folders": [FOLDER]}))
    assert (result["samples"], result["missing"], result["problems"]) == (3, [], [])
    project = client.get(f"/api/projects/{result['project_ids'][0]}").json()
    assert (project["name"], project["tempo"], len(project["pads"])) == ("BEATS", 123.4, 3)


def test_a_card_is_read_from_one_archive(client: TestClient) -> None:
    file = {"file": ("card.zip", cards.zipped_card(CARD), "application/zip")}
    result = result_of(client, client.post("/api/projects/import", files=file))
    assert result["projects"][0]["name"] == "BEATS"
    refused = client.post("/api/projects/import", files={"file": ("a.zip", b"PK\3\4", "x/y")})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


def test_sounds_that_are_known_are_told(client: TestClient) -> None:
    take_in(client)
    path, sound = new_import(client), f"{FOLDER}/SMPL/BANK1-01.SMP"
    files = [
        {"path": sound, "bytes": 1, "sha256": hashlib.sha256(CARD[sound]).hexdigest()},
        {"path": "x.SMP", "bytes": 1, "sha256": "0" * 64},
    ]
    assert client.post(f"{path}/listing", json={"files": files}).json() == {"known": [sound]}


@pytest.mark.parametrize(
    "name", ["%2e%2e/x", "a//b", "%2Fetc%2Fpasswd", "a%5Cb", "a%00b", "C%3A/x"]
)
def test_a_path_that_leads_outside_is_refused(client: TestClient, name: str) -> None:
    path = new_import(client)
    assert put(client, path, name).status_code in (404, 422)
    assert client.get(path).json()["files"] == []


def test_another_case_of_a_name_is_409(client: TestClient) -> None:
    path = new_import(client)
    assert put(client, path, "A.BIN").status_code == 200
    assert put(client, path, "a.bin").status_code == 409


def test_a_file_has_the_limit_of_uploads_and_needs_a_sign_in(
    client: TestClient, environment: pytest.MonkeyPatch
) -> None:
    path = new_import(client)
    environment.setenv("SP404_MAX_UPLOAD_MB", "2")
    settings.cache_clear()
    with TestClient(wrap_in_middleware(app), base_url=settings().origin) as guarded:
        guarded.headers.update(client.headers)
        assert put(guarded, path, "fits.bin", bytes(2 << 20)).status_code == 200
        assert put(guarded, path, "large.bin", bytes((2 << 20) + 1)).status_code == 413
        del guarded.headers["authorization"]
        assert put(guarded, path, "x.bin", bytes(2 << 20)).status_code == 401
        assert put(guarded, path, "x.bin", bytes(3 << 20)).status_code == 413
    assert [each["path"] for each in client.get(path).json()["files"]] == ["fits.bin"]


def test_a_foreign_import_is_unknown(client: TestClient, stranger: dict[str, str]) -> None:
    path = new_import(client)
    body: dict[str, Any] = {"files": []}
    answers = [
        client.get(path, headers=stranger),
        client.put(f"{path}/files/x", content=b"x", headers=stranger),
        client.post(f"{path}/plan", json=body, headers=stranger),
        client.post(f"{path}/listing", json=body, headers=stranger),
        client.post(f"{path}/finish", headers=stranger),
    ]
    assert {each.status_code for each in answers} == {404}
    assert client.get(f"/api/imports/{uuid.uuid4()}").status_code == 404


def test_a_card_is_compared_and_its_write_recorded(client: TestClient) -> None:
    project, path = take_in(client), new_import(client)
    files = [
        {"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in CARD.items()
    ]
    assert client.post(f"{path}/listing", json={"files": files[1:]}).status_code == 200
    target = {"device": "mk2", "place": "export", "slot": 1}
    wanted = target | {"import_id": path.rpartition("/")[2]}
    assert client.post(f"{project}/compare", json=wanted).status_code == 409
    result_of(client, client.post(f"{project}/export", json=target))
    (change,) = client.post(f"{project}/compare", json=wanted).json()["changes"]
    assert (change["path"], change["what"]) == (f"{FOLDER}/PADCONF.BIN", "add")
    assert client.put(f"{project}/card", json={"files": files}).status_code == 204


def test_the_doctor_mends_with_the_revision_that_was_seen(client: TestClient) -> None:
    project = take_in(client)
    named = client.put(f"{project}/pads/A/1", json={"name": "Kïck"}, headers={"If-Match": "*"})
    assert named.status_code == 200, named.text
    found = client.get(f"{project}/doctor")
    (problem,) = found.json()["problems"]
    assert (problem["kind"], problem["can_fix"]) == ("name", True)
    body = {"problem_ids": [problem["id"]]}
    assert client.post(f"{project}/doctor/fix", json=body).status_code == 428
    old = client.post(f"{project}/doctor/fix", json=body, headers={"If-Match": '"1"'})
    assert old.status_code == 409
    seen = {"If-Match": found.headers["etag"]}
    fixed = client.post(f"{project}/doctor/fix", json=body, headers=seen)
    assert (fixed.status_code, fixed.json()["fixed"]) == (200, [problem["id"]])
    assert client.get(f"{project}/doctor").json()["problems"] == []
    assert client.post(f"{project}/undo", headers={"If-Match": "*"}).status_code == 200


def test_a_dropped_smp_file_becomes_a_sound(client: TestClient, user: User) -> None:
    sound = CARD[f"{FOLDER}/SMPL/BANK1-01.SMP"]
    file = {"file": ("BANK1-01.SMP", sound, "application/octet-stream")}
    (sample,) = client.post("/api/samples", files=file).json()["samples"]
    assert (sample["name"], sample["format"]) == ("BANK1-01", "SMP 16-bit")
    jobs = client.get("/api/jobs").json()["jobs"]
    runner.run(jobs[0]["id"])
    assert client.get(f"/api/samples/{sample['id']}").json()["status"] == "ready"
    original = client.get(f"/api/samples/{sample['id']}/download", headers=bearer(user.id))
    assert original.content == sound

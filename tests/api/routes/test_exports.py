"""Pre-flight, export, archive, manifest and files of a project by the API."""

import hashlib
import uuid
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import User
from sp404_app.services.auth import personal_access_tokens
from sp404_app.services.cards import exports
from sp404_app.services.infra import export_files
from sp404_app.services.infra.client_info import Client
from tests.ids import UNKNOWN_ID
from tests.sounds import Keep


@pytest.fixture
def kit(client: TestClient, keep: Keep) -> str:
    """The path of a project with three sounds on bank A."""
    ids = [str(keep(f"{name}.wav")) for name in ("Hat", "Kick", "Snare")]
    body = {"name": "Kit", "device": "mk2", "sample_ids": ids}
    made = client.post("/api/projects", json=body)
    assert made.status_code == 201, made.text
    return f"/api/projects/{made.json()['project']['id']}"


def test_the_pre_flight_lists_every_pad(client: TestClient, kit: str) -> None:
    found = client.get(f"{kit}/preflight", params={"device": "import"})
    assert found.status_code == 200, found.text
    answer: dict[str, Any] = found.json()
    assert answer["ok"]
    assert [pad["device_name"] for pad in answer["pads"]] == [
        "01 Hat.wav",
        "02 Kick.wav",
        "03 Snare.wav",
    ]
    assert client.get(f"{kit}/preflight").json()["pads"][0]["device_name"] == "Hat"


def test_the_pre_flight_of_an_unknown_device_is_422(client: TestClient, kit: str) -> None:
    assert client.get(f"{kit}/preflight", params={"device": "mpc"}).status_code == 422


@pytest.mark.parametrize("project_id", [UNKNOWN_ID, uuid.uuid4()])
def test_the_pre_flight_of_an_unknown_project_is_404(
    client: TestClient, project_id: object
) -> None:
    assert client.get(f"/api/projects/{project_id}/preflight").status_code == 404


def finish(client: TestClient, answer: httpx.Response) -> dict[str, Any]:
    """Make a requested export; return the job's result."""
    assert answer.status_code == 202, answer.text
    runner.run(answer.json()["job"]["id"])
    job = client.get(f"/api/jobs/{answer.json()['job']['id']}").json()
    assert (job["status"], job["kind"]) == ("done", "export")
    return job["result"]


@pytest.fixture
def made(client: TestClient, kit: str) -> dict[str, Any]:
    """The result of an export of the project as an import pack."""
    return finish(client, client.post(f"{kit}/export", json={"device": "import"}))


def test_an_export_is_202_until_it_is_made_and_200_afterwards(client: TestClient, kit: str) -> None:
    body = {"device": "mk2", "place": "export", "slot": 3}
    asked = client.post(f"{kit}/export", json=body)
    again = client.post(f"{kit}/export", json=body)
    assert (again.status_code, again.json()) == (202, asked.json())
    result = finish(client, asked)
    known = client.post(f"{kit}/export", json=body)
    assert (known.status_code, known.json()["job"]["result"]) == (200, result)
    other = client.post(f"{kit}/export", json=body | {"slot": 4})
    assert other.status_code == 202


def test_the_archive_is_downloaded_whole_and_in_ranges(
    client: TestClient, made: dict[str, Any]
) -> None:
    path = f"/api/exports/{made['export_id']}"
    whole = client.get(path)
    assert (whole.status_code, whole.headers["content-type"]) == (200, "application/zip")
    assert len(whole.content) == made["bytes"]
    assert hashlib.sha256(whole.content).hexdigest() == made["sha256"]
    assert 'filename="Kit (SP-404MKII import).zip"' in whole.headers["content-disposition"]
    part = client.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    unchanged = client.get(path, headers={"If-None-Match": whole.headers["etag"]})
    assert unchanged.status_code == 304


def test_the_manifest_lists_files_that_can_be_fetched(
    client: TestClient, made: dict[str, Any]
) -> None:
    path = f"/api/exports/{made['export_id']}"
    files = client.get(f"{path}/manifest").json()["files"]
    assert [file["path"] for file in files] == [
        f"IMPORT/Kit/A/0{number} {name}.wav"
        for number, name in enumerate(("Hat", "Kick", "Snare"), 1)
    ]
    assert made["files"] == 3
    for file in files:
        got = client.get(f"{path}/files/{file['path']}")
        assert (got.status_code, len(got.content)) == (200, file["bytes"])
        assert hashlib.sha256(got.content).hexdigest() == file["sha256"]
        assert got.headers["etag"] == f'"{file["sha256"]}"'
    tail = client.get(f"{path}/files/{files[0]['path']}", headers={"Range": "bytes=-4"})
    assert tail.headers["content-range"].endswith(f"/{files[0]['bytes']}")


@pytest.mark.parametrize(
    "path", ["%2e%2e%2fsecret", "/etc/passwd", "IMPORT", "IMPORT/Kit/A/", "%00"]
)
def test_a_path_that_is_not_in_the_manifest_is_404(
    client: TestClient, made: dict[str, Any], path: str
) -> None:
    assert client.get(f"/api/exports/{made['export_id']}/files/{path}").status_code == 404


def test_another_users_export_is_404(
    client: TestClient, made: dict[str, Any], kit: str, stranger: dict[str, str]
) -> None:
    path = f"/api/exports/{made['export_id']}"
    for what in ("", "/manifest", "/files/IMPORT/Kit/A/01 Hat.wav"):
        assert client.get(path + what, headers=stranger).status_code == 404
    body = {"device": "import"}
    assert client.post(f"{kit}/export", json=body, headers=stranger).status_code == 404
    assert client.get(f"{kit}/preflight", headers=stranger).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"device": "mpc"},
        {"device": "sx", "slot": 1},
        {"device": "import", "place": "import"},
        {"device": "mk2", "slot": 17},
        {"device": "mk2", "slot": "1"},
        {"device": "mk2", "place": "root"},
        {"device": "mk2", "more": 1},
    ],
)
def test_an_invalid_export_is_422(client: TestClient, kit: str, body: dict[str, Any]) -> None:
    assert client.post(f"{kit}/export", json=body).status_code == 422


def test_an_empty_project_cannot_be_exported(client: TestClient) -> None:
    made = client.post("/api/projects", json={"name": "Empty"}).json()["project"]
    refused = client.post(f"/api/projects/{made['id']}/export", json={"device": "mk2"})
    assert refused.status_code == 409
    assert refused.json()["error"].startswith("This project is empty.")


def test_a_script_changes_and_exports_in_one_request(client: TestClient, kit: str) -> None:
    asked = client.put(
        kit, params={"export": "mk2"}, json={"name": "Night"}, headers={"If-Match": "*"}
    )
    result = finish(client, asked)
    name = client.get(f"/api/exports/{result['export_id']}").headers["content-disposition"]
    assert 'filename="Night (SP-404MKII project).zip"' in name
    assert asked.headers["etag"] == f'"{client.get(kit).json()["revision"]}"'
    again = client.put(kit, params={"export": "mk2"}, json={}, headers={"If-Match": "*"})
    assert (again.status_code, again.json()["job"]["result"]) == (200, result)


def test_an_archive_that_is_gone_is_404_and_made_again(
    client: TestClient, user: User, made: dict[str, Any], kit: str
) -> None:
    export_files.delete_all_export_files(user.id)
    gone = client.get(f"/api/exports/{made['export_id']}")
    assert gone.status_code == 404
    assert gone.json()["error"] == exports.UNAVAILABLE
    again = finish(client, client.post(f"{kit}/export", json={"device": "import"}))
    assert again == made


def test_a_token_downloads_exports_of_projects_only(
    client: TestClient, user: User, made: dict[str, Any]
) -> None:
    with transaction() as session:
        created = personal_access_tokens.create_personal_token(
            session, user.id, "script", ["projects:read"], None, Client()
        )
    headers = {"Authorization": f"Bearer {created.token}"}
    path = f"/api/exports/{made['export_id']}"
    assert client.get(path, headers=headers).status_code == 200
    assert client.get(f"/api/exports/{UNKNOWN_ID}", headers=headers).status_code == 404

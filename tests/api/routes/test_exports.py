"""Pre-flight, export, archive, manifest and files of a project by the API."""

import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient

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

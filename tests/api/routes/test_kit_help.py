"""Arrange, suggest, level, chop and swap by the API, also with hostile values."""

import uuid
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, update

from sp404_app import db
from sp404_app.audio.similarity.embedding import DIMENSIONS
from sp404_app.models import Sample, User
from sp404_app.services.sample import similarity
from tests.ids import UNKNOWN_ID
from tests.sounds import Keep

ANY = {"If-Match": "*"}


@pytest.fixture
def kit(client: TestClient, keep: Keep) -> dict[str, Any]:
    """A project with three sounds on bank A."""
    ids = [str(keep(f"{name}.wav")) for name in ("Hat", "Kick", "Snare")]
    body = {"name": "Kit", "device": "mk2", "sample_ids": ids}
    made = client.post("/api/projects", json=body)
    assert made.status_code == 201, made.text
    return made.json()["project"]


@pytest.fixture
def path(kit: dict[str, Any]) -> str:
    return f"/api/projects/{kit['id']}"


def names(project: dict[str, Any]) -> dict[int, str]:
    return {pad["pad"]: pad["name"] for pad in project["pads"] if pad["bank"] == "A"}


def test_a_bank_is_arranged_together_with_new_samples(
    client: TestClient, path: str, keep: Keep
) -> None:
    body = {"bank": "A", "by": "kind", "sample_ids": [str(keep("Clap.wav"))]}
    done = client.post(f"{path}/arrange", json=body, headers=ANY)
    assert done.status_code == 200, done.text
    assert names(done.json()["project"]) == {9: "Hat", 13: "Kick", 14: "Snare", 15: "Clap"}
    assert done.headers["ETag"] == f'"{done.json()["project"]["revision"]}"'
    assert done.json()["not_placed"] == []


def test_suggestions_have_reasons(client: TestClient, path: str, keep: Keep) -> None:
    keep("Ride.wav")
    found = client.get(f"{path}/suggestions", params={"bank": "A", "pad": 4})
    assert found.status_code == 200, found.text
    (only,) = found.json()["suggestions"]
    assert (only["sample"]["name"], only["reason"]) == ("Ride", "You have no cymbal yet")


def test_a_bank_is_levelled(client: TestClient, path: str) -> None:
    done = client.post(f"{path}/banks/A/level", json={"to": "peak", "value": -3}, headers=ANY)
    assert done.status_code == 200, done.text
    edits = [pad["edit"] for pad in done.json()["project"]["pads"]]
    assert edits == [{"normalise": {"to": "peak", "value": -3.0}}] * 3
    assert done.json()["value"] == -3


def test_a_pad_is_chopped_to_markers_and_to_pads(client: TestClient, path: str) -> None:
    body = {"by": "equal", "parts": 4}
    done = client.post(f"{path}/pads/A/1/chop", json=body, headers=ANY)
    assert done.status_code == 200, done.text
    assert len(done.json()["project"]["pads"][0]["chops"]) == 4
    done = client.post(f"{path}/pads/A/1/chop", json=body | {"to": "pads"}, headers=ANY).json()
    assert (done["filled"], done["not_placed"]) == (["A4", "A5", "A6", "A7"], 0)


def test_a_swap_goes_forth_and_back(
    client: TestClient, path: str, kit: dict[str, Any], user: User, keep: Keep
) -> None:
    ids = [uuid.UUID(kit["pads"][0]["sample_id"]), keep("Other hat.wav")]
    with db.transaction() as session:
        for number, sample_id in enumerate(ids):
            vector = np.ones(DIMENSIONS, np.float32) + number
            similarity.save_vector(session, user.id, sample_id, vector)
        hats = update(Sample).where(col(Sample.id).in_(ids)).values(sound_class="closed hat")
        session.exec(hats)
    url, revision = f"{path}/pads/A/1/swap", kit["pads"][0]["revision"]
    forth = client.post(url, json={"step": 1}, headers={"If-Match": f'"{revision}"'})
    assert forth.status_code == 200, forth.text
    assert (forth.json()["pad"]["name"], forth.json()["index"]) == ("Other hat", 1)
    back = {"step": -1, "anchor_id": forth.json()["anchor_id"]}
    done = client.post(url, json=back, headers={"If-Match": forth.headers["ETag"]})
    assert (done.json()["pad"]["name"], done.json()["index"]) == ("Hat", 0)


CHANGES = [
    ("arrange", {"bank": "A", "by": "name"}),
    ("banks/A/level", {"to": "peak"}),
    ("pads/A/1/chop", {"by": "equal"}),
    ("pads/A/1/swap", {"step": 1}),
]


@pytest.mark.parametrize(("part", "body"), CHANGES)
def test_a_change_needs_the_revision_that_was_seen(
    client: TestClient, path: str, part: str, body: dict[str, Any]
) -> None:
    assert client.post(f"{path}/{part}", json=body).status_code == 428
    stale = client.post(f"{path}/{part}", json=body, headers={"If-Match": '"999"'})
    expected = 409
    assert (stale.status_code, client.get(path).json()["revision"]) == (expected, 1)


@pytest.mark.parametrize(("part", "body"), CHANGES)
def test_a_foreign_project_is_404(
    client: TestClient, path: str, part: str, body: dict[str, Any], stranger: dict[str, str]
) -> None:
    answer = client.post(f"{path}/{part}", json=body, headers=stranger | ANY)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    unknown = f"/api/projects/{uuid.uuid4()}/{part}"
    assert client.post(unknown, json=body, headers=ANY).status_code == 404


def test_suggestions_of_a_foreign_project_are_404(
    client: TestClient, path: str, stranger: dict[str, str]
) -> None:
    params = {"bank": "A", "pad": 1}
    answer = client.get(f"{path}/suggestions", params=params, headers=stranger)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ("arrange", {"bank": "A", "by": "name", "sample_ids": [UNKNOWN_ID]}),
        ("pads/A/1/swap", {"step": 1, "anchor_id": UNKNOWN_ID}),
    ],
)
def test_an_unknown_sample_is_404(
    client: TestClient, path: str, part: str, body: dict[str, Any]
) -> None:
    assert client.post(f"{path}/{part}", json=body, headers=ANY).status_code == 404


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ("arrange", {"bank": "K", "by": "name"}),
        ("arrange", {"bank": "A", "by": "colour"}),
        ("arrange", {"bank": ["A"], "by": "name"}),
        ("arrange", {"bank": "A", "by": "name", "sample_ids": ["x"]}),
        ("arrange", {"bank": "A", "by": "name", "more": 1}),
        ("arrange", None),
        ("banks/K/level", {"to": "peak"}),
        ("banks/AA/level", {"to": "peak"}),
        ("banks/A/level", {"to": "rms"}),
        ("banks/A/level", {"to": "peak", "value": 1e9}),
        ("banks/A/level", {"to": "lufs", "value": "NaN"}),
        ("pads/K/1/chop", {"by": "equal"}),
        ("pads/A/0/chop", {"by": "equal"}),
        ("pads/A/17/chop", {"by": "equal"}),
        ("pads/A/9/chop", {"by": "equal"}),
        ("pads/A/1/chop", {"by": "ears"}),
        ("pads/A/1/chop", {"by": "grid"}),
        ("pads/A/1/chop", {"by": "equal", "parts": 17}),
        ("pads/A/1/chop", {"by": "equal", "parts": 4.0}),
        ("pads/A/1/chop", {"by": "equal", "parts": 10**30}),
        ("pads/A/1/chop", {"by": "transients", "sensitivity": -0.1}),
        ("pads/A/1/chop", {"by": "transients", "sensitivity": "inf"}),
        ("pads/A/1/swap", {"step": 0}),
        ("pads/A/1/swap", {"step": 1e9}),
        ("pads/A/1/swap", {"step": 1, "anchor_id": "x"}),
        ("pads/A/17/swap", {"step": 1}),
        ("pads/A/9/swap", {"step": 1}),
    ],
)
def test_a_value_that_makes_no_sense_is_422(
    client: TestClient, path: str, part: str, body: object
) -> None:
    answer = client.post(f"{path}/{part}", json=body, headers=ANY)
    assert answer.status_code == 422, answer.text
    assert client.get(path).json()["revision"] == 1


@pytest.mark.parametrize(
    "params",
    [
        {"bank": "K", "pad": 1},
        {"bank": "A", "pad": 0},
        {"bank": "A", "pad": 17},
        {"bank": "A", "pad": 1, "limit": 11},
        {"bank": "A", "pad": 1, "limit": 0},
        {"bank": "A", "pad": "1e9"},
        {"bank": "A"},
    ],
)
def test_a_pad_that_is_not_there_has_no_suggestions(
    client: TestClient, path: str, params: dict[str, Any]
) -> None:
    assert client.get(f"{path}/suggestions", params=params).status_code == 422


def test_the_sx_has_no_pad_13(client: TestClient) -> None:
    made = client.post("/api/projects", json={"name": "SX", "device": "sx"}).json()["project"]
    path = f"/api/projects/{made['id']}"
    answer = client.get(f"{path}/suggestions", params={"bank": "A", "pad": 13})
    assert answer.status_code == 422
    assert client.post(f"{path}/pads/A/13/swap", json={"step": 1}, headers=ANY).status_code == 422

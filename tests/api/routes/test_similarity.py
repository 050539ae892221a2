"""GET /api/samples/{id}/similar and /copies."""

import uuid
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from sp404_app.db import transaction
from sp404_app.models import Sample
from sp404_app.settings import Settings
from tests.accounts import bearer, sign_up_user
from tests.ids import UNKNOWN_ID
from tests.sounds import keep


@pytest.mark.parametrize("sample_id", [UNKNOWN_ID, "nonsense"])
def test_an_unknown_sample_is_not_found(api: TestClient, sample_id: str) -> None:
    answer = api.get(f"/api/samples/{sample_id}/similar", headers=bearer(sign_up_user().id))
    assert answer.status_code in {404, 422}


def test_an_unknown_aspect_is_refused(api: TestClient) -> None:
    answer = api.get(
        f"/api/samples/{uuid.uuid4()}/similar?aspect=colour", headers=bearer(sign_up_user().id)
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_similar_samples_require_authentication(api: TestClient) -> None:
    assert api.get(f"/api/samples/{uuid.uuid4()}/similar").status_code == 401


@pytest.fixture
def copies(tmp_path: Path, services: Settings) -> tuple[uuid.UUID, list[str]]:
    """A user with three duplicates and one other sample."""
    owner, group = sign_up_user().id, uuid.uuid4()
    ids = [keep(owner, tmp_path, f"{number}.wav", 300.0 + number) for number in range(4)]
    with transaction() as session:
        for sample_id in ids[:3]:
            session.get_one(Sample, sample_id).duplicate_group_id = group
    return owner, [str(each) for each in ids]


def test_duplicates_are_listed_oldest_first(
    api: TestClient, copies: tuple[uuid.UUID, list[str]]
) -> None:
    owner, ids = copies
    answer = api.get(f"/api/samples/{ids[1]}/copies", headers=bearer(owner)).json()
    assert [each["id"] for each in answer["samples"]] == [ids[0], ids[2]]
    assert {each["name"] for each in answer["samples"]} == {"0", "2"}
    one = api.get(f"/api/samples/{ids[1]}/copies?limit=1", headers=bearer(owner)).json()
    assert [each["id"] for each in one["samples"]] == [ids[0]]
    alone = api.get(f"/api/samples/{ids[3]}/copies", headers=bearer(owner))
    assert (alone.status_code, alone.json()) == (200, {"samples": []})


def test_trashed_duplicates_are_not_listed(
    api: TestClient, copies: tuple[uuid.UUID, list[str]]
) -> None:
    owner, ids = copies
    api.delete(f"/api/samples/{ids[0]}", headers=bearer(owner))
    answer = api.get(f"/api/samples/{ids[1]}/copies", headers=bearer(owner)).json()
    assert [each["id"] for each in answer["samples"]] == [ids[2]]
    api.post(f"/api/samples/{ids[0]}/restore", headers=bearer(owner))
    answer = api.get(f"/api/samples/{ids[1]}/copies", headers=bearer(owner)).json()
    assert [each["id"] for each in answer["samples"]] == [ids[0], ids[2]]


def test_another_users_duplicates_look_like_those_of_an_unknown_sample(
    api: TestClient, copies: tuple[uuid.UUID, list[str]]
) -> None:
    stranger = bearer(sign_up_user().id)
    theirs = api.get(f"/api/samples/{copies[1][0]}/copies", headers=stranger)
    nobody_s = api.get(f"/api/samples/{UNKNOWN_ID}/copies", headers=stranger)
    assert (theirs.status_code, theirs.json()) == (404, nobody_s.json())
    assert api.get(f"/api/samples/{copies[1][0]}/copies").status_code == 401
    assert api.get("/api/samples/x/copies?limit=0", headers=stranger).status_code == 422


def test_a_bulk_action_can_select_all_samples_with_duplicates(
    api: TestClient, copies: tuple[uuid.UUID, list[str]]
) -> None:
    owner, ids = copies
    body = {"action": "tag", "tags": ["twice"], "filter": {"has_copies": True}}
    answer = api.post("/api/samples/bulk", json=body, headers=bearer(owner)).json()
    assert answer["results"] == dict.fromkeys(ids[:3], "ok")

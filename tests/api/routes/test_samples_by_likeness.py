"""`like` and `weights` of the routes that take the filters of samples."""

import io
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from sp404_app.audio.similarity.embedding import DIMENSIONS
from sp404_app.db import transaction
from sp404_app.models import User
from sp404_app.services.library.likeness_order import WEIGHTS_MESSAGE
from sp404_app.services.sample import similarity
from tests.sounds import Keep

PATHS = ("/api/samples", "/api/samples/export", "/api/samples/map")
Headers = dict[str, str]


def vector(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)


@pytest.fixture
def compared(user: User, keep: Keep) -> list[str]:
    """Return the ids of five samples, the last one without a vector."""
    ids = [keep(f"Kick {number}.wav") for number in range(5)]
    with transaction() as session:
        for seed, sample_id in enumerate(ids[:4]):
            similarity.save_vector(session, user.id, sample_id, vector(seed))
    return [str(each) for each in ids]


def listed(client: TestClient, **params: Any) -> dict[str, Any]:
    answer = client.get("/api/samples", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("weights", [{}, {"weights": "100,0,0,5"}])
def test_pages_lead_through_all_samples_from_the_nearest_on(
    client: TestClient, compared: list[str], weights: dict[str, str]
) -> None:
    asked = {"like": compared[0], **weights}
    whole = [row["id"] for row in listed(client, **asked)["samples"]]
    assert (whole[0], whole[-1], set(whole)) == (compared[0], compared[4], set(compared))
    if not weights:
        near = client.get(f"/api/samples/{compared[0]}/similar").json()["samples"]
        assert whole[1:-1] == [each["sample"]["id"] for each in near]
    seen, cursor = [], ""
    for _ in compared:
        page = listed(client, **asked, sort="likeness", limit=1, cursor=cursor)
        assert page["total"] == 5
        seen += [row["id"] for row in page["samples"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (whole, None)
    csv = client.get("/api/samples/export", params={**asked, "format": "json"}).json()
    assert [row["id"] for row in csv["samples"]] == whole


def test_weights_change_the_order(client: TestClient, compared: list[str]) -> None:
    by_aspect = {
        aspect: [row["id"] for row in listed(client, like=compared[0], weights=weights)["samples"]]
        for aspect, weights in {"timbre": "100,0,0,0", "rhythm": "0,0,0,1"}.items()
    }
    for aspect, found in by_aspect.items():
        near = client.get(f"/api/samples/{compared[0]}/similar", params={"aspect": aspect}).json()
        assert found[1:4] == [each["sample"]["id"] for each in near["samples"]]


def test_it_goes_with_filters_a_collection_and_the_trash(
    client: TestClient, compared: list[str]
) -> None:
    made = client.post(
        "/api/collections", json={"name": "Some", "sample_ids": compared[1:3]}
    ).json()
    inside = listed(client, like=compared[0], collection=made["id"])
    assert {row["id"] for row in inside["samples"]} == set(compared[1:3])
    found = listed(client, like=compared[0], q="kick 3")
    assert [row["id"] for row in found["samples"]] == [compared[3]]
    client.delete(f"/api/samples/{compared[0]}")
    assert compared[0] not in {row["id"] for row in listed(client, like=compared[0])["samples"]}
    trashed = listed(client, like=compared[0], trash=True)
    assert [row["id"] for row in trashed["samples"]] == [compared[0]]
    assert client.delete(f"/api/samples/{compared[0]}").status_code == 204
    assert client.get("/api/samples", params={"like": compared[0]}).status_code == 404


def test_before_the_analysis_the_newest_come_first(client: TestClient, compared: list[str]) -> None:
    found = [row["id"] for row in listed(client, like=compared[4])["samples"]]
    assert found == [compared[4], *compared[3::-1]]


@pytest.mark.parametrize("path", PATHS)
def test_a_sample_of_another_user_is_answered_like_an_unknown_one(
    client: TestClient, compared: list[str], stranger: Headers, path: str
) -> None:
    answers = [
        client.get(path, params={"like": each, **more}, headers=stranger)
        for each in (compared[0], uuid.uuid4())
        for more in ({}, {"weights": "1,2,3,4"})
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "faulty",
    [{"like": "nonsense"}, {"like": ""}, {"sort": "likeness"}, {"sort": "-likeness"},
     {"weights": "1,1,1,1"}],
)  # fmt: skip
def test_faulty_orders_are_rejected(
    client: TestClient, compared: list[str], path: str, faulty: dict[str, str]
) -> None:
    answer = client.get(path, params=faulty)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "weights",
    ["", "1", "1,1,1", "1,1,1,1,1", "0,0,0,0", "000,0,0,0", "-1,1,1,1", "101,1,1,1", "NaN,1,1,1",
     "1e1,1,1,1", "1.5,1,1,1", " 1,1,1,1", "٣,1,1,1", "1,1,1,1\n", "9" * 900, "[1,1,1,1]"],
)  # fmt: skip
def test_faulty_weights_are_rejected(
    client: TestClient, compared: list[str], path: str, weights: str
) -> None:
    answer = client.get(path, params={"like": compared[0], "weights": weights})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    if len(weights) < 400:
        assert answer.json()["details"] == {"weights": [WEIGHTS_MESSAGE]}


@pytest.mark.parametrize("sort", ["name", "-likeness", "created"])
def test_no_other_order_is_possible_beside_it(
    client: TestClient, compared: list[str], sort: str
) -> None:
    answer = client.get("/api/samples", params={"like": compared[0], "sort": sort})
    assert (answer.status_code, list(answer.json()["details"])) == (422, ["sort"])


def test_a_cursor_of_other_weights_is_rejected(client: TestClient, compared: list[str]) -> None:
    cursor = listed(client, like=compared[0], limit=1)["next_cursor"]
    for params in ({"like": compared[1]}, {"like": compared[0], "weights": "1,2,3,4"}, {}):
        answer = client.get("/api/samples", params={**params, "cursor": cursor})
        assert answer.status_code == 422


def test_a_bulk_action_takes_the_filter(
    client: TestClient, compared: list[str], stranger: Headers, person: Callable[..., User]
) -> None:
    def tag(headers: Headers | None = None, **filters: Any) -> Any:
        body = {"action": "tag", "tags": ["near"], "filter": filters}
        return client.post("/api/samples/bulk", json=body, headers=headers)

    done = tag(like=compared[0], weights=[100, 0, 0, 0])
    assert done.status_code == 200, done.text
    assert all("near" in row["tags"] for row in listed(client)["samples"])
    assert tag(stranger, like=compared[0]).status_code == 404
    for faulty in ([0, 0, 0, 0], [1], ["x"] * 4, "1,1,1,1", [1e9] * 4, [-1, 1, 1, 1], [1] * 999):
        assert tag(like=compared[0], weights=faulty).status_code == 422
    assert tag(like="nonsense").status_code == 422
    assert tag(like=[], weights={}).status_code == 422


def test_the_csv_is_in_this_order(client: TestClient, compared: list[str]) -> None:
    answer = client.get("/api/samples/export", params={"like": compared[2]})
    lines = io.StringIO(answer.content.decode("utf-8-sig"), newline="").read().splitlines()
    assert lines[1].startswith(compared[2])

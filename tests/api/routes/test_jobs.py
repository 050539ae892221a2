"""/api/jobs: list, read and cancel."""

import uuid

import pytest
from fastapi.testclient import TestClient

from tests.services.processing.test_jobs import job_of
from tests.sounds import Keep


def test_jobs_are_listed_newest_first_in_pages(client: TestClient, keep: Keep) -> None:
    ids = [str(job_of(keep()).id) for _ in range(3)]
    first = client.get("/api/jobs?limit=2").json()
    assert ([job["id"] for job in first["jobs"]], first["total"]) == (ids[:0:-1], 3)
    rest = client.get(f"/api/jobs?limit=2&cursor={first['next_cursor']}").json()
    assert [job["id"] for job in rest["jobs"]] == ids[:1]
    assert rest["next_cursor"] is None
    assert client.get("/api/jobs?limit=3").json()["next_cursor"] is None


def test_a_job_is_returned_and_cancelled_for_good(client: TestClient, keep: Keep) -> None:
    sample_id = keep()
    path = f"/api/jobs/{job_of(sample_id).id}"
    shown = client.get(path).json()
    assert (shown["status"], shown["progress"], shown["sample_id"]) == (
        "queued",
        0,
        str(sample_id),
    )
    assert client.delete(path).json()["status"] == "cancelled"
    assert client.delete(path).json()["status"] == "cancelled"


def test_another_users_job_is_not_found(
    client: TestClient, keep: Keep, stranger: dict[str, str]
) -> None:
    theirs, nothing = job_of(keep()).id, uuid.uuid4()
    for method in ("GET", "DELETE"):
        answers = [
            client.request(method, f"/api/jobs/{i}", headers=stranger) for i in (theirs, nothing)
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json() == answers[1].json()
    assert client.get("/api/jobs", headers=stranger).json()["jobs"] == []
    assert client.get(f"/api/jobs/{theirs}").json()["status"] == "queued"


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=x", "limit=-1"])
def test_invalid_page_parameters_are_rejected(client: TestClient, query: str) -> None:
    assert client.get(f"/api/jobs?{query}").status_code == 422

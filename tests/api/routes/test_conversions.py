"""Samples in other formats through the API: alone, and many in an archive."""

import io
import uuid
import zipfile
from typing import Any

import httpx
import pytest
import soundfile
from fastapi.testclient import TestClient

from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import Sample
from tests.services.processing.test_jobs import job_of
from tests.sounds import Keep

Headers = dict[str, str]


@pytest.fixture
def measured(keep: Keep) -> Any:
    """Return a function that adds an analysed sample."""

    def add(name: str = "Kick.wav") -> uuid.UUID:
        sample_id = keep(name)
        runner.run(str(job_of(sample_id).id))
        return sample_id

    return add


def ask(client: TestClient, **body: object) -> httpx.Response:
    return client.post("/api/samples/bulk", json={"action": "convert", **body})


def finish(answer: httpx.Response) -> str:
    """Run the job of an answer; return its address."""
    assert answer.status_code == 202
    job_id = answer.json()["job"]["id"]
    runner.run(job_id)
    return f"/api/jobs/{job_id}"


@pytest.mark.parametrize(
    ("wanted", "name", "media_type", "rate"),
    [
        ("mk2", "Kick.wav", "audio/wav", 48_000),
        ("sx", "Kick.WAV", "audio/wav", 44_100),
        ("wav", "Kick.wav", "audio/wav", 22_050),
        ("flac", "Kick.flac", "audio/flac", 22_050),
    ],
)
def test_a_sample_is_downloaded_in_another_format(
    client: TestClient, measured: Any, wanted: str, name: str, media_type: str, rate: int
) -> None:
    path = f"/api/samples/{measured()}/download?as={wanted}"
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert f'attachment; filename="{name}"' in answer.headers["content-disposition"]
    assert soundfile.info(io.BytesIO(answer.content)).samplerate == rate
    assert answer.headers["cache-control"] == "private, no-cache"
    part = client.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, answer.content[10:20])
    same = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


def test_a_long_sample_is_answered_with_its_job_until_it_is_done(
    client: TestClient, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sp404_app.services.cards.conversions.SMALL_S", 0.0)
    path = f"/api/samples/{measured()}/download?as=mk2"
    first, second = client.get(path), client.get(path)
    assert first.status_code == second.status_code == 202
    assert first.headers["cache-control"] == "no-store"
    assert first.json()["job"]["id"] == second.json()["job"]["id"]
    job = client.get(finish(first)).json()
    assert (job["kind"], job["status"]) == ("convert", "done")
    assert client.get(job["result"]["url"]).status_code == 200


@pytest.mark.parametrize("wanted", ["mp3", "MK2", "", "import"])
def test_an_unknown_format_is_refused(client: TestClient, keep: Keep, wanted: str) -> None:
    assert client.get(f"/api/samples/{keep()}/download?as={wanted}").status_code == 422


def test_a_sample_that_is_too_long_is_refused_with_a_sentence(
    client: TestClient, measured: Any
) -> None:
    sample_id = measured()
    with transaction() as session:
        session.get_one(Sample, sample_id).duration = 1_000.0
    answer = client.get(f"/api/samples/{sample_id}/download?as=mk2")
    assert answer.status_code == 422
    assert "longer than 16 minutes" in answer.text


def test_a_selection_is_downloaded_as_one_archive(client: TestClient, measured: Any) -> None:
    ids = [str(measured("Kick.wav")), str(measured("Snare.wav"))]
    template = "{bank}{pad} {name}"
    answer = ask(client, ids=ids, template=template, **{"as": "mk2"})
    job = client.get(finish(answer)).json()
    assert job["progress"] == 1.0
    archive = client.get(job["result"]["url"])
    assert archive.headers["content-type"] == "application/zip"
    assert 'filename="Crate 404 SP-404MKII.zip"' in archive.headers["content-disposition"]
    assert len(archive.content) == job["result"]["bytes"]
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        assert files.namelist() == ["A01 Kick.wav", "A02 Snare.wav"]
    part = client.get(job["result"]["url"], headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"PK\3\4")


def test_a_whole_search_is_downloaded_as_one_archive(client: TestClient, measured: Any) -> None:
    for name in ("Kick 1.wav", "Kick 2.wav", "Snare.wav"):
        measured(name)
    answer = ask(client, filter={"q": '"kick"', "sort": "name"}, template="{n}", **{"as": "flac"})
    job = client.get(finish(answer)).json()
    with zipfile.ZipFile(io.BytesIO(client.get(job["result"]["url"]).content)) as files:
        assert files.namelist() == ["1.flac", "2.flac"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"as": None}, "as"), ({"as": "mp3"}, "as"), ({"template": "{tempo}"}, "template"),
        ({"template": "x" * 1001}, "template"), ({"template": 5}, "template"),
        ({"ids": []}, "ids"), ({"ids": ["x"]}, "ids.0"), ({"folders": "maybe"}, "folders"),
        ({"owner": "x"}, "owner"), ({"filter": {"user_id": "x"}, "ids": None}, "user_id"),
        ({"filter": {}}, ""), ({"ids": None}, ""),
    ],
)  # fmt: skip
def test_an_invalid_request_is_refused_with_the_field(
    client: TestClient, keep: Keep, change: dict[str, object], field: str
) -> None:
    body: dict[str, object] = {"ids": [str(keep())], "as": "wav", "template": "{name}"}
    answer = ask(client, **(body | change))
    assert answer.status_code == 422
    assert not field or any(field in name for name in answer.json()["details"])


def test_samples_and_archives_of_others_are_not_found(
    client: TestClient, measured: Any, stranger: Headers
) -> None:
    mine = str(measured())
    job = client.get(finish(ask(client, ids=[mine], **{"as": "wav"}))).json()
    answers = []
    for sample_id, job_id in ((mine, job["id"]), (str(uuid.uuid4()), str(uuid.uuid4()))):
        body = {"action": "convert", "as": "wav", "ids": [sample_id]}
        answers += [
            client.post("/api/samples/bulk", json=body, headers=stranger),
            client.get(f"/api/samples/{sample_id}/download?as=mk2", headers=stranger),
            client.get(f"/api/conversions/{job_id}", headers=stranger),
        ]
    assert [answer.status_code for answer in answers] == [404] * 6
    assert [one.json() for one in answers[:3]] == [one.json() for one in answers[3:]]
    assert client.get(job["result"]["url"]).status_code == 200


def test_a_conversion_can_be_cancelled(client: TestClient, keep: Keep) -> None:
    job = ask(client, ids=[str(keep())], **{"as": "wav"}).json()["job"]
    assert client.delete(f"/api/jobs/{job['id']}").json()["status"] == "cancelled"
    assert client.get(f"/api/conversions/{job['id']}").status_code == 404


def test_requests_without_a_token_are_rejected(api: TestClient) -> None:
    for path in (f"samples/{uuid.uuid4()}/download?as=mk2", f"conversions/{uuid.uuid4()}"):
        assert api.get(f"/api/{path}").status_code == 401

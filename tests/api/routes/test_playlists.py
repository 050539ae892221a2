"""Playlists of collections, alone and in their archives."""

import io
import uuid
import zipfile
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sp404_app.jobs import runner
from sp404_app.models import Sample
from sp404_app.services.cards.playlists import make_playlist
from tests.sounds import Keep

Headers = dict[str, str]


@pytest.fixture
def collection(client: TestClient, keep: Keep) -> dict[str, Any]:
    """A collection of three samples in an order of its own."""
    ids = [str(keep(f"{name}.wav")) for name in ("Snare", "Kick", "Ärger #1")]
    made = client.post("/api/collections", json={"name": "Dusty / set", "sample_ids": ids})
    assert made.status_code == 201
    return made.json()


def playlist_of(client: TestClient, collection: dict[str, Any], **options: str) -> str:
    answer = client.get(f"/api/collections/{collection['id']}/playlist.m3u8", params=options)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("audio/x-mpegurl")
    return answer.text


def test_a_playlist_has_the_files_in_the_order_of_the_collection(
    client: TestClient, collection: dict[str, Any]
) -> None:
    assert playlist_of(client, collection, template="{n} {name}").splitlines() == [
        "#EXTM3U",
        "#PLAYLIST:Dusty / set",
        "#EXTINF:1,Snare",
        "1 Snare.wav",
        "#EXTINF:1,Kick",
        "2 Kick.wav",
        "#EXTINF:1,Ärger #1",
        "3 Ärger #1.wav",
    ]


@pytest.mark.parametrize("wanted", ["mk2", "flac"])
def test_the_archive_of_a_collection_has_the_same_playlist(
    client: TestClient, collection: dict[str, Any], wanted: str
) -> None:
    body = {"action": "convert", "as": wanted, "filter": {"collection": collection["id"]}}
    job = client.post("/api/samples/bulk", json=body).json()["job"]["id"]
    runner.run(job)
    content = client.get(f"/api/conversions/{job}").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read("Dusty _ set.m3u8").decode()
        files = [line for line in text.splitlines() if not line.startswith("#")]
        assert sorted([*files, "Dusty _ set.m3u8"]) == sorted(archive.namelist())
    assert text == playlist_of(client, collection, **{"as": wanted})
    again = client.post("/api/samples/bulk", json=body).json()["job"]["id"]
    assert again == job


def test_an_archive_of_a_search_has_no_playlist(
    client: TestClient, collection: dict[str, Any]
) -> None:
    body = {"action": "convert", "as": "wav", "filter": {"q": "kick"}}
    job = client.post("/api/samples/bulk", json=body).json()["job"]["id"]
    runner.run(job)
    with zipfile.ZipFile(io.BytesIO(client.get(f"/api/conversions/{job}").content)) as archive:
        assert archive.namelist() == ["Kick.wav"]


def test_the_export_of_a_collection_has_its_samples_in_its_order(
    client: TestClient, collection: dict[str, Any]
) -> None:
    options = {"collection": collection["id"], "format": "json"}
    found = client.get("/api/samples/export", params=options).json()["samples"]
    assert [each["name"] for each in found] == ["Snare", "Kick", "Ärger #1"]


def test_a_collection_of_somebody_else_is_404(
    client: TestClient, stranger: Headers, collection: dict[str, Any]
) -> None:
    for found in (collection["id"], uuid.uuid4()):
        path = f"/api/collections/{found}/playlist.m3u8"
        assert client.get(path, headers=stranger).status_code == 404
    for path in (f"/api/samples/export?collection={collection['id']}",):
        assert client.get(path, headers=stranger).status_code == 404


def test_an_invalid_template_is_422(client: TestClient, collection: dict[str, Any]) -> None:
    path = f"/api/collections/{collection['id']}/playlist.m3u8"
    assert client.get(path, params={"template": "{tempo}"}).status_code == 422


def test_no_title_adds_a_line_or_a_comment() -> None:
    rows = [("#1 Kick.wav", "a\n#EXTM3U\r\x1b[2J\u202eb", None), ("b.wav", "b", 92.4)]
    files = [(path, Sample(name=name, duration=length)) for path, name, length in rows]  # type: ignore[call-arg]
    assert make_playlist("x\ny\u202e", files).write_text().splitlines() == [
        "#EXTM3U",
        "#PLAYLIST:x y",
        "#EXTINF:-1,a #EXTM3U [2Jb",
        "./#1 Kick.wav",
        "#EXTINF:92,b",
        "b.wav",
    ]

"""Downloads with tempo and key in the tags of the file."""

import io
import uuid
import zipfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from sp404_app.audio.features.file_tags import read_file_tags
from sp404_app.audio.io import content_hash
from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import Sample
from sp404_app.services.library.samples import Change, change_sample
from tests.services.processing.test_jobs import job_of
from tests.sounds import Keep

Headers = dict[str, str]


@pytest.fixture
def sample_id(client: TestClient, keep: Keep) -> uuid.UUID:
    """A loop of 92.5 BPM in F# minor."""
    added = keep("Loop.wav")
    runner.run(str(job_of(added).id))
    with transaction() as session:
        owner = session.get_one(Sample, added).user_id
        change_sample(session, owner, added, Change(bpm=92.5, key="F# minor", kind="loop"))
    return added


def stated(content: bytes, folder: Path) -> tuple[float | None, str | None, int | None]:
    path = folder / "downloaded"
    path.write_bytes(content)
    found = read_file_tags(path)
    return found.bpm, found.key, found.root


def digest(content: bytes, folder: Path) -> str:
    path = folder / "sound"
    path.write_bytes(content)
    return content_hash.hash_file(path)[1].digest


@pytest.mark.parametrize("wanted", ["", "wav", "flac"])
def test_a_download_has_tempo_and_key_in_its_tags(
    client: TestClient, sample_id: uuid.UUID, tmp_path: Path, wanted: str
) -> None:
    path = f"/api/samples/{sample_id}/download?" + (f"as={wanted}&" if wanted else "")
    plain, tagged = client.get(path), client.get(f"{path}tags=true")
    assert "x-tags" not in plain.headers
    assert (tagged.status_code, tagged.headers["x-tags"]) == (200, "written")
    assert stated(tagged.content, tmp_path)[:2] == (92.5, "F# minor")
    assert digest(tagged.content, tmp_path) == digest(plain.content, tmp_path)
    assert tagged.headers["content-disposition"] == plain.headers["content-disposition"]
    assert client.get(f"{path}tags=true").content == tagged.content
    assert client.get(path).content == plain.content
    part = client.get(f"{path}tags=true", headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.content) == (206, tagged.content[4:10])


def test_a_new_tempo_is_in_the_next_download(
    client: TestClient, sample_id: uuid.UUID, tmp_path: Path
) -> None:
    path = f"/api/samples/{sample_id}/download?tags=true"
    first = client.get(path)
    assert client.patch(f"/api/samples/{sample_id}", json={"bpm": 120, "key": "C major"}).is_success
    second = client.get(path)
    assert stated(second.content, tmp_path)[:2] == (120, "C major")
    assert first.headers["etag"] != second.headers["etag"]


def test_a_file_for_a_device_has_the_bytes_of_a_pad(
    client: TestClient, sample_id: uuid.UUID
) -> None:
    path = f"/api/samples/{sample_id}/download?as=mk2"
    tagged = client.get(f"{path}&tags=true")
    assert tagged.headers["x-tags"] == "unchanged"
    assert tagged.headers["x-tags-note"] == "Files for the SP-404 hold no tags."
    assert tagged.content == client.get(path).content


def test_a_sound_without_values_is_sent_as_it_is(client: TestClient, keep: Keep) -> None:
    path = f"/api/samples/{keep()}/download"
    tagged = client.get(f"{path}?tags=true")
    assert tagged.headers["x-tags"] == "unchanged"
    assert "no tempo" in tagged.headers["x-tags-note"]
    assert tagged.content == client.get(path).content


def test_a_sample_of_somebody_else_is_404(
    client: TestClient, stranger: Headers, sample_id: uuid.UUID
) -> None:
    path = f"/api/samples/{sample_id}/download?tags=true"
    assert client.get(path, headers=stranger).status_code == 404


def test_the_files_of_an_archive_have_tags_if_wanted(
    client: TestClient, sample_id: uuid.UUID, tmp_path: Path
) -> None:
    found = {}
    for tagged in (False, True):
        body = {"action": "convert", "as": "wav", "ids": [str(sample_id)], "file_tags": tagged}
        job = client.post("/api/samples/bulk", json=body).json()["job"]["id"]
        runner.run(job)
        content = client.get(f"/api/conversions/{job}").content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (name,) = archive.namelist()
            found[tagged] = archive.read(name)
    assert stated(found[False], tmp_path) == (None, None, None)
    assert stated(found[True], tmp_path) == (92.5, "F# minor", 55)
    assert digest(found[True], tmp_path) == digest(found[False], tmp_path)

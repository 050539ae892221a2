"""A sample's bytes: whole, in ranges, as a download, and for its owner only."""

import uuid
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.routes import media
from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import User
from sp404_app.services.infra import storage
from sp404_app.services.library import samples
from tests.services.processing.test_jobs import job_of, kept
from tests.sounds import Keep, tone, write


def original(sample_id: uuid.UUID) -> bytes:
    with storage.local_copy(kept(sample_id).storage_key) as path:
        return path.read_bytes()


def test_the_original_comes_back_byte_for_byte(client: TestClient, keep: Keep) -> None:
    sample_id = keep()
    answer = client.get(f"/api/samples/{sample_id}/audio")
    assert answer.content == original(sample_id)
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0), ("bytes=5-9", 5, 9), ("bytes=10-", 10, None), ("bytes=-7", -7, None),
        ("bytes=0-99999999999999999999", 0, None), ("bytes=-99999999999999999999", 0, None),
        (" bytes=5-9 ", 5, 9),
    ],
)  # fmt: skip
def test_one_range_is_answered_exactly(
    client: TestClient, keep: Keep, asked: str, first: int, last: int | None
) -> None:
    sample_id = keep()
    whole = original(sample_id)
    answer = client.get(f"/api/samples/{sample_id}/audio", headers={"Range": asked})
    part = whole[first : None if last is None else last + 1]
    begin = first % len(whole)
    assert (answer.status_code, answer.content) == (206, part)
    assert answer.headers["content-range"] == (
        f"bytes {begin}-{begin + len(part) - 1}/{len(whole)}"
    )
    assert answer.headers["content-length"] == str(len(part))


@pytest.mark.parametrize(
    "asked",
    ["bytes=9-5", "bytes=-", "bytes=a-b", "items=0-5", "bytes=0-1,5-6", "bytes", "", "bytes=--5",
     "bytes=0x1-2", "bytes=1.5-3", "bytes=0-\u00b2"],
)  # fmt: skip
def test_anything_but_a_single_range_is_ignored(client: TestClient, keep: Keep, asked: str) -> None:
    sample_id = keep()
    answer = client.get(
        f"/api/samples/{sample_id}/audio", headers={b"Range": asked.encode("latin-1")}
    )
    assert (answer.status_code, answer.content) == (200, original(sample_id))


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=99999999999999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused_with_the_size(
    client: TestClient, keep: Keep, asked: str
) -> None:
    sample_id = keep()
    answer = client.get(f"/api/samples/{sample_id}/audio", headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(original(sample_id))}"


def test_a_matching_etag_is_answered_with_304(client: TestClient, keep: Keep) -> None:
    path = f"/api/samples/{keep()}/audio"
    tag = client.get(path).headers["etag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    both = {"Range": "bytes=0-3", "If-Range": tag}
    assert client.get(path, headers=both).status_code == 206
    assert client.get(path, headers=both | {"If-Range": '"other"'}).status_code == 200


def test_a_download_has_a_safe_file_name(client: TestClient, keep: Keep) -> None:
    sample_id = keep('Ki"ck\r\nX-Evil: 1; 太鼓.wav')
    answer = client.get(f"/api/samples/{sample_id}/download")
    assert answer.content == original(sample_id)
    assert "x-evil" not in answer.headers
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="Ki_ck X-Evil_ 1_ __.wav"; filename*=UTF-8')


def test_a_missing_file_is_not_found(client: TestClient, keep: Keep) -> None:
    sample_id = keep()
    storage.delete_object(kept(sample_id).storage_key)
    for path in ("audio", "download", "audio?format=ogg"):
        answer = client.get(f"/api/samples/{sample_id}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_unplayable_format_is_played_as_ogg_before_its_analysis(
    client: TestClient, user: User, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.aiff", tone())
    with transaction() as session:
        sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, "a.aiff"))
    played = client.get(f"/api/samples/{sample_id}/audio?format=play")
    assert (played.headers["content-type"], played.content[:4]) == ("audio/ogg", b"OggS")
    plain = client.get(f"/api/samples/{sample_id}/audio")
    assert (plain.headers["content-type"], plain.content) == ("audio/aiff", path.read_bytes())


def test_a_playable_format_is_played_unchanged(client: TestClient, keep: Keep) -> None:
    answer = client.get(f"/api/samples/{keep()}/audio?format=play")
    assert answer.headers["content-type"] == "audio/wav"


def test_a_preview_is_encoded_once(client: TestClient, keep: Keep) -> None:
    sample_id = keep()
    path = f"/api/samples/{sample_id}/audio?format=ogg"
    assert client.get(path).content[:4] == b"OggS"
    key = kept(sample_id).preview_key
    assert client.get(path).status_code == 200
    assert kept(sample_id).preview_key == key


def test_a_waveform_has_the_requested_number_of_points(client: TestClient, keep: Keep) -> None:
    sample_id = keep()
    assert client.get(f"/api/samples/{sample_id}/waveform").status_code == 404
    runner.run(str(job_of(sample_id).id))
    shown = client.get(f"/api/samples/{sample_id}/waveform?points=50&start=0.05&end=0.15").json()
    assert (shown["start"], shown["end"], len(shown["points"])) == (0.05, 0.15, 50)
    assert all(-1 <= low <= high <= 1 for low, high in shown["points"])


@pytest.mark.parametrize(
    "query",
    [
        "points=0",
        "points=4001",
        "points=x",
        "start=nan",
        "start=-1",
        "end=inf",
        "end=nan",
        "start=1e309",
    ],
)
def test_invalid_stretches_are_refused(client: TestClient, keep: Keep, query: str) -> None:
    assert client.get(f"/api/samples/{keep()}/waveform?{query}").status_code == 422


def test_unknown_formats_are_octet_streams() -> None:
    assert media.media_type_of("OGG Vorbis") == "audio/ogg"
    assert media.media_type_of("Opus") == "audio/ogg"
    assert media.media_type_of("W64 16-bit") == "application/octet-stream"

"""/api/projects/{id}/pads/{bank}/{pad}/audio and /waveform: the render of a pad."""

import io
import uuid
from typing import Any

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import PadRender, ProcessingJob, Sample
from sp404_app.services.infra import storage
from tests.sounds import Keep, tone

PATH = "/api/projects/{}/pads/A/1"


@pytest.fixture
def sample_id(keep: Keep) -> uuid.UUID:
    """An analysed sample: a sine of 0.2 s."""
    added = keep()
    with transaction() as session:
        job = session.exec(select(ProcessingJob).where(ProcessingJob.sample_id == added)).one()
    runner.run(str(job.id))
    return added


@pytest.fixture
def pad(client: TestClient, sample_id: uuid.UUID) -> str:
    """The path of a pad with that sample, on an SP-404MKII."""
    body = {"name": "Kit", "device": "mk2", "sample_ids": [str(sample_id)]}
    made = client.post("/api/projects", json=body).json()
    return PATH.format(made["project"]["id"])


def finish(job: dict[str, Any]) -> None:
    runner.run(job["id"])


def test_the_audio_is_202_with_its_job_until_it_is_made(client: TestClient, pad: str) -> None:
    waiting = client.get(f"{pad}/audio")
    assert waiting.status_code == 202
    assert waiting.headers["cache-control"] == "no-store"
    assert client.get(f"{pad}/audio").json() == waiting.json()
    assert client.get(f"{pad}/waveform").status_code == 202
    finish(waiting.json()["job"])
    made = client.get(f"{pad}/audio")
    assert (made.status_code, made.headers["content-type"]) == (200, "audio/wav")
    samples, rate = soundfile.read(io.BytesIO(made.content))
    assert (len(samples), rate) == (9_600, 48_000)
    assert np.abs(samples[500:-500] - tone(200, 0.2, 48_000)[500:-500]).max() < 0.001
    ended = client.get(f"/api/jobs/{waiting.json()['job']['id']}").json()
    assert ended["status"] == "done"


def test_a_browser_asks_for_the_bytes_once(client: TestClient, pad: str) -> None:
    finish(client.get(f"{pad}/audio").json()["job"])
    whole = client.get(f"{pad}/audio")
    tag = whole.headers["etag"]
    assert whole.headers["cache-control"] == "private, no-cache"
    assert client.get(f"{pad}/audio", headers={"If-None-Match": tag}).status_code == 304
    forever = client.get(f"{pad}/audio", params={"v": tag.strip('"')})
    assert client.get(pad).json()["audio_version"] == tag.strip('"')
    assert "immutable" in forever.headers["cache-control"]
    part = client.get(f"{pad}/audio", headers={"Range": "bytes=44-143"})
    assert (part.status_code, part.content) == (206, whole.content[44:144])


def test_audio_whose_file_is_lost_is_made_again(client: TestClient, pad: str) -> None:
    finish(client.get(f"{pad}/audio").json()["job"])
    before = client.get(f"{pad}/audio").content
    for stored in storage.list_folder("renders"):
        storage.delete_object(stored.key)
    again = client.get(f"{pad}/audio")
    assert again.status_code == 202
    finish(again.json()["job"])
    assert client.get(f"{pad}/audio").content == before


def test_a_close_waveform_whose_file_is_lost_is_made_again(client: TestClient, pad: str) -> None:
    finish(client.get(f"{pad}/audio").json()["job"])
    for stored in storage.list_folder("renders"):
        storage.delete_object(stored.key)
    close = {"points": 4, "first": 100, "last": 108}
    again = client.get(f"{pad}/waveform", params=close)
    assert again.status_code == 202
    finish(again.json()["job"])
    assert client.get(f"{pad}/waveform", params=close).status_code == 200


def test_a_waveform_is_that_of_the_render(client: TestClient, pad: str) -> None:
    finish(client.get(f"{pad}/audio").json()["job"])
    whole = client.get(f"{pad}/waveform", params={"points": 20}).json()
    assert (whole["first"], whole["last"], len(whole["points"])) == (0, 9_600, 20)
    assert max(high for _, high in whole["points"]) == pytest.approx(0.5, abs=0.02)
    part = client.get(f"{pad}/waveform", params={"points": 4, "first": 100, "last": 108}).json()
    assert (part["first"], part["last"], len(part["points"])) == (100, 108, 4)


def test_a_sound_that_cannot_be_decoded_is_422_with_a_sentence(
    client: TestClient, pad: str, sample_id: uuid.UUID
) -> None:
    with transaction() as session:
        key = session.get_one(Sample, sample_id).storage_key
    with storage.local_copy(key) as path:
        path.write_bytes(b"RIFF and nothing else")
    finish(client.get(f"{pad}/audio").json()["job"])
    for address in ("audio", "waveform"):
        refused = client.get(f"{pad}/{address}")
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_audio")


def test_an_empty_pad_and_another_users_pad_are_404(client: TestClient, pad: str) -> None:
    assert client.get(f"{pad[:-1]}2/audio").status_code == 404
    foreign = PATH.format(uuid.uuid4())
    assert client.get(f"{foreign}/audio").status_code == 404
    assert client.get(f"{foreign}/waveform").status_code == 404
    with transaction() as session:
        assert not session.exec(select(PadRender)).all()

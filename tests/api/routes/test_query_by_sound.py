"""POST /api/samples/similar: a file is heard, compared, and gone."""

import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import numpy.typing as npt
import psutil
import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api as app
from sp404_app.api.app import gateway
from sp404_app.api.routes import query_by_sound as route
from sp404_app.audio.similarity.embedding import Aspect
from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import User
from sp404_app.services.billing import quotas
from sp404_app.services.infra import rate_limits
from sp404_app.services.library import samples
from sp404_app.services.processing import sandbox
from sp404_app.settings import Settings, settings
from tests.accounts import bearer
from tests.api.routes.test_uploads import stored
from tests.security.world import dump
from tests.services.processing.test_jobs import job_of
from tests.sounds import bad_files, good_files, recorded, silent_flac, tone, wav, write

RATE = 44_100
Hear = Callable[..., httpx.Response]
Put = Callable[..., uuid.UUID]


def kick(pitch: float = 50.0) -> npt.NDArray[np.float32]:
    """A drum that falls to a pitch."""
    time_axis = np.arange(int(0.4 * RATE)) / RATE
    phase = 2 * np.pi * (pitch * time_axis - 4 * np.exp(-time_axis * 40))
    return (0.8 * np.sin(phase) * np.exp(-9 * time_axis)).astype(np.float32)


def hat(seed: int = 1) -> npt.NDArray[np.float32]:
    """A burst of noise."""
    time_axis = np.arange(int(0.1 * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(size=len(time_axis))
    return (0.2 * np.diff(noise, prepend=0) * np.exp(-50 * time_axis)).astype(np.float32)


def chord() -> npt.NDArray[np.float32]:
    """Three notes that last."""
    time_axis = np.arange(2 * RATE) / RATE
    notes = [np.sin(2 * np.pi * hertz * time_axis) for hertz in (220.0, 277.2, 329.6)]
    return (0.2 * np.sum(notes, axis=0)).astype(np.float32)


@pytest.fixture
def put(services: Settings, tmp_path: Path, user: User) -> Put:
    """Put a sound into a library and analyse it."""

    def keep(name: str, signal: npt.NDArray[np.float32], owner: User = user) -> uuid.UUID:
        path = write(tmp_path / f"{uuid.uuid4().hex}.wav", signal, RATE)
        with transaction() as session:
            sample_id = samples.add(session, owner.id, samples.inspect(path, name))
        runner.run(str(job_of(sample_id).id))
        return sample_id

    return keep


@pytest.fixture
def hear(client: TestClient) -> Hear:
    """Ask what sounds like a file."""

    def post(content: bytes, **query: str | int) -> httpx.Response:
        files = {"file": ("recording.webm", content, "audio/webm")}
        return client.post("/api/samples/similar", files=files, params=query)

    return post


def bytes_of(folder: Path, signal: npt.NDArray[np.float32]) -> bytes:
    return write(folder / f"{uuid.uuid4().hex}.wav", signal, RATE).read_bytes()


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [found["sample"]["name"] for found in answer.json()["samples"]]


def children() -> list[psutil.Process]:
    found = []
    for each in psutil.Process().children():
        with suppress(psutil.Error):  # it has ended meanwhile
            found += [each] if "sp404_app.audio.sandbox" in each.cmdline() else []
    return found


def test_the_most_alike_comes_first(put: Put, hear: Hear, tmp_path: Path) -> None:
    for name, signal in (("Kick", kick()), ("Hat", hat()), ("Chord", chord())):
        put(f"{name}.wav", signal)
    answer = hear(bytes_of(tmp_path, 0.5 * kick(52.0)))
    assert names(answer)[0] == "Kick"
    distances = [found["distance"] for found in answer.json()["samples"]]
    assert distances == sorted(distances)
    assert distances[0] < 0.1 < distances[1]
    heard = answer.json()["heard"]
    assert (heard["kind"], heard["silent"], heard["bpm"]) == ("one_shot", False, None)
    assert heard["duration"] == pytest.approx(0.4, abs=0.01)
    assert names(hear(bytes_of(tmp_path, hat(2)), limit=1)) == ["Hat"]


def test_the_same_file_is_as_near_by_upload_as_by_its_id(
    put: Put, hear: Hear, client: TestClient, tmp_path: Path
) -> None:
    kept = put("Kick.wav", kick())
    put("Hat.wav", hat())
    for aspect in Aspect:
        listed = client.get(f"/api/samples/{kept}/similar?aspect={aspect}").json()["samples"]
        found = hear(bytes_of(tmp_path, kick()), aspect=aspect).json()["samples"]
        assert found[0]["sample"]["id"] == str(kept)
        assert found[0]["distance"] == pytest.approx(0, abs=1e-4)
        assert found[1]["distance"] == pytest.approx(listed[0]["distance"], abs=1e-3)


def test_an_unknown_aspect_and_a_silly_limit_are_refused(hear: Hear) -> None:
    for query in ({"aspect": "colour"}, {"limit": 0}, {"limit": 101}, {"limit": "x"}):
        answer = hear(wav(), **query)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_somebody_else_s_sounds_are_not_searched(
    put: Put, hear: Hear, person: Callable[..., User], tmp_path: Path
) -> None:
    put("Theirs.wav", kick(), person())
    put("Mine.wav", hat())
    assert names(hear(bytes_of(tmp_path, kick()))) == ["Mine"]


def test_every_file_that_can_be_kept_can_be_heard(hear: Hear, tmp_path: Path) -> None:
    for kind, path in good_files(tmp_path).items():
        assert names(hear(path.read_bytes())) == [], kind


def test_what_a_browser_records_is_heard_to_its_end(hear: Hear, tmp_path: Path) -> None:
    path = recorded(tmp_path / "recording.webm", tone(330, 2.0, 48_000))
    answer = hear(path.read_bytes())
    assert names(answer) == []
    assert answer.json()["heard"]["duration"] == pytest.approx(2.0, abs=0.03)


def test_silence_is_like_nothing(put: Put, hear: Hear, tmp_path: Path) -> None:
    put("Kick.wav", kick())
    answer = hear(bytes_of(tmp_path, np.zeros(RATE, np.float32)))
    assert names(answer) == []
    assert answer.json()["heard"]["silent"]


def test_what_is_no_sound_is_refused_in_the_words_of_an_upload(hear: Hear, tmp_path: Path) -> None:
    for kind, (path, reason) in bad_files(tmp_path).items():
        answer = hear(path.read_bytes())
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_audio"), kind
        assert reason in answer.json()["error"]


def test_a_form_without_a_file_is_refused(client: TestClient) -> None:
    for form in ({}, {"data": {"file": "text"}}, {"content": b"{}"}):
        answer = client.post("/api/samples/similar", **form)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        (said,) = answer.json()["details"]["file"]
        assert said in {"This field is needed.", "This has to be a file."}


@pytest.fixture
def guarded(services: Settings, user: User) -> TestClient:
    """The API behind its gateway."""
    return TestClient(gateway(app), base_url=services.origin, headers=bearer(user.id))


def test_too_much_is_refused_before_it_is_read_and_while(
    guarded: TestClient, hear: Hear, environment: pytest.MonkeyPatch
) -> None:
    much = {"file": ("a.wav", bytes(sandbox.MOST_BYTES + (1 << 20) + 1))}
    answer = guarded.post("/api/samples/similar", files=much)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert hear(bytes(sandbox.MOST_BYTES + 1)).status_code == 413
    environment.setenv("SP404_MAX_UPLOAD_MB", "1")
    settings.cache_clear()
    answer = hear(bytes((1 << 20) + 1))
    assert (answer.status_code, answer.json()["error"]) == (
        413,
        "This file is larger than 1 MB.",
    )


def test_strangers_are_sent_away_before_they_are_listened_to(guarded: TestClient) -> None:
    headers = {"Authorization": "Bearer x"}
    answer = guarded.post("/api/samples/similar", files={"file": wav()}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_a_file_that_takes_too_long_is_given_up(
    hear: Hear, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    endless = silent_flac(tmp_path / "endless.flac", 3 * 3600).read_bytes()
    environment.setattr(sandbox, "SECONDS", 0.5)
    started = time.monotonic()
    answer = hear(endless)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_audio")
    assert answer.json()["error"] == sandbox.STOPPED
    assert time.monotonic() - started < 2
    assert children() == []


HANGS = "import signal, time; signal.signal(signal.SIGALRM, signal.SIG_IGN); time.sleep(60)"


FACTS = {
    "error": None, "engine_version": "0", "likeness": [0.0] * 64, "duration": 1.0,
    "silent": False, "kind": "loop", "bpm": None, "key": None, "camelot": None,
}  # fmt: skip
FALSE = [{"duration": "long"}, {"bpm": float("nan")}, {"kind": 7}, {"silent": None},
         {"likeness": [0.0] * 63}, {"likeness": [1e300] * 64}]  # fmt: skip


@pytest.mark.parametrize(
    "program",
    [
        HANGS, "import os; os.abort()", "1 / 0", "print('{}')", "print(list(range(9**9)))",
        *(f"import sys; sys.stdout.write({json.dumps(FACTS | each)!r})" for each in FALSE),
    ],
)  # fmt: skip
def test_a_decoder_that_hangs_crashes_or_talks_nonsense_takes_nobody_with_it(
    hear: Hear, environment: pytest.MonkeyPatch, program: str
) -> None:
    command = (sys.executable, "-c", program)
    with environment.context() as broken:
        broken.setattr(sandbox, "COMMAND", command)
        broken.setattr(sandbox, "SECONDS", 1.0)
        broken.setattr(sandbox, "GRACE", 0.1)
        answer = hear(wav())
    assert (answer.status_code, answer.json()["error"]) == (422, sandbox.STOPPED)
    assert names(hear(wav())) == []


def test_a_file_that_takes_too_much_memory_is_refused(
    hear: Hear, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(sandbox, "MEGABYTES", 60)
    answer = hear(wav(seconds=60.0))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_audio")


def test_who_hears_a_stranger_s_file_knows_no_secret(
    hear: Hear, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_STRIPE_SECRET_KEY", "secret")
    tell = "import json, os; print(json.dumps({'error': ' '.join(sorted(os.environ))}))"
    environment.setattr(sandbox, "COMMAND", (sys.executable, "-c", tell))
    known = hear(wav()).json()["error"].split()
    assert "OMP_NUM_THREADS" in known
    assert not [name for name in known if name.startswith("SP404") and name not in sandbox.KNOWN]


def test_many_at_once_take_turns(hear: Hear, environment: pytest.MonkeyPatch) -> None:
    environment.setattr(route, "PATIENCE", 60.0)
    with ThreadPoolExecutor(9) as pool:
        answers = [pool.submit(hear, wav(200.0 + number)) for number in range(8)]
        most = 0
        while not all(answer.done() for answer in answers):
            most = max(most, len(children()))
        assert [answer.result().status_code for answer in answers] == [200] * 8
    assert most == route.AT_ONCE


def test_who_waits_too_long_is_told_when_to_come_back(
    hear: Hear, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(route, "PATIENCE", 0.01)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(hear, [wav(200.0 + number) for number in range(8)]))
    busy = [answer for answer in answers if answer.status_code != 200]
    assert 1 <= len(busy) <= 6
    assert {(each.status_code, each.json()["code"]) for each in busy} == {(503, "unavailable")}
    assert all(int(each.headers["retry-after"]) > 0 for each in busy)


def test_a_person_is_heard_so_often_and_no_oftener(
    guarded: TestClient, environment: pytest.MonkeyPatch, person: Callable[..., User]
) -> None:
    environment.setattr(rate_limits, "QUERIES_BY_SOUND_PER_MINUTE", 2)
    answers = [
        guarded.post("/api/samples/similar", files={"file": ("a.wav", wav())}) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"2"}
    assert int(answers[2].headers["retry-after"]) > 0
    other = bearer(person().id)
    mine = guarded.post("/api/samples/similar", files={"file": ("a.wav", wav())}, headers=other)
    assert mine.status_code == 200


def test_nothing_of_it_stays(
    hear: Hear,
    put: Put,
    user: User,
    tmp_path: Path,
    environment: pytest.MonkeyPatch,
) -> None:
    put("Kick.wav", kick())
    folder = tmp_path / "temporary"
    folder.mkdir()
    environment.setattr(tempfile, "tempdir", str(folder))
    with transaction() as session:
        used = quotas.usage(session, user.id).analyses_used
    rows, files = dump(), stored()
    for content in (wav(), wav(seconds=30.0), b"no sound", b"", wav()[:99]):
        hear(content)
    assert list(folder.iterdir()) == []
    assert (dump(), stored()) == (rows, files)
    with transaction() as session:
        assert quotas.usage(session, user.id).analyses_used == used
    assert children() == []

"""POST /api/samples/similar: results, limits, and isolation of the analysis."""

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
from sp404_app.api.app import wrap_in_middleware
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
from tests.sounds import bad_files, good_files, silent_flac, tone, wav, write, write_webm_recording

RATE = 44_100
Search = Callable[..., httpx.Response]
Put = Callable[..., uuid.UUID]


def kick(pitch: float = 50.0) -> npt.NDArray[np.float32]:
    """Return a kick drum: a sine whose pitch falls to `pitch` Hz."""
    time_axis = np.arange(int(0.4 * RATE)) / RATE
    phase = 2 * np.pi * (pitch * time_axis - 4 * np.exp(-time_axis * 40))
    return (0.8 * np.sin(phase) * np.exp(-9 * time_axis)).astype(np.float32)


def hat(seed: int = 1) -> npt.NDArray[np.float32]:
    """Return a hi-hat: a burst of noise."""
    time_axis = np.arange(int(0.1 * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(size=len(time_axis))
    return (0.2 * np.diff(noise, prepend=0) * np.exp(-50 * time_axis)).astype(np.float32)


def chord() -> npt.NDArray[np.float32]:
    """Return a sustained chord of three notes."""
    time_axis = np.arange(2 * RATE) / RATE
    notes = [np.sin(2 * np.pi * hertz * time_axis) for hertz in (220.0, 277.2, 329.6)]
    return (0.2 * np.sum(notes, axis=0)).astype(np.float32)


@pytest.fixture
def put(services: Settings, tmp_path: Path, user: User) -> Put:
    """Add a sample and analyse it."""

    def keep(name: str, signal: npt.NDArray[np.float32], owner: User = user) -> uuid.UUID:
        path = write(tmp_path / f"{uuid.uuid4().hex}.wav", signal, RATE)
        with transaction() as session:
            sample_id = samples.add_sample(session, owner.id, samples.inspect_file(path, name))
        runner.run(str(job_of(sample_id).id))
        return sample_id

    return keep


@pytest.fixture
def search_similar(client: TestClient) -> Search:
    """Post a file to /api/samples/similar."""

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
        with suppress(psutil.Error):  # it has just ended
            found += [each] if "sp404_app.audio.sandbox" in each.cmdline() else []
    return found


def test_the_most_similar_sample_comes_first(
    put: Put, search_similar: Search, tmp_path: Path
) -> None:
    for name, signal in (("Kick", kick()), ("Hat", hat()), ("Chord", chord())):
        put(f"{name}.wav", signal)
    answer = search_similar(bytes_of(tmp_path, 0.5 * kick(52.0)))
    assert names(answer)[0] == "Kick"
    distances = [found["distance"] for found in answer.json()["samples"]]
    assert distances == sorted(distances)
    assert distances[0] < 0.1 < distances[1]
    heard = answer.json()["heard"]
    assert (heard["kind"], heard["silent"], heard["bpm"]) == ("one_shot", False, None)
    assert heard["duration"] == pytest.approx(0.4, abs=0.01)
    assert names(search_similar(bytes_of(tmp_path, hat(2)), limit=1)) == ["Hat"]


def test_distances_match_those_of_the_stored_sample(
    put: Put, search_similar: Search, client: TestClient, tmp_path: Path
) -> None:
    kept = put("Kick.wav", kick())
    put("Hat.wav", hat())
    for aspect in Aspect:
        listed = client.get(f"/api/samples/{kept}/similar?aspect={aspect}").json()["samples"]
        found = search_similar(bytes_of(tmp_path, kick()), aspect=aspect).json()["samples"]
        assert found[0]["sample"]["id"] == str(kept)
        assert found[0]["distance"] == pytest.approx(0, abs=1e-4)
        assert found[1]["distance"] == pytest.approx(listed[0]["distance"], abs=1e-3)


def test_an_unknown_aspect_or_limit_is_rejected(search_similar: Search) -> None:
    for query in ({"aspect": "colour"}, {"limit": 0}, {"limit": 101}, {"limit": "x"}):
        answer = search_similar(wav(), **query)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_only_the_users_samples_are_searched(
    put: Put, search_similar: Search, person: Callable[..., User], tmp_path: Path
) -> None:
    put("Theirs.wav", kick(), person())
    put("Mine.wav", hat())
    assert names(search_similar(bytes_of(tmp_path, kick()))) == ["Mine"]


def test_every_supported_format_can_be_a_query(search_similar: Search, tmp_path: Path) -> None:
    for kind, path in good_files(tmp_path).items():
        assert names(search_similar(path.read_bytes())) == [], kind


def test_a_browser_recording_is_analysed_to_its_end(search_similar: Search, tmp_path: Path) -> None:
    path = write_webm_recording(tmp_path / "recording.webm", tone(330, 2.0, 48_000))
    answer = search_similar(path.read_bytes())
    assert names(answer) == []
    assert answer.json()["heard"]["duration"] == pytest.approx(2.0, abs=0.03)


def test_silence_has_no_similar_samples(put: Put, search_similar: Search, tmp_path: Path) -> None:
    put("Kick.wav", kick())
    answer = search_similar(bytes_of(tmp_path, np.zeros(RATE, np.float32)))
    assert names(answer) == []
    assert answer.json()["heard"]["silent"]


def test_a_damaged_file_is_rejected_with_the_message_of_an_upload(
    search_similar: Search, tmp_path: Path
) -> None:
    for kind, (path, reason) in bad_files(tmp_path).items():
        answer = search_similar(path.read_bytes())
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_audio"), kind
        assert reason in answer.json()["error"]


def test_a_form_without_a_file_is_rejected(client: TestClient) -> None:
    for form in ({}, {"data": {"file": "text"}}, {"content": b"{}"}):
        answer = client.post("/api/samples/similar", **form)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        (said,) = answer.json()["details"]["file"]
        assert said in {"This field is required.", "This must be a file."}


@pytest.fixture
def guarded(services: Settings, user: User) -> TestClient:
    """The API behind its middlewares."""
    return TestClient(wrap_in_middleware(app), base_url=services.origin, headers=bearer(user.id))


def test_a_file_over_the_query_limit_is_rejected_by_header_and_by_size(
    guarded: TestClient, search_similar: Search, environment: pytest.MonkeyPatch
) -> None:
    much = {"file": ("a.wav", bytes(sandbox.MAX_FILE_BYTES + (1 << 20) + 1))}
    answer = guarded.post("/api/samples/similar", files=much)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert search_similar(bytes(sandbox.MAX_FILE_BYTES + 1)).status_code == 413
    environment.setenv("SP404_MAX_UPLOAD_MB", "1")
    settings.cache_clear()
    answer = search_similar(bytes((1 << 20) + 1))
    assert (answer.status_code, answer.json()["error"]) == (
        413,
        "This file is larger than 1 MB.",
    )


def test_an_invalid_token_is_rejected_before_the_analysis(guarded: TestClient) -> None:
    headers = {"Authorization": "Bearer x"}
    answer = guarded.post("/api/samples/similar", files={"file": wav()}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_an_analysis_that_times_out_is_rejected(
    search_similar: Search, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    endless = silent_flac(tmp_path / "endless.flac", 3 * 3600).read_bytes()
    environment.setattr(sandbox, "TIMEOUT_S", 0.5)
    started = time.monotonic()
    answer = search_similar(endless)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_audio")
    assert answer.json()["error"] == sandbox.ANALYSIS_FAILED
    assert time.monotonic() - started < 2
    assert children() == []


HANGS = "import signal, time; signal.signal(signal.SIGALRM, signal.SIG_IGN); time.sleep(60)"


VALID_ANSWER = {
    "error": None, "engine_version": "0", "likeness": [0.0] * 64, "duration": 1.0,
    "silent": False, "kind": "loop", "bpm": None, "key": None, "camelot": None,
}  # fmt: skip
INVALID_VALUES = [{"duration": "long"}, {"bpm": float("nan")}, {"kind": 7}, {"silent": None},
         {"likeness": [0.0] * 63}, {"likeness": [1e300] * 64}]  # fmt: skip


@pytest.mark.parametrize(
    "program",
    [
        HANGS, "import os; os.abort()", "1 / 0", "print('{}')", "print(list(range(9**9)))",
        *(
            f"import sys; sys.stdout.write({json.dumps(VALID_ANSWER | invalid)!r})"
            for invalid in INVALID_VALUES
        ),
    ],
)  # fmt: skip
def test_a_decoder_that_hangs_crashes_or_prints_garbage_is_contained(
    search_similar: Search, environment: pytest.MonkeyPatch, program: str
) -> None:
    command = (sys.executable, "-c", program)
    with environment.context() as broken:
        broken.setattr(sandbox, "COMMAND", command)
        broken.setattr(sandbox, "TIMEOUT_S", 1.0)
        broken.setattr(sandbox, "KILL_GRACE_S", 0.1)
        answer = search_similar(wav())
    assert (answer.status_code, answer.json()["error"]) == (422, sandbox.ANALYSIS_FAILED)
    assert names(search_similar(wav())) == []


def test_an_analysis_over_the_memory_limit_is_rejected(
    search_similar: Search, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(sandbox, "MEMORY_LIMIT_MB", 60)
    answer = search_similar(wav(seconds=60.0))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_audio")


def test_the_sandbox_inherits_no_secrets(
    search_similar: Search, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_STRIPE_SECRET_KEY", "secret")
    program = "import json, os; print(json.dumps({'error': ' '.join(sorted(os.environ))}))"
    environment.setattr(sandbox, "COMMAND", (sys.executable, "-c", program))
    known = search_similar(wav()).json()["error"].split()
    assert "OMP_NUM_THREADS" in known
    assert not [
        name
        for name in known
        if name.startswith("SP404") and name not in sandbox.PASSED_ENVIRONMENT
    ]


def test_concurrent_queries_wait_for_a_sandbox(
    search_similar: Search, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(route, "WAIT_TIMEOUT_S", 60.0)
    with ThreadPoolExecutor(9) as pool:
        answers = [pool.submit(search_similar, wav(200.0 + number)) for number in range(8)]
        most_running = 0
        while not all(answer.done() for answer in answers):
            most_running = max(most_running, len(children()))
        assert [answer.result().status_code for answer in answers] == [200] * 8
    assert most_running == route.MAX_CONCURRENT


def test_a_query_that_waits_too_long_answers_503_with_retry_after(
    search_similar: Search, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(route, "WAIT_TIMEOUT_S", 0.01)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(search_similar, [wav(200.0 + number) for number in range(8)]))
    busy = [answer for answer in answers if answer.status_code != 200]
    assert 1 <= len(busy) <= 6
    assert {(each.status_code, each.json()["code"]) for each in busy} == {(503, "unavailable")}
    assert all(int(each.headers["retry-after"]) > 0 for each in busy)


def test_queries_are_rate_limited_per_user(
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


def test_a_query_leaves_no_row_no_file_and_no_process(
    search_similar: Search,
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
        used = quotas.get_quota_usage(session, user.id).analyses_used
    rows, files = dump(), stored()
    for content in (wav(), wav(seconds=30.0), b"no sound", b"", wav()[:99]):
        search_similar(content)
    assert list(folder.iterdir()) == []
    assert (dump(), stored()) == (rows, files)
    with transaction() as session:
        assert quotas.get_quota_usage(session, user.id).analyses_used == used
    assert children() == []

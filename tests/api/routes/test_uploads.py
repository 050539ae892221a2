"""POST /api/samples: a result for each file; names, quotas, concurrency and failures."""

import json
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError
from sqlmodel import func, select

from sp404_app.db import transaction
from sp404_app.models import Sample, User
from sp404_app.services import plans
from sp404_app.services.infra import events, queue, storage
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from sp404_app.settings import Settings, settings
from tests.api.conftest import Send
from tests.services.processing.test_jobs import LATER, job_of
from tests.sounds import bad_files, good_files, wav


def rows() -> int:
    with transaction() as session:
        return session.exec(select(func.count()).select_from(Sample)).one()


def stored() -> list[Path]:
    folder = storage._folder()
    assert folder
    return [path for path in folder.rglob("*") if path.is_file()]


def test_damaged_files_do_not_affect_other_files(send: Send, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    fine, broken = good_files(good), bad_files(bad)
    files = [(path.name, path.read_bytes()) for path in fine.values()]
    files[3:3] = [(path.name, path.read_bytes()) for path, _ in broken.values()]
    answer = send(*files)
    body = answer.json()
    assert answer.status_code == 201
    assert len(body["samples"]) == len(fine)
    assert {item["filename"] for item in body["rejected"]} == {p.name for p, _ in broken.values()}
    for item in body["rejected"]:
        assert item["code"] == "bad_audio"
        assert {p.name: reason for p, reason in broken.values()}[item["filename"]] in (
            item["error"]
        )
    assert len(stored()) == rows() == len(fine)


def test_an_upload_is_queued_and_returned_without_private_fields(send: Send) -> None:
    sample = send(("Dusty 90.wav", wav()), folder="Kits/A", folders_become_tags="true").json()
    shown = sample["samples"][0]
    assert (shown["name"], shown["filename"], shown["status"]) == (
        "Dusty 90",
        "Dusty 90.wav",
        "queued",
    )
    assert shown["tags"] == ["A", "Kits"]
    fields = {"folder": "Kits/A", "folders_become_tags": "true", "root_becomes_tag": "false"}
    assert send(("Other 90.wav", wav(500)), **fields).json()["samples"][0]["tags"] == ["A"]
    assert (shown["format"], shown["size"]) == ("WAV 16-bit", len(wav()))
    assert "storage_key" not in shown
    assert "user_id" not in shown


def test_an_upload_with_no_accepted_file_answers_422(send: Send) -> None:
    answer = send(("a.wav", b"no sound"), ("b.wav", b""))
    assert answer.status_code == 422
    assert answer.json()["samples"] == []
    assert len(answer.json()["rejected"]) == 2
    assert answer.json()["code"] == "bad_audio"


def test_a_duplicate_upload_names_the_existing_sample(send: Send) -> None:
    first = send(("a.wav", wav())).json()["samples"][0]["id"]
    answer = send(("b.wav", wav()))
    assert answer.status_code == 422
    refused = answer.json()["rejected"][0]
    assert (refused["code"], refused["details"]["sample_id"]) == ("duplicate", first)


def test_an_upload_over_the_storage_quota_answers_429(
    send: Send, environment: pytest.MonkeyPatch
) -> None:
    small = plans.Plan(plans.Tier.FREE, "Free", 0, len(wav()), 9, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, small)
    answer = send(("a.wav", wav(300)), ("b.wav", wav(400)))
    assert (answer.status_code, len(answer.json()["samples"])) == (201, 1)
    answer = send(("c.wav", wav(500)))
    assert answer.status_code == 429
    assert answer.json()["code"] == "storage_quota_exceeded"
    assert answer.json()["details"]["upgrade_url"] == "/plans"


def test_concurrent_uploads_fill_the_storage_quota_exactly(
    send: Send, environment: pytest.MonkeyPatch
) -> None:
    small = plans.Plan(plans.Tier.FREE, "Free", 0, 5 * len(wav()) + 9, 9, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, small)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda i: send((f"{i}.wav", wav(200 + i))), range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [429] * 15
    assert rows() == len(stored()) == 5


def test_concurrent_uploads_of_the_same_sound_make_one_sample(send: Send) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda i: send((f"{i}.wav", wav())), range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 9
    assert rows() == len(stored()) == 1


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd", "a" * 300 + ".wav", "<img src=x>.wav", "太鼓 🥁.wav", "a\tb.wav",
        "..", ".", "con.wav", "%00.wav", "a%0Ab.wav", '"quoted".wav', "C:\\x\\y.wav",
    ],
)  # fmt: skip
def test_any_file_name_is_stored_and_downloaded_safely(
    client: TestClient, send: Send, name: str
) -> None:
    answer = send((name, wav()))
    assert answer.status_code == 201
    shown = answer.json()["samples"][0]
    assert shown["filename"].isprintable()
    assert "/" not in shown["filename"]
    assert 1 <= len(shown["name"]) <= 200
    download = client.get(f"/api/samples/{shown['id']}/download")
    assert download.content == wav()
    assert download.headers["content-disposition"].isprintable()
    root = settings().home.resolve()
    assert all(path.resolve().is_relative_to(root) for path in stored())


def multipart(*parts: bytes) -> tuple[bytes, dict[str, str]]:
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


def test_file_names_in_invalid_encodings_are_handled(client: TestClient) -> None:
    head = b'Content-Disposition: form-data; name="file"; filename="\\ud800\xff\x00x.wav"\r\n\r\n'
    body, headers = multipart(head + wav(), head + b"nothing")
    for charset in ("", "; charset=unicode_escape", "; charset=utf-7", "; charset=nonsense"):
        headers = {"Content-Type": f"multipart/form-data; boundary=x{charset}"}
        answer = client.post("/api/samples", content=body, headers=headers)
        assert answer.status_code in {201, 400, 422}, answer.text
        json.dumps(answer.json(), ensure_ascii=False).encode()


def test_an_incomplete_or_empty_body_stores_nothing(client: TestClient) -> None:
    body, headers = multipart(
        b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + wav()
    )
    for content in (body[:-2000], b"", b"--x", b"--x--", b"\x00" * 5000, b"{}"):
        answer = client.post("/api/samples", content=content, headers=headers)
        assert answer.status_code in {400, 422}, content[:20]
        assert answer.json()["status"] == answer.status_code
    assert rows() == 0


def test_a_file_over_the_upload_limit_does_not_affect_others(
    client: TestClient, send: Send, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_MAX_UPLOAD_MB", "1")
    settings.cache_clear()
    answer = send(("big.wav", bytes((1 << 20) + 1)), ("fine.wav", wav()))
    assert [item["code"] for item in answer.json()["rejected"]] == ["too_large"]
    assert len(answer.json()["samples"]) == 1


def test_more_than_five_hundred_files_are_rejected(send: Send) -> None:
    answer = send(*((f"{i}.wav", b"x") for i in range(501)))
    assert answer.status_code == 422
    assert rows() == 0


def test_an_upload_requires_a_session(api: TestClient) -> None:
    assert api.post("/api/samples", files={"file": ("a.wav", wav())}).status_code == 401
    assert stored() == []


@pytest.fixture
def without_redis(
    services: Settings, environment: pytest.MonkeyPatch, client: TestClient
) -> Iterator[None]:
    """Make Redis unavailable."""
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1")
    clear()
    yield
    environment.setenv("SP404_REDIS_URL", services.redis_url)
    clear()


def clear() -> None:
    settings.cache_clear()
    events.connection.cache_clear()
    queue.rq_queue.cache_clear()


def test_an_upload_without_redis_is_stored_and_its_job_enqueued_later(
    services: Settings,
    client: TestClient,
    send: Send,
    without_redis: None,
    environment: pytest.MonkeyPatch,
) -> None:
    answer = send(("a.wav", wav()))
    assert answer.status_code == 201
    sample_id = uuid.UUID(answer.json()["samples"][0]["id"])
    environment.setenv("SP404_REDIS_URL", services.redis_url)
    clear()
    job = job_of(sample_id)
    with transaction() as session:
        jobs.requeue_lost_jobs(session, job.heartbeat_at + LATER)
    assert queue.queued_ids() == {queue.rq_job_id(job.id, 0)}


def test_a_database_error_rejects_only_that_file(
    send: Send, environment: pytest.MonkeyPatch
) -> None:
    original = samples.ensure_no_duplicate
    calls: list[int] = []

    def sometimes(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OperationalError("select", {}, Exception("secret"))
        original(*arguments)  # type: ignore[arg-type]

    environment.setattr(samples, "ensure_no_duplicate", sometimes)
    answer = send(*((f"{i}.wav", wav(300 + i)) for i in range(3)))
    body = answer.json()
    assert (answer.status_code, len(body["samples"])) == (201, 2)
    assert body["rejected"][0]["code"] == "unavailable"
    assert "secret" not in answer.text
    assert rows() == len(stored()) == 2


def test_a_storage_error_answers_503(
    send: Send, environment: pytest.MonkeyPatch, user: User
) -> None:
    (settings().home / "sounds").rmdir() if (settings().home / "sounds").exists() else None
    (settings().home / "sounds").write_text("no folder")
    answer = send(("a.wav", wav()))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert rows() == 0


def test_temporary_files_are_removed(
    send: Send, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    environment.setattr(tempfile, "tempdir", str(folder))
    send(("a.wav", wav()), ("b.wav", b"bad"), ("c.wav", bytes(2 << 20)))
    assert list(folder.iterdir()) == []


NAMES = [
    '12" break.wav', "100% wet.wav", "Äpfel und Öl.wav", "太鼓 01.wav", "two\nlines.wav",
    "semi;colon='x'.wav", "back\\slash.wav", "Loop 92.5 BPM", "plain", ".wav", "12%22 literal.wav",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_from_the_form_field_is_kept_exactly(send: Send, name: str) -> None:
    shown = send(("whatever", wav()), filename=name).json()["samples"][0]
    assert shown["filename"] == name.replace("\n", " ")
    assert shown["name"] == name.replace("\n", " ").removesuffix(".wav") or ".wav"


@pytest.mark.parametrize(
    ("header", "filename"),
    [
        ('filename="12%22 break.wav"', '12" break.wav'),
        ('filename="12\\" break.wav"', '12" break.wav'),
        ('filename="a%0D%0Ab.wav"', "a b.wav"),
        ('filename="100% wet.wav"', "100% wet.wav"),
        ('filename="50%25.wav"', "50%25.wav"),
        ('filename="Äpfel.wav"', "Äpfel.wav"),
        ('filename="C:\\Kits\\kick.wav"', "kick.wav"),
        ('filename="Kits/kick.wav"', "kick.wav"),
        ('filename="../../kick.wav"', "kick.wav"),
        ('filename=".."', "untitled"),
        ('filename="Loop 92.5 BPM"', "Loop 92.5 BPM"),
    ],
)
def test_a_file_name_from_the_header_is_decoded_like_browsers_encode_it(
    client: TestClient, header: str, filename: str
) -> None:
    body = f'--B\r\nContent-Disposition: form-data; name="file"; {header}\r\n\r\n'.encode()
    answer = client.post(
        "/api/samples",
        content=body + wav() + b"\r\n--B--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=B"},
    )
    assert answer.json()["samples"][0]["filename"] == filename


def test_a_dot_in_a_name_without_extension_is_kept(send: Send) -> None:
    shown = send(("Loop 92.5 BPM", wav())).json()["samples"][0]
    assert (shown["name"], shown["filename"]) == ("Loop 92.5 BPM", "Loop 92.5 BPM")


def test_name_fields_are_ignored_unless_there_is_one_per_file(send: Send) -> None:
    answer = send(("a.wav", wav()), ("b.wav", wav(660)), filename="c.wav").json()
    assert [sample["filename"] for sample in answer["samples"]] == ["a.wav", "b.wav"]


def test_a_rejected_file_is_reported_by_its_name(send: Send) -> None:
    answer = send(("x", b"no sound"), filename='12" no.wav').json()
    assert answer["rejected"][0]["filename"] == '12" no.wav'
    answer = send(('12" no.wav', b"no sound")).json()
    assert answer["rejected"][0]["filename"] == '12" no.wav'


@pytest.mark.parametrize(
    ("folder", "tags"),
    [
        ("A:\\Samples\\Drums", ["Drums", "Samples"]),
        ("..", []),
        ("../Drums/..", []),
        ("Kits/../Drums", ["Drums"]),
        ("Drums, dry", ["Drums dry"]),
    ],
)
def test_only_folder_names_become_tags(send: Send, folder: str, tags: list[str]) -> None:
    shown = send(("a.wav", wav()), folder=folder, folders_become_tags="true").json()
    assert shown["samples"][0]["tags"] == tags


@pytest.mark.parametrize(
    "folder",
    ["x" * 5000, "deep folder/" * 200 + "Drums", "/" * 100_000, "a/" * 400_000, "ﷺ/" * 900],
)
def test_a_long_folder_path_is_shortened(send: Send, folder: str) -> None:
    answer = send(("a.wav", wav()), folder=folder, folders_become_tags="true")
    assert answer.status_code == 201
    with transaction() as session:
        kept = session.exec(select(Sample.folder)).one()
    assert len(kept) <= 1000
    assert not kept.startswith("/")
    if folder.endswith("Drums"):
        assert kept.endswith("deep folder/Drums")
        assert answer.json()["samples"][0]["tags"] == ["deep folder", "Drums"]


def test_a_folder_path_over_the_form_limit_is_rejected_with_a_message(send: Send) -> None:
    answer = send(("a.wav", wav()), folder="x" * 3_000_000)
    assert answer.status_code in {400, 413, 422}
    assert "look at the marked" not in answer.json()["error"]

"""Odd and hostile cards over HTTP: each is read, or refused by a clear sentence, never a 500."""

import hashlib
import io
import uuid
import wave
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from struct import pack
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi.testclient import TestClient

from sp404_app.jobs import runner
from tests.services import zips
from tests.services.cards import cards

FOLDER = "EXPORT/PROJECT/PROJECT_01"
MK2, SX = cards.mk2_project(FOLDER), cards.sx_card()
CONFIG, SOUND = f"{FOLDER}/PADCONF.BIN", f"{FOLDER}/SMPL/BANK1-01.SMP"
SX_CONFIG, SX_SOUND = "ROLAND/SP-404SX/SMPL/PAD_INFO.BIN", "ROLAND/SP-404SX/SMPL/A0000001.WAV"
TARGETS: dict[str, dict[str, Any]] = {
    "mk2": {"device": "mk2", "place": "export", "slot": 1},
    "sx": {"device": "sx"},
    "import": {"device": "import"},
}


def new_import(client: TestClient) -> str:
    made = client.post("/api/imports")
    assert made.status_code == 201, made.text
    return f"/api/imports/{made.json()['id']}"


def send(client: TestClient, card: Mapping[str, bytes], path: str = "") -> str:
    path = path or new_import(client)
    for name, content in card.items():
        answer = client.put(f"{path}/files/{quote(name)}", content=content)
        assert answer.status_code == 200, answer.text
    return path


def ended(client: TestClient, answer: httpx.Response) -> dict[str, Any]:
    """Run the job of an answer; return it as the API shows it."""
    assert answer.status_code in (200, 202), answer.text
    job_id = answer.json()["job"]["id"]
    runner.run(job_id)
    job: dict[str, Any] = client.get(f"/api/jobs/{job_id}").json()
    assert job["status"] in ("done", "failed"), job
    assert "our side" not in (job["error"] or ""), job
    return job


def take_in(client: TestClient, card: Mapping[str, bytes]) -> dict[str, Any]:
    return ended(client, client.post(f"{send(client, card)}/finish"))


def project_of(client: TestClient, card: Mapping[str, bytes]) -> str:
    job = take_in(client, card)
    assert job["status"] == "done", job
    return f"/api/projects/{job['result']['project_ids'][0]}"


def exported(client: TestClient, project: str, device: str) -> dict[str, bytes]:
    job = ended(client, client.post(f"{project}/export", json=TARGETS[device]))
    assert job["status"] == "done", job
    data = client.get(f"/api/exports/{job['result']['export_id']}").content
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def listing(card: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [
        {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in card.items()
    ]


def changes_of(
    client: TestClient, project: str, card: Mapping[str, bytes], device: str
) -> list[dict[str, Any]]:
    path = new_import(client)
    assert client.post(f"{path}/listing", json={"files": listing(card)}).status_code == 200
    body = TARGETS[device] | {"import_id": path.rpartition("/")[2]}
    answer = client.post(f"{project}/compare", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["changes"]


def look_at(client: TestClient, project: str) -> None:
    """Read everything that the API tells of a project."""
    for path in ("", "/doctor", "/patterns", "/sheet?format=pdf", "/sheet?format=png"):
        assert client.get(f"{project}{path}").status_code == 200, path
    for device in TARGETS:
        assert client.get(f"{project}/preflight?device={device}").status_code == 200
    assert client.get("/api/projects").status_code == 200


@pytest.mark.parametrize(("card", "device"), [(MK2, "mk2"), (SX, "sx")], ids=["mk2", "sx"])
def test_a_card_in_lower_case_comes_back_and_needs_no_change(
    client: TestClient, card: dict[str, bytes], device: str
) -> None:
    lower = {path.lower(): data for path, data in card.items()}
    project = project_of(client, lower)
    found = exported(client, project, device)
    expected = {path: data for path, data in lower.items() if "stpinfo" not in path}
    assert {path.lower(): data for path, data in found.items()} == expected
    assert changes_of(client, project, lower, device) == []


def test_a_project_far_down_is_found_and_one_too_far_down_refused(client: TestClient) -> None:
    deep = "/".join(["d"] * 18)
    card = {f"{deep}/{path}": data for path, data in cards.mk2_project("").items()}
    look_at(client, project_of(client, card))
    path = new_import(client)
    answer = client.put(f"{path}/files/d/{quote(deep)}/SMPL/BANK1-01.SMP", content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("cut", [0, 11, 512, 3_000])
@pytest.mark.parametrize(("card", "device"), [(MK2, "mk2"), (SX, "sx")], ids=["mk2", "sx"])
def test_a_card_of_files_that_are_all_cut_off_is_read_or_refused_in_words(
    client: TestClient, card: dict[str, bytes], device: str, cut: int
) -> None:
    config = CONFIG if device == "mk2" else SX_CONFIG
    whole = take_in(client, {path: data[:cut] for path, data in card.items()})
    assert whole["status"] == "failed"
    assert config.rpartition("/")[2] in whole["error"]
    sounds = {path: data[:cut] for path, data in card.items()} | {config: card[config]}
    job = take_in(client, sounds)
    assert job["status"] == "done"
    project = f"/api/projects/{job['result']['project_ids'][0]}"
    look_at(client, project)
    answer = client.post(f"{project}/export", json=TARGETS[device])
    if answer.status_code != 409:  # a pad is left
        assert ended(client, answer)["status"] == "done"


def lying_config(size: int, *others: int) -> bytes:
    pads = {n: (cards.record(size, dict(enumerate(others, 1))), b"Lies", ()) for n in range(160)}
    return cards.padconf(pads)


@pytest.mark.parametrize(
    ("size", "position"), [(1, 2**31), (513, 511), (2**31, 0), (2**32 - 1, 2**32 - 1)]
)
def test_sizes_and_positions_that_lie_are_read(
    client: TestClient, size: int, position: int
) -> None:
    config = lying_config(size, position, position)
    assert take_in(client, {"P/PADCONF.BIN": config})["status"] == "done"
    sound = {"P/SMPL/BANK1-01.SMP": cards.smp(cards.pcm(1, 3_000))}
    project = project_of(client, {"P/PADCONF.BIN": config, **sound})
    look_at(client, project)
    assert len(exported(client, project, "mk2")) > 1


@pytest.mark.parametrize(("size", "channels"), [(513, 2), (2**32 - 1, 1)])
def test_sizes_of_the_sx_that_lie_are_read(client: TestClient, size: int, channels: int) -> None:
    flags = bytes([255, 7, 7, 7, 7, 1, channels, 9])
    info = cards.sx_record(size, start=2**32 - 1, end=3, flags=flags) * 120
    project = project_of(client, {"SMPL/PAD_INFO.BIN": info})
    look_at(client, project)
    project = project_of(client, SX | {SX_CONFIG: info})
    look_at(client, project)
    assert len(exported(client, project, "sx")) > 1


def foreign_wave(channels: int, rate: int, width: int, frames: int) -> bytes:
    packed = io.BytesIO()
    with wave.open(packed, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(
            cards.pcm(3, frames * channels * width // 2 + 1, 1)[: frames * channels * width]
        )
    return packed.getvalue()


@pytest.mark.parametrize(
    ("channels", "rate", "width", "frames"),
    [(6, 44_100, 2, 9_000), (1, 8_000, 1, 1)],
)
def test_sounds_that_no_device_wrote_are_read_and_exported(
    client: TestClient, channels: int, rate: int, width: int, frames: int
) -> None:
    sound = foreign_wave(channels, rate, width, frames)
    project = project_of(client, SX | {SX_SOUND: sound})
    look_at(client, project)
    exported(client, project, "sx")


def test_folders_with_characters_that_no_database_stores_are_refused(client: TestClient) -> None:
    path = send(client, MK2)
    for folder in ("a\0b", "\ud800"):
        body = (
            b'{"folders": ["'
            + folder.encode("unicode_escape").replace(b"\\x00", b"\\u0000")
            + b'"]}'
        )
        headers = {"content-type": "application/json"}
        answer = client.post(f"{path}/finish", content=body, headers=headers)
        assert answer.status_code in (202, 422), answer.text
        answer = client.post(f"{path}/plan", content=body[:-1] + b', "files": []}', headers=headers)
        assert answer.status_code in (200, 422), answer.text


def test_ten_thousand_small_files_are_listed_planned_and_compared(client: TestClient) -> None:
    many = {f"Photos/{n:05}/{n}.jpg": b"x" for n in range(10_000)} | MK2
    path = new_import(client)
    assert client.post(f"{path}/listing", json={"files": listing(many)}).status_code == 200
    names = [{"path": name} for name in many]
    plan = client.post(f"{path}/plan", json={"files": names}).json()
    assert (plan["send"], len(plan["projects"])) == ([CONFIG], 1)
    send(client, MK2, path)
    job = ended(client, client.post(f"{path}/finish"))
    assert (job["status"], job["result"]["files"]) == ("done", len(MK2))


def test_ten_thousand_projects_are_refused_or_bounded(client: TestClient) -> None:
    many = [{"path": f"P{n}/PADCONF.BIN"} for n in range(10_000)]
    path = new_import(client)
    plan = client.post(f"{path}/plan", json={"files": many})
    assert plan.status_code == 200
    assert len(plan.json()["projects"]) <= 500


def test_archives_in_archives_bombs_and_odd_names_are_answered_in_words(
    client: TestClient,
) -> None:
    inner = cards.zipped_card(MK2)
    archives = {
        "zip in zip": zips.zipped(("a.zip", inner), ("PADCONF.BIN", inner)),
        "bomb": zips.zipped(("P/PADCONF.BIN", bytes(300 << 20))),
        "overlap": zips.by_hand(
            [b"P%d/PADCONF.BIN" % n for n in range(500)], MK2[CONFIG], overlap=True
        ),
        "odd bytes": zips.by_hand([bytes(range(128, 256)) + b"/PADCONF.BIN"], MK2[CONFIG]),
        "dots": zips.zipped(*((f"../../{path}", data) for path, data in MK2.items())),
        "method": zips.by_hand([b"P/PADCONF.BIN"], MK2[CONFIG], method=99),
        "nul": zips.by_hand([b"P\0/PADCONF.BIN"], MK2[CONFIG]),
    }
    for kind, data in archives.items():
        file = {"file": ("card\0.zip", data, "application/zip")}
        answer = client.post("/api/projects/import", files=file)
        assert answer.status_code in (202, 409, 413, 422), (kind, answer.text)
        if answer.status_code == 202:
            job = ended(client, answer)
            assert job["status"] == "done" or job["error"].endswith("."), (kind, job)


def at_once(*calls: Callable[[], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_the_same_file_at_once_finish_at_once_and_export_at_once(client: TestClient) -> None:
    path = send(client, MK2)
    puts = [lambda: client.put(f"{path}/files/{quote(SOUND)}", content=MK2[SOUND])] * 6
    assert {each.status_code for each in at_once(*puts)} == {200}
    finishes = at_once(*[lambda: client.post(f"{path}/finish")] * 6)
    assert {each.status_code for each in finishes} == {202}
    assert len({each.json()["job"]["id"] for each in finishes}) == 1
    assert client.put(f"{path}/files/x", content=b"x").status_code == 409
    project = f"/api/projects/{ended(client, finishes[0])['result']['project_ids'][0]}"
    asked = at_once(*[lambda: client.post(f"{project}/export", json=TARGETS["mk2"])] * 6)
    assert len({each.json()["job"]["id"] for each in asked}) == 1
    ended(client, asked[0])
    marks = at_once(*[lambda: client.put(f"{project}/card", json={"files": listing(MK2)})] * 4)
    assert {each.status_code for each in marks} == {204}


def test_imports_at_once_are_bounded(client: TestClient) -> None:
    made = at_once(*[lambda: client.post("/api/imports")] * 30)
    assert {each.status_code for each in made} == {201}


def test_what_belongs_to_others_is_unknown(client: TestClient, stranger: dict[str, str]) -> None:
    project, mine = project_of(client, MK2), send(client, MK2).rpartition("/")[2]
    job = ended(client, client.post(f"{project}/export", json=TARGETS["mk2"]))
    export = f"/api/exports/{job['result']['export_id']}"
    own = client.post("/api/projects", json={"name": "x", "device": "mk2"}, headers=stranger)
    assert own.status_code == 201, own.text
    theirs = f"/api/projects/{own.json()['project']['id']}"
    compare = TARGETS["mk2"] | {"import_id": mine}
    any_revision = stranger | {"If-Match": "*"}
    answers = {
        "compare project": client.post(f"{project}/compare", json=compare, headers=stranger),
        "compare import": client.post(f"{theirs}/compare", json=compare, headers=stranger),
        "card": client.put(f"{project}/card", json={"files": []}, headers=stranger),
        "doctor": client.get(f"{project}/doctor", headers=stranger),
        "fix": client.post(f"{project}/doctor/fix", json={"problem_ids": []}, headers=any_revision),
        "export": client.post(f"{project}/export", json=TARGETS["mk2"], headers=stranger),
        "archive": client.get(export, headers=stranger),
        "manifest": client.get(f"{export}/manifest", headers=stranger),
        "file": client.get(f"{export}/files/{CONFIG}", headers=stranger),
        "patterns": client.get(f"{project}/patterns", headers=stranger),
        "pattern": client.get(f"{project}/patterns/1", headers=stranger),
        "midi": client.get(f"{project}/patterns/1.mid", headers=stranger),
        "sheet": client.get(f"{project}/sheet?format=pdf", headers=stranger),
    }
    assert {kind: each.status_code for kind, each in answers.items()} == dict.fromkeys(answers, 404)


def test_odd_names_of_files_patterns_and_problems_are_refused(client: TestClient) -> None:
    project = project_of(client, MK2)
    job = ended(client, client.post(f"{project}/export", json=TARGETS["mk2"]))
    export = f"/api/exports/{job['result']['export_id']}"
    for path in ("", "%00", "PADCONF.BIN/", "%ff", "x" * 3_000):
        assert client.get(f"{export}/files/{path}").status_code == 404
    for number in ("0", "-1", "161", "9" * 30, "1.5", "x", "1.mid.mid", "%00"):
        assert client.get(f"{project}/patterns/{number}").status_code in (404, 422)
        assert client.get(f"{project}/patterns/{number}.mid").status_code in (404, 422)
    headers = {"If-Match": "*"}
    odd: list[Any] = [None, "name:A1", [1], ["x" * 2_000], ["x"] * 1_001]
    bodies: list[Any] = [None, [], {}, *({"problem_ids": each} for each in odd)]
    for body in bodies:
        answer = client.post(f"{project}/doctor/fix", json=body, headers=headers)
        assert answer.status_code == 422, body
    ids = ["repeated_sound:A1", "unused_sound:", f"name:{uuid.uuid4()}", "tempo:Z99", "\0"]
    answer = client.post(f"{project}/doctor/fix", json={"problem_ids": ids}, headers=headers)
    assert (answer.status_code, answer.json()["fixed"]) == (200, [])


def test_a_file_named_like_a_folder_and_projects_inside_projects_are_read(
    client: TestClient,
) -> None:
    card = {
        **{f"P/{path}": data for path, data in cards.mk2_project("").items()},
        **{f"P/SMPL/{path}": data for path, data in cards.mk2_project("", seed=5).items()},
        **{f"P/PADCONF.BIN/{path}": data for path, data in cards.sx_card("").items()},
        "P/SMPL/PAD_INFO.BIN": SX[SX_CONFIG],
        "P/PTN/PTN00001.BIN/PADCONF.BIN": b"RFPD",
        "P/SMPL/A0000001.AIF": cards.sx_aiff(cards.pcm(1, 5_000), 0),
        "P/SMPL/A0000001.WAV": cards.sx_wave(cards.pcm(2, 5_000), 0),
    }
    job = take_in(client, card)
    assert job["status"] == "done"
    for project in job["result"]["projects"]:
        path = f"/api/projects/{project['id']}"
        look_at(client, path)
        exported(client, path, project["device"])


def test_records_of_any_bytes_are_read_and_exported(client: TestClient) -> None:
    noise = bytes((7 * n * n + 3 * n) % 256 for n in range(160 * 172))
    config = bytearray(MK2[CONFIG])
    config[16:0xA0] = noise[: 0xA0 - 16]
    config[0xA0 : 0xA0 + len(noise)] = noise
    config[0x6C20:] = noise[: 52_000 - 0x6C20]
    for index in (0, 1):
        config[0xA0 + 172 * index : 0xA0 + 172 * index + 4] = pack(">I", 512 + 4 * 3_000)
    card = {
        "P/PADCONF.BIN": bytes(config[:52_000]),
        "P/SMPL/BANK1-01.SMP": cards.smp(cards.pcm(1, 3_000)),
        "P/SMPL/BANK1-02.SMP": cards.smp(cards.pcm(1, 3_000)),
    }
    project = project_of(client, card)
    look_at(client, project)
    found = exported(client, project, "mk2")
    assert found[CONFIG] == card["P/PADCONF.BIN"]

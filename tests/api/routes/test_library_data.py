"""The values of a library as CSV and JSON."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import update

from sp404_app.db import transaction
from sp404_app.errors import Conflict
from sp404_app.models import Sample, User
from sp404_app.services.library import csv_import, library_export, offline_names
from sp404_app.services.library.map_points import load_map_points
from sp404_app.services.library.search import SampleQuery
from tests.sounds import Keep

Headers = dict[str, str]
PATH = "/api/samples/export"
HOSTILE = (
    "=HYPERLINK(1)", "+1", "-808", "@SUM", "<b>bold</b>", 'quote " and, comma', "\u202etxt.wav",
)  # fmt: skip


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def change(client: TestClient, sample_id: object, **values: object) -> dict[str, Any]:
    answer = client.patch(f"/api/samples/{sample_id}", json=values)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_json_has_every_value_of_the_list(client: TestClient, keep: Keep) -> None:
    for number in range(3):
        change(client, keep(f"Kick {number}.wav"), bpm=92.5, key="F# minor", tags=["a", "b"])
    listed = client.get("/api/samples").json()["samples"]
    answer = client.get(PATH, params={"format": "json"})
    assert answer.headers["content-type"] == "application/json"
    assert 'filename="Crate 404 library.json"' in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.json() == {"samples": listed}


def test_the_csv_has_every_value(client: TestClient, keep: Keep) -> None:
    view = change(
        client, keep(), bpm=92.5, key="A minor", tags=["dusty", "lo fi"], favourite=True, rating=4
    )
    answer = client.get(PATH)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbfid,name,")
    (row,) = read_csv(answer.content)
    assert row.keys() == view.keys()
    assert row["tags"] == "dusty, lo fi"
    assert (row["bpm"], row["favourite"], row["rating"]) == ("92.5", "true", "4")
    assert (row["key"], row["camelot"], row["root_note"]) == ("A minor", "8A", "")
    assert row["shared_by"] == ""
    assert row["created_at"].endswith("Z")


def test_no_cell_of_the_csv_is_a_formula(client: TestClient, keep: Keep) -> None:
    notes = [f"{text}\r\nsecond line\u200f" for text in HOSTILE]
    for note in notes:
        change(client, keep(), note=note, tags=["-808"])
    rows = read_csv(client.get(PATH, params={"sort": "created"}).content)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(tuple("=+-@\t"))]
    assert [row["note"].removeprefix("'") for row in rows] == notes


def test_a_negative_number_stays_a_number() -> None:
    assert library_export._cell(-14.25) == "-14.25"
    assert library_export._cell(float("nan")) == ""


def test_an_export_of_a_search_has_its_samples_in_its_order(
    client: TestClient, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_export, "BATCH_ROWS", 2)
    for name in ("Kick 10.wav", "Kick 2.wav", "Snare.wav", "Kick 1.wav"):
        keep(name)
    found = client.get(PATH, params={"q": "kick", "sort": "name", "format": "json"}).json()
    assert [each["name"] for each in found["samples"]] == ["Kick 1", "Kick 2", "Kick 10"]
    assert read_csv(client.get(PATH, params={"q": "tabla"}).content) == []
    assert client.get(PATH, params={"q": "tabla", "format": "json"}).json() == {"samples": []}


def test_an_export_has_only_samples_of_its_user(
    client: TestClient, stranger: Headers, keep: Keep
) -> None:
    keep()
    assert client.get(PATH, params={"format": "json"}, headers=stranger).json() == {"samples": []}


@pytest.mark.parametrize("fault", [{"format": "xls"}, {"key": "H"}, {"bpm_min": "fast"}])
def test_an_invalid_export_is_422(client: TestClient, fault: dict[str, str]) -> None:
    assert client.get(PATH, params=fault).status_code == 422


def send_csv(client: TestClient, text: str | bytes, **options: Any) -> httpx.Response:
    content = text.encode() if isinstance(text, str) else text
    files = {"file": ("values.csv", content, "text/csv")}
    return client.post("/api/samples/import-csv", files=files, **options)


def get(client: TestClient, sample_id: object) -> dict[str, Any]:
    return client.get(f"/api/samples/{sample_id}").json()


def test_an_exported_csv_changes_nothing_when_it_is_imported(
    client: TestClient, keep: Keep
) -> None:
    tags = (["-808", "b"], ["R;B", "soul"], ["-x;=y"], ["=a"], [";"], ["a"], [])
    for text, names in zip(HOSTILE, tags, strict=True):
        change(client, keep(), note=f"{text}\nx", tags=names, bpm=92.123456, key="C major")
    exported = client.get(PATH).content
    before = client.get(PATH, params={"format": "json"}).json()
    report = send_csv(client, exported).json()
    assert (report["rows"], report["unchanged"], report["changed"]) == (7, 7, 0)
    assert report["faulty_cells"] == []
    assert client.get(PATH, params={"format": "json"}).json() == before


def test_an_import_changes_what_its_preview_said(client: TestClient, keep: Keep) -> None:
    kick, snare = keep("Kick.wav"), keep("Snare.wav")
    client.patch(f"/api/samples/{snare}", json={"tags": ["Dusty"]})
    text = (
        "filename,tags,rating,favourite,bpm,key,note\n"
        'Kick.wav,"dusty, new",5,yes,92.5,F#m,\'=1+1\n'
        "Snare.wav,,,,,,kept\n"
    )
    preview = send_csv(client, text, params={"preview": "true"}).json()
    assert (preview["is_applied"], preview["changed"]) == (False, 2)
    assert get(client, kick)["rating"] == 0
    (first, _) = preview["changes"]
    assert (first["line"], first["name"]) == (2, "Kick")
    assert first["fields"]["bpm"] == [None, 92.5]
    report = send_csv(client, text).json()
    assert report == preview | {"is_applied": True}
    found = get(client, kick)
    assert found["tags"] == ["Dusty", "new"]  # in the stored spelling
    assert (found["rating"], found["favourite"], found["note"]) == (5, True, "=1+1")
    assert (found["bpm"], found["bpm_source"]) == (92.5, "user")
    assert (found["key"], found["key_source"]) == ("F# minor", "user")
    assert (get(client, snare)["tags"], get(client, snare)["note"]) == (["Dusty"], "kept")
    assert client.get("/api/samples", params={"q": "new"}).json()["total"] == 1
    assert send_csv(client, text).json()["changed"] == 0


def test_rows_that_are_missing_ambiguous_or_faulty_are_listed(
    client: TestClient, keep: Keep
) -> None:
    keep("Kick.wav")
    trashed = keep("Gone.wav")
    client.delete(f"/api/samples/{trashed}")
    for _ in range(2):
        keep("Twin.wav")
    text = "name;rating\nKick;3\nKick;4\nGone;1\nTwin;2\nNone;1\nKick;nine\n"
    report = send_csv(client, text).json()
    assert (report["changed"], report["not_found"], report["ambiguous"]) == (1, 2, 3)
    assert [row["line"] for row in report["rows_not_found"]] == [4, 6]
    assert [(row["line"], row["error"]) for row in report["ambiguous_rows"]] == [
        (3, "Line 2 is for the same sound."),
        (5, "2 sounds have this name."),
        (7, "Line 2 is for the same sound."),
    ]
    assert [cell["text"] for cell in report["faulty_cells"]] == ["nine"]


def test_an_id_of_somebody_else_is_an_unknown_id(
    client: TestClient, stranger: Headers, keep: Keep
) -> None:
    sample_id = keep()
    answers = [
        send_csv(client, f"id,rating\n{each},5\n", headers=stranger).json()
        for each in (sample_id, "0199a0c0-0000-7000-8000-000000000001")
    ]
    assert [answer["not_found"] for answer in answers] == [1, 1]
    assert get(client, sample_id)["rating"] == 0


def test_an_import_is_all_or_nothing(client: TestClient, keep: Keep) -> None:
    first, second = keep("a.wav"), keep("b.wav")

    def fail(*_: object) -> None:
        raise Conflict("Stopped.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_import.samples, "publish_sample", fail)
        assert send_csv(client, "name,rating,tags\na,5,x\nb,5,y\n").status_code == 409
    assert [get(client, each)["rating"] for each in (first, second)] == [0, 0]
    assert client.get("/api/samples/tags").json() == []


def test_a_file_that_is_too_large_or_no_csv_is_refused(client: TestClient) -> None:
    assert send_csv(client, b"name,rating\n" + b"x" * 21_000_000).status_code == 413
    assert send_csv(client, "hello").status_code == 422
    assert client.post("/api/samples/import-csv").status_code == 422


def test_too_many_tags_are_refused(
    client: TestClient, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("a.wav")
    monkeypatch.setattr(csv_import, "MAX_NEW_TAG_NAMES", 2)
    answer = send_csv(client, 'name,tags\na,"x,y,z"\n')
    assert (answer.status_code, "3 different tags" in answer.json()["error"]) == (422, True)


def test_imports_and_edits_at_the_same_time_do_not_block_each_other(
    client: TestClient, keep: Keep
) -> None:
    ids = [keep(f"{number}.wav") for number in range(6)]
    rows = "".join(f"{number},t{number}\n" for number in range(6))

    def edit(number: int) -> int:
        if number % 2:
            renamed = rows.replace("t", f"t{number // 4}")
            return send_csv(client, f"name,tags\n{renamed}").status_code
        path = f"/api/samples/{ids[number % 6]}"
        return client.patch(path, json={"tags": [f"t{each}" for each in range(6)]}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(edit, range(18))) == {200}


def test_the_map_has_the_places_of_analysed_samples(client: TestClient, keep: Keep) -> None:
    ids = [keep(f"Kick {number}.wav") for number in range(3)]
    with transaction() as session:
        for number, sample_id in enumerate(ids[:2]):
            sample = session.get_one(Sample, sample_id)
            sample.map_x, sample.map_y = 0.25 + number / 4, 0.5
            sample.sound_class, sample.kind, sample.duration = "kick", "one_shot", 0.5
            sample.loudness_lufs, sample.peak_dbfs = -20.0, -3.0
    found = client.get("/api/samples/map").json()
    assert found["id"] == [str(ids[1]), str(ids[0])]
    assert (found["x"], found["y"]) == ([0.5, 0.25], [0.5, 0.5])
    assert (found["sound_class"], found["loop"]) == (["kick"] * 2, [False] * 2)
    assert (found["seconds"], found["gain"], found["total"]) == ([0.5] * 2, [2.0] * 2, 2)
    lengths = {len(column) for column in found.values() if isinstance(column, list)}
    assert lengths == {2}
    assert client.get("/api/samples/map?q=nothing").json()["id"] == []
    client.delete(f"/api/samples/{ids[0]}")
    assert client.get("/api/samples/map").json()["id"] == [str(ids[1])]
    assert client.get("/api/samples/map?trash=true").json()["id"] == [str(ids[0])]
    assert client.get("/api/samples/map?key=H").status_code == 422


def test_the_map_shows_the_newest_and_says_how_many_there_are(
    client: TestClient, user: User, keep: Keep, person: Any
) -> None:
    ids = [keep(f"Kick {number}.wav") for number in range(3)]
    with transaction() as session:
        session.exec(update(Sample).values(map_x=0.5, map_y=0.5))
        found = load_map_points(session, user.id, SampleQuery(), limit=2)
        others = load_map_points(session, person().id, SampleQuery())
    assert (found.id, found.total) == ([ids[2], ids[1]], 3)
    assert (others.id, others.total) == ([], 0)


def test_the_names_for_offline_use_are_the_newest_and_say_whose_they_are(
    client: TestClient, user: User, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline_names, "MAX_NAMES", 2)
    ids = [keep(f"Kick {number}.wav") for number in range(4)]
    change(client, ids[2], bpm=92.5, key="A minor")
    client.delete(f"/api/samples/{ids[3]}")
    found = client.get("/api/samples/names").json()
    assert found["account"] == str(user.id)
    assert [row["id"] for row in found["samples"]] == [str(ids[2]), str(ids[1])]
    newest = {"id": str(ids[2]), "name": "Kick 2", "bpm": 92.5, "key": "A minor"}
    assert found["samples"][0] == newest

"""The values of a library as CSV and JSON."""

import csv
import io
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sp404_app.services.library import library_export
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

"""/api/projects/{id}/sheet: the pads of a project, to print."""

import io
import uuid

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from pypdf import PdfReader

from tests.sounds import Keep


@pytest.fixture
def sheet(client: TestClient, keep: Keep) -> str:
    """The path of the sheet of a project with sounds on A1 and C2."""
    ids = [str(keep("Kick.wav")), str(keep("Snare.wav"))]
    body = {"name": "Nacht – 1/2", "sample_ids": ids[:1]}
    project = client.post("/api/projects", json=body).json()["project"]["id"]
    pad = f"/api/projects/{project}/pads/C/2"
    put = client.put(pad, json={"sample_id": ids[1]}, headers={"If-Match": "*"})
    assert put.status_code == 200
    return f"/api/projects/{project}/sheet"


def pages_of(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def test_the_pdf_has_all_banks_with_pads(client: TestClient, sheet: str) -> None:
    answer = client.get(sheet)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    first, second = pages_of(answer.content)
    assert "Kick" in first
    assert "Snare" in second
    assert client.get(sheet).content == answer.content


def test_the_file_is_named_after_the_project(client: TestClient, sheet: str) -> None:
    named = client.get(sheet).headers["content-disposition"]
    assert named.startswith('attachment; filename="Nacht _ 1_2 pads.pdf"; ')
    assert named.endswith("filename*=UTF-8''Nacht%20%E2%80%93%201_2%20pads.pdf")
    named = client.get(sheet, params={"format": "png"}).headers["content-disposition"]
    assert 'pads A.png"' in named


def test_one_bank_can_be_chosen(client: TestClient, sheet: str) -> None:
    (page,) = pages_of(client.get(sheet, params={"bank": "C"}).content)
    assert "Snare" in page


def test_the_png_shows_one_bank(client: TestClient, sheet: str) -> None:
    first = client.get(sheet, params={"format": "png"})
    assert first.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(first.content)).size == (2105, 1488)
    assert client.get(sheet, params={"format": "png", "bank": "A"}).content == first.content
    assert client.get(sheet, params={"format": "png", "bank": "C"}).content != first.content


@pytest.mark.parametrize("params", [{"format": "svg"}, {"bank": "K"}, {"bank": "a"}, {"bank": ""}])
def test_other_formats_and_banks_are_refused(
    client: TestClient, sheet: str, params: dict[str, str]
) -> None:
    assert client.get(sheet, params=params).status_code == 422


def test_another_users_project_is_unknown(
    client: TestClient, sheet: str, stranger: dict[str, str]
) -> None:
    unknown = client.get(f"/api/projects/{uuid.uuid4()}/sheet")
    foreign = client.get(sheet, headers=stranger)
    assert (foreign.status_code, foreign.json()["error"]) == (404, unknown.json()["error"])

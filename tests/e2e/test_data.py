"""Values of a library in a browser: exported, edited, imported again, and written into a file."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, FilePayload, Page, expect

from sp404_app.audio.features.file_tags import read_file_tags
from sp404_app.audio.io import content_hash
from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.people import Visitor
from tests.product import Product
from tests.sounds import tone, wav, write

ANALYSIS_TIMEOUT_MS = 90_000
NAMES = ("Dusty loop", "Kick", "Snare")


@pytest.fixture(scope="module")
def owner(product: Product, browser: Browser, base_url: str) -> Visitor:
    """A user with three sounds."""
    with browser.new_context(base_url=base_url) as context:
        page = context.new_page()
        visitor = people.sign_up(page, Outbox(product.home / "outbox"))
        people.sign_in(page, visitor)
        for number, name in enumerate(NAMES):
            content = wav(200 + 50 * number, 0.5)
            sent = FilePayload(name=f"{name}.wav", mimeType="audio/wav", buffer=content)
            answer = page.request.post(
                "/api/samples", multipart={"file": sent}, headers={"Origin": base_url}
            )
            assert answer.status == 201, answer.text()
        expect(page.get_by_test_id("name")).to_have_count(3)
        expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    return visitor


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def library(page: Page, owner: Visitor, errors: list[str]) -> Page:
    PageMonitor(page, errors.append)
    people.sign_in(page, owner)
    page.goto("/library?sort=name")
    expect(page.get_by_test_id("name")).to_have_count(3)
    return page


def choose(page: Page, menu: str, item: str) -> Download:
    with page.expect_download() as started:
        page.get_by_test_id(menu).click()
        page.get_by_test_id(item).click()
    return started.value


def read_csv(download: Download) -> list[dict[str, str]]:
    with Path(download.path()).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(rows: list[dict[str, str]]) -> FilePayload:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return FilePayload(name="edited.csv", mimeType="text/csv", buffer=text.getvalue().encode())


def test_values_are_exported_edited_and_imported(library: Page, errors: list[str]) -> None:
    saved = choose(library, "library-menu", "export-csv")
    assert saved.suggested_filename == "Crate 404 library.csv"
    rows = read_csv(saved)
    assert [row["name"] for row in rows] == list(NAMES)
    rows[0] |= {"tags": "dusty, vinyl", "rating": "4", "bpm": "120", "key": "F#m"}
    rows[1] |= {"rating": "nine"}
    rows.append(dict.fromkeys(rows[0], "") | {"name": "Nobody", "rating": "1"})
    library.get_by_test_id("library-menu").click()
    library.get_by_test_id("import-csv").click()
    dialog = library.get_by_test_id("csv-dialog")
    with library.expect_file_chooser() as chooser:
        dialog.get_by_test_id("csv-choose").click()
    chooser.value.set_files(write_csv(rows))
    expect(dialog.get_by_test_id("csv-status")).to_have_text(
        "1 sound changes. 2 sounds have these values already."
    )
    expect(dialog.get_by_test_id("csv-changed")).to_contain_text("Tempo: none → 120")
    for section, text in (("csv-not-found", "Nobody"), ("csv-faulty", "nine")):
        dialog.get_by_test_id(section).locator("summary").click()
        expect(dialog.get_by_test_id(section)).to_contain_text(text)
    with library.expect_download() as started:
        dialog.get_by_test_id("csv-backup").click()
    assert len(read_csv(started.value)) == 3
    dialog.get_by_test_id("csv-apply").click()
    expect(dialog.get_by_test_id("csv-status")).to_have_text("1 sound changed.")
    dialog.get_by_test_id("csv-close").click()
    expect(dialog).to_have_count(0)
    row = library.get_by_test_id("sample-row").filter(has_text="Dusty loop")
    expect(row).to_contain_text("vinyl")
    expect(row).to_contain_text("120")
    assert errors == []


def test_a_file_that_is_no_csv_is_explained_and_another_is_chosen(
    library: Page, errors: list[str]
) -> None:
    library.get_by_test_id("library-menu").click()
    library.get_by_test_id("import-csv").click()
    dialog = library.get_by_test_id("csv-dialog")
    bad = FilePayload(name="song.csv", mimeType="text/csv", buffer=b"hello\nworld\n")
    dialog.get_by_test_id("csv-file").set_input_files(bad)
    expect(dialog.get_by_test_id("csv-error")).to_contain_text("id, filename or name")
    errors.clear()  # the browser reports the status 422
    good = FilePayload(name="a.csv", mimeType="text/csv", buffer=b"name,rating\nKick,0\n")
    dialog.get_by_test_id("csv-file").set_input_files(good)
    expect(dialog.get_by_test_id("csv-status")).to_contain_text("No sound changes.")
    expect(dialog.get_by_test_id("csv-apply")).to_have_count(0)
    library.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert errors == []


def test_a_search_is_exported_as_json(library: Page, errors: list[str]) -> None:
    library.get_by_test_id("search").fill("snare")
    expect(library.get_by_test_id("name")).to_have_count(1)
    library.get_by_test_id("library-menu").click()
    expect(library.get_by_test_id("export-json")).to_have_text("Export results as JSON")
    with library.expect_download() as started:
        library.get_by_test_id("export-json").click()
    content = Path(started.value.path()).read_text()
    assert '"name":"Snare"' in content
    assert "Kick" not in content
    assert errors == []


def test_tempo_and_key_are_written_into_a_download(library: Page, errors: list[str]) -> None:
    found = library.request.get("/api/samples?q=loop").json()["samples"][0]
    address = f"/api/samples/{found['id']}"
    changed = library.request.patch(
        address,
        data={"bpm": 120, "key": "F# minor"},
        headers={"Origin": library.url.partition("/library")[0]},
    )
    assert changed.ok, changed.text()
    library.goto(f"/samples/{found['id']}")
    plain = Path(choose(library, "download-menu", "download-original").path())
    tagged = Path(choose(library, "download-menu", "download-tagged").path())
    assert (read_file_tags(plain).key, read_file_tags(tagged).key) == (None, "F# minor")
    assert content_hash.hash_file(plain) == content_hash.hash_file(tagged)
    library.goto("/library?sort=name")
    row = library.get_by_test_id("sample-row").filter(has_text="Dusty loop")
    row.get_by_test_id("row-menu").click()
    library.get_by_test_id("menu-download").click()
    dialog = library.get_by_test_id("download-dialog")
    expect(dialog.get_by_test_id("download-tags")).to_have_count(0)
    dialog.get_by_test_id("format-flac").check(force=True)
    dialog.get_by_test_id("download-tags").click()  # the server checks it
    expect(dialog.get_by_test_id("download-tags")).to_be_checked()
    with library.expect_download() as started:
        dialog.get_by_test_id("start-download").click()
    assert read_file_tags(Path(started.value.path())).key == "F# minor"
    assert errors == []


def test_tempo_and_key_are_written_into_compressed_files(
    page: Page, outbox: Outbox, errors: list[str], base_url: str, tmp_path: Path
) -> None:
    PageMonitor(page, errors.append)
    people.sign_in(page, people.sign_up(page, outbox))
    for number, ending in enumerate(("mp3", "ogg", "flac", "aiff")):
        file = write(tmp_path / f"Song{number}.{ending}", tone(200 + 50 * number, 0.5))
        sent = FilePayload(name=file.name, mimeType="audio/*", buffer=file.read_bytes())
        headers = {"Origin": base_url}
        made = page.request.post("/api/samples", multipart={"file": sent}, headers=headers)
        assert made.status == 201, made.text()
        address = f"/api/samples/{made.json()['samples'][0]['id']}"
        values = {"bpm": 93.5, "key": "F# minor"}
        assert page.request.patch(address, data=values, headers=headers).ok
        page.goto(address.removeprefix("/api"))
        saved = choose(page, "download-menu", "download-tagged")
        assert saved.suggested_filename == file.name
        tagged = tmp_path / f"tagged.{ending}"
        saved.save_as(tagged)
        found = read_file_tags(tagged)
        assert (found.bpm, found.key) == (93.5, "F# minor"), ending
        assert content_hash.hash_file(tagged) == content_hash.hash_file(file)
    assert errors == []

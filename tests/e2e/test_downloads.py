"""Sounds in other formats, in a browser: every format is downloaded and opened."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Download, FilePayload, Page, expect

from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.people import Visitor
from tests.product import Product
from tests.sounds import tone

ANALYSIS_TIMEOUT_MS = 90_000
RATE = 44_100
NAMES = ("Crackle", "Deep kick", "Tape hiss")


@pytest.fixture(scope="module")
def owner(product: Product, browser: Browser, base_url: str) -> Visitor:
    """A user with three short sounds, of which the first is float, and one of five minutes."""
    with browser.new_context(base_url=base_url) as context:
        page = context.new_page()
        visitor = people.sign_up(page, Outbox(product.home / "outbox"))
        people.sign_in(page, visitor)
        for number, name in enumerate(NAMES):
            options = {"subtype": "PCM_24" if number else "FLOAT", "format": "WAV"}
            upload(page, base_url, f"{name}.wav", tone(200 + 50 * number, 1.0, RATE), options)
        steps = np.random.default_rng(1).integers(-2, 2, (300 * RATE, 2), np.int16)
        upload(page, base_url, "Long take.flac", steps, {"format": "FLAC"})
        expect(page.get_by_test_id("name")).to_have_count(4)
        expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    return visitor


def upload(page: Page, origin: str, name: str, signal: Any, options: dict[str, Any]) -> None:
    file = io.BytesIO()
    soundfile.write(file, signal, RATE, **options)
    sent = FilePayload(name=name, mimeType="application/octet-stream", buffer=file.getvalue())
    answer = page.request.post("/api/samples", multipart={"file": sent}, headers={"Origin": origin})
    assert answer.status == 201, answer.text()


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def library(page: Page, owner: Visitor, errors: list[str]) -> Page:
    PageMonitor(page, errors.append)
    people.sign_in(page, owner)
    page.goto("/library?sort=name")
    expect(page.get_by_test_id("name")).to_have_count(4)
    expect(page.get_by_test_id("name").first).to_have_text(NAMES[0])
    return page


def open_sample(page: Page, name: str) -> None:
    found = page.request.get(f"/api/samples?q={name}").json()["samples"]
    page.goto(f"/samples/{found[0]['id']}")
    expect(page.get_by_test_id("download-menu")).to_be_visible()


def choose(page: Page, item: str) -> Download:
    with page.expect_download() as started:
        page.get_by_test_id("download-menu").click()
        page.get_by_test_id(item).click()
    return started.value


def unzip(download: Download) -> dict[str, bytes]:
    with zipfile.ZipFile(Path(download.path())) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_sound_is_downloaded_in_every_format_from_its_page(
    library: Page, errors: list[str]
) -> None:
    open_sample(library, "kick")
    for item, name, form, rate, subtype in (
        ("download-original", "Deep kick.wav", "WAV", 44_100, "PCM_24"),
        ("download-mk2", "Deep kick.wav", "WAV", 48_000, "PCM_16"),
        ("download-sx", "Deep kick.WAV", "WAV", 44_100, "PCM_16"),
        ("download-wav", "Deep kick.wav", "WAV", 44_100, "PCM_24"),
        ("download-flac", "Deep kick.flac", "FLAC", 44_100, "PCM_24"),
    ):
        saved = choose(library, item)
        info = soundfile.info(saved.path())
        assert saved.suggested_filename == name
        assert (info.format, info.samplerate, info.subtype) == (form, rate, subtype)
        assert info.duration == pytest.approx(1.0, abs=0.001)
    expect(library.get_by_test_id("refusal")).to_have_count(0)
    assert errors == []


def test_a_sound_that_the_device_refuses_says_so_and_is_downloaded_for_it(
    library: Page, errors: list[str]
) -> None:
    open_sample(library, "crackle")
    notice = library.get_by_test_id("refusal")
    expect(notice).to_contain_text("32-bit float: the SP-404MKII shows “Unsupported File”.")
    with library.expect_download() as started:
        library.get_by_test_id("download-accepted").click()
    info = soundfile.info(started.value.path())
    assert (info.samplerate, info.subtype) == (48_000, "PCM_16")
    assert errors == []


def test_a_long_sound_shows_its_progress_and_is_downloaded_when_it_is_done(
    library: Page, errors: list[str]
) -> None:
    open_sample(library, "long")
    expect(library.get_by_test_id("refusal")).to_contain_text("FLAC")
    with library.expect_download(timeout=60_000) as started:
        library.get_by_test_id("download-menu").click()
        library.get_by_test_id("download-mk2").click()
        expect(library.get_by_test_id("download-progress")).to_be_visible()
        library.get_by_test_id("download-in-background").click()
        expect(library.get_by_test_id("download-dialog")).to_have_count(0)
    assert soundfile.info(started.value.path()).frames == 300 * 48_000
    assert errors == []


def test_a_selection_is_downloaded_with_the_names_that_were_shown(
    library: Page, errors: list[str]
) -> None:
    for number in range(3):
        library.get_by_test_id("sample-row").nth(number).get_by_role("checkbox").first.click()
        expect(library.get_by_test_id("bulk")).to_contain_text(f"{number + 1} selected")
    library.get_by_test_id("bulk-more").click()
    library.get_by_test_id("bulk-download").click()
    dialog = library.get_by_test_id("download-dialog")
    expect(dialog.get_by_test_id("download-what")).to_have_text("3 sounds")
    template = dialog.get_by_test_id("template")
    template.fill("{tempo}")
    expect(dialog.get_by_test_id("template-said")).to_contain_text("{tempo} is not a field.")
    template.fill("{bank}{pad} {name} {bpm}")
    names = dialog.get_by_test_id("download-names").locator("li")
    expect(names.first).to_contain_text("A01 Crackle")
    dialog.get_by_test_id("format-sx").check(force=True)
    expect(names.first).to_contain_text(".WAV")
    shown = names.all_inner_texts()
    with library.expect_download() as started:
        dialog.get_by_test_id("start-download").click()
    assert started.value.suggested_filename == "Crate 404 SP-404SX-A.zip"
    found = unzip(started.value)
    assert list(found) == shown
    assert all(content[38:54] == b"RLND\xca\x01\0\0roifspsx" for content in found.values())
    expect(dialog).to_have_count(0)
    assert errors == []


def test_a_whole_search_can_be_cancelled_and_downloaded(library: Page, errors: list[str]) -> None:
    library.goto("/library?sort=name&duration_min=0.1")
    library.get_by_test_id("download-results").click()
    dialog = library.get_by_test_id("download-dialog")
    expect(dialog.get_by_test_id("download-what")).to_have_text("4 sounds")
    dialog.get_by_test_id("format-flac").check(force=True)
    dialog.get_by_test_id("download-folders").click()
    dialog.get_by_test_id("start-download").click()
    dialog.get_by_test_id("cancel-download").click()
    expect(dialog.get_by_test_id("start-download")).to_be_visible()
    dialog.get_by_test_id("format-mk2").check(force=True)
    with library.expect_download(timeout=60_000) as started:
        dialog.get_by_test_id("start-download").click()
    assert len(unzip(started.value)) == 4
    assert errors == []


def test_one_row_is_downloaded_without_an_archive(library: Page, errors: list[str]) -> None:
    row = library.get_by_test_id("sample-row").filter(has_text="Tape hiss")
    row.get_by_test_id("row-menu").click()
    library.get_by_test_id("menu-download").click()
    dialog = library.get_by_test_id("download-dialog")
    expect(dialog.get_by_test_id("download-what")).to_have_text("“Tape hiss”")
    expect(dialog.get_by_test_id("template")).to_have_count(0)
    with library.expect_download() as started:
        dialog.get_by_test_id("start-download").click()
    assert started.value.suggested_filename == "Tape hiss.wav"
    library.get_by_test_id("sample-row").first.click()
    row.get_by_test_id("row-menu").click()
    library.get_by_test_id("menu-download").click()
    expect(dialog).to_be_visible()
    library.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(row.get_by_test_id("row-menu")).to_be_focused()
    assert errors == []

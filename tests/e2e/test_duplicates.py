"""Duplicates: the same recording in three formats is found, compared, deleted and restored."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from sp404_app.audio.synth.drums import kick, snare
from tests.audio.similarity.test_fingerprint import resampled
from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.test_library import ANALYSIS_TIMEOUT_MS
from tests.sounds import write

RATE = 44_100


@pytest.fixture
def guises(tmp_path: Path) -> list[Path]:
    """One snare in three formats (WAV, quieter 48 kHz MP3, padded FLAC), and a kick."""
    hit = np.asarray(snare(np.random.default_rng(5)), np.float32)
    fast = 0.4 * resampled(hit, RATE, 48_000)
    return [
        write(tmp_path / "Attic Snare.wav", hit, RATE, subtype="PCM_24"),
        write(tmp_path / "Attic Snare from the phone.mp3", fast, 48_000),
        write(tmp_path / "Attic Snare bounced.flac", np.pad(0.8 * hit, (9000, 30_000)), RATE),
        write(tmp_path / "Low Kick.wav", kick(np.random.default_rng(5)), RATE),
    ]


def upload(page: Page, paths: list[Path]) -> None:
    page.get_by_test_id("choose-files").set_input_files(paths)
    expect(page.get_by_test_id("name")).to_have_count(len(paths))
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)


def test_duplicates_are_listed_together_and_can_be_deleted_and_restored(
    page: Page, outbox: Outbox, guises: list[Path]
) -> None:
    people.sign_in(page, people.sign_up(page, outbox))
    upload(page, guises)
    names, total = page.get_by_test_id("name"), page.get_by_test_id("total")
    page.get_by_test_id("filters").click()
    page.get_by_test_id("has-copies").click()
    expect(total).to_have_text("3")
    expect(names).to_contain_text(["Attic Snare"] * 3)
    expect(page.locator(".row-name.joined")).to_have_count(2)
    assert "copies=1" in page.url

    page.get_by_role("link", name="Open Attic Snare from the phone").click()
    lines, others = page.get_by_test_id("copy"), page.get_by_test_id("copy-name")
    wav, flac = (lines.filter(has_text=text) for text in ("WAV", "FLAC"))
    expect(lines).to_have_count(3)
    expect(others).to_have_count(2)
    for text in ("from the phone", "MP3", "48 kHz", "Mono", "LUFS", "kB", "this sound"):
        expect(lines.first).to_contain_text(text)
    expect(wav).to_contain_text("24-bit")
    wav.get_by_role("button", name="Play").click()
    expect(page.get_by_test_id("player")).to_have_attribute("data-playing", "true")

    flac.get_by_test_id("copy-throw-away").click()
    expect(page.get_by_test_id("notice")).to_contain_text("“Attic Snare bounced” moved")
    expect(others).to_have_text(["Attic Snare"])
    wav.get_by_test_id("copy-throw-away").click()
    expect(page.get_by_test_id("copies")).to_have_count(0)
    page.get_by_test_id("undo").click()
    expect(others).to_have_text(["Attic Snare"])
    others.first.click()
    expect(page.get_by_test_id("sample-name")).to_have_value("Attic Snare")
    expect(others).to_have_text(["Attic Snare from the phone"])


def test_a_library_without_duplicates_says_so(
    page: Page, outbox: Outbox, guises: list[Path]
) -> None:
    people.sign_in(page, people.sign_up(page, outbox))
    upload(page, guises[2:])
    page.get_by_test_id("filters").click()
    page.get_by_test_id("has-copies").click()
    expect(page.get_by_test_id("nothing-found")).to_contain_text("No copies")
    page.get_by_test_id("has-copies").click()
    expect(page.get_by_test_id("total")).to_have_text("2")
    assert "sort" not in page.url
    page.get_by_test_id("has-copies").click()
    page.get_by_role("button", name="Show all sounds").click()
    expect(page.get_by_test_id("total")).to_have_text("2")

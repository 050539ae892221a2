"""Query by sound with a file and with the microphone."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Page, Playwright, expect

from sp404_app.audio.synth.demo_sounds import demo_sounds
from tests.browsers import launch_chromium
from tests.e2e import people
from tests.e2e.test_library import ANALYSIS_TIMEOUT_MS, DEMO_USER, DROP_SCRIPT

MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="module")
def kick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a kick of the demo library, quieter and under another name."""
    sound = next(sound for sound in demo_sounds() if sound.name == "Velvet Kick")
    path = tmp_path_factory.mktemp("found") / "thud.flac"
    soundfile.write(path, 0.5 * sound.signal, sound.sample_rate)
    return path


@pytest.fixture
def demo(page: Page) -> Page:
    """The dialog, opened over the demo account's library."""
    return opened(page)


def opened(page: Page) -> Page:
    people.sign_in(page, DEMO_USER)
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    page.get_by_test_id("find-by-sound").click()
    expect(page.get_by_test_id("finder")).to_be_visible()
    return page


def progress(page: Page, phase: str) -> None:
    expect(page.get_by_test_id("finder-progress")).to_have_attribute(
        "data-phase", phase, timeout=30_000
    )


def test_a_file_finds_similar_samples_and_is_not_stored(demo: Page, kick: Path) -> None:
    total = demo.get_by_test_id("total").inner_text()
    demo.get_by_test_id("finder-file").set_input_files(kick)
    names = demo.get_by_test_id("alike-name")
    expect(names.first).to_have_text("Velvet Kick")
    expect(names).to_have_count(12)
    expect(demo.get_by_text("Compared with thud.flac")).to_be_visible()
    expect(demo.get_by_test_id("finder-heard")).to_contain_text("one-shot")
    expect(demo.get_by_test_id("finder").get_by_text("100 %")).to_have_count(1)

    demo.get_by_role("button", name="Play Velvet Kick").click()
    expect(demo.get_by_test_id("player")).to_have_attribute("data-playing", "true")
    with demo.expect_response("**/api/samples/similar?aspect=envelope") as answered:
        demo.get_by_test_id("finder-envelope").click()
    assert answered.value.ok
    expect(demo.get_by_test_id("finder-envelope")).to_have_attribute("aria-pressed", "true")
    expect(names.first).to_have_text("Velvet Kick")

    names.first.click()
    expect(demo).to_have_url(re.compile("/samples/"))
    demo.goto("/library")
    expect(demo.get_by_test_id("total")).to_have_text(total)
    expect(demo.get_by_test_id("finder")).to_have_count(0)


def test_a_file_dropped_on_the_dialog_is_a_query_and_not_an_upload(demo: Page, kick: Path) -> None:
    data = [kick.name, base64.b64encode(kick.read_bytes()).decode()]
    demo.evaluate(DROP_SCRIPT.replace("document.body", "document.querySelector('.finder')"), data)
    expect(demo.get_by_test_id("alike-name").first).to_have_text("Velvet Kick")
    expect(demo.get_by_test_id("uploads")).to_have_count(0)
    expect(demo.get_by_test_id("drop-veil")).to_have_count(0)


def test_an_invalid_file_shows_an_error_and_another_can_be_chosen(demo: Page, kick: Path) -> None:
    letter = {"name": "a.wav", "mimeType": "audio/wav", "buffer": b"Dear Sir or Madam, " * 40}
    demo.get_by_test_id("finder-file").set_input_files(letter)  # type: ignore[arg-type]
    alert = demo.get_by_test_id("finder").get_by_role("alert")
    expect(alert).to_have_text("This is not a sound file we can read.")
    expect(demo.get_by_test_id("alike-name")).to_have_count(0)
    demo.get_by_test_id("finder-file").set_input_files(kick)
    expect(demo.get_by_test_id("alike-name").first).to_have_text("Velvet Kick")
    expect(alert).to_have_count(0)


def test_the_dialog_opens_and_closes_by_keyboard(demo: Page) -> None:
    demo.keyboard.press("Escape")
    expect(demo.get_by_test_id("finder")).to_have_count(0)
    expect(demo.get_by_test_id("find-by-sound")).to_be_focused()
    demo.keyboard.press("Enter")
    expect(demo.get_by_test_id("finder")).to_be_visible()


def test_a_denied_microphone_shows_an_error(demo: Page) -> None:
    demo.get_by_test_id("finder-record").click()
    alert = demo.get_by_test_id("finder").get_by_role("alert")
    expect(alert).to_contain_text(re.compile("microphone", re.IGNORECASE))
    expect(demo.get_by_test_id("finder-record")).to_be_enabled()


@pytest.fixture
def listening(playwright: Playwright, base_url: str) -> Iterator[Page]:
    """A browser whose fake microphone records a beep every second."""
    browser = launch_chromium(playwright, *MICROPHONE)
    context = browser.new_context(base_url=base_url, viewport={"width": 390, "height": 844})
    context.grant_permissions(["microphone"])
    yield context.new_page()
    browser.close()


def test_a_recording_finds_similar_samples(listening: Page) -> None:
    page = opened(listening)
    page.get_by_test_id("finder-record").click()
    progress(page, "recording")
    expect(page.get_by_text(re.compile(r"Recording [23]\.\d of 10 s"))).to_be_visible()
    page.get_by_role("button", name="Stop and compare").click()
    progress(page, "done")
    expect(page.get_by_text("Compared with your recording")).to_be_visible()
    expect(page.get_by_test_id("alike-name")).to_have_count(12)
    width = page.evaluate("document.querySelector('.finder').scrollWidth")
    assert width <= page.evaluate("document.querySelector('.finder').clientWidth")

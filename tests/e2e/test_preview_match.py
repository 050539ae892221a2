"""Previews in a chosen tempo and key, and the part of a sound that the player repeats."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.test_library import ANALYSIS_TIMEOUT_MS
from tests.e2e.test_projects import create, errors
from tests.e2e.waiting import until
from tests.sounds import RATE, tone, write

__all__ = ["errors"]

SECONDS, HERTZ = 4.8, 440  # eight beats at 100 BPM, in A minor by its name

# Notes what the browser is told to play: the audio itself, and how.
RECORD = """
window.starts = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when, offset) {
  const samples = this.buffer.getChannelData(0);
  const middle = samples.subarray(samples.length / 4, (samples.length * 3) / 4);
  let crossings = 0;
  for (let i = 1; i < middle.length; i++) crossings += middle[i - 1] < 0 && middle[i] >= 0;
  const rate = this.playbackRate.value;
  window.starts.push({
    seconds: this.buffer.duration / rate,
    hertz: (crossings / middle.length) * this.buffer.sampleRate * rate,
    loop: [this.loopStart / rate, this.loopEnd / rate],
    offset: offset / rate,
  });
  return start.apply(this, arguments);
};
"""


def heard(page: Page, seconds: float, hertz: float) -> bool:
    """Return whether the newest start has this length and pitch."""
    last = page.evaluate("window.starts.at(-1)")
    return (
        last is not None
        and last["seconds"] == pytest.approx(seconds, rel=0.01)
        and last["hertz"] == pytest.approx(hertz, rel=0.01)
    )


@pytest.fixture
def library(context: BrowserContext, page: Page, errors: list[str], tmp_path: Path) -> Page:
    """A library with one loop of 100 BPM in A minor, which plays."""
    page.add_init_script(RECORD)
    create(page, "Night set", tempo=80)
    beats = tone(HERTZ, SECONDS) * np.tile(np.geomspace(1, 0.02, RATE * 6 // 10), 8)
    file = write(tmp_path / "Sine 100bpm Am.wav", beats)
    page.goto("/library")
    page.get_by_test_id("choose-files").set_input_files(file)
    expect(page.get_by_test_id("name")).to_have_count(1)
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    page.get_by_test_id("name").click()
    until(lambda: heard(page, SECONDS, HERTZ))
    return page


def test_sounds_play_in_the_chosen_tempo_and_key(library: Page) -> None:
    facts, said = library.locator(".player-facts"), library.get_by_test_id("match-said")
    expect(facts).to_have_text("100 BPM · Am")
    library.get_by_test_id("match-open").click()
    expect(said).to_contain_text("Choose a tempo or a key")
    bpm = library.get_by_test_id("match-bpm")
    for hostile in ("9", "fast", "1e9", "0x5a", "1e2"):
        bpm.fill(hostile)
        bpm.press("Enter")
        expect(bpm).to_have_value("")
        expect(library.get_by_role("alert")).to_contain_text("Enter 40 to 300 BPM.")
        bpm.press("1")
        expect(library.get_by_text("Enter 40 to 300 BPM.")).to_have_count(0)
    bpm.fill("180")
    bpm.press("Enter")
    expect(library.get_by_text("Enter 40 to 300 BPM.")).to_have_count(0)
    until(lambda: heard(library, SECONDS / 0.9, HERTZ))
    expect(said).to_have_text("100 → 90 BPM · Am: half of 180, on the same beat.")
    bpm.fill("125")
    bpm.press("Enter")
    until(lambda: heard(library, SECONDS / 1.25, HERTZ))
    expect(library.get_by_test_id("match-on")).to_be_checked()
    library.get_by_test_id("match-key").select_option(label="C minor")
    until(lambda: heard(library, SECONDS / 1.25, HERTZ * 2 ** (3 / 12)))
    expect(facts).to_have_text("100 → 125 BPM · Am → Cm")
    expect(said).to_have_text("100 → 125 BPM · Am → Cm, 3 semitones up")
    projects = library.get_by_test_id("match-project")
    expect(projects.locator("option:checked")).to_have_text("Take its tempo …")
    projects.select_option(label="Night set, 80 BPM")
    expect(projects.locator("option:checked")).to_have_text("Night set, 80 BPM")
    until(lambda: heard(library, SECONDS / 0.8, HERTZ * 2 ** (3 / 12)))
    library.keyboard.press("Escape")
    expect(library.get_by_test_id("match-panel")).to_have_count(0)

    library.reload()
    library.get_by_test_id("name").click()
    until(lambda: heard(library, SECONDS / 0.8, HERTZ * 2 ** (3 / 12)))
    library.get_by_test_id("match-open").click()
    library.get_by_test_id("match-on").uncheck()
    until(lambda: heard(library, SECONDS, HERTZ))
    library.get_by_test_id("match-bpm").focus()
    library.get_by_test_id("match-key").focus()
    expect(library.get_by_test_id("match-on")).not_to_be_checked()
    expect(said).to_contain_text("Off")
    library.get_by_test_id("match-own").click()
    expect(library.get_by_test_id("match-bpm")).to_have_value("100")
    expect(library.get_by_test_id("match-key")).to_have_value("Am")
    expect(facts).to_have_text("100 BPM · Am")
    library.get_by_test_id("match-close").click()
    expect(library.get_by_test_id("match-open")).to_be_focused()
    kept = "localStorage.getItem('crate404.match')"
    assert library.evaluate(kept)
    library.get_by_role("button", name="Sign out").click()
    expect(library.get_by_test_id("submit")).to_be_visible()
    until(lambda: library.evaluate(kept) is None)


def test_a_part_is_repeated_by_drag_and_by_key(library: Page) -> None:
    wave, clear = library.locator(".zoom-wave"), library.get_by_test_id("region-clear")
    box = wave.bounding_box()
    assert box

    def x_of(seconds: float) -> float:
        return box["x"] + box["width"] * seconds / SECONDS

    def drag(start: float, end: float) -> None:
        library.mouse.move(x_of(start), box["y"] + 20)
        library.mouse.down()
        library.mouse.move(x_of(end), box["y"] + 20, steps=4)
        library.mouse.up()

    def repeats(start: float, end: float) -> bool:
        loop = library.evaluate("window.starts.at(-1).loop")
        return loop == pytest.approx([start, end], abs=0.05)

    drag(3.0, 2.0)
    until(lambda: repeats(2.0, 3.0))
    assert 2.0 <= library.evaluate("window.starts.at(-1).offset") + 0.05 < 3.1
    expect(clear).to_contain_text("2.0")
    drag(3.0, 4.0)  # by its edge
    until(lambda: repeats(2.0, 4.0))
    clear.click()
    until(lambda: repeats(0, 0))
    expect(clear).to_have_count(0)

    library.get_by_test_id("player-toggle").click()
    library.mouse.click(x_of(1.0), box["y"] + 20)
    wave.focus()
    wave.press("[")
    wave.press("PageDown")
    wave.press("End")
    wave.press("Home")
    expect(clear).to_have_count(0)  # a jump out of it ends it
    wave.press("PageUp")
    wave.press("]")
    library.get_by_test_id("player-toggle").click()
    until(lambda: repeats(0, SECONDS / 10))
    wave.press("Escape")
    until(lambda: repeats(0, 0))
    expect(library.get_by_test_id("name")).to_have_count(1)

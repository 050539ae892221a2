"""Columns of the list and counts of the filters, in a real browser."""

import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, expect

from sp404_app.audio.synth.drums import kick, snare
from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.test_duplicates import upload
from tests.sounds import write

TAGS = "dusty, vinyl, boom bap, drums, lo-fi, attic, tape, warm, night"
HEADS = ["Name", "Tags", "BPM", "Key", "Length", "Class", "Added ↓"]
CHIPS_FIT = """cells => cells.every((cell) => {
  const box = cell.getBoundingClientRect();
  return [...cell.children].every((chip) => chip.getBoundingClientRect().right <= box.right
    && chip.scrollWidth <= chip.clientWidth);
})"""


def heads(page: Page) -> list[str]:
    texts = page.locator(".sheet-head > .row-cell > :not(.columns-menu)").all_text_contents()
    return [text for text in texts if text and text != "Waveform"]


def sounds(folder: Path) -> list[Path]:
    rng = np.random.default_rng(7)
    return [
        write(folder / "Low Kick.wav", kick(rng), 44_100),
        write(folder / "Snare.wav", np.asarray(snare(rng), np.float32), 44_100),
    ]


def test_columns_are_chosen_kept_and_say_what_they_are(
    page: Page, outbox: Outbox, browser: Browser, base_url: str, tmp_path: Path
) -> None:
    person = people.sign_up(page, outbox)
    people.sign_in(page, person)
    page.get_by_test_id("first-collection").click()  # only while there is no collection
    expect(page.get_by_role("heading", name="Collections", exact=True)).to_be_visible()
    page.go_back()
    upload(page, sounds(tmp_path))
    expect(page.locator(".sheet-head")).to_contain_text("Added")
    assert heads(page) == HEADS
    row = page.get_by_test_id("sample-row").filter(has_text="Low Kick")
    expect(row.get_by_test_id("class")).to_have_text("kick")
    expect(row.get_by_role("img", name="one-shot")).to_be_visible()
    expect(row.get_by_test_id("added")).to_have_text(re.compile(r"^\d{1,2} [A-Z][a-z]{2,3}$"))
    expect(row.get_by_test_id("added")).to_have_attribute("title", re.compile(r"day.* \d{4}"))

    row.get_by_test_id("class").click()
    page.keyboard.press("t")
    page.get_by_test_id("tag-input").fill(TAGS)
    page.keyboard.press("Enter")
    more = row.locator(".more-tags")
    expect(more).to_have_text(re.compile(r"^\+\d$"))
    page.keyboard.press("Escape")
    shown = row.locator(".row-tags .chip").count() - 1
    assert more.inner_text() == f"+{9 - shown}"
    expect(more).to_have_attribute("title", re.compile("warm|…"))
    assert page.locator(".row-tags").evaluate_all(CHIPS_FIT)

    page.get_by_test_id("columns").click()
    menu = page.get_by_test_id("columns-menu")
    expect(menu.get_by_label("Name", exact=True)).to_be_disabled()
    menu.get_by_label("Tags", exact=True).click()
    menu.get_by_role("button", name="Move Added up").click()
    expect(menu.get_by_role("button", name="Move Added up")).to_be_focused()
    expect(page.locator(".row-tags")).to_have_count(0)
    chosen = ["Name", "BPM", "Key", "Length", "Added ↓", "Class"]
    expect(page.get_by_test_id("column").last).to_contain_text("Class")
    assert heads(page) == chosen

    with browser.new_context(base_url=base_url) as elsewhere:
        other = elsewhere.new_page()
        people.sign_in(other, person)
        expect(other.get_by_test_id("sample-row")).to_have_count(2)
        expect(other.locator(".row-tags")).to_have_count(0)
        assert heads(other) == chosen
        other.set_viewport_size({"width": 390, "height": 844})
        expect(other.locator(".mini-wave").first).to_be_visible()
        expect(other.get_by_test_id("columns")).to_be_hidden()

    menu.get_by_test_id("reset-columns").click()
    expect(page.locator(".row-tags")).to_have_count(2)
    assert heads(page) == HEADS
    expect(menu.locator(".no-room")).to_have_count(0)
    page.set_viewport_size({"width": 1024, "height": 768})
    expect(page.get_by_test_id("column").filter(has=page.locator(".no-room"))).to_contain_text(
        "Added"
    )
    assert heads(page) == HEADS[:-1]
    assert page.locator(".row-tags").evaluate_all(CHIPS_FIT)
    page.set_viewport_size({"width": 1280, "height": 720})
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(page.get_by_test_id("columns")).to_be_focused()

    page.get_by_test_id("filters").click()
    expect(page.get_by_test_id("sound_class").locator("option", has_text="kick")).to_have_text(
        "kick (1)"
    )
    expect(page.get_by_test_id("kind").locator("option")).to_have_text(
        ["any", "one-shot (2)"]  # no sound is a loop
    )
    page.get_by_test_id("sound_class").select_option("kick")
    expect(page.get_by_test_id("total")).to_have_text("1")
    expect(page.get_by_test_id("kind").locator("option").last).to_have_text("one-shot (1)")
    expect(page.get_by_test_id("has-copies")).to_have_text(re.compile("0$"))
    page.get_by_test_id("facet-tag").filter(has_text="vinyl").click()
    expect(page.get_by_role("button", name="Remove vinyl")).to_be_visible()
    page.goto("/library?rating_min=3")
    page.get_by_test_id("filters").click()
    expect(page.get_by_test_id("kind").locator("option")).to_have_count(1)  # counted
    expect(page.get_by_test_id("rating_min")).to_have_value("3")
    expect(page.get_by_test_id("rating_min")).to_be_enabled()

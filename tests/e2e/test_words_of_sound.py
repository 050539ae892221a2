"""Words of sound in the search field, and the chips of all that limits the list."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import people
from tests.e2e.test_library import ANALYSIS_TIMEOUT_MS, DEMO_USER

BASSES = ["Deep 808", "Sub Walk", "Warehouse Floor"]


@pytest.fixture
def demo(page: Page) -> Page:
    """The library of the demo account, sorted by name."""
    people.sign_in(page, DEMO_USER)
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    page.get_by_test_id("sort-name").click()
    return page


def test_words_find_what_was_measured_and_a_removed_chip_removes_its_word(demo: Page) -> None:
    chips = demo.get_by_test_id("chip").filter(has_text="warm")
    demo.get_by_test_id("search").fill("warm bass")
    expect(demo.get_by_test_id("name")).to_have_text(BASSES)
    expect(chips).to_have_count(1)
    expect(chips).to_contain_text("warm: little noise")
    chips.click()
    expect(demo.get_by_test_id("search")).to_have_value("bass")
    expect(chips).to_have_count(0)
    expect(demo.get_by_test_id("name")).not_to_have_text(BASSES)
    demo.get_by_test_id("search").fill('"warm" bass')
    expect(demo.get_by_text("No matching sounds")).to_be_visible()
    expect(chips).to_have_count(0)
    demo.reload()  # the address keeps the quotes
    expect(demo.get_by_test_id("search")).to_have_value('"warm" bass')


def test_a_search_that_finds_nothing_offers_what_it_finds_with_one_limit_less(demo: Page) -> None:
    demo.get_by_test_id("search").fill("velvet snare")
    offers = demo.get_by_test_id("offer")
    expect(offers).to_have_count(2)
    expect(offers.nth(0)).to_have_text(re.compile("Without velvet"))
    expect(offers.nth(1)).to_have_text(re.compile("Without snare1$"))
    offers.nth(1).click()
    expect(demo.get_by_test_id("search")).to_have_value("velvet")
    expect(demo.get_by_test_id("name")).to_have_text(["Velvet Kick"])
    demo.get_by_test_id("search").fill("nothingsuch")
    expect(demo.get_by_text("No matching sounds")).to_be_visible()
    expect(offers).to_have_count(0)


def test_two_limits_are_offered_together_where_none_alone_is_to_blame(demo: Page) -> None:
    demo.get_by_test_id("search").fill("velvet snare loop")
    offers = demo.get_by_test_id("offer")
    expect(offers.nth(2)).to_have_text(re.compile("Without snare and loop1$"))
    offers.nth(2).click()
    expect(demo.get_by_test_id("search")).to_have_value("velvet")
    expect(demo.get_by_test_id("name")).to_have_text(["Velvet Kick"])


def test_a_tempo_that_no_sound_has_offers_those_near_it(demo: Page) -> None:
    demo.get_by_test_id("search").fill("98 bpm")
    demo.get_by_test_id("offer").filter(has_text=re.compile("^Around 98 BPM")).click()
    expect(demo.get_by_test_id("search")).to_have_value("around 98")
    expect(demo.get_by_test_id("name").first).to_be_visible()


def test_a_tempo_in_words_limits_the_list(demo: Page) -> None:
    demo.get_by_test_id("search").fill("loop around 90")
    expect(demo.get_by_test_id("chip")).to_have_text(
        ["loop: named so, or of this class ×", "around 90: 86 to 94 BPM ×"]
    )
    tempos = [float(text) for text in demo.get_by_test_id("bpm").all_inner_texts()]
    assert tempos
    assert all(85.5 <= tempo <= 94.5 for tempo in tempos)
    demo.get_by_role("button", name=re.compile("^Remove around 90")).click()
    expect(demo.get_by_test_id("search")).to_have_value("loop")
    expect(demo.get_by_test_id("total")).to_have_text("15")


def test_each_filter_is_removed_by_its_chip(demo: Page) -> None:
    demo.get_by_test_id("filters").click()
    demo.get_by_test_id("sound_class").select_option("kick")
    demo.get_by_test_id("bpm_min").fill("")
    demo.get_by_test_id("duration_max").fill("1")
    expect(demo.get_by_test_id("chip")).to_have_count(2)
    expect(demo.get_by_test_id("name")).to_have_text(["Velvet Kick"])
    demo.get_by_role("button", name="Remove up to 1 s").click()
    expect(demo.get_by_test_id("duration_max")).to_have_value("")
    expect(demo).to_have_url(re.compile(r"sound_class=kick"))
    demo.get_by_role("button", name="Remove kick").click()
    expect(demo.get_by_test_id("chip")).to_have_count(0)
    expect(demo.get_by_test_id("sound_class")).to_have_value("")


def test_like_a_sound_but_faster_sorts_by_likeness_and_limits_the_tempo(demo: Page) -> None:
    everything = demo.get_by_test_id("total").inner_text()
    search = demo.get_by_test_id("search")
    search.fill("like dusty corner but faster")
    expect(demo.get_by_test_id("likeness-chip")).to_contain_text("Dusty Corner")
    expect(demo.get_by_test_id("chip")).to_have_text([re.compile("^from 86.1 BPM")])
    expect(demo.get_by_test_id("name").first).not_to_have_text("Dusty Corner")
    tempos = [float(text) for text in demo.get_by_test_id("bpm").all_inner_texts()]
    assert tempos
    assert min(tempos) > 86
    search.fill("like dusty corner")
    expect(demo.get_by_test_id("chip")).to_have_count(0)
    expect(demo.get_by_test_id("name").first).to_have_text("Dusty Corner")
    search.fill("")
    expect(demo.get_by_test_id("likeness-chip")).to_have_count(0)
    expect(demo.get_by_test_id("total")).to_have_text(everything)

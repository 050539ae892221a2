"""The library sorted by likeness to a sound, in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import people
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.test_library import ANALYSIS_TIMEOUT_MS, DEMO_USER

LIKE = re.compile(r"/library\?like=[0-9a-f-]{36}$")
WEIGHTS = re.compile(r"/library\?like=[0-9a-f-]{36}&weights=50%2C100%2C100%2C0$")
MIN_TARGET_PX = 44


@pytest.fixture
def errors(page: Page) -> list[str]:
    found: list[str] = []
    PageMonitor(page, found.append)
    return found


@pytest.fixture
def demo(page: Page, errors: list[str]) -> Page:
    """The analysed library of the demo account."""
    people.sign_in(page, DEMO_USER)
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    return page


def sort_like(page: Page, name: str) -> None:
    """Sort by likeness to a sound from the menu of its row."""
    page.get_by_test_id("search").fill(name)
    row = page.get_by_test_id("sample-row").filter(has_text=name)
    expect(page.get_by_test_id("sample-row")).to_have_count(1)
    row.get_by_test_id("row-menu").click()
    page.get_by_test_id("menu-like").click()
    expect(page.get_by_test_id("likeness-chip")).to_contain_text(f"Sorted by likeness to {name}")
    page.get_by_test_id("search").fill("")
    expect(page.get_by_test_id("sample-row").nth(5)).to_be_visible()


def names(page: Page) -> Locator:
    return page.get_by_test_id("name")


def test_a_row_sorts_the_library_sliders_weigh_and_the_address_keeps_both(
    demo: Page, errors: list[str]
) -> None:
    sort_like(demo, "Tight Hat")
    expect(demo).to_have_url(LIKE)
    expect(names(demo).first).to_have_text("Tight Hat")
    expect(names(demo).nth(1)).to_have_text("Open Hat")
    usual = names(demo).all_inner_texts()
    expect(demo.get_by_test_id("reset-weights")).to_have_count(0)

    timbre, rhythm = demo.get_by_test_id("weight-timbre"), demo.get_by_test_id("weight-rhythm")
    timbre.focus()
    for _ in range(10):
        timbre.press("ArrowLeft")  # 5 percent each
    rhythm.focus()
    rhythm.press("Home")
    expect(demo).to_have_url(WEIGHTS)
    expect(rhythm).to_have_attribute("aria-valuetext", "0 percent")
    expect(names(demo).first).to_have_text("Tight Hat")
    weighed = names(demo).all_inner_texts()
    assert weighed != usual

    demo.reload()
    expect(demo.get_by_test_id("weight-timbre")).to_have_value("50")
    expect(names(demo)).to_have_text(weighed)
    demo.get_by_test_id("reset-weights").click()
    expect(demo).to_have_url(LIKE)
    expect(demo.get_by_test_id("weight-timbre")).to_have_value("100")
    expect(demo.get_by_test_id("weight-timbre")).to_be_focused()
    expect(names(demo)).to_have_text(usual)
    assert errors == []


def test_an_address_in_words_is_sorted_by_likeness_and_can_be_saved(
    demo: Page, errors: list[str]
) -> None:
    demo.keyboard.press("ControlOrMeta+k")
    demo.get_by_test_id("palette-field").fill("like velvet kick but shorter")
    demo.get_by_role("option", name="Search the library for").click()
    expect(demo.get_by_test_id("likeness-chip")).to_contain_text("Velvet Kick")
    expect(demo).to_have_url(re.compile(r"/library\?duration_max=[\d.]+&like="))
    expect(demo.get_by_test_id("search")).to_have_value("like velvet kick but shorter")

    demo.get_by_test_id("chip").filter(has_text="s").click()
    expect(demo).to_have_url(LIKE)
    demo.get_by_test_id("filters").click()
    demo.get_by_test_id("save-search").click()
    dialog = demo.get_by_role("dialog", name="Save this search")
    expect(dialog.get_by_label("Name")).to_have_value("Like Velvet Kick")
    demo.get_by_test_id("save-collection").click()
    demo.wait_for_url("**/collections/*")
    expect(names(demo).filter(has_text="Velvet Kick")).to_have_count(1)
    assert errors == []


def test_filters_apply_a_column_ends_it_and_so_does_the_chip(demo: Page, errors: list[str]) -> None:
    sort_like(demo, "Tight Hat")
    demo.get_by_test_id("room-one_shots").click()
    expect(demo).to_have_url(re.compile(r"kind=one_shot&like="))
    expect(names(demo).first).to_have_text("Tight Hat")
    demo.get_by_test_id("room-loops").click()
    expect(demo.get_by_test_id("likeness-chip")).to_be_visible()
    expect(names(demo).filter(has_text="Tight Hat")).to_have_count(0)
    demo.get_by_test_id("sort-name").click()
    expect(demo).to_have_url(re.compile(r"kind=loop&sort=name$"))
    expect(demo.get_by_test_id("likeness-bar")).to_have_count(0)

    demo.get_by_test_id("room-all").click()
    expect(demo).to_have_url(re.compile(r"/library\?sort=name$"))
    sort_like(demo, "Velvet Kick")
    demo.get_by_test_id("likeness-chip").click()
    expect(demo.get_by_test_id("likeness-bar")).to_have_count(0)
    expect(demo).to_have_url(re.compile(r"/library$"))
    assert errors == []


def test_the_sample_page_leads_to_its_whole_list(demo: Page, errors: list[str]) -> None:
    demo.get_by_test_id("search").fill("tight hat")
    demo.get_by_role("link", name="Open Tight Hat").click()
    near = demo.get_by_test_id("alike-name")
    expect(near).to_have_count(8)
    demo.get_by_test_id("alike-envelope").click()
    expect(demo.get_by_test_id("alike-all")).to_have_attribute(
        "href", re.compile("weights=0%2C100%2C0%2C0$")
    )
    expect(near).to_have_count(8)
    nearest = near.all_inner_texts()
    demo.get_by_test_id("alike-all").click()
    expect(demo.get_by_test_id("weight-envelope")).to_have_value("100")
    expect(demo.get_by_test_id("weight-timbre")).to_have_value("0")
    expect(names(demo).first).to_have_text("Tight Hat")
    assert names(demo).all_inner_texts()[1:9] == nearest
    # All weights at 0 compare nothing: the change is refused, and the slider goes back.
    envelope = demo.get_by_test_id("weight-envelope")
    envelope.focus()
    envelope.press("Home")
    expect(demo.get_by_text("Leave at least one weight above 0 %.")).to_be_visible()
    expect(envelope).to_have_value("100")
    assert [each for each in errors if "weight" not in each] == []


def test_on_a_phone_the_sliders_have_room_for_fingers(demo: Page, errors: list[str]) -> None:
    sort_like(demo, "Velvet Kick")
    demo.set_viewport_size({"width": 390, "height": 844})
    demo.get_by_test_id("weight-pitch").press("ArrowLeft")
    expect(demo.get_by_test_id("reset-weights")).to_be_visible()
    controls = demo.get_by_test_id("likeness-bar").locator("button, input").all()
    assert len(controls) == 6
    for control in controls:
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= MIN_TARGET_PX
        assert box["width"] >= MIN_TARGET_PX
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert demo.evaluate("document.documentElement.scrollWidth") == 390
    assert errors == []


def test_a_sound_that_is_gone_leaves_the_usual_order(demo: Page, errors: list[str]) -> None:
    demo.goto("/library?like=01a204c0-82ec-769a-8e34-995e038227bd&weights=1,2,3,4")
    expect(demo.get_by_test_id("notice")).to_contain_text("doesn’t exist any more")
    expect(names(demo).first).to_be_visible()
    expect(demo.get_by_test_id("likeness-bar")).to_have_count(0)
    assert errors == []

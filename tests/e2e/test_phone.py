"""The library on a phone: a tap opens a sound, its waveform plays it, and the list is sorted."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e import people
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.test_library import ANALYSIS_TIMEOUT_MS, DEMO_USER

LOOP = "Sunday Keys"


@pytest.fixture
def phone(browser: Browser, base_url: str) -> Iterator[Page]:
    """The library of the demo account on a phone; fails on an error of the page."""
    with browser.new_context(
        base_url=base_url, viewport={"width": 390, "height": 844}, has_touch=True
    ) as context:
        page, errors = context.new_page(), list[str]()
        PageMonitor(page, errors.append)
        people.sign_in(page, DEMO_USER)
        expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
        yield page
        assert errors == []


def row(page: Page, name: str) -> Locator:
    """Return the row of a sound, scrolled into view."""
    page.get_by_test_id("search").fill(name)
    found = page.get_by_test_id("sample-row")
    expect(found).to_have_count(1)
    return found


def test_a_tap_opens_a_sound_and_one_on_its_waveform_plays_it(phone: Page) -> None:
    found, player = row(phone, LOOP), phone.get_by_test_id("player")
    found.locator(".mini-wave").tap()
    expect(player).to_have_attribute("data-playing", "true")
    expect(phone).to_have_url(re.compile("/library"))
    found.locator(".mini-wave").tap()
    expect(player).to_have_attribute("data-playing", "false")
    found.locator(".mini-wave").tap()
    expect(player).to_have_attribute("data-playing", "true")
    found.get_by_test_id("name").tap()
    expect(phone).to_have_url(re.compile("/samples/"))
    expect(phone).to_have_title(f"{LOOP} · Crate 404")
    phone.go_back()
    expect(phone.get_by_test_id("search")).to_have_value(LOOP)
    expect(phone).to_have_title("Library · Crate 404")


def test_the_palette_opens_by_a_tap_and_the_account_page_signs_out(phone: Page) -> None:
    phone.get_by_test_id("open-palette").tap()
    phone.get_by_test_id("palette-field").fill("usage")
    phone.get_by_role("option", name="Usage", exact=True).tap()
    expect(phone).to_have_url(re.compile("/usage"))
    phone.get_by_role("link", name="Account").tap()
    phone.locator(".account-head").get_by_role("button", name="Sign out").tap()
    expect(phone).to_have_url(re.compile("/login"))


def test_the_name_in_the_player_opens_the_sound_which_plays_on(phone: Page) -> None:
    row(phone, LOOP).locator(".mini-wave").tap()
    player = phone.get_by_test_id("player")
    expect(player).to_have_attribute("data-playing", "true")
    player.get_by_role("link", name=LOOP).tap()
    expect(phone).to_have_url(re.compile("/samples/"))
    expect(phone.get_by_test_id("sample-page")).to_be_visible()
    phone.go_back()
    expect(phone).to_have_url(re.compile("/library"))
    expect(player.locator(".player-name")).to_have_text(LOOP)
    expect(player).to_have_attribute("data-playing", "true")


def test_the_sheet_of_filters_is_closed_when_one_returns(phone: Page) -> None:
    main = phone.get_by_role("navigation", name="Main")
    main.get_by_role("link", name="Projects").tap()
    expect(phone).to_have_title("Projects · Crate 404")
    main.get_by_role("link", name="Library").tap()
    phone.get_by_test_id("filters").tap()
    expect(phone.get_by_test_id("filters-done")).to_be_visible()
    phone.go_back()
    expect(phone).to_have_title("Projects · Crate 404")
    main.get_by_role("link", name="Library").tap()
    expect(phone.get_by_test_id("sample-row").first).to_be_visible()
    expect(phone.get_by_test_id("filters-done")).to_be_hidden()
    expect(phone.get_by_test_id("filters-veil")).to_have_count(0)
    phone.get_by_test_id("filters").tap()
    expect(phone.get_by_test_id("filters-done")).to_be_visible()
    phone.reload()
    expect(phone.get_by_test_id("sample-row").first).to_be_visible()
    expect(phone.get_by_test_id("filters-done")).to_be_hidden()
    expect(phone.get_by_test_id("filters-veil")).to_have_count(0)


def test_the_list_is_sorted_and_the_player_is_not_cut_off(phone: Page) -> None:
    phone.get_by_test_id("filters").tap()
    for order, first in (
        ("bpm", "Rainy Window"),
        ("-bpm", "Escape Velocity"),
        ("name", "Back Alley"),
    ):
        phone.get_by_test_id("sort").select_option(order)
        expect(phone.get_by_test_id("name").first).to_have_text(first)
    phone.get_by_test_id("filters-done").tap()
    phone.locator(".mini-wave").first.tap()
    expect(phone.locator(".player-facts")).to_be_in_viewport(ratio=1)
    expect(phone.get_by_test_id("player-toggle")).to_be_in_viewport(ratio=1)


def test_all_actions_on_a_selection_are_in_sight_or_in_its_menu(phone: Page) -> None:
    first = phone.get_by_test_id("sample-row").first
    first.dispatch_event("pointerdown", {"pointerType": "touch"})
    bar = phone.get_by_test_id("bulk")
    expect(bar).to_contain_text("1 selected")
    for name in ("collect", "pads", "edit", "favourite", "delete", "more"):
        expect(bar.get_by_test_id(f"bulk-{name}")).to_be_in_viewport(ratio=1)
    bar.get_by_test_id("bulk-more").tap()
    for name in ("download", "project", "tag", "analyse"):
        expect(phone.get_by_test_id(f"bulk-{name}")).to_be_in_viewport(ratio=1)
    phone.keyboard.press("Escape")
    expect(bar).to_contain_text("1 selected")
    expect(phone.get_by_test_id("bulk-tag")).to_have_count(0)
    bar.get_by_test_id("bulk-favourite").tap()
    expect(phone.get_by_test_id("undo")).to_be_visible()
    notice, below = phone.locator(".toast").bounding_box(), bar.bounding_box()
    assert notice
    assert below
    assert notice["y"] + notice["height"] <= below["y"]  # it covers no action
    phone.get_by_test_id("undo").tap()


def test_a_tablet_shows_the_wave_of_the_player(phone: Page) -> None:
    phone.set_viewport_size({"width": 820, "height": 1180})
    row(phone, LOOP).tap()
    expect(phone.get_by_test_id("player")).to_have_attribute("data-playing", "true")
    for width in (720, 820, 940, 1000):
        phone.set_viewport_size({"width": width, "height": 1180})
        wave = phone.locator(".player .zoom-wave").bounding_box()
        assert wave
        assert wave["width"] >= 130
        assert phone.evaluate("document.documentElement.scrollWidth") <= width


def test_an_order_that_phones_do_not_offer_has_an_option_until_another_is_chosen(
    phone: Page,
) -> None:
    phone.goto("/library?sort=-name")
    phone.get_by_test_id("filters").tap()
    sort = phone.get_by_test_id("sort")
    expect(sort).to_have_value("-name")
    expect(sort.locator("option:checked")).to_have_text("other order")
    sort.select_option("name")
    expect(phone).to_have_url(re.compile("sort=name$"))
    expect(sort.get_by_text("other order")).to_have_count(0)


def test_filters_are_a_sheet_over_the_list_and_its_button_shows_what_they_find(
    phone: Page,
) -> None:
    phone.set_viewport_size({"width": 375, "height": 553})
    before = phone.get_by_test_id("name").first.bounding_box()
    phone.get_by_test_id("filters").tap()
    done = phone.get_by_test_id("filters-done")
    expect(done).to_be_in_viewport(ratio=1)
    after = phone.get_by_test_id("name").first.bounding_box()
    assert before
    assert after
    assert after["y"] <= before["y"]  # the list is not pushed down
    phone.get_by_test_id("kind").select_option("loop")
    expect(phone).to_have_url(re.compile("kind=loop"))
    expect(done).to_have_text(re.compile(r"^Show \d+ sounds$"))
    phone.get_by_test_id("filters-veil").tap(position={"x": 100, "y": 20})
    expect(done).to_be_hidden()
    phone.get_by_test_id("filters").tap()
    expect(done).to_be_visible()
    phone.keyboard.press("Escape")  # browsers report Android's Back in the same way
    expect(done).to_be_hidden()
    expect(phone).to_have_url(re.compile("kind=loop"))
    phone.get_by_test_id("filters").tap()
    done.dblclick()
    expect(done).to_be_hidden()
    phone.wait_for_timeout(500)
    expect(done).to_be_hidden()
    phone.get_by_test_id("name").first.tap()
    expect(phone).to_have_url(re.compile("/samples/"))


def test_the_room_that_is_open_is_in_sight(phone: Page) -> None:
    phone.goto("/library?view=trash")
    trash = phone.get_by_test_id("room-trash")
    expect(trash).to_have_attribute("aria-pressed", "true")
    expect(trash).to_be_in_viewport(ratio=0.99)  # its edge may be at a part of a pixel


def test_a_tap_on_the_map_plays_a_sound(phone: Page) -> None:
    phone.goto("/map")
    expect(phone.get_by_test_id("sound-map")).not_to_have_attribute("data-count", "0")
    box = phone.get_by_test_id("map-canvas").bounding_box()
    assert box
    name = phone.get_by_test_id("map-here").locator("strong")
    for step in range(1, 20):
        phone.touchscreen.tap(box["x"] + box["width"] * step / 20, box["y"] + box["height"] / 2)
        if name.count():
            break
    player = phone.get_by_test_id("player")
    expect(player).to_have_attribute("data-playing", "true")
    expect(player).to_contain_text(name.inner_text())


@pytest.mark.parametrize(
    ("list_url", "name"), [("/library?kind=loop", "Library"), ("/map?kind=loop", "Map")]
)
def test_the_way_back_from_a_sound_is_the_list_that_showed_it(
    phone: Page, list_url: str, name: str
) -> None:
    phone.goto("/library?kind=loop")
    first = phone.get_by_test_id("name").first
    first.wait_for()
    sample_url = f"/samples/{phone.get_by_test_id('sample-row').first.get_attribute('data-id')}"
    phone.goto(list_url)
    phone.wait_for_load_state("networkidle")
    phone.goto(sample_url)
    back = phone.get_by_test_id("back-to-list")
    expect(back).to_have_text(f"← {name}")
    back.tap()
    expect(phone).to_have_url(re.compile(re.escape(list_url)))


def test_a_sound_that_its_url_opened_leads_to_the_library(phone: Page) -> None:
    phone.get_by_test_id("name").first.tap()
    expect(phone).to_have_url(re.compile("/samples/"))
    phone.evaluate("sessionStorage.removeItem('list')")
    phone.reload()
    back = phone.get_by_test_id("back-to-list")
    expect(back).to_have_text("← Library")
    back.tap()
    expect(phone).to_have_url(re.compile("/library$"))


def test_signing_out_forgets_the_lists(phone: Page) -> None:
    phone.goto("/library?q=hat")
    expect(phone.get_by_test_id("name").first).to_contain_text("Hat")
    kept = "Object.keys(sessionStorage).filter((key) => /^(list$|place:)/.test(key)).join()"
    phone.get_by_test_id("name").first.tap()
    expect(phone).to_have_url(re.compile("/samples/"))
    assert "place:" in phone.evaluate(kept)
    phone.goto("/account")
    phone.get_by_test_id("phone-sign-out").tap()
    expect(phone.get_by_test_id("demo")).to_be_visible()
    phone.wait_for_function(f"() => {kept} === ''")


def test_links_of_the_navigation_do_not_overlap_at_any_width(phone: Page) -> None:
    for width in (360, 390, 431, 480, 512, 540, 561, 640, 768, 901):
        phone.set_viewport_size({"width": width, "height": 700})
        boxes = [each.bounding_box() for each in phone.locator(".topbar nav a:visible").all()]
        edges = [(box["x"], box["x"] + box["width"]) for box in boxes if box]
        texts = phone.evaluate(
            "() => [...document.querySelectorAll('.topbar nav a')]"
            ".filter((a) => a.scrollWidth > a.clientWidth + 1).map((a) => a.textContent)"
        )
        assert texts == [], width
        for (_, right), (left, _) in pairwise(edges):
            assert right <= left + 1, (width, edges)


def test_high_contrast_shows_what_is_chosen(phone: Page) -> None:
    phone.emulate_media(forced_colors="active")
    phone.goto("/library?view=trash")
    chosen = phone.get_by_test_id("room-trash")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    expect(chosen).to_have_css("outline-style", "solid")
    expect(phone.get_by_test_id("room-all")).to_have_css("outline-style", "none")
    expect(phone.get_by_role("link", name="Library", exact=True)).to_have_css(
        "outline-style", "solid"
    )

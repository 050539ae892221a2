"""Pages at 200 % zoom and on tablets: nothing is cut off."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import people
from tests.e2e.test_library import DEMO_USER

PAGES = ("/library", "/map", "/collections", "/projects", "/billing", "/usage", "/account")


@pytest.mark.parametrize(("width", "height"), [(720, 450), (768, 1024)], ids=["zoom", "tablet"])
def test_pages_have_no_more_than_the_width(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    people.sign_in(page, DEMO_USER)
    expect(page.get_by_test_id("name").first).to_be_visible()
    sample = page.locator("a.more").first.get_attribute("href")
    page.goto("/projects")
    project = page.locator("[data-card-focus]").first.get_attribute("href")
    for path in (*PAGES, sample, project):
        page.goto(str(path))
        expect(page.get_by_role("button", name="Sign out")).to_be_in_viewport(ratio=1)
        expect(page.locator("[data-loaded=true]")).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth") == width, path


def test_the_search_has_the_width_of_a_small_window(page: Page) -> None:
    for width in (390, 720, 820):
        page.set_viewport_size({"width": width, "height": 844})
        if width == 390:
            people.sign_in(page, DEMO_USER)
        column = page.locator(".main").bounding_box()
        field = page.get_by_test_id("search").bounding_box()
        assert column
        assert field
        assert field["width"] > 0.9 * column["width"], width


@pytest.mark.parametrize(("width", "height"), [(720, 450), (667, 375), (1280, 480)])
def test_pads_are_large_enough_in_a_low_window(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    people.sign_in(page, DEMO_USER)
    page.goto("/projects")
    page.locator("[data-card-focus]").first.click()
    expect(page.get_by_test_id("pads")).to_be_visible()
    boxes = [page.locator(part).bounding_box() for part in (".pad >> nth=15", ".pad-foot")]
    screen, tabs = (page.locator(part).bounding_box() for part in (".pad-screen", ".bank-tabs"))
    pad, foot = boxes
    assert pad
    assert foot
    assert screen
    assert tabs
    assert pad["height"] >= 36
    assert pad["width"] >= 44
    assert pad["x"] >= foot["x"] + foot["width"]
    assert screen["y"] + screen["height"] <= tabs["y"]
    assert tabs["y"] + tabs["height"] <= foot["y"]


def test_the_help_opens_while_the_player_is_hidden(page: Page) -> None:
    people.sign_in(page, DEMO_USER)
    sample = page.locator("a.more").first.get_attribute("href")
    shortcuts = page.get_by_test_id("shortcuts")
    for path, width, key in (("/library", 640, "Seek"), (sample, 1280, "Tap the tempo")):
        page.set_viewport_size({"width": width, "height": 720})
        page.goto(str(path))
        expect(page.locator("[data-loaded=true]")).to_be_attached()
        if path == "/library":
            expect(page.get_by_test_id("player")).to_be_hidden()
        page.keyboard.press("?")
        expect(shortcuts).to_contain_text(key)
        expect(shortcuts).to_be_visible()
        page.get_by_test_id("shortcuts-close").click()
        expect(shortcuts).to_have_count(0)

"""What sounds like the sound of a page."""

from playwright.sync_api import Page, expect

from tests.e2e import people
from tests.e2e.test_library import ANALYSED, DEMO


def test_a_sound_names_others_like_it(page: Page) -> None:
    people.sign_in(page, DEMO)
    expect(page.get_by_test_id("name").first).to_be_visible()
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSED)
    page.get_by_test_id("search").fill("tight hat")
    page.get_by_role("link", name="Open Tight Hat").click()
    names = page.get_by_test_id("alike-name")
    expect(names).to_have_count(8)
    expect(names.first).to_have_text("Open Hat")
    page.get_by_test_id("alike-envelope").click()
    expect(page.get_by_test_id("alike-envelope")).to_have_class("chip on")
    expect(names).to_have_count(8)

"""A browser that blocks the data of sites: access to its storage throws, and the pages work."""

from playwright.sync_api import Page, expect

from tests.e2e import people
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.test_library import DEMO_USER

BLOCK_STORAGE = """
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, {
    configurable: true, // as in browsers
    get() { throw new DOMException("Access is denied for this document.", "SecurityError"); },
  });
"""


def test_pages_work_and_signing_in_does_without_storage(page: Page) -> None:
    errors: list[str] = []
    PageMonitor(page, errors.append)
    page.add_init_script(BLOCK_STORAGE)
    page.goto("/")
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    page.get_by_test_id("theme-light").check()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    people.sign_in(page, DEMO_USER)
    page.get_by_test_id("sample-row").first.click()
    expect(page.get_by_test_id("player")).not_to_have_attribute("data-track", "")
    page.get_by_test_id("player-volume").fill("40")
    page.goto("/account")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert errors == []

"""Public pages that no scenario opens have no barriers; the keyboard reaches the content first.

`test_every_control.py` looks for barriers on all other pages.
"""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.barriers import find_barriers
from tests.e2e.pad_page import PadUser
from tests.e2e.touch_targets import find_small_targets


@pytest.mark.parametrize(
    "path", ["/terms", "/privacy", "/contact", "/status", "/api/docs", "/no-such-page"]
)
def test_a_public_page_has_no_barriers(page: Page, path: str) -> None:
    page.goto(path)
    page.locator("h1").first.wait_for()
    if path == "/api/docs":
        page.locator(".opblock-summary-control").first.wait_for()
    found = find_barriers(page)
    assert not found, "\n".join(found)
    page.set_viewport_size({"width": 390, "height": 844})
    assert find_small_targets(page) == []


def test_opened_operations_of_the_api_page_have_no_barriers(page: Page) -> None:
    page.goto("/api/docs")
    for path in ("/api/samples/export", "/api/samples", "/api/samples/{sample_id}"):
        page.locator(f'.opblock:has([data-path="{path}"]) .opblock-summary-control').first.click()
    expect(page.locator(".opblock-body")).to_have_count(3)
    expect(page.get_by_role("combobox", name="format")).to_be_visible()
    found = find_barriers(page)
    page.locator('.opblock:has([data-path="/api/health/live"]) .opblock-summary-control').click()
    page.get_by_role("button", name="Try it out").last.click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table").wait_for()
    found += find_barriers(page)
    page.get_by_role("button", name="Authorize").first.click()
    expect(page.get_by_role("textbox", name="auth-bearer-value")).to_be_visible()
    found += find_barriers(page)
    page.get_by_role("button", name="Close").first.click()
    assert not found, "\n".join(found)


def test_dialogs_menus_and_panels_have_targets_for_fingers(
    browser: Browser, base_url: str, pad_user: PadUser
) -> None:
    screen = {"width": 390, "height": 844}
    with browser.new_context(base_url=base_url, viewport=screen, has_touch=True) as context:
        pad_user.sign_in(context)
        page, small = context.new_page(), dict[str, list[str]]()

        def go_to(path: str) -> None:
            page.goto(path)
            page.locator("[data-loaded=true]").first.wait_for()  # loading closes what is open

        def look(path: str, control: str, opened: str) -> None:
            go_to(path)
            page.get_by_test_id(control).first.click()
            page.locator(opened).first.wait_for()
            small[f"{path} {control}"] = find_small_targets(page)

        look("/library", "library-menu", "[role=menu]")
        look("/library", "row-menu", "[role=menu]")
        look("/library", "filters", "[data-testid=bpm_min]")
        page.get_by_test_id("filters-done").click()
        look("/library", "find-by-sound", "dialog[open]")
        look("/library", "row-menu", "[role=menu]")
        page.get_by_test_id("menu-share").click()
        page.get_by_test_id("create-link").wait_for()
        small["share"] = find_small_targets(page)
        look("/collections", "new-smart-collection", "[data-testid=rule-editor]")
        look("/projects", "new-project", "[data-testid=new-project-dialog]")
        go_to("/library")
        row = page.get_by_test_id("sample-row").first
        row.dispatch_event("pointerdown", {"pointerType": "touch"})
        page.get_by_test_id("bulk-more").click()
        page.get_by_test_id("bulk-tag").wait_for()
        small["selection"] = find_small_targets(page)
        page.keyboard.press("Escape")
        page.get_by_test_id("bulk-edit").click()
        page.get_by_test_id("bulk-bpm-half").wait_for()
        small["edit sounds"] = find_small_targets(page)
        go_to("/library")
        page.get_by_test_id("sample-row").first.click()
        page.get_by_test_id("match-open").click()
        page.get_by_test_id("match-on").wait_for()
        small["tempo and key of previews"] = find_small_targets(page)
    assert {place: found for place, found in small.items() if found} == {}


def test_the_keyboard_reaches_the_content_first(
    page: Page, context: BrowserContext, pad_user: PadUser
) -> None:
    pad_user.sign_in(context)
    page.goto("/usage")
    page.get_by_test_id("analyses-used").wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()

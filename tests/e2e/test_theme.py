"""The theme: chosen before signing in, kept by the browser, right at the first paint."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.test_library import ANALYSIS_TIMEOUT_MS, DEMO_USER

BACKGROUND = {"dark": "rgb(11, 11, 12)", "light": "rgb(246, 244, 241)"}
FIRST_PAINT = """
requestAnimationFrame(function seen() {
  if (!document.body) { requestAnimationFrame(seen); return; }
  window.firstBackground = getComputedStyle(document.body).backgroundColor;
});
"""
FONTS_LOADED = """
document.fonts.ready.then(() => [...document.fonts].some(
  (font) => font.family.includes("Geist") && font.status === "loaded"))
"""


def expect_theme(page: Page, theme: str) -> None:
    """Check the colours of the page, and of what the browser draws itself."""
    expect(page.locator("body")).to_have_css("background-color", BACKGROUND[theme])
    expect(page.locator("html")).to_have_css("color-scheme", theme)


def choose(page: Page, theme: str) -> None:
    """Choose a theme."""
    page.get_by_test_id(f"theme-{theme}").check()


def test_a_theme_chosen_before_signing_in_stays(page: Page, outbox: Outbox) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    expect_theme(page, "dark")  # without a choice
    choose(page, "light")
    expect_theme(page, "light")
    ada = people.sign_up(page, outbox)
    expect_theme(page, "light")
    people.sign_in(page, ada)
    for address in ("/library", "/plans", "/terms", "/login"):
        page.add_init_script(FIRST_PAINT)
        page.goto(address)
        expect_theme(page, "light")
        assert page.evaluate("window.firstBackground") == BACKGROUND["light"]


def test_system_follows_the_device_live(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/login")
    choose(page, "system")
    for theme in ("light", "dark", "light"):
        page.emulate_media(color_scheme="light" if theme == "light" else "dark")
        expect_theme(page, theme)
    page.reload()
    expect(page.get_by_test_id("theme-system")).to_be_checked()
    expect_theme(page, "light")


def test_figures_and_other_tabs_follow(page: Page, outbox: Outbox) -> None:
    people.sign_in(page, people.sign_up(page, outbox))
    page.goto("/usage")
    other = page.context.new_page()
    other.goto("/account")
    choose(other, "light")
    expect_theme(page, "light")
    other.close()
    page.goto("/account")
    expect(page.get_by_test_id("theme-light")).to_be_checked()


def test_the_waveform_of_a_sample_is_drawn_again(page: Page) -> None:
    people.sign_in(page, DEMO_USER)
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    sample_id = page.request.get("/api/samples?limit=1").json()["samples"][0]["id"]
    page.goto(f"/samples/{sample_id}")
    expect(page.locator(".wave-plot .nsewdrag")).to_be_visible()
    label = page.locator(".wave-plot .xtick text").first
    dark = label.get_attribute("style") or ""
    # As if another tab had changed it; a choice on the account page would be kept for others.
    page.evaluate("localStorage.setItem('sp404-theme', 'light')")
    page.evaluate("dispatchEvent(new StorageEvent('storage'))")
    expect_theme(page, "light")
    expect(label).not_to_have_attribute("style", dark)


def test_a_browser_without_a_choice_takes_that_of_the_account(
    page: Page, browser: Browser, base_url: str, outbox: Outbox
) -> None:
    ada = people.sign_up(page, outbox)
    people.sign_in(page, ada)
    page.goto("/account")
    choose(page, "light")
    page.reload()  # the choice is saved
    expect(page.get_by_test_id("theme-light")).to_be_checked()
    with browser.new_context(base_url=base_url) as elsewhere:
        other = elsewhere.new_page()
        people.sign_in(other, ada)
        expect_theme(other, "light")
        other.goto("/account")
        choose(other, "dark")
        other.reload()
        expect_theme(other, "dark")
    page.reload()
    expect_theme(page, "light")  # each browser keeps its own
    page.wait_for_url(re.compile("/account"))


def test_public_pages_have_the_chosen_theme_or_that_of_the_system(page: Page) -> None:
    errors: list[str] = []
    PageMonitor(page, errors.append)
    for system in ("light", "dark"):
        page.emulate_media(color_scheme=system)
        page.goto("/status")
        expect_theme(page, system)
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == system
    page.goto("/")
    choose(page, "light")
    page.goto("/status")
    expect_theme(page, "light")
    assert errors == []


def test_pages_outside_the_app_have_its_face(page: Page) -> None:
    """Terms, privacy, contact and the API's documentation: theme, fonts, header, narrow screens."""
    errors: list[str] = []
    PageMonitor(page, errors.append)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    choose(page, "system")
    for address in ("/terms", "/privacy", "/contact", "/api/docs"):
        page.emulate_media(color_scheme="light")
        page.goto(address)
        expect(
            page.get_by_role("heading", level=1).or_(page.locator(".info .title"))
        ).to_be_visible()
        expect_theme(page, "light")
        page.emulate_media(color_scheme="dark")
        expect_theme(page, "dark")
        assert page.evaluate(FONTS_LOADED)
        fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert page.evaluate(fits), f"{address} is wider than the screen."
        home = page.get_by_role("banner").get_by_role("link", name="Crate 404")
        box = home.bounding_box()
        assert box
        assert box["height"] >= 44
        home.click()
        expect(page).to_have_url(re.compile("/$"))
    assert errors == []

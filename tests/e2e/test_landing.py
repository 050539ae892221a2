"""The landing page: its pads play, by pointer and by keys, and say so if they cannot."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.page_monitor import PageMonitor
from tests.product import ROOT

MAX_SOUNDS_BYTES = 200_000


@pytest.fixture
def errors(page: Page) -> list[str]:
    found: list[str] = []
    PageMonitor(page, found.append)
    return found


def test_a_loop_plays_until_it_is_pressed_again_and_a_hit_ends(
    page: Page, errors: list[str]
) -> None:
    requested: list[str] = []
    page.on("request", lambda one: requested.append(one.url) if "/sounds/" in one.url else None)
    page.goto("/")
    loop, hit = page.get_by_test_id("front-pad-1"), page.get_by_test_id("front-pad-5")
    expect(loop).to_be_visible()
    assert requested == []  # until somebody reaches for the pads
    loop.click()
    expect(loop).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("5")
    expect(hit).to_have_attribute("aria-pressed", "true")
    expect(hit).to_have_attribute("aria-pressed", "false")  # it has ended
    expect(loop).to_have_attribute("aria-pressed", "true")
    loop.focus()
    page.keyboard.press("Enter")
    expect(loop).to_have_attribute("aria-pressed", "false")
    loop.evaluate("button => button.click()")  # as assistive technology does
    expect(loop).to_have_attribute("aria-pressed", "true")
    loop.click()
    expect(loop).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Control+2")
    expect(page.get_by_test_id("front-pad-2")).to_have_attribute("aria-pressed", "false")
    assert len(requested) == 8
    assert errors == []


def test_pads_without_their_sounds_say_so_and_try_again(page: Page) -> None:
    def fail(route: Route) -> None:
        route.abort()

    page.route("**/sounds/*.mp3", fail)
    page.goto("/")
    pad = page.get_by_test_id("front-pad-2")
    pad.click()
    problem = page.get_by_text("The sounds can’t be played right now.")
    expect(problem).to_be_visible()
    expect(pad).to_have_attribute("aria-pressed", "false")
    page.unroute("**/sounds/*.mp3", fail)
    pad.click()
    expect(pad).to_have_attribute("aria-pressed", "true")
    expect(problem).to_be_hidden()


def test_the_sounds_are_small() -> None:
    sizes = [path.stat().st_size for path in (ROOT / "assets" / "sounds").iterdir()]
    assert len(sizes) == 8
    assert sum(sizes) < MAX_SOUNDS_BYTES

"""Public pages that no scenario opens have no barriers; the keyboard reaches the content first.

`test_every_control.py` looks for barriers on all other pages.
"""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.barriers import find_barriers
from tests.e2e.pad_page import PadUser


@pytest.mark.parametrize("path", ["/terms", "/privacy", "/contact", "/no-such-page"])
def test_a_public_page_has_no_barriers(page: Page, path: str) -> None:
    page.goto(path)
    page.locator("h1").first.wait_for()
    found = find_barriers(page)
    assert not found, "\n".join(found)


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

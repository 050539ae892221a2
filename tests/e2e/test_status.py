"""The status page, on a phone and on a desk, in both themes."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.product import Product


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_status_page_fits_and_follows_the_theme(
    browser: Browser, product: Product, width: int, theme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="light" if theme == "light" else "dark",
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("response", lambda it: problems.append(it.url) if it.status >= 400 else None)
    page.goto(f"{product.base_url}/status")
    expect(page.get_by_test_id("part")).to_have_count(5)
    expect(page.get_by_test_id("headline")).to_have_text(re.compile(r"\w"))
    assert page.evaluate("document.documentElement.scrollWidth") == width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(246, 244, 241)", "dark": "rgb(11, 11, 12)"}[theme]
    assert problems == []
    context.close()

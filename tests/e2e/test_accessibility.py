"""axe-core finds no barrier on any page, in both themes (rules of WCAG 2.2 and best practices)."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e import seed_data
from tests.e2e.seed_data import SeededAccounts
from tests.e2e.test_every_control import SCENARIOS, accounts
from tests.product import Product

__all__ = ["accounts"]  # a fixture, used by its name

OTHER_PAGES = ("/terms", "/privacy", "/contact", "/no-such-page")
SET_THEME = """theme => {
  const element = document.querySelector('[data-theme]');
  if (element) element.dataset.theme = theme;
}"""


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_page_has_no_barriers(
    name: str, page: Page, accounts: SeededAccounts, product: Product
) -> None:
    scenario = SCENARIOS[name]
    page.set_viewport_size({"width": scenario.width, "height": 900})
    accounts.sign_in(page, scenario.user)
    if scenario.sql:
        seed_data.run_sql(product, scenario.sql)
    if scenario.fills_pads:
        accounts.fill_pads(page)
    ids = {"sample": accounts.sample, "project": accounts.project}
    page.goto(scenario.address.format(collection=accounts.collection, **ids))
    page.locator(scenario.ready).first.wait_for()
    found = barriers(page)
    assert not found, "\n".join(found)


def test_the_keyboard_reaches_the_content_first(page: Page, accounts: SeededAccounts) -> None:
    accounts.sign_in(page, "owner")
    page.goto("/usage")
    page.get_by_test_id("analyses-used").wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize("path", OTHER_PAGES)
def test_a_page_for_everybody_has_no_barriers(page: Page, path: str) -> None:
    page.goto(path)
    page.locator("h1").first.wait_for()
    found = barriers(page)
    assert not found, "\n".join(found)


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds in both themes: theme, rule, element and explanation."""
    return [
        f"{theme}: {found['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for theme in ("dark", "light")
        for found in violations(page, theme)
        for node in found["nodes"]
    ]


def violations(page: Page, theme: str) -> list[dict[str, list[dict[str, str]]]]:
    page.emulate_media(reduced_motion="reduce")  # a colour in transition has less contrast
    page.evaluate(SET_THEME, theme)
    return Axe().run(page).response["violations"]

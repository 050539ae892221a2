"""What axe-core finds on a page: the rules of WCAG 2.2 and best practices, in both themes."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SET_THEME = """theme => {
  const element = document.querySelector('[data-theme]');
  if (element) element.dataset.theme = theme;
  dispatchEvent(new Event("themechange"));
}"""


def find_barriers(page: Page) -> list[str]:
    """Return what axe-core finds in both themes: theme, rule, element and explanation."""
    return [
        f"{theme}: {found['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for theme in ("dark", "light")
        for found in _violations(page, theme)
        for node in found["nodes"]
    ]


def _violations(page: Page, theme: str) -> list[dict[str, list[dict[str, str]]]]:
    page.emulate_media(reduced_motion="reduce")  # a colour in transition has less contrast
    page.evaluate(SET_THEME, theme)
    return Axe().run(page).response["violations"]

"""The first contentful paint (web.dev/articles/fcp) of pages in a browser with an empty cache."""

import statistics
from collections.abc import Mapping
from typing import Final

from playwright.sync_api import Browser, StorageState

ROUNDS: Final = 15
FIRST_PAINT: Final = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def first_paints_ms(
    browser: Browser, urls: Mapping[str, str], states: Mapping[str, StorageState] | None = None
) -> dict[str, float]:
    """Load each page in turns, each time in a new context; return the medians by name.

    A page may have a state of the browser, such as the cookies of a person who is signed in.
    """
    found: dict[str, list[float]] = {name: [] for name in urls}
    for _ in range(ROUNDS):
        for name, url in urls.items():
            found[name].append(_first_paint_ms(browser, url, (states or {}).get(name)))
    return {name: statistics.median(times) for name, times in found.items()}


def _first_paint_ms(browser: Browser, url: str, state: StorageState | None) -> float:
    context = browser.new_context(storage_state=state)
    page = context.new_page()
    page.goto(url, wait_until="load")
    page.wait_for_function(FIRST_PAINT)
    found = float(page.evaluate(FIRST_PAINT))
    context.close()
    return found

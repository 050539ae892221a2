"""The first contentful paint (web.dev/articles/fcp) of pages in a browser with an empty cache."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Browser, StorageState

ROUNDS: Final = 15
FIRST_PAINT: Final = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


@dataclass(frozen=True, slots=True)
class Line:
    """A line to the server as the browser emulates it: Mbit/s, and ms until an answer begins."""

    megabits: float
    latency_ms: float


def first_paints_ms(
    browser: Browser,
    urls: Mapping[str, str],
    states: Mapping[str, StorageState] | None = None,
    line: Line | None = None,
) -> dict[str, float]:
    """Load each page in turns, each time in a new context; return the medians by name.

    A page may have a state of the browser, such as the cookies of a person who is signed in.
    Without a `line`, nothing lies between browser and server.
    """
    found: dict[str, list[float]] = {name: [] for name in urls}
    for _ in range(ROUNDS):
        for name, url in urls.items():
            found[name].append(_first_paint_ms(browser, url, (states or {}).get(name), line))
    return {name: statistics.median(times) for name, times in found.items()}


def _first_paint_ms(
    browser: Browser, url: str, state: StorageState | None, line: Line | None
) -> float:
    context = browser.new_context(storage_state=state)
    page = context.new_page()
    if line:
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        bytes_per_s = line.megabits * 1e6 / 8
        conditions = {"downloadThroughput": bytes_per_s, "uploadThroughput": bytes_per_s}
        network.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": line.latency_ms} | conditions,
        )
    page.goto(url, wait_until="load")
    page.wait_for_function(FIRST_PAINT)
    found = float(page.evaluate(FIRST_PAINT))
    context.close()
    return found

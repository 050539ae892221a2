"""How long from a key press to new rows, in a library of 10,000 samples, in a real browser.

Prints the median and the 95th percentile of searching, filtering, sorting and scrolling, the
largest answer of the state, and beside them the same search through the API, as the baseline
of this machine at this moment.
"""

import json
import shutil
import statistics
import time

from instance import PASSWORD, database, library, person, product
from playwright.sync_api import Page, WebSocket, sync_playwright

from tests.e2e.conftest import FLAGS

SIZE = 10_000
ROUNDS = 30
WORDS = ("dusty", "kick", "velvet", "bass", "golden", "rim", "night", "stab", "paper", "arp")

# Resolves with the milliseconds between the act and the frame in which other rows were painted.
MEASURE = """
(act) => new Promise((resolve) => {
  const list = document.querySelector("[data-testid=table]");
  const began = performance.now();
  const watch = new MutationObserver(() => {
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
  });
  watch.observe(list, { childList: true, subtree: true, attributes: true });
  setTimeout(() => resolve(5000), 5000); // nothing came: count it as very slow, do not hang
  eval(act);
})
"""
TYPE = """
const field = document.querySelector("[data-testid=search]");
const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
set.call(field, %s);
field.dispatchEvent(new InputEvent("input", { bubbles: true }));
"""


def main() -> None:
    """Measure and print."""
    with product() as instance, sync_playwright() as playwright:
        with database(instance) as session:
            library(session, person(session), SIZE)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(base_url=instance.base_url)
        sizes: list[int] = []
        page.on("websocket", lambda socket: watch(socket, sizes))
        enter(page, instance.base_url)
        rooms, columns = ("loops", "one_shots", "all"), ("name", "bpm", "duration")
        results = {
            "search": times(page, lambda n: TYPE % json.dumps(WORDS[n % len(WORDS)])),
            "filter": times(page, lambda n: click(f"room-{rooms[n % 3]}")),
            "sort": times(page, lambda n: click(f"sort-{columns[n % 3]}")),
            "scroll": times(page, lambda n: f"list.scrollTop = {(n + 1) * 9_000}"),
            "API, the same search": api_times(page),
        }
        browser.close()
    for name, found in results.items():
        p95 = statistics.quantiles(found, n=20)[18]
        print(f"{name:22} median {statistics.median(found):6.1f} ms   p95 {p95:6.1f} ms")
    print(f"state per event        largest {max(sizes) / 1000:.1f} kB, n = {len(sizes)}")


def enter(page: Page, origin: str, *, empty: bool = False) -> None:
    """Sign in and open the library."""
    page.request.post(
        "/auth/session",
        form={"email": "bench@example.org", "password": PASSWORD},
        headers={"Origin": origin},
    )
    page.goto("/library")
    page.get_by_test_id("empty-library" if empty else "sample-row").first.wait_for()
    page.wait_for_timeout(500)


def watch(socket: WebSocket, sizes: list[int]) -> None:
    """Note the size of every answer of the state after the first page is there."""
    socket.on("framereceived", lambda frame: sizes.append(len(frame)))


def click(testid: str) -> str:
    """Return a script that clicks."""
    return f"document.querySelector('[data-testid={testid}]').click()"


def times(page: Page, act) -> list[float]:  # noqa: ANN001 - a small local function
    """Do something many times and return the milliseconds of each."""
    found = []
    for number in range(ROUNDS):
        found.append(page.evaluate(MEASURE, act(number)))
        page.wait_for_timeout(60)
    return found


def api_times(page: Page) -> list[float]:
    """Time the same searches over plain HTTP."""
    found = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        page.request.get(f"/api/samples?q={WORDS[number % len(WORDS)]}&limit=40")
        found.append(1000 * (time.perf_counter() - began))
    return found


if __name__ == "__main__":
    main()

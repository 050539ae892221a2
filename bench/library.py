"""Time from a key press to new rows, in a large library, in a real browser.

Prints the median and the 95th percentile of search, filter, sort and scroll, the largest state
update, and, as the baseline of this machine at this moment, the same search through the API. Then
the list is flung, and frames without rows are counted.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence

from instance import (
    PASSWORD,
    create_user,
    fill_library,
    open_database,
    running_product,
    vacuum_database,
)
from playwright.sync_api import Page, WebSocket, sync_playwright

from tests.browsers import launch_chromium

LIBRARY_SIZE = 10_000
FLING_SPEEDS_PX, FLING_FRAMES = (100, 250), 240  # pixels a frame, and for how many frames
ROUNDS = 30
SEARCH_WORDS = ("dusty", "kick", "velvet", "bass", "golden", "rim", "night", "stab", "paper", "arp")
UNCACHED_WORDS = ("snare", "hat", "chord", "break", "loop", "vox", "tom", "crash", "bell", "keys")
FLING_REPORT = (
    "blank {blank:4.0%} of frames, longest {longest:4.0f} ms; partly {partly:4.0%}; less than half"
    " {half:4.0f} ms; whole {after:4.0f} ms after the end; a frame takes {frame:.0f} ms"
)

# Resolves with the milliseconds from the action to the frame that paints other rows.
MEASURE_SCRIPT = """
(act) => new Promise((resolve) => {
  const list = document.querySelector("[data-testid=table]");
  const began = performance.now();
  const watch = new MutationObserver(() => {
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
  });
  watch.observe(list, { childList: true, subtree: true, attributes: true });
  setTimeout(() => resolve(5000), 5000); // timeout: count it as very slow
  eval(act);
})
"""
TYPE_SCRIPT = """
const field = document.querySelector("[data-testid=search]");
const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
set.call(field, %s);
field.dispatchEvent(new InputEvent("input", { bubbles: true }));
"""


# Scrolls and measures in each frame which share of the list shows rows. `half` is the longest time
# with less than half of it filled, `after` the time until it is filled once scrolling has stopped.
FLING_SCRIPT = """
([speed, frames]) => new Promise((resolve) => {
  const list = document.querySelector("[data-testid=table]");
  const times = [], shares = [];
  const share = () => {
    const box = list.getBoundingClientRect();
    const rows = document.querySelectorAll("[data-testid=sample-row]");
    if (!rows.length) return 0;
    const top = rows[0].getBoundingClientRect().top;
    const bottom = rows[rows.length - 1].getBoundingClientRect().bottom;
    const hidden = Math.max(0, top - box.top) + Math.max(0, box.bottom - Math.max(bottom, box.top));
    return Math.max(0, 1 - hidden / list.clientHeight);
  };
  const longest = (bad) => {
    let most = 0, since = null;
    times.forEach((time, at) => {
      if (!bad(shares[at])) since = null;
      else most = Math.max(most, (times[at + 1] ?? time) - (since ??= time));
    });
    return most;
  };
  const step = () => {
    if (times.length && times.length < frames) list.scrollTop += speed;
    // after scrolling, as the next paint will show it
    times.push(performance.now());
    shares.push(share());
    const late = shares[shares.length - 1] < 1 && times.length < frames + 600;
    if (times.length < frames || late) requestAnimationFrame(step);
    else resolve({
      blank: shares.filter((each) => each === 0).length / shares.length,
      partly: shares.filter((each) => each < 1).length / shares.length,
      longest: longest((each) => each === 0),
      half: longest((each) => each < 0.5),
      after: times[times.length - 1] - times[frames - 1],
      frame: (times[frames - 1] - times[0]) / (frames - 1),
    });
  };
  requestAnimationFrame(step);
})
"""
# Types a word while the list scrolls; resolves when other rows are painted at the top of the list.
SEARCH_IN_FLING_SCRIPT = """
(word) => new Promise((resolve) => {
  const list = document.querySelector("[data-testid=table]");
  const field = document.querySelector("[data-testid=search]");
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const total = list.dataset.total;
  let frames = 0, began = 0;
  const step = () => {
    frames += 1;
    if (frames === 40) {
      began = performance.now();
      set.call(field, word); // the page's CSP forbids eval by now
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
    const found = list.dataset.total !== total && list.querySelector("[data-testid=sample-row]");
    if (frames > 40 && found) {
      setTimeout(() => resolve(performance.now() - began));
      return;
    }
    if (frames > 600) return resolve(5000);
    if (frames < 40 || list.dataset.total === total) list.scrollTop += 250;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})
"""


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=LIBRARY_SIZE, help="samples in the library")
    size = options.parse_args().size
    with running_product() as instance, sync_playwright() as playwright:
        with open_database(instance) as session:
            fill_library(session, create_user(session), size)
        vacuum_database(instance)
        browser = launch_chromium(playwright)
        page = browser.new_page(base_url=instance.base_url)
        sizes: list[int] = []
        page.on("websocket", lambda socket: record_frame_sizes(socket, sizes))
        sign_in_to_library(page, instance.base_url)
        rooms, columns = ("loops", "one_shots", "all"), ("name", "bpm", "duration")
        print(f"{size:,} samples, load {os.getloadavg()[0]:.1f}", flush=True)
        print_times("API, uncached word", time_api_searches(page, UNCACHED_WORDS, 1))
        print_times("API, cached word", time_api_searches(page, SEARCH_WORDS, ROUNDS))
        print_times(
            "search",
            time_actions(
                page, lambda n: TYPE_SCRIPT % json.dumps(SEARCH_WORDS[n % len(SEARCH_WORDS)])
            ),
        )
        print_times("filter", time_actions(page, lambda n: click_script(f"room-{rooms[n % 3]}")))
        print_times("sort", time_actions(page, lambda n: click_script(f"sort-{columns[n % 3]}")))
        print_times("scroll", time_actions(page, lambda n: f"list.scrollTop = {(n + 1) * 9_000}"))
        print_times("search in a fling", time_searches_in_flings(page))
        for speed in FLING_SPEEDS_PX:
            page.goto("/library")
            page.get_by_test_id("sample-row").first.wait_for()
            found = page.evaluate(FLING_SCRIPT, [speed, FLING_FRAMES])
            print(f"fling, {speed} px a frame: " + FLING_REPORT.format(**found), flush=True)
        browser.close()
    print(f"state per event: largest {max(sizes) / 1000:.1f} kB, n = {len(sizes)}")


def print_times(name: str, found: list[float]) -> None:
    """Print one line of results."""
    p95 = statistics.quantiles(found, n=20)[18]
    line = f"{name:32} median {statistics.median(found):6.1f} ms   p95 {p95:6.1f} ms"
    print(line, flush=True)


def sign_in_to_library(page: Page, origin: str, *, empty: bool = False) -> None:
    """Sign in and open the library."""
    page.request.post(
        "/auth/session",
        form={"email": "bench@example.org", "password": PASSWORD},
        headers={"Origin": origin},
    )
    page.goto("/library")
    page.get_by_test_id("empty-library" if empty else "sample-row").first.wait_for()
    page.wait_for_timeout(500)


def record_frame_sizes(socket: WebSocket, sizes: list[int]) -> None:
    """Record the size of each state update after the first page."""
    socket.on("framereceived", lambda frame: sizes.append(len(frame)))


def click_script(testid: str) -> str:
    """Return a script that clicks an element."""
    return f"document.querySelector('[data-testid={testid}]').click()"


def time_actions(page: Page, act) -> list[float]:  # noqa: ANN001 - a function of the round's number
    """Repeat an action and return the milliseconds of each."""
    found = []
    for number in range(ROUNDS):
        found.append(page.evaluate(MEASURE_SCRIPT, act(number)))
        page.wait_for_timeout(60)
    return found


def time_searches_in_flings(page: Page) -> list[float]:
    """Search while the list scrolls, and return the milliseconds of each."""
    found = []
    for number in range(10):
        page.evaluate(f"() => {{ {TYPE_SCRIPT % json.dumps('')} }}")
        page.wait_for_timeout(600)
        found.append(
            page.evaluate(SEARCH_IN_FLING_SCRIPT, SEARCH_WORDS[number % len(SEARCH_WORDS)])
        )
    return found


def time_api_searches(page: Page, words: Sequence[str], rounds: int) -> list[float]:
    """Return the milliseconds of searches over plain HTTP."""
    found = []
    for number in range(max(rounds, len(words))):
        began = time.perf_counter()
        page.request.get(f"/api/samples?q={words[number % len(words)]}&limit=40")
        found.append(1000 * (time.perf_counter() - began))
    return found


if __name__ == "__main__":
    main()

"""The pad page with 160 pads: time to paint, size of state updates, and changes across two tabs.

Prints the time until the pads are painted beside that of the library page, in turns; the largest
state update; and the time from a key press until the change is painted in this and another tab.
"""

import io
import os
import statistics
import time
from typing import Any

import numpy as np
import soundfile
from instance import create_user, open_database, running_product
from library import record_frame_sizes, sign_in_to_library
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browsers import launch_chromium

PADS, ROUNDS, CHANGES = 160, 12, 100
RATE_HZ, SECONDS = 48_000, 0.4

# Records when a pad becomes empty or filled, and when a key was pressed, on the wall clock.
WATCH_SCRIPT = """
() => {
  window.painted = []; window.pressed = [];
  const pad = document.querySelector("[data-testid=pad-A1]");
  let was = pad.classList.contains("lit");
  new MutationObserver(() => {
    const is = pad.classList.contains("lit");
    if (is === was) return;
    was = is;
    requestAnimationFrame(() => setTimeout(() => window.painted.push(Date.now())));
  }).observe(pad, { attributes: true });
  document.addEventListener("keydown", (event) => {
    if (["Delete", "z"].includes(event.key)) window.pressed.push(Date.now());
  }, true);
}
"""


def main() -> None:
    """Measure and print."""
    with running_product() as instance, sync_playwright() as playwright:
        with open_database(instance) as session:
            create_user(session)
        browser = launch_chromium(playwright)
        context = browser.new_context(base_url=instance.base_url)
        page = context.new_page()
        sign_in_to_library(page, instance.base_url, empty=True)
        project = make_project(page, instance.base_url)
        wait_for_workers(page)
        print(f"{PADS} pads, load {os.getloadavg()[0]:.1f}", flush=True)
        library, pads = time_pages(page, project)
        ratio = statistics.median(pads) / statistics.median(library)
        print_times("library page", library)
        print_times("pad page", pads)
        print(f"pad page / library page          {ratio:.2f}", flush=True)
        measure_changes(browser, context, instance.base_url + project)
        browser.close()


def wait_for_workers(page: Page) -> None:
    """Wait until every sound is analysed: what is measured is the page, not the workers."""
    while any(job["status"] in {"queued", "running"} for job in newest_jobs(page)):
        page.wait_for_timeout(2000)


def newest_jobs(page: Page) -> list[dict[str, Any]]:
    """Return the newest jobs: those of all sounds, or more."""
    return page.request.get("/api/jobs?limit=200").json()["jobs"]


def make_project(page: Page, origin: str) -> str:
    """Upload one sound for each pad and put all on pads; return the path of the project's page."""
    ids = []
    for number in range(PADS):
        name = f"hit {number:03}.wav"
        sent = page.request.post(
            "/api/samples",
            multipart={"file": {"name": name, "mimeType": "audio/wav", "buffer": tone(number)}},
            headers={"Origin": origin},
        )
        ids.append(sent.json()["samples"][0]["id"])
    body = {"name": "Full", "device": "mk2", "sample_ids": ids}
    made = page.request.post("/api/projects", data=body, headers={"Origin": origin})
    return f"/projects/{made.json()['project']['id']}"


def tone(number: int) -> bytes:
    """Return a short WAV; each number sounds different."""
    seconds = np.arange(int(RATE_HZ * SECONDS)) / RATE_HZ
    wave = 0.5 * np.sin(2 * np.pi * (100 + 10 * number) * seconds) * np.exp(-8 * seconds)
    packed = io.BytesIO()
    soundfile.write(packed, wave, RATE_HZ, format="WAV", subtype="PCM_16")
    return packed.getvalue()


def time_pages(page: Page, project: str) -> tuple[list[float], list[float]]:
    """Open the library page and the pad page in turns; return the milliseconds of both."""
    library, pads = [], []
    for _ in range(ROUNDS):
        library.append(time_page(page, "/library", "[data-testid=sample-row]"))
        pads.append(time_page(page, project, "[data-testid=pad-A16].lit"))
    return library[2:], pads[2:]  # the first rounds fill the caches


def time_page(page: Page, path: str, selector: str) -> float:
    """Return the milliseconds from the request until an element is painted."""
    began = time.perf_counter()
    page.goto(path, wait_until="commit")
    page.locator(selector).first.wait_for()
    took = 1000 * (time.perf_counter() - began)
    page.wait_for_timeout(400)
    return took


def measure_changes(browser: Browser, context: BrowserContext, project: str) -> None:
    """Clear a pad and undo it, again and again; print when both tabs show it, and state sizes."""
    sizes: list[int] = []
    # The other tab has a window of its own: browsers paint hidden tabs late.
    window = browser.new_context(storage_state=context.storage_state())
    tabs = [context.new_page(), window.new_page()]
    tabs[0].on("websocket", lambda socket: record_frame_sizes(socket, sizes))
    for tab in tabs:
        tab.goto(project)
        wait_for_workers(tabs[0])  # they render the pads
        tab.get_by_test_id("pad-A16").wait_for()
        tab.wait_for_timeout(3000)
        tab.evaluate(WATCH_SCRIPT)
    tabs[0].bring_to_front()
    tabs[0].locator("[data-testid=pad-A1] .pad-face").focus()
    tabs[0].wait_for_timeout(800)
    sizes.clear()
    for number in range(CHANGES):
        tabs[0].keyboard.press("Control+z" if number % 2 else "Delete")
        tabs[0].wait_for_timeout(450)
    pressed = tabs[0].evaluate("window.pressed")
    for name, tab in zip(("this tab", "other tab"), tabs, strict=True):
        painted = tab.evaluate("window.painted")
        took = [shown - began for began, shown in zip(pressed, painted, strict=False)]
        print_times(f"a change, {name} (n = {len(took)})", took)
    for letter in "BCDA":
        tabs[0].get_by_test_id(f"bank-{letter}").click()
        tabs[0].wait_for_timeout(500)
    print(f"state per event: largest {max(sizes) / 1000:.1f} kB, n = {len(sizes)}")


def print_times(name: str, found: list[float]) -> None:
    """Print one line of results."""
    p95 = statistics.quantiles(found, n=20)[18]
    print(f"{name:32} median {statistics.median(found):6.1f} ms   p95 {p95:6.1f} ms", flush=True)


if __name__ == "__main__":
    main()

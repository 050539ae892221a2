"""The map of 10,000 sounds: until it is painted, and the script of a frame while it is moved.

    .venv/bin/python bench/map.py

The baseline of the first is the library page with the same sounds, opened in turns with the map.
"""

import os
import random
import statistics

from instance import create_user, fill_library, open_database, running_product
from library import sign_in_to_library
from pads import print_times, time_page
from playwright.sync_api import Page, sync_playwright
from sqlmodel import select

from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.models import Sample
from tests.browsers import launch_chromium

SIZE, ROUNDS, MOVES = 10_000, 12, 120
PAINTED = f'[data-testid=sound-map][data-count="{SIZE}"]'
# The time of the listener is what the page does in its frame: it draws at once.
TIME_WHEEL = """() => {
  window.times = [];
  const canvas = document.querySelector("[data-testid=map-canvas]");
  const listen = canvas.dispatchEvent.bind(canvas);
  window.move = (delta) => {
    const place = { deltaY: delta, clientX: 700, clientY: 400, cancelable: true };
    const event = new WheelEvent("wheel", place);
    const began = performance.now();
    listen(event);
    window.times.push(performance.now() - began);
  };
}"""


def main() -> None:
    """Measure and print."""
    with running_product() as instance, sync_playwright() as playwright:
        with open_database(instance) as session:
            fill_library(session, create_user(session), SIZE)
            rng = random.Random(404)  # noqa: S311 - reproducible, not secret
            for sample in session.exec(select(Sample)):
                sample.map_x, sample.map_y = rng.random(), rng.random()
                sample.sound_class = rng.choice(list(SoundClass))
        page = launch_chromium(playwright).new_context(base_url=instance.base_url).new_page()
        sign_in_to_library(page, instance.base_url)
        print(f"{SIZE:,} sounds, load {os.getloadavg()[0]:.1f}", flush=True)
        library, shown = [], []
        for _ in range(ROUNDS):
            library.append(time_page(page, "/library", "[data-testid=sample-row]"))
            shown.append(time_page(page, "/map", PAINTED))
        print_times("library page", library[2:])  # the first rounds fill the caches
        print_times("map", shown[2:])
        print(f"map / library page {statistics.median(shown) / statistics.median(library):.2f}")
        print_times("script of a frame", time_frames(page))


def time_frames(page: Page) -> list[float]:
    """Zoom in and out; return the milliseconds of script in each frame."""
    page.evaluate(TIME_WHEEL)
    for number in range(MOVES):
        page.evaluate("delta => window.move(delta)", -60 if number % 40 < 20 else 60)
        page.wait_for_timeout(20)
    return page.evaluate("window.times")


if __name__ == "__main__":
    main()

"""Time from the last byte of a 10 s loop to its waveform, tempo and key on the library page.

Uploads loops one by one with warm workers, in a real browser, and prints the median and the 95th
percentile. As the baseline of this machine at this moment, it also times the same analysis alone
in this process.
"""

import base64
import io
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from instance import create_user, open_database, running_product
from library import sign_in_to_library
from playwright.sync_api import sync_playwright

from sp404_app.audio.features.analysis import analyse, warm_up_engine
from sp404_app.audio.features.survey import survey_file
from tests.browsers import launch_chromium

ROUNDS = 30
RATE = 44_100

# Resolves with the milliseconds between the last byte sent and the row that has everything.
MEASURE_SCRIPT = """
([name, data]) => new Promise((resolve) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const body = new FormData();
  body.append("file", new File([bytes], name + ".wav"));
  const request = new XMLHttpRequest();
  let sent = 0;
  request.upload.onload = () => { sent = performance.now(); };
  const rows = document.querySelector("[data-testid=table]");
  const complete = (row) =>
    row.querySelector("[data-testid=name]").textContent === name &&
    row.querySelector(".mini-wave") &&
    row.querySelector("[data-testid=bpm]").textContent &&
    row.querySelector("[data-testid=key]").textContent;
  const watch = new MutationObserver(() => {
    if (![...rows.querySelectorAll("[data-testid=sample-row]")].some(complete)) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - sent)));
  });
  watch.observe(rows, { childList: true, subtree: true, characterData: true });
  setTimeout(() => resolve(20000), 20000);
  request.open("POST", "/api/samples");
  request.send(body);
})
"""


def main() -> None:
    """Measure and print."""
    loops = [render_loop(seed) for seed in range(ROUNDS)]
    with running_product() as instance, sync_playwright() as playwright:
        with open_database(instance) as session:
            create_user(session)
        browser = launch_chromium(playwright)
        page = browser.new_page(base_url=instance.base_url)
        sign_in_to_library(page, instance.base_url, empty=True)
        found = [
            page.evaluate(MEASURE_SCRIPT, [f"Loop {n}", base64.b64encode(data).decode()])
            for n, data in enumerate(loops)
        ]
        browser.close()
    show_times("upload to page", found)
    show_times("analysis alone", [time_analysis(data) for data in loops])
    print(json.dumps({"n": ROUNDS}))


def render_loop(seed: int) -> bytes:
    """Return ten seconds of drums at 96 BPM with an A minor chord, as WAV; each seed differs."""
    rng = np.random.default_rng(seed)
    time_axis = np.arange(10 * RATE) / RATE
    beat = time_axis % (60 / 96)
    kick = np.sin(2 * np.pi * 55 * beat) * np.exp(-12 * beat)
    hat = rng.normal(size=len(time_axis)) * np.exp(-60 * (time_axis % (30 / 96)))
    chord = sum(np.sin(2 * np.pi * f * time_axis) for f in (220.0, 261.63, 329.63))
    mix = 0.6 * kick + 0.08 * hat + 0.1 * chord + 0.001 * rng.normal(size=len(time_axis))
    target = io.BytesIO()
    soundfile.write(target, mix.astype(np.float32), RATE, format="WAV", subtype="PCM_16")
    return target.getvalue()


def time_analysis(data: bytes) -> float:
    """Return the time of survey and analysis in this process, warm, in milliseconds."""
    warm_up_engine()
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(data)
        file.flush()
        began = time.perf_counter()
        found = survey_file(Path(file.name))
        analyse(found.window, found.window_rate, duration=found.duration)
        return 1000 * (time.perf_counter() - began)


def show_times(name: str, times: list[float]) -> None:
    """Print one line."""
    p95 = statistics.quantiles(times, n=20)[18]
    print(f"{name:16} median {statistics.median(times):7.1f} ms   p95 {p95:7.1f} ms")


if __name__ == "__main__":
    main()

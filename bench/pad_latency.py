"""Time from the event of a key to the first frame of its pad in the audio thread.

By default on a page with only the pad engine. `--url` measures a page of a running product instead,
whose pads A1 to A16 sound; `--state` is a storage state of Playwright that is signed in there.
The output latency of the device is not included.
"""

import argparse
import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import instance  # noqa: F401 - makes the tests importable
import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests.browsers import launch_chromium
from tests.components.pad_page import Pads, PadServer, constant

PRESSES = 200
SOUND_FRAMES = 960  # 20 ms
MIN_PAUSE_MS, MAX_PAUSE_MS = 60, 110
CODES = [
    *("Digit1", "Digit2", "Digit3", "Digit4", "KeyQ", "KeyW", "KeyE", "KeyR"),
    *("KeyA", "KeyS", "KeyD", "KeyF", "KeyZ", "KeyX", "KeyC", "KeyV"),
]
GRID = "[data-testid=pad-grid], #grid"

ONSETS = """
registerProcessor("onsets", class extends AudioWorkletProcessor {
  process([[samples]]) {
    const first = samples ? samples.findIndex((value) => value !== 0) : -1;
    const onset = { frame: currentFrame + first, wall: Date.now() };
    if (first >= 0 && !this.sounds) this.port.postMessage(onset);
    this.sounds = first >= 0;
    return true;
  }
});
"""
LISTEN = """
window.onsets = [];
window.presses = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (...args) {
  if (args[0] === this.context.destination) listenBehind(this);
  return connect.apply(this, args);
};
async function listenBehind(node) {
  window.heard = node.context;
  const script = new Blob([ONSETS], { type: "text/javascript" });
  await node.context.audioWorklet.addModule(URL.createObjectURL(script));
  const listener = new AudioWorkletNode(node.context, "onsets", { numberOfOutputs: 0 });
  listener.port.onmessage = ({ data }) => onsets.push(data);
  connect.call(node, listener);
}
window.addEventListener("keydown", ({ timeStamp }) => {
  const { contextTime, performanceTime } = heard.getOutputTimestamp();
  const rendered = contextTime + (timeStamp - performanceTime) / 1000 + heard.outputLatency;
  presses.push({ wall: performance.timeOrigin + timeStamp, rendered });
}, { capture: true });
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="page of a running product")
    parser.add_argument("--state", help="storage state that is signed in")
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        context = browser.new_context(storage_state=arguments.state, bypass_csp=True)
        page = context.new_page()
        page.add_init_script(f"const ONSETS = {json.dumps(ONSETS)};{LISTEN}")
        if arguments.url:
            page.goto(arguments.url)
            page.wait_for_timeout(5000)
            press_all(page)
        else:
            with plain_page(page):
                press_all(page)
        report(page)
        browser.close()


@contextmanager
def plain_page(page: Page) -> Iterator[None]:
    """Open a page with only the engine and sixteen short sounds."""
    with PadServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.goto(server.url)
        page.wait_for_function("() => Boolean(window.engine)")
        pads = Pads(page, server)
        for number in range(1, len(CODES) + 1):
            pads.add(f"A{number}", constant(SOUND_FRAMES))
        pads.open()
        page.evaluate(
            """async () => {
              const keys = await import("/pad_keys.js");
              keys.listenToKeys();
              keys.setKeysActive(true);
            }"""
        )
        yield
        server.shutdown()


def press_all(page: Page) -> None:
    """Press keys at uneven times, so that they fall anywhere between two audio buffers."""
    page.locator(GRID).first.click()
    page.keyboard.press(CODES[0])  # starts the audio context
    page.wait_for_timeout(500)
    page.evaluate("() => { onsets.length = 0; presses.length = 0; }")
    for number in range(PRESSES):
        page.keyboard.press(CODES[number % len(CODES)])
        page.wait_for_timeout(random.uniform(MIN_PAUSE_MS, MAX_PAUSE_MS))  # noqa: S311 - not secret
    page.wait_for_timeout(300)


def report(page: Page) -> None:
    """Print the percentiles of both clocks."""
    onsets, presses = page.evaluate("[onsets, presses]")
    rate = page.evaluate("heard.sampleRate")
    print(f"{len(presses)} keys, {len(onsets)} sounds")
    pairs = list(zip(presses, onsets, strict=True))
    wall = [onset["wall"] - press["wall"] for press, onset in pairs]
    clock = [1000 * (onset["frame"] / rate - press["rendered"]) for press, onset in pairs]
    for name, values in (("wall clock", wall), ("audio clock", clock)):
        p50, p95 = np.percentile(values, [50, 95])
        print(f"{name:12} p50 {p50:5.1f}  p95 {p95:5.1f}  max {max(values):5.1f} ms")
    latency = page.evaluate("1000 * heard.outputLatency")
    print(f"output latency of the device, not included: {latency:.1f} ms")


if __name__ == "__main__":
    main()

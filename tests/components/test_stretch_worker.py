"""The browser stretches a sound exactly as a render does: both run the same module."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route, sync_playwright

from sp404_app.audio.render.clip import Clip
from sp404_app.audio.render.frame_store import FrameStore
from sp404_app.audio.render.stretch_clip import fill_loop, fill_sound
from sp404_app.audio.render.time_stretch import MODULE_PATH, Frames, Stretcher
from tests.browsers import launch_chromium
from tests.components.pad_page import SCRIPTS

ORIGIN = "http://stretch.test"
RATE = 48_000  # of the browser's audio
STRETCH = """async ({ channels, ...sound }) => {
  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const decode = (text) => new Float32Array(bytesOf(text).buffer);
  const worker = new Worker("/stretch_worker.js", { type: "module" });
  const done = new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); });
  worker.postMessage({ id: 1, channels: channels.map(decode), ...sound });
  const { error, channels: made } = await done;
  if (error) return { error };
  const encode = (samples) => {
    const bytes = new Uint8Array(samples.buffer);
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  };
  return { channels: made.map(encode) };
}"""


def serve(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN)
    if path == "/":
        route.fulfill(body="<!doctype html>", content_type="text/html")
    elif path.endswith(".wasm"):
        route.fulfill(body=MODULE_PATH.read_bytes(), content_type="application/wasm")
    else:
        body = (SCRIPTS / path.lstrip("/")).read_text()
        route.fulfill(body=body, content_type="text/javascript")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        page = browser.new_page()
        page.route(f"{ORIGIN}/**", serve)
        page.goto(f"{ORIGIN}/")
        yield page
        browser.close()


def stretch_in_browser(page: Page, sound: Frames, frames: int, **how: object) -> Frames:
    channels = [base64.b64encode(np.ascontiguousarray(each)).decode() for each in sound.T]
    message = {"channels": channels, "rate": RATE, "frames": frames, **how}
    made = page.evaluate(STRETCH, json.loads(json.dumps(message)))
    assert "error" not in made, made
    return np.array(
        [np.frombuffer(base64.b64decode(each), np.float32) for each in made["channels"]]
    ).T


def stretch_for_render(
    sound: Frames, frames: int, folder: Path, *, loop: bool, percussive: bool
) -> Frames:
    channels = sound.shape[1]
    with FrameStore(channels, folder) as source, FrameStore(channels, folder) as store:
        source.append(sound)
        clip = Clip(source, RATE, channels, 0, len(sound))
        with Stretcher(channels, RATE, percussive=percussive) as stretcher:
            fill = fill_loop if loop else fill_sound
            fill(clip, store, frames, stretcher, lambda _: None)
        return store.read(0, frames)


@pytest.mark.parametrize("loop", [True, False])
@pytest.mark.parametrize("percussive", [True, False])
@pytest.mark.parametrize(
    ("seconds", "channels", "ratio"), [(2.0, 2, 1.37), (0.8, 1, 0.75), (0.02, 1, 1.2)]
)
def test_a_preview_is_stretched_as_a_render_is(
    page: Page,
    tmp_path: Path,
    seconds: float,
    channels: int,
    ratio: float,
    percussive: bool,
    loop: bool,
) -> None:
    rng = np.random.default_rng(4)
    at = np.arange(round(seconds * RATE)) / RATE
    tones = [np.sin(2 * np.pi * 220 * (channel + 1) * at) for channel in range(channels)]
    sound = 0.4 * np.array(tones).T + 0.1 * rng.standard_normal((len(at), channels))
    sound = sound.astype(np.float32)
    frames = round(len(sound) * ratio)
    made = stretch_in_browser(page, sound, frames, loop=loop, percussive=percussive)
    rendered = stretch_for_render(sound, frames, tmp_path, loop=loop, percussive=percussive)
    assert made.shape == rendered.shape == (frames, channels)
    assert np.abs(made).max() > 0.1
    assert np.abs(made - rendered).max() < 1e-6

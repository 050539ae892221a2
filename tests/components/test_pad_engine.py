"""What the browser plays, recorded and compared with the render frame by frame."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.components.pad_page import Pads, PadServer, Samples, constant, noise, stereo

LENGTH = 9_600  # 0.2 s
FADE = 144  # 3 ms


def assert_starts_with(heard: Samples, expected: Samples) -> None:
    assert len(heard) >= len(expected)
    assert np.array_equal(heard[: len(expected)], expected)


def play_for(pads: Pads, key: str, frames: int) -> Samples:
    """Play a pad until at least `frames` were heard, then stop it."""
    pads.record()
    pads.press(key)
    pads.wait_heard(frames)
    heard = pads.recorded()
    pads.stop_all()
    pads.wait_silent()
    return heard


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [48000, 44100])
def test_a_pad_sounds_exactly_as_its_render(
    pad_page: Page, pad_server: PadServer, rate: int, channels: int
) -> None:
    pads = Pads(pad_page, pad_server, rate)
    sound = noise(LENGTH, channels)
    pads.add("A1", sound)
    pads.open()
    heard = pads.played("A1")
    assert_starts_with(heard, stereo(sound))
    assert not heard[LENGTH:].any()


def test_start_and_end_limit_what_sounds(pads: Pads) -> None:
    sound = noise(LENGTH)
    pads.add("A1", sound, start=1234, end=5678)
    pads.open()
    heard = pads.played("A1")
    assert_starts_with(heard, sound[1234:5678])
    assert not heard[4444:].any()


def test_reverse_plays_the_region_backwards(pads: Pads) -> None:
    sound = noise(LENGTH)
    pads.add("A1", sound, start=1000, end=6000, play_mode="reverse")
    pads.open()
    heard = pads.played("A1")
    assert_starts_with(heard, sound[1000:6000][::-1])
    assert not heard[5000:].any()


@pytest.mark.parametrize(
    ("mode", "settings", "passes"),
    [
        ("forward", {}, [(100, 3000, 1)] * 3),
        ("forward", {"loop_top": 2000}, [(100, 3000, 1)] + [(2000, 3000, 1)] * 5),
        ("reverse", {"loop_top": 3000}, [(100, 3000, -1)] * 3),
        ("reverse", {"loop_top": 900}, [(100, 3000, -1)] + [(100, 900, -1)] * 5),
        ("ping_pong", {}, [(100, 3000, 1), (100, 3000, -1)] * 2),
        (
            "ping_pong",
            {"loop_top": 2000},
            [(100, 3000, 1)] + [(2000, 3000, -1), (2000, 3000, 1)] * 3,
        ),
        ("reverse_ping_pong", {}, [(100, 3000, -1), (100, 3000, 1)] * 2),
        (
            "reverse_ping_pong",
            {"loop_top": 2000},
            [(100, 3000, -1), (100, 3000, 1)] + [(2000, 3000, -1), (2000, 3000, 1)] * 2,
        ),
    ],
)
def test_a_loop_repeats_from_its_loop_point(
    pads: Pads, mode: str, settings: dict[str, Any], passes: list[tuple[int, int, int]]
) -> None:
    sound = noise(LENGTH)
    looped = {"one_shot": False, "loop": True, "start": 100, "end": 3000, "play_mode": mode}
    pads.add("A1", sound, **looped, **settings)
    pads.open()
    expected = np.concatenate([sound[low:high][::step] for low, high, step in passes])
    assert_starts_with(play_for(pads, "A1", len(expected)), expected)


def test_a_handle_moved_while_a_loop_sounds_does_not_restart_it(pads: Pads) -> None:
    sound = noise(4800, seed=3)
    pads.add("A1", sound, one_shot=False, loop=True)
    pads.open()
    pads.record()
    pads.press("A1")
    pads.wait_for("engine.padPosition('A1') !== null")
    pads.change("A1", start=1000, end=2000)
    pads.page.wait_for_timeout(100)
    pads.wait_heard(int(pads.page.evaluate("audio.heard(48000)")) + 12_000)
    heard = pads.recorded()
    assert_starts_with(heard, sound[:1000])
    assert np.array_equal(heard[-3000:-2000], heard[-2000:-1000])  # a loop of 1,000 frames
    region = np.concatenate([sound[1000:2000]] * 2)
    first = np.flatnonzero((heard == sound[1000]).all(axis=1))[-2]
    assert np.array_equal(heard[first : first + 1000], region[:1000])


def test_gate_ends_with_the_key_and_one_shot_does_not(pads: Pads) -> None:
    pads.add("A1", constant(48_000), one_shot=False, gate=True)
    pads.add("A2", constant(24_000), one_shot=True)
    pads.open()
    for key in ("A1", "A2"):
        pads.record()
        pads.page.evaluate("window.hasPlayed = false")
        pads.press(key)
        pads.wait_for("window.hasPlayed")
        pads.release(key)
        pads.wait_silent()
        length = int(np.count_nonzero(pads.recorded()[:, 0]))
        assert length == 24_000 if key == "A2" else length < 24_000


def test_linked_pads_start_in_the_same_frame(pads: Pads) -> None:
    left, right = constant(4800, 1000), constant(4800, 200)
    pads.add("A1", left, pad_link=3)
    pads.add("A2", right, pad_link=3)
    pads.add("A3", constant(4800, 10), pad_link=4)
    pads.open()
    heard = pads.played("A2")
    assert_starts_with(heard, constant(4800, 1200, channels=2))


def test_a_pad_on_a_hidden_bank_sounds_with_the_visible_pad_it_is_linked_to(pads: Pads) -> None:
    pads.add("A1", constant(4800, 1000), pad_link=1)
    pads.add("C5", constant(4800, 200), pad_link=1)
    pads.open()
    pads.wait_ready("C5")
    assert_starts_with(pads.played("A1"), constant(4800, 1200, channels=2))


def test_level_pan_and_master_gain_scale_the_sound(pads: Pads) -> None:
    pads.add("A1", constant(4800, 8192), level=64)
    pads.add("A2", constant(4800, 8192), pan=-51)
    pads.add("A3", constant(4800, 8192), pan=51)
    pads.open()
    level = round(8192 * (64 / 127) ** 2)
    assert_starts_with(pads.played("A1"), constant(4800, level, channels=2))
    assert pads.played("A2")[:4800].tolist() == [[8192, 0]] * 4800
    assert pads.played("A3")[:4800].tolist() == [[0, 8192]] * 4800
    pads.page.evaluate("engine.setMasterGain(0.5)")
    pads.page.wait_for_timeout(100)
    pads.change("A2", pan=0)
    assert_starts_with(pads.played("A2"), constant(4800, 4096, channels=2))


def test_the_meter_shows_the_peak_and_falls_to_zero(pads: Pads) -> None:
    pads.add("A1", constant(9600, 16384))
    pads.open()
    pads.page.evaluate(
        """() => {
          window.peaks = [];
          engine.subscribe(() => peaks.push(engine.getSnapshot().level[0]));
        }"""
    )
    pads.played("A1")
    assert pads.page.evaluate("Math.max(...peaks)") == 0.5
    pads.wait_for("engine.getSnapshot().level[0] === 0 && engine.getSnapshot().rms[0] === 0")


def test_a_press_of_an_event_starts_at_the_frame_of_its_time(pads: Pads) -> None:
    pads.add("A1", constant(480, 1000))
    pads.open()
    pads.played("A1")
    pads.record()
    script = """() => {
      const now = performance.now();
      engine.pressPad("A1", {timeStamp: now});
      engine.pressPad("A1", {timeStamp: now + 100});
    }"""
    pads.page.evaluate(script)
    pads.wait_heard(4800 + 480 + 1)
    sounding = np.flatnonzero(pads.recorded()[:, 0])
    second = int(sounding[np.flatnonzero(np.diff(sounding) > 1)[0] + 1])
    assert abs(second - sounding[0] - 4800) <= 1


def test_all_sounds_stop(pads: Pads) -> None:
    for number in range(1, 5):
        pads.add(f"A{number}", constant(96_000, 1000), one_shot=False, loop=True)
    pads.open()
    pads.press("A1", "A2", "A3", "A4")
    pads.wait_for("engine.getSnapshot().playing.length === 4")
    pads.stop_all()
    pads.wait_silent()


def test_a_chop_is_auditioned_also_outside_of_start_and_end(pads: Pads) -> None:
    sound = noise(LENGTH)
    pads.add("A1", sound, start=2000, end=4000, loop=True, one_shot=False)
    pads.open()
    pads.record()
    assert pads.page.evaluate("engine.playRange('A1', 3000, 8000)")
    pads.wait_heard(6000)
    heard = pads.recorded()
    assert_starts_with(heard, sound[3000:8000])
    assert not heard[5000:].any()


def test_the_original_of_a_pad_is_played_for_comparison(pads: Pads) -> None:
    original = noise(LENGTH, seed=9)
    pads.add("A1", noise(LENGTH), start=5000, play_mode="reverse")
    pads.add("A2", original)  # only its address is used
    pads.open()
    pads.record()
    assert pads.page.evaluate("engine.playOriginal('A1', '/A2.wav')")
    pads.wait_heard(LENGTH + 1000)
    heard = pads.recorded()
    assert_starts_with(heard, original)
    assert not heard[LENGTH:].any()


def test_an_original_at_another_rate_is_converted(pads: Pads, pad_server: PadServer) -> None:
    pads.add("A1", noise(LENGTH))
    Pads(pads.page, pad_server, 24_000).add("B1", constant(4800, 8000))
    pads.open()
    pads.record()
    assert pads.page.evaluate("engine.playOriginal('A1', '/B1.wav')")
    pads.wait_heard(LENGTH + 1000)
    heard = pads.recorded()
    assert abs(np.count_nonzero(heard[:, 0] > 4000) - 9600) < 100


def test_a_damaged_original_is_not_played(pads: Pads, pad_server: PadServer) -> None:
    pads.add("A1", noise(LENGTH))
    pads.add("B1", noise(LENGTH))
    pad_server.sounds["/B1.wav"].body = b"not a sound"
    pads.open()
    assert not pads.page.evaluate("engine.playOriginal('A1', '/B1.wav')")
    assert not pads.page.evaluate("engine.playOriginal('A1', '/nowhere.wav')")
    assert not pads.page.evaluate("engine.playOriginal('F9', '/B1.wav')")


def test_two_projects_of_different_rates_follow_each_other(
    pad_page: Page, pad_server: PadServer
) -> None:
    for rate in (48000, 44100, 48000):
        pads = Pads(pad_page, pad_server, rate)
        sound = noise(LENGTH, seed=rate)
        pads.add("A1", sound)
        pads.open()
        assert_starts_with(pads.played("A1"), sound)
        pad_page.evaluate("engine.closeProject()")
        assert pads.snapshot()["ready"] == {}
    pad_page.evaluate("engine.pressPad('A1')")  # without a project, nothing happens
    assert pads.snapshot()["contextState"] == "none"


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("delete window.AudioWorkletNode", "Your browser can’t play pads."),
        ("Object.defineProperty(window, 'isSecureContext', {value: false})", "https://"),
    ],
)
def test_a_browser_that_cannot_play_pads_is_told_why(
    pad_browser: Browser, pad_server: PadServer, script: str, sentence: str
) -> None:
    page = pad_browser.new_page()
    page.goto(pad_server.url)
    page.wait_for_function("window.engine")
    page.evaluate(script)
    pads = Pads(page, pad_server)
    pads.add("A1", noise(LENGTH))
    pads.open(waits=False)
    pads.press("A1")
    assert sentence in pads.snapshot()["error"]
    page.close()

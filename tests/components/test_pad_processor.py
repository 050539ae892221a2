"""The audio thread's code, run block by block: each output frame is known."""

import base64
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from tests.components.pad_page import PadServer, Samples, constant, noise

FADE = 144  # 3 ms at 48 kHz
HALF = 16384
LEFT: dict[str, Any] = {"pan": -51}
RIGHT: dict[str, Any] = {"pan": 51}

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def offline_page(pad_browser: Browser) -> Iterator[Page]:
    """One page for all tests: each makes its own processor."""
    with PadServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = pad_browser.new_page()
        page.goto(server.url)
        page.add_script_tag(url="/pad_offline.js", type="module")
        page.wait_for_function("() => Boolean(window.playOffline)")
        yield page
        page.close()
        server.shutdown()


@pytest.fixture
def scene(offline_page: Page) -> "Scene":
    return Scene(offline_page)


class Scene:
    """Pads and events; `play` returns the output, shape (2, frames), 1.0 is full scale."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pads: dict[str, dict[str, Any]] = {}
        self.reports: list[dict[str, Any]] = []

    def add(
        self,
        key: str,
        samples: Samples,
        held: list[tuple[int, int, int]] | None = None,
        **settings: Any,
    ) -> None:
        """Add a pad; `held` lists its pieces as (first frame, end, frame of their arrival)."""
        self.pads[key] = {
            "samples": base64.b64encode(samples.astype("<i2").tobytes()).decode(),
            "channels": samples.shape[1],
            "held": held,
            "settings": settings,
        }

    def play(
        self, frames: int, *events: dict[str, Any], voices: int = 32, rate: int = 48000
    ) -> Floats:
        scene = {"rate": rate, "pads": self.pads, "voices": voices, "frames": frames}
        found = self.page.evaluate("(scene) => playOffline(scene)", {**scene, "events": events})
        self.reports = found["reports"]
        sides = [np.frombuffer(base64.b64decode(side), "<f4") for side in found["sides"]]
        return np.stack(sides)[:, :frames]


def press(*keys: str, at: int = 0, **more: Any) -> dict[str, Any]:
    return {"what": "press", "keys": keys, "at": at, **more}


def release(key: str, at: int, **more: Any) -> dict[str, Any]:
    return {"what": "release", "key": key, "at": at, **more}


def half_cosine(frames: int) -> Floats:
    """Return the fade from just under 1 to 0."""
    return (0.5 * (1 + np.cos(np.pi * np.arange(1, frames + 1) / frames))).astype(np.float32)


def test_presses_and_releases_happen_at_their_frame(scene: Scene) -> None:
    scene.add("A1", constant(4800, HALF), gate=True)
    heard = scene.play(2000, press("A1", frame=333), release("A1", 0, frame=777))[0]
    assert not heard[:333].any()
    assert (heard[333:777] == 0.5).all()
    assert np.allclose(heard[777 : 777 + FADE], 0.5 * half_cosine(FADE), atol=1e-6)
    assert not heard[777 + FADE :].any()


def test_a_second_release_does_not_prolong_the_first(scene: Scene) -> None:
    scene.add("A1", constant(4800, HALF), gate=True)
    heard = scene.play(2000, press("A1"), release("A1", 512), release("A1", 640))[0]
    assert np.allclose(heard[512 : 512 + FADE], 0.5 * half_cosine(FADE), atol=1e-6)
    assert not heard[512 + FADE :].any()


def test_a_release_does_not_come_before_its_press(scene: Scene) -> None:
    scene.add("A1", constant(4800, HALF), gate=True)
    heard = scene.play(2000, press("A1", frame=500), release("A1", 0, frame=0))[0]
    assert np.flatnonzero(heard)[0] == 500
    assert not heard[500 + FADE :].any()


@pytest.mark.parametrize("group", [0, 3])
def test_pads_of_a_mute_group_cut_each_other(scene: Scene, group: int) -> None:
    scene.add("A1", constant(4800, HALF), one_shot=True, mute_group=3, **LEFT)
    scene.add("A2", constant(4800, HALF), one_shot=True, mute_group=group, **RIGHT)
    left, right = scene.play(4000, press("A1"), press("A2", at=1000))
    assert (left[:1000] == 0.5).all()
    assert (right[1000:] == 0.5).all()
    if group:
        assert np.allclose(left[1000 : 1000 + FADE], 0.5 * half_cosine(FADE), atol=1e-6)
        assert not left[1000 + FADE :].any()
    else:
        assert (left == 0.5).all()


def test_linked_pads_of_one_mute_group_do_not_cut_each_other(scene: Scene) -> None:
    scene.add("A1", constant(480, HALF), one_shot=True, mute_group=1, **LEFT)
    scene.add("A2", constant(480, HALF), one_shot=True, mute_group=1, **RIGHT)
    assert (scene.play(480, press("A1", "A2")) == 0.5).all()


def test_a_pad_pressed_again_restarts(scene: Scene) -> None:
    sound = noise(4800, 1)
    scene.add("A1", sound, one_shot=True)
    heard = scene.play(4000, press("A1"), press("A1", at=1000))[0]
    exact = sound[:, 0] / np.float32(32768)
    assert np.array_equal(heard[:1000], exact[:1000])
    assert np.array_equal(heard[1000 + FADE :], exact[FADE:3000])


@pytest.mark.parametrize(
    ("voices", "channels", "held"), [(32, 1, 32), (32, 2, 32), (12, 1, 12), (12, 2, 6)]
)
def test_the_oldest_voice_ends_when_there_are_too_many(
    scene: Scene, voices: int, channels: int, held: int
) -> None:
    keys = [f"{bank}{number}" for bank in "ABC" for number in range(1, 17)][: held + 2]
    for number, key in enumerate(keys):
        scene.add(key, constant(9600, 2**number % 509, channels=channels), one_shot=True)
    presses = [press(key, at=number * 128) for number, key in enumerate(keys)]
    heard = scene.play(9600, *presses, voices=voices)[0] * 32768
    values = [2**number % 509 for number in range(len(keys))]
    assert heard[held * 128 - 1] == sum(values[:held])
    assert heard[9500] == sum(values[2:])


def test_a_pad_without_gate_stops_at_the_second_press(scene: Scene) -> None:
    scene.add("A1", constant(4800, HALF), gate=False, loop=True)
    heard = scene.play(6400, press("A1"), release("A1", 500), press("A1", at=6000))[0]
    assert (heard[:6000] == 0.5).all()
    assert not heard[6000 + FADE :].any()
    heard = scene.play(3000, press("A1"), press("A1", at=512), press("A1", at=1024))[0]
    assert not heard[512 + FADE : 1024].any()
    assert (heard[1024:] == 0.5).all()


def test_ping_pong_without_a_loop_plays_there_and_back_once(scene: Scene) -> None:
    sound = noise(500, 1)
    scene.add("A1", sound, one_shot=True, play_mode="ping_pong")
    scene.add("A2", sound, one_shot=True, play_mode="reverse_ping_pong")
    there, back = sound[:, 0] / np.float32(32768), sound[::-1, 0] / np.float32(32768)
    heard = scene.play(1500, press("A1"))[0]
    assert np.array_equal(heard[:1000], np.concatenate([there, back]))
    assert not heard[1000:].any()
    heard = scene.play(1500, press("A2"))[0]
    assert np.array_equal(heard[:1000], np.concatenate([back, there]))
    assert not heard[1000:].any()


def test_attack_hold_and_release_shape_the_level(scene: Scene) -> None:
    rate = 1000
    scene.add("A1", constant(8000, HALF), gate=True, attack=127, release=127)
    heard = scene.play(9000, press("A1"), release("A1", 5000), rate=rate)[0]
    assert np.allclose(heard[:3000], 0.5 * (1 - half_cosine(3000)), atol=1e-6)
    assert (heard[3000:5000] == 0.5).all()
    assert np.allclose(heard[5000:8000], 0.5 * half_cosine(3000), atol=1e-6)
    assert not heard[8000:].any()

    scene.add("A2", constant(2000, HALF), one_shot=True, hold=25, release=42)
    heard = scene.play(2000, press("A2"), rate=rate)[0]
    fade = round(42 / 127 * 3000)
    assert (heard[:500] == 0.5).all()
    assert np.allclose(heard[500 : 500 + fade], 0.5 * half_cosine(fade), atol=1e-6)
    assert not heard[500 + fade :].any()


def test_a_loop_is_not_ended_by_hold(scene: Scene) -> None:
    scene.add("A1", constant(500, HALF), gate=True, loop=True, hold=10)
    assert (scene.play(3000, press("A1"))[0] == 0.5).all()


def test_velocity_counts_unless_it_is_fixed(scene: Scene) -> None:
    scene.add("A1", constant(480, HALF), one_shot=True)
    scene.add("A2", constant(480, HALF), one_shot=True, fixed_velocity=True)
    soft = scene.play(480, press("A1", velocity=64))[0]
    assert np.allclose(soft, 0.5 * (64 / 127) ** 2)
    assert (scene.play(480, press("A2", velocity=64))[0] == 0.5).all()


def sine(frames: int, cycles_per_frame: float) -> Floats:
    return np.sin(2 * np.pi * cycles_per_frame * np.arange(frames)).astype(np.float32)


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({"pitch": 5, "fine": 0, "vinyl": True}, 2 ** (5 / 12)),
        ({"pitch": -12, "fine": -49, "vinyl": True}, 2 ** (-12.49 / 12)),
        ({"pitch": 5, "speed": 133.48, "vinyl": True}, 1.3348),
        ({"pitch": 12, "speed": 50, "vinyl": False}, 1.0),
        ({"pitch": 0, "speed": 150, "vinyl": False}, 1.5),
    ],
)
def test_pitch_and_speed_set_the_playback_rate(
    scene: Scene, settings: dict[str, Any], rate: float
) -> None:
    tone = sine(9600, 0.01)
    scene.add("A1", np.rint(tone * 20000)[:, None].astype(np.int16), one_shot=True, **settings)
    heard = scene.play(24_000, press("A1"))[0]
    assert abs(np.flatnonzero(heard)[-1] + 1 - 9600 / rate) <= 2
    wanted = sine(4000, 0.01 * rate) * 20000 / 32768
    error = heard[:4000] - wanted
    assert 10 * np.log10(np.mean(wanted**2) / np.mean(error**2)) > 70


def test_a_pitched_loop_has_no_click_at_its_seam(scene: Scene) -> None:
    tone = sine(4800, 0.01)  # 48 periods
    for mode in ("forward", "reverse"):
        looped = {"loop": True, "gate": True, "pitch": 3, "play_mode": mode}
        scene.add("A1", np.rint(tone * 20000)[:, None].astype(np.int16), **looped)
        heard = scene.play(14_000, press("A1"))[0]
        wanted = sine(14_000, 0.01 * 2 ** (3 / 12)) * 20000 / 32768
        if mode == "reverse":
            heard, wanted = heard[4800:], None
            steps = np.abs(np.diff(heard, 2))
            assert steps.max() < 0.008
        else:
            assert np.abs(heard - wanted).max() < 1e-3


def test_a_moved_level_does_not_jump(scene: Scene) -> None:
    scene.add("A1", constant(4800, HALF), one_shot=True)
    heard = scene.play(
        4000, press("A1"), {"what": "set", "key": "A1", "at": 1024, "settings": {"level": 0}}
    )[0]
    assert np.abs(np.diff(heard)).max() <= 0.5 / 256 + 1e-6
    assert not heard[1400:].any()


def test_the_play_mode_changes_while_a_pad_sounds(scene: Scene) -> None:
    sound = noise(2000, 1)
    scene.add("A1", sound, loop=True, gate=True)
    change = {"loop": True, "gate": True, "play_mode": "reverse"}
    heard = scene.play(
        1500, press("A1"), {"what": "set", "key": "A1", "at": 1024, "settings": change}
    )
    exact = sound[:, 0] / np.float32(32768)
    assert np.array_equal(heard[0, :1024], exact[:1024])
    assert np.array_equal(heard[0, 1024:1500], exact[1024:548:-1])


def test_a_missing_piece_delays_the_sound_and_loses_nothing(scene: Scene) -> None:
    sound = noise(2000, 2)
    scene.add("A1", sound, held=[(0, 1000, 0), (1000, 2000, 1280)], one_shot=True)
    heard = scene.play(3000, press("A1")) * 32768
    assert np.array_equal(heard[:, :1000], sound[:1000].T)
    assert not heard[:, 1000:1280].any()
    assert np.array_equal(heard[:, 1280:2280], sound[1000:].T)


def test_a_pad_that_waits_for_a_piece_ends_when_it_is_released(scene: Scene) -> None:
    scene.add("A1", constant(2000, HALF), held=[(0, 1000, 0)], gate=True)
    scene.play(3000, press("A1"), release("A1", 2000))
    assert scene.reports[-1]["voices"] == []


def test_audio_that_is_removed_ends_its_voices_softly(scene: Scene) -> None:
    scene.add("A1", constant(4800, HALF), one_shot=True)
    heard = scene.play(2000, press("A1"), {"what": "removeAudio", "id": 0, "at": 1024})[0]
    assert np.allclose(heard[1024 : 1024 + FADE], 0.5 * half_cosine(FADE), atol=1e-6)
    kept = {"what": "removeAudio", "id": 0, "at": 1024, "letsVoicesEnd": True}
    assert (scene.play(2000, press("A1"), kept, press("A1", at=4000))[0] == 0.5).all()


def test_the_report_has_peak_and_rms(scene: Scene) -> None:
    scene.add("A1", constant(6400, HALF), one_shot=True, **LEFT)
    scene.play(96_000, press("A1"))
    loud = max(scene.reports, key=lambda report: report["rms"][0])
    assert loud["peaks"] == [0.5, 0]
    assert loud["rms"] == [0.5, 0]
    assert scene.reports[-1]["peaks"] == [0, 0]
    assert len(scene.reports) < 10  # silence is reported once


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"level": "loud", "pan": None, "pitch": "x", "start": "0", "end": "9"},
        {"start": 1e9, "end": -1, "loop": True, "loop_top": 1e12, "play_mode": "sideways"},
        {"start": 1e9, "end": 1e9, "hold": -3, "attack": 1e9, "release": -1, "speed": 0},
        {
            "loop": True,
            "loop_top": "x",
            "mute_group": [],
            "level": {},
            "speed": 1e9,
            "vinyl": False,
        },
    ],
)
def test_any_settings_give_usable_numbers(scene: Scene, settings: dict[str, Any]) -> None:
    assert scene.page.evaluate("(settings) => hasOnlyNumbers(settings)", settings)

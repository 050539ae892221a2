"""Loading of pads: order, waiting for renders, failures, ranges, and the bound on memory."""

import json
from collections import deque
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, Request

from tests.components.pad_page import Pads, PadServer, Sound, constant, noise, wav_of

MIB = 2**20
BOUND = 128 * MIB
SECOND = 48_000


def held_bytes(pads: Pads) -> int:
    """Return the bytes of audio that were sent to the audio thread and not removed."""
    return pads.page.evaluate("heldBytes()")


@pytest.fixture
def counted(pad_page: Page) -> Page:
    """Count what the page sends to the audio thread, by message."""
    pad_page.evaluate(
        """() => {
          window.held = {};
          window.mostBytes = 0;
          const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
          const bytesOf = ({pieces}) => sum(Object.values(pieces));
          window.heldBytes = () => sum(Object.values(held).map(bytesOf));
          const post = MessagePort.prototype.postMessage;
          MessagePort.prototype.postMessage = function (message, ...more) {
            const {type, id, from, data, replaces} = message || {};
            if (type === "addAudio") {
              if (replaces || !held[id]) held[id] = {pieces: {}};
              held[id].pieces[from] = data.byteLength;
            }
            if (type === "removePiece") delete held[id].pieces[from];
            if (type === "removeAudio") delete held[id];
            mostBytes = Math.max(mostBytes, heldBytes());
            return post.call(this, message, ...more);
          };
        }"""
    )
    return pad_page


@pytest.fixture
def asked(pad_page: Page) -> list[str]:
    """List the sounds in the order in which the page asks; the server may see another."""
    paths: list[str] = []

    def note(request: Request) -> None:
        if (path := urlsplit(request.url).path).endswith(".wav"):
            paths.append(path)

    pad_page.on("request", note)
    return paths


def add_long(pads: Pads, key: str, frames: int, **settings: Any) -> None:
    """Put a long stereo sound on a pad without random numbers, which take long to make."""
    ramp = (np.arange(frames) % 30_011 + 1).astype(np.int16)
    pads.add(key, np.column_stack([ramp, -ramp]), **settings)


def test_a_render_that_is_being_made_is_asked_for_again(pads: Pads, pad_server: PadServer) -> None:
    pads.add("A1", noise(480))
    pad_server.sounds["/A1.wav"].statuses = deque([202, 202, 202])
    pads.open(waits=False)
    pads.wait_for("engine.getSnapshot().loading.A1 === 'rendering'")
    pads.wait_ready("A1")
    assert len(pad_server.requests_for("/A1.wav")) == 4
    assert pads.snapshot()["loading"] == {}


def test_a_finished_render_is_fetched_at_once_when_the_page_says_so(
    pads: Pads, pad_server: PadServer
) -> None:
    pads.page.clock.install(time=0)
    pads.page.clock.pause_at(3600)
    pads.add("A1", noise(480))
    pad_server.sounds["/A1.wav"].statuses = deque([202])
    pads.open(waits=False)
    pads.page.wait_for_timeout(300)
    assert len(pad_server.requests_for("/A1.wav")) == 1  # the page's clock does not advance
    pads.page.evaluate("engine.invalidate('A1')")
    for _ in range(50):
        if pads.snapshot()["ready"]:
            break
        pads.page.wait_for_timeout(50)
    assert pads.snapshot()["ready"] == {"A1": True}


@pytest.mark.parametrize("status", [404, 403])
def test_a_refused_pad_fails_at_once_and_others_load(
    pads: Pads, pad_server: PadServer, status: int
) -> None:
    pads.add("A1", noise(480))
    pads.add("A2", noise(480))
    pad_server.sounds["/A1.wav"].statuses = deque([status] * 9)
    pads.open(waits=False)
    pads.wait_ready("A2")
    pads.wait_for("engine.getSnapshot().failed.A1")
    assert len(pad_server.requests_for("/A1.wav")) == 1
    pads.press("A1")  # tries again
    pads.wait_for("engine.getSnapshot().failed.A1")
    pads.page.wait_for_timeout(100)
    assert len(pad_server.requests_for("/A1.wav")) == 2
    pad_server.sounds["/A1.wav"].statuses.clear()
    pads.page.evaluate("engine.invalidate('A1')")
    pads.wait_ready("A1")
    assert pads.snapshot()["failed"] == {}


def test_a_server_error_is_retried_a_few_times(pads: Pads, pad_server: PadServer) -> None:
    pads.page.clock.install()
    pads.add("A1", noise(480))
    pads.add("A2", noise(480))
    pad_server.sounds["/A1.wav"].statuses = deque([500] * 99)
    pad_server.sounds["/A2.wav"].statuses = deque([503, 500])
    pads.open(waits=False)
    for _ in range(60):
        pads.page.clock.run_for(500)
        pads.page.wait_for_timeout(20)
    assert "Check your connection" in pads.snapshot()["failed"]["A1"]
    assert len(pad_server.requests_for("/A1.wav")) == 5
    assert pads.snapshot()["ready"] == {"A2": True}


@pytest.mark.parametrize(
    "body", [b"", b"RIFF", b"no sound at all", b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd"]
)
def test_damaged_audio_fails_with_a_sentence(
    pads: Pads, pad_server: PadServer, body: bytes
) -> None:
    pads.add("A1", noise(480))
    pad_server.sounds["/A1.wav"].body = body
    pads.open(waits=False)
    pads.wait_for("engine.getSnapshot().failed.A1")
    assert "damaged" in pads.snapshot()["failed"]["A1"]


def test_only_the_region_between_start_and_end_is_fetched(
    pads: Pads, pad_server: PadServer, counted: Page
) -> None:
    sound = noise(96_000)
    pads.add("A1", sound, start=10_000, end=20_000)
    pads.open()
    assert pad_server.requests_for("/A1.wav") == ["bytes=40044-80043"]
    assert held_bytes(pads) == 40_000
    heard = pads.played("A1")
    assert np.array_equal(heard[:10_000], sound[10_000:20_000])


def test_a_handle_that_moves_outward_fetches_the_rest(pads: Pads) -> None:
    sound = noise(96_000)
    pads.add("A1", sound, start=60_000, end=70_000)
    pads.open()
    pads.change("A1", start=1000, end=6000)
    pads.wait_for("(() => { const {ready, loading} = engine.getSnapshot(); return ready.A1; })()")
    pads.page.wait_for_timeout(300)
    heard = pads.played("A1")
    assert np.array_equal(heard[:5000], sound[1000:6000])


@pytest.mark.parametrize("known", [True, False])
def test_length_and_channels_may_be_unknown_or_wrong(
    pads: Pads, pad_server: PadServer, known: bool
) -> None:
    sound = noise(9600, 1)
    pads.add("A1", sound, start=100, end=5000)
    pads.pads["A1"] |= {"frames": 7777 if known else None, "channels": 2 if known else None}
    pads.open()
    heard = pads.played("A1")
    assert np.array_equal(heard[:4900, :1], sound[100:5000])


def test_a_server_without_ranges_is_understood(pads: Pads, pad_server: PadServer) -> None:
    sound = noise(9600)
    pads.add("A1", sound, start=100, end=5000)
    pad_server.sounds["/A1.wav"].answers_ranges = False
    pads.open()
    assert np.array_equal(pads.played("A1")[:4900], sound[100:5000])


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_long_sound_is_streamed_in_pieces(
    pads: Pads, pad_server: PadServer, counted: Page, mode: str
) -> None:
    frames = 31 * SECOND
    add_long(pads, "A1", frames, play_mode=mode, one_shot=True, pitch=12, speed=150, vinyl=False)
    pads.open()
    assert held_bytes(pads) <= 2 * 262_144
    ramp = np.arange(frames) % 30_011 + 1
    pads.change("A1", pitch=0, speed=100)
    pads.record()
    pads.press("A1")
    pads.wait_heard(210_000)  # over several pieces
    heard = pads.recorded()[:, 0]
    pads.stop_all()
    expected = ramp if mode == "forward" else ramp[::-1]
    assert np.array_equal(heard, expected[: len(heard)])
    assert counted.evaluate("mostBytes") <= 8 * 262_144
    assert all(header for header in pad_server.requests_for("/A1.wav"))


def test_a_chop_in_the_middle_of_a_long_sound_is_auditioned(pads: Pads) -> None:
    frames = 40 * SECOND
    add_long(pads, "A1", frames)
    pads.open()
    first = 25 * SECOND
    pads.record()
    assert pads.page.evaluate(
        "([from, to]) => engine.playRange('A1', from, to)", [first, first + 9600]
    )
    pads.wait_heard(10_000)
    heard = pads.recorded()[:, 0]
    ramp = np.arange(frames) % 30_011 + 1
    assert np.array_equal(heard[:9600], ramp[first : first + 9600])
    assert not heard[9600:].any()


def test_a_long_loop_goes_on_at_its_loop_point(pads: Pads) -> None:
    frames = 32 * SECOND
    settings = {"loop": True, "one_shot": False, "loop_top": 20 * SECOND, "end": 31 * SECOND}
    add_long(pads, "A1", frames, **settings)
    pads.open()
    pads.press("A1")
    pads.page.wait_for_timeout(500)
    pads.stop_all()
    pads.wait_silent()
    pads.change("A1", start=frames - 3 * SECOND, end=frames - SECOND, loop_top=frames - 2 * SECOND)
    pads.wait_ready("A1")
    pads.record()
    pads.press("A1")
    pads.wait_heard(120_000)
    heard = pads.recorded()[:, 0]
    ramp = np.arange(frames) % 30_011 + 1
    first = ramp[frames - 3 * SECOND : frames - SECOND]
    again = ramp[frames - 2 * SECOND : frames - SECOND]
    assert np.array_equal(heard[: 2 * SECOND], first)
    rest = heard[2 * SECOND :][: len(again)]
    assert len(rest)
    assert np.array_equal(rest, again[: len(rest)])


def test_the_visible_bank_is_loaded_first_and_a_few_requests_at_once(
    pads: Pads, pad_server: PadServer, asked: list[str]
) -> None:
    for bank in "ABC":
        for number in range(1, 9):
            pads.add(f"{bank}{number}", noise(480))
    pad_server.gate.clear()
    pads.open(bank="B", waits=False)
    pads.page.wait_for_timeout(500)
    pad_server.gate.set()
    pads.wait_ready(*pads.pads)
    assert [path[1] for path in asked][:8] == ["B"] * 8
    assert pad_server.most_at_once == 3


def test_a_pad_that_is_pressed_is_loaded_before_others(
    pads: Pads, pad_server: PadServer, asked: list[str]
) -> None:
    for number in range(1, 17):
        pads.add(f"A{number}", noise(480))
    pad_server.gate.clear()
    pads.open(waits=False)
    pads.wait_for("Object.keys(engine.getSnapshot().loading).length === 3")
    pads.press("A16")
    pad_server.gate.set()
    pads.wait_ready(*pads.pads)
    assert asked.index("/A16.wav") == 3


def test_hidden_banks_wait_while_a_visible_pad_is_rendered(
    pads: Pads, pad_server: PadServer
) -> None:
    pads.add("A1", noise(480))
    pads.add("B1", noise(480))
    pad_server.sounds["/A1.wav"].statuses = deque([202, 202])
    pads.open()
    pads.wait_ready("B1")
    assert [path for path, _ in pad_server.requests] == ["/A1.wav"] * 3 + ["/B1.wav"]


def test_audio_in_memory_stays_below_the_bound(pads: Pads, counted: Page) -> None:
    frames = 29 * SECOND  # 16 of them are 85 MiB: two banks exceed the bound
    samples = constant(frames, 5, channels=2)
    body = wav_of(samples, 48_000)
    for bank in "ABC":
        for number in range(1, 17):
            key = f"{bank}{number}"
            pads.pads[key] = {
                "key": key,
                "url": f"/{key}.wav",
                "hash": "1",
                "frames": frames,
                "channels": 2,
                "settings": {"one_shot": False, "loop": True},
            }
            pads.server.sounds[f"/{key}.wav"] = Sound(body)
    pads.open(bank="A")
    for bank in ("B", "C", "A"):
        pads.press("A1")
        pads.page.evaluate("(bank) => engine.setBank(bank)", bank)
        pads.wait_ready(*(key for key in pads.pads if key.startswith(bank)))
    assert counted.evaluate("mostBytes") <= BOUND
    assert counted.evaluate("mostBytes") > 0.7 * BOUND
    ready = pads.snapshot()["ready"]
    assert len(ready) * frames * 4 <= BOUND


def test_a_new_render_replaces_the_old_one(pads: Pads, pad_server: PadServer) -> None:
    pads.add("A1", constant(4800, 1000))
    pads.open()
    pad_server.sounds["/A1-2.wav"] = Sound(wav_of(constant(4800, 2000), 48_000))
    pads.pads["A1"] |= {"url": "/A1-2.wav", "hash": "A1-2"}
    pads.show()
    pads.wait_ready("A1")
    assert (pads.played("A1")[:4800] == 2000).all()


def test_a_pad_that_is_cleared_stops_and_is_forgotten(pads: Pads, counted: Page) -> None:
    pads.add("A1", constant(4800), loop=True, one_shot=False)
    pads.add("A2", constant(4800))
    pads.open()
    pads.press("A1")
    pads.wait_for("engine.getSnapshot().playing.includes('A1')")
    del pads.pads["A1"]
    pads.show()
    pads.wait_silent()
    assert pads.snapshot()["ready"] == {"A2": True}
    assert held_bytes(pads) == 9600
    pads.press("A1")
    pads.page.wait_for_timeout(100)
    assert pads.snapshot()["playing"] == []


def test_a_pad_without_an_address_is_left_alone(pads: Pads, pad_server: PadServer) -> None:
    pads.add("A1", noise(480))
    pads.add("A2", noise(480))
    pads.pads["A1"]["url"] = None
    pads.open(waits=False)
    pads.wait_ready("A2")
    pads.press("A1", "Z9")
    assert json.dumps(pads.snapshot()["failed"]) == "{}"
    assert pad_server.requests_for("/A1.wav") == []

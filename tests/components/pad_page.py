"""A page with only the pad engine, on a server whose sounds and responses the tests define."""

import base64
import http.server
import io
import re
import threading
import time
import wave
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

import sp404_app

SCRIPTS = Path(sp404_app.__file__).parent / "components"
HERE = Path(__file__).parent
WORKER_URL = "worker&url"  # what Vite turns into the address of a script
PAGE = b"""<!doctype html><link rel=icon href=data:,>
<div id=grid tabindex=0>grid</div><input id=text>
<script type=module src=/pad_harness.js></script>"""
TIMEOUT_S = 15

Samples = NDArray[np.int16]


def noise(frames: int, channels: int = 2, seed: int = 1, peak: int = 32767) -> Samples:
    """Return random samples, shape (frames, channels), none of them zero."""
    random = np.random.default_rng(seed)
    signs = random.choice(np.array([-1, 1]), (frames, channels))
    return (signs * random.integers(1, peak + 1, (frames, channels))).astype(np.int16)


def constant(frames: int, value: int = 16384, channels: int = 1) -> Samples:
    """Return samples of one value, shape (frames, channels)."""
    return np.full((frames, channels), value, np.int16)


def wav_of(samples: Samples, rate: int) -> bytes:
    """Return a 16-bit WAV with a header of 44 bytes."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(samples.shape[1])
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def stereo(samples: Samples) -> Samples:
    """Return the samples as two channels."""
    return np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples


@dataclass
class Sound:
    """A file of the server; `statuses` are given one by one before the file is."""

    body: bytes
    statuses: deque[int] = field(default_factory=deque[int])
    answers_ranges: bool = True
    kind: str = "audio/wav"


class PadServer(http.server.ThreadingHTTPServer):
    """Serves the scripts and the sounds, and lists the requests for sounds."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sounds: dict[str, Sound] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.gate = threading.Event()  # while it is not set, sounds wait
        self.gate.set()
        self.most_at_once = 0
        self.at_once = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def requests_for(self, path: str) -> list[str | None]:
        """Return the Range header of each request for a path."""
        return [header for requested, header in self.requests if requested == path]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: PadServer

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/":
            self.reply(200, PAGE, {"Content-Type": "text/html"})
        elif query == WORKER_URL:
            self.reply_script(f'export default "{path}";'.encode())
        elif path.endswith(".js"):
            folder = SCRIPTS if (SCRIPTS / path[1:]).exists() else HERE
            self.reply_script((folder / path[1:]).read_bytes())
        else:
            self.reply_sound(path)

    def reply_script(self, script: bytes) -> None:
        self.reply(200, script, {"Content-Type": "text/javascript"})

    def reply_sound(self, path: str) -> None:
        server = self.server
        with server.lock:
            server.requests.append((path, self.headers["Range"]))
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        server.gate.wait(20)
        with server.lock:
            server.at_once -= 1
            sound = server.sounds.get(path)
            status = sound.statuses.popleft() if sound and sound.statuses else 200
        if sound is None or status != 200:
            self.reply(status if sound else 404, b"{}", {"Content-Type": "application/json"})
        else:
            self.reply_file(sound)

    def reply_file(self, sound: Sound) -> None:
        headers = {"Content-Type": sound.kind, "Cache-Control": "no-store"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"] or "")
        if not asked or not sound.answers_ranges:
            self.reply(200, sound.body, headers)
            return
        first, last = int(asked[1]), min(int(asked[2]), len(sound.body) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(sound.body)}"
        self.reply(206, sound.body[first : last + 1], headers)

    def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # the page ended the request


class Pads:
    """The engine in a browser page."""

    def __init__(self, page: Page, server: PadServer, rate: int = 48000) -> None:
        self.page = page
        self.server = server
        self.rate = rate
        self.pads: dict[str, dict[str, Any]] = {}

    def add(self, key: str, samples: Samples, **settings: Any) -> None:
        """Put a sound on a pad; the page knows of it after `show`."""
        path = f"/{key}.wav"
        self.server.sounds[path] = Sound(wav_of(samples, self.rate))
        frames, channels = samples.shape
        self.pads[key] = {
            "key": key,
            "url": path,
            "hash": f"{key}-1",
            "frames": frames,
            "channels": channels,
            "settings": {"one_shot": True, **settings},
            "trashed": False,
        }

    def change(self, key: str, **settings: Any) -> None:
        """Change settings of a pad in the page."""
        self.pads[key]["settings"] |= settings
        self.show()

    def open(self, voices: int = 32, bank: str = "A", *, waits: bool = True) -> None:
        """Open a project of the pads; wait until the bank's pads are ready."""
        arguments = {"rate": self.rate, "voices": voices, "bank": bank}
        self.page.evaluate(
            """({rate, voices, bank}) => {
              const opened = engine.openProject({id: "p1", rate, voices});
              engine.setBank(bank);
              return opened;
            }""",
            arguments,
        )
        self.show()
        if waits:
            self.wait_for("engine.getSnapshot().contextState === 'running'")
            self.wait_ready(*(key for key in self.pads if key.startswith(bank)))

    def show(self) -> None:
        self.page.evaluate("(pads) => engine.setPads(pads)", list(self.pads.values()))

    def snapshot(self) -> dict[str, Any]:
        return self.page.evaluate("engine.getSnapshot()")

    def wait_ready(self, *keys: str) -> None:
        self.wait_for("(keys) => keys.every((key) => engine.getSnapshot().ready[key])", list(keys))

    def wait_for(self, condition: str, argument: Any = None) -> None:
        self.page.wait_for_function(condition, arg=argument, timeout=1000 * TIMEOUT_S)

    def wait_silent(self) -> None:
        self.wait_for("!engine.getSnapshot().playing.length")

    def press(self, *keys: str, **options: Any) -> None:
        """Press pads in one task of the page: they start in one block, or in adjacent ones."""
        script = "([keys, options]) => keys.forEach((key) => engine.pressPad(key, options))"
        self.page.evaluate(script, [keys, options])

    def release(self, key: str) -> None:
        self.page.evaluate("(key) => engine.releasePad(key)", key)

    def stop_all(self) -> None:
        self.page.evaluate("engine.stopAll()")

    def record(self) -> None:
        self.page.evaluate("(rate) => audio.start(rate)", self.rate)

    def wait_heard(self, frames: int) -> None:
        """Wait until at least `frames` were recorded since the first sound."""
        until = time.monotonic() + TIMEOUT_S
        while self.page.evaluate("(rate) => audio.heard(rate)", self.rate) < frames:
            assert time.monotonic() < until
            self.page.wait_for_timeout(20)

    def recorded(self) -> Samples:
        """Return what was recorded since `record`, shape (frames, 2), from the first sound on."""
        found = self.page.evaluate("(rate) => audio.stop(rate)", self.rate)
        samples = np.frombuffer(base64.b64decode(found), "<i2").reshape(-1, 2)
        sounding = np.flatnonzero(samples.any(axis=1))
        return samples[sounding[0] :] if sounding.size else samples[:0]

    def played(self, *keys: str) -> Samples:
        """Press pads, wait until they end, and return what was heard."""
        self.record()
        self.page.evaluate("window.hasPlayed = false")
        self.press(*keys)
        self.wait_for("window.hasPlayed")
        self.wait_silent()
        return self.recorded()

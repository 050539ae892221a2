"""Drive the pad page: projects made through the API, pads by mouse and keys, and what sounds."""

import io
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from playwright.sync_api import BrowserContext, FloatRect, Locator, Page, expect

from sp404_app.audio.synth.demo_sounds import demo_sounds
from tests.e2e import people
from tests.e2e.people import Visitor
from tests.e2e.waiting import until
from tests.product import Product

RECORDER = Path(__file__).parents[1] / "components" / "pad_recorder.js"
RECORDER_HOOK = Path(__file__).with_name("pad_recorder_hook.js")
# As many as the Free plan analyses.
SOUND_NAMES = (
    "Dusty Corner", "Velvet Kick", "Paper Snare", "Studio Clap", "Tight Hat",
    "Open Hat", "Low Tom", "Side Stick",
)  # fmt: skip
KICK_SPEEDS = {"Fast Kick": 1.06, "Slow Kick": 0.94}  # sounds similar to Velvet Kick
ANALYSIS_TIMEOUT_MS = 90_000  # the machine may be busy with other tests
RENDER_TIMEOUT_MS = 60_000
DRAG_STEPS = 8

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class PadUser:
    """A user with sounds: names and sample ids."""

    visitor: Visitor
    origin: str
    samples: Mapping[str, str]

    def sign_in(self, context: BrowserContext) -> None:
        """Sign in a browser context without opening a page."""
        form: dict[str, str | float | bool] = {
            "email": self.visitor.email,
            "password": self.visitor.password,
        }
        context.request.post("/auth/session", form=form, headers={"Origin": self.origin})

    def ids(self, *names: str) -> list[str]:
        return [self.samples[name] for name in names]


def create_pad_user(product: Product, page: Page, outbox: object) -> PadUser:
    """Create a user, upload the sounds, and wait until they are analysed."""
    visitor = people.sign_up(page, outbox)
    people.sign_in(page, visitor)
    for name, data in sound_files().items():
        file = {"name": f"{name}.wav", "mimeType": "audio/wav", "buffer": data}
        answer = page.request.post(
            "/api/samples",
            multipart={"file": file},  # type: ignore[dict-item]
            headers={"Origin": product.base_url},
        )
        assert answer.status == 201, answer.text()
    page.goto("/library")
    expect(page.get_by_test_id("name")).to_have_count(len(SOUND_NAMES) + len(KICK_SPEEDS))
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    listed = page.request.get("/api/samples").json()["samples"]
    found = {each["name"]: str(each["id"]) for each in listed}
    return PadUser(visitor, product.base_url, found)


def sound_files() -> dict[str, bytes]:
    """Return WAV files by name."""
    files = {}
    for sound in demo_sounds():
        if sound.name in SOUND_NAMES:
            files[sound.name] = wav_of(sound.signal, sound.sample_rate)
        if sound.name == "Velvet Kick":
            for name, speed in KICK_SPEEDS.items():
                files[name] = wav_of(sound.signal, round(sound.sample_rate * speed))
    return files


def wav_of(signal: npt.NDArray[np.floating[Any]], rate: int) -> bytes:
    """Return a 16-bit WAV file."""
    file = io.BytesIO()
    soundfile.write(file, signal, rate, format="WAV")
    return file.getvalue()


@dataclass
class PadPage:
    """One tab with the pad page of one project."""

    page: Page
    project: str
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Collect the page's errors."""
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    @classmethod
    def create(
        cls, user: PadUser, page: Page, sounds: Sequence[str] = (), **details: Any
    ) -> "PadPage":
        """Create a project with these sounds from A1 on, and open it."""
        user.sign_in(page.context)
        body = {"name": "Night shift", **details}
        if sounds:
            body["sample_ids"] = user.ids(*sounds)
        answer = page.context.request.post(
            "/api/projects", data=body, headers={"Origin": user.origin}
        )
        assert answer.status == 201, answer.text()
        return cls(page, answer.json()["project"]["id"]).open()

    def open(self, query: str = "") -> "PadPage":
        """Open the project, and wait until its pads are shown."""
        self.page.goto(f"/projects/{self.project}{query}")
        expect(self.page.get_by_test_id("pad-page")).to_be_visible()
        expect(self.pad("A1")).to_be_visible()
        return self

    def pad(self, key: str) -> Locator:
        return self.page.get_by_test_id(f"pad-{key}")

    def face(self, key: str) -> Locator:
        return self.pad(key).locator(".pad-face")

    def name(self, key: str) -> Locator:
        return self.pad(key).locator(".pad-name")

    def row(self, name: str) -> Locator:
        """Return the row of a sound in the drawer."""
        return self.page.get_by_test_id("drawer").get_by_test_id("sample-row").filter(has_text=name)

    def expect_names(self, **names: str) -> None:
        """Expect the names of pads; an empty one is ""."""
        for key, name in names.items():
            expect(self.name(key)).to_have_text(name)

    def expect_ready(self, *keys: str) -> None:
        """Expect pads that can be played."""
        for key in keys:
            expect(self.pad(key)).to_have_attribute(
                "data-state", "ready", timeout=RENDER_TIMEOUT_MS
            )

    def choose(self, key: str) -> None:
        """Choose a pad by a click."""
        self.face(key).click()
        expect(self.pad(key)).to_have_class(_word("chosen"))

    def drag(self, source: Locator, target: Locator, *, drops: bool = True) -> None:
        """Drag by the mouse, in steps."""
        mouse = self.page.mouse
        mouse.move(*centre_of(source))
        mouse.down()
        mouse.move(*centre_of(target), steps=DRAG_STEPS)
        if drops:
            mouse.up()

    def api(self, path: str = "") -> dict[str, Any]:
        """Return the project, or one of its resources, as the API answers it."""
        answer = self.page.request.get(f"/api/projects/{self.project}{path}")
        assert answer.ok, answer.text()
        return answer.json()

    def stored(self, key: str) -> dict[str, Any]:
        """Return a pad as the API answers it."""
        return self.api(f"/pads/{key[0]}/{key[1:]}")

    def change(self, key: str, **values: Any) -> None:
        """Change a pad through the API, as another program does."""
        answer = self.page.request.put(
            f"/api/projects/{self.project}/pads/{key[0]}/{key[1:]}",
            data=values,
            headers={"If-Match": "*", "Origin": _origin(self.page)},
        )
        assert answer.ok, answer.text()

    def undo_label(self) -> str:
        return self.page.get_by_test_id("undo").get_attribute("title") or ""

    # Sound.

    def playing(self) -> list[str]:
        """Return the keys of the pads that sound."""
        found = self.page.locator(".pad.sounding").evaluate_all(
            "pads => pads.map(pad => pad.dataset.pad)"
        )
        return sorted(found)

    def render(self, key: str) -> Samples:
        """Return the audio of a pad as the server sends it, shape (frames, 2)."""
        path = f"/api/projects/{self.project}/pads/{key[0]}/{key[1:]}/audio"
        answers = []

        def is_there() -> bool:
            answers.append(self.page.request.get(path))
            return answers[-1].status == 200

        until(is_there)
        read, _ = soundfile.read(io.BytesIO(answers[-1].body()), dtype="int16", always_2d=True)
        samples = np.asarray(read, np.int16)
        return np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples

    def record(self) -> None:
        """Record from the next sound on."""
        self.page.evaluate("padRecorder.start()")

    def recorded(self, frames: int) -> Samples:
        """Return the first frames of what sounded since `record`, shape (frames, 2)."""
        until(lambda: self.page.evaluate("padRecorder.heard()") >= frames + 256)
        found = self.page.evaluate("padRecorder.stop()")
        samples = np.array(found, np.int64).reshape(-1, 2)
        first = np.flatnonzero(samples.any(axis=1))[0]
        return samples[first : first + frames].astype(np.int16)

    def stop(self) -> None:
        """Stop all pads."""
        self.page.get_by_test_id("stop-all").click()
        until(lambda: not self.playing())


@contextmanager
def recorder(context: BrowserContext, product: Product) -> Iterator[None]:
    """Put a recorder behind the audio output of the context's pages.

    Its script lies beside the built pages: Playwright cannot answer requests for worklets.
    """
    context.add_init_script(path=RECORDER_HOOK)
    script = product.home / "bundle" / "build" / "client" / RECORDER.name
    shutil.copy(RECORDER, script)
    try:
        yield
    finally:
        script.unlink()


def sounding_part(samples: Samples) -> Samples:
    """Return the samples from the first one that is not zero."""
    return samples[np.flatnonzero(samples.any(axis=1))[0] :]


def centre_of(place: Locator) -> tuple[float, float]:
    """Return the centre of an element in the window."""
    place.scroll_into_view_if_needed()
    box: FloatRect | None = place.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _origin(page: Page) -> str:
    return "/".join(page.url.split("/")[:3])


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"\b{name}\b")

"""A load profile: 100, then 500, then 1,000 users who list, search, play and upload sounds.

    make load HOST=https://sounds.example.org TOKENS=build/load-tokens.txt

Each user acts about once a second with a token of its own; `bench/load_users.py` makes them. The
run ends with exit code 1 if any answer is an error or the 95th percentile is 200 ms or more.
`MINUTES` and `USERS` shorten it. Send it to hosts of your own only.
"""

import array
import io
import itertools
import math
import os
import random
import wave
from pathlib import Path
from typing import Any

from locust import FastHttpUser, LoadTestShape, between, events, task

MAX_P95_MS = 200
MINUTES = float(os.environ.get("MINUTES") or 20)
USERS = int(os.environ.get("USERS") or 1000)
STEPS = (0.1, 0.5, 1.0)  # shares of all users, each for a third of the time
SPAWN_PER_S = 20
WORDS = ("kick", "snare", "dusty", "warm loop", "bass -broken", "tape", "velvet")
RATE = 44_100

_tokens = Path(os.environ["TOKENS"]).read_text().split()
_next_token = itertools.cycle(_tokens)
_numbers = itertools.count()


class Steps(LoadTestShape):
    """More users after each third of the time."""

    def tick(self) -> tuple[int, float] | None:
        """Return the number of users and how many start a second; None ends the run."""
        step = int(self.get_run_time() / (MINUTES * 60) * len(STEPS))
        return (math.ceil(USERS * STEPS[step]), SPAWN_PER_S) if step < len(STEPS) else None


class Musician(FastHttpUser):
    """A person with a library."""

    # A fixed pace would bring all of them to the same moment of each second after a while.
    wait_time = between(0.5, 1.5)

    def on_start(self) -> None:
        """Take the next token and read the first page."""
        self.headers = {"Authorization": f"Bearer {next(_next_token)}"}
        self.listed: list[str] = []
        self.uploaded: list[str] = []
        self.list_newest()
        if next(_numbers) % 10 == 0:  # so that there is audio to play from the start
            self.upload()

    @task(40)
    def list_newest(self) -> None:
        """Read the first page of the library."""
        self._list("/api/samples?limit=50", "list")

    @task(15)
    def search(self) -> None:
        """Search for a word."""
        word = random.choice(WORDS).replace(" ", "+")
        self._list(f"/api/samples?limit=50&q={word}", "search")

    @task(10)
    def filter_by_tempo(self) -> None:
        """List loops of a tempo, sorted by it."""
        low = random.choice((80, 90, 120, 170))
        path = f"/api/samples?limit=50&kind=loop&bpm_min={low}&bpm_max={low + 10}&sort=bpm"
        self._list(path, "filter")

    @task(15)
    def open_sample(self) -> None:
        """Read one sample."""
        if self.listed:
            path = f"/api/samples/{random.choice(self.listed)}"
            self.client.get(path, headers=self.headers, name="sample")

    @task(10)
    def play(self) -> None:
        """Read the first second of a sound that this user has uploaded."""
        if self.uploaded:
            path = f"/api/samples/{random.choice(self.uploaded)}/audio"
            self.client.get(path, headers={**self.headers, "Range": "bytes=0-88199"}, name="audio")

    @task(5)
    def open_landing_page(self) -> None:
        """Read the public page."""
        self.client.get("/", name="landing page")

    @task(1)
    def upload(self) -> None:
        """Upload a second of noise, which no other sound equals."""
        name = f"load {random.getrandbits(32):08x}.wav"
        answer = self.client.post(
            "/api/samples",
            files={"file": (name, noise(), "audio/wav")},
            headers=self.headers,
            name="upload",
        )
        if answer.status_code == 201:
            self.uploaded += [each["id"] for each in answer.json()["samples"]]

    def _list(self, path: str, name: str) -> None:
        answer = self.client.get(path, headers=self.headers, name=name)
        if answer.status_code == 200:
            self.listed = [each["id"] for each in answer.json()["samples"]] or self.listed


def noise() -> bytes:
    """Return a WAV file, 44.1 kHz, 16 bit, mono, one second."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(array.array("h", random.choices(range(-9000, 9000), k=RATE)).tobytes())
    return file.getvalue()


@events.quitting.add_listener
def judge(environment: Any, **_: Any) -> None:
    """Fail the run by its errors, also those of this file, or its 95th percentile."""
    total = environment.stats.total
    errors = total.num_failures + len(environment.runner.exceptions)
    p95 = total.get_response_time_percentile(0.95)
    print(f"{total.num_requests} requests, {errors} errors, p95 {p95:.0f} ms")
    if total.num_requests == 0 or errors or p95 >= MAX_P95_MS:
        environment.process_exit_code = 1

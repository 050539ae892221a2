"""How long pictures of the sample page take, and what they cost the analyses beside them.

    .venv/bin/python bench/spectrogram.py

First the drawing alone, warm, beside a plain librosa script that loads the file and calls the same
feature once. Then the whole way with one analysis worker and one picture worker: a picture while
librosa is compiled for the first time, pictures once warm, pictures that are kept; and the time
from an upload to its analysis without a picture worker, while librosa is compiled, and when the
picture worker is idle. PostgreSQL and Redis are those of a product.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import librosa
import numpy as np
import soundfile
from batches import cpu_seconds, render_one_shots, temporary_home
from instance import create_user

from sp404_app import db
from sp404_app.audio.dsp.spectrogram import draw_picture
from sp404_app.audio.picture import View
from sp404_app.models import Sample, SampleStatus
from sp404_app.services.infra import events
from sp404_app.services.library import samples
from sp404_app.services.library.samples import IncomingFile
from sp404_app.services.sample import spectrograms
from sp404_app.state.sample import spectrogram as page
from sp404_app.supervisor.environment import for_worker

RATE, TURNS, TIMEOUT_S = 44_100, 5, 600.0
LENGTHS_S = {"one-shot": 0.25, "loop": 8.0, "song": 180.0, "ten minutes": 600.0}
PLAIN: dict[View, Callable[[np.ndarray, float], np.ndarray]] = {
    View.SPECTRUM: lambda y, sr: librosa.feature.melspectrogram(y=y, sr=sr),
    View.PULSE: lambda y, sr: librosa.feature.tempogram(y=y, sr=sr),
    View.NOTES: lambda y, sr: librosa.feature.chroma_cqt(y=y, sr=sr),
}


def main() -> None:
    """Measure and print."""
    warnings.filterwarnings("ignore", "n_fft=.* is too large")  # librosa, of the one-shot
    page.DRAWING_TIMEOUT_S = TIMEOUT_S  # type: ignore[misc]
    with temporary_home() as folder:
        os.environ["NUMBA_CACHE_DIR"] = str(folder / "numba")
        drawing(folder)
        with db.transaction() as session:
            owner = create_user(session, f"{time.time_ns()}@example.org", "x").id
        workers(owner, render_one_shots(folder))


def drawing(folder: Path) -> None:
    """Print what the drawing alone takes, beside plain librosa."""
    for name, seconds in LENGTHS_S.items():
        path = folder / f"{seconds}.wav"
        noise = np.random.default_rng(404).uniform(-0.5, 0.5, (round(seconds * RATE), 2))
        soundfile.write(path, noise, RATE, subtype="PCM_16")
        turns = TURNS if seconds < 60 else 1
        for view, feature in PLAIN.items():
            ours = _best_ms(lambda p=path, v=view, s=seconds: draw_picture(p, v, 0.0, s), turns)
            plain = _best_ms(lambda p=path, f=feature: f(*librosa.load(p)), turns)
            print(
                f"{name:12} {view:8} {ours:7.0f} ms, librosa {plain:7.0f} ms, "
                f"ratio {ours / plain:.2f}",
                flush=True,
            )


def workers(owner: uuid.UUID, sounds: list[IncomingFile]) -> None:
    """Print what pages wait for pictures, and analyses beside them."""
    waiting = iter(sounds)
    with worker() as analyst:
        _see(lambda: bool(events.connection().smembers("rq:workers")))
        first = analysed(owner, next(waiting))
        print(f"analysis, no picture worker      {analyses(owner, waiting, analyst)}", flush=True)
        with worker("--pictures") as artist:
            with db.transaction() as session:
                part = spectrograms.find_part(session, owner, first, View.SPECTRUM, 0.0, 0.0)
                spectrograms.request_drawing(session, owner, part)
            cold = time.monotonic()
            time.sleep(2.0)  # it compiles by now
            print(
                f"analysis, librosa being compiled {analyses(owner, waiting, analyst)}", flush=True
            )
            picture_ms(owner, first, View.SPECTRUM)
            print(f"picture, cold                    {time.monotonic() - cold:.1f} s", flush=True)
            print(
                f"analysis, picture worker idle    {analyses(owner, waiting, analyst)}", flush=True
            )
            ids = [analysed(owner, next(waiting)) for _ in range(10)]
            for kind in ("warm", "kept"):
                spectrograms.load_picture.cache_clear()
                before = cpu_seconds(artist)
                took = [picture_ms(owner, each, view) for each in ids for view in View]
                cpu = 1000 * (cpu_seconds(artist) - before) / len(took)
                print(
                    f"picture, {kind}                    {_spread(took)}, "
                    f"{cpu:.0f} ms of processor each",
                    flush=True,
                )
        with worker("--pictures"):
            started = time.monotonic()
            _see(lambda: len(events.connection().smembers("rq:workers")) > 1)
            print(f"picture worker, second start     {time.monotonic() - started:.1f} s to be warm")


def analyses(
    owner: uuid.UUID, waiting: Iterator[IncomingFile], analyst: "subprocess.Popen[bytes]"
) -> str:
    """Have 20 one-shots analysed, one after the other; return the times."""
    before, took = cpu_seconds(analyst), []
    for _ in range(20):
        started = time.monotonic()
        analysed(owner, next(waiting))
        took.append(1000 * (time.monotonic() - started))
    return (
        f"{_spread(took)}, {1000 * (cpu_seconds(analyst) - before) / 20:.0f} ms of processor each"
    )


def analysed(owner: uuid.UUID, sound: IncomingFile) -> uuid.UUID:
    """Upload a sample and wait for its analysis."""
    with db.transaction() as session:
        sample_id = samples.add_sample(session, owner, sound)

    def is_ready() -> bool:
        with db.transaction() as session:
            return session.get_one(Sample, sample_id).status == SampleStatus.READY

    _see(is_ready)
    return sample_id


def picture_ms(owner: uuid.UUID, sample_id: uuid.UUID, view: View) -> float:
    """Wait for a picture as the page does; return the milliseconds."""

    async def wait() -> None:
        with db.transaction() as session:
            part = spectrograms.find_part(session, owner, sample_id, view, 0.0, 0.0)
        await page.picture_when_drawn(owner, part)

    started = time.monotonic()
    asyncio.run(wait())
    return 1000 * (time.monotonic() - started)


@contextmanager
def worker(*options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker as the supervisor does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sp404_app", "worker", *options],
        cwd=Path(__file__).resolve().parents[1],
        env=for_worker(dict(os.environ)),
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _see(true: Callable[[], bool]) -> None:
    until = time.monotonic() + TIMEOUT_S
    while not true():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.005)


def _best_ms(work: Callable[[], object], turns: int) -> float:
    work()
    took = []
    for _ in range(turns):
        started = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - started))
    return min(took)


def _spread(took: list[float]) -> str:
    return f"median {statistics.median(took):.0f} ms, slowest {max(took):.0f} ms"


if __name__ == "__main__":
    main()

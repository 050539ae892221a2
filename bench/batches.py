"""One-shots analysed per second, with one and with up to sixteen files per process.

    .venv/bin/python bench/batches.py [WORKERS]

200 synthesised one-shots in the library of a new user, with PostgreSQL and Redis as in production
and warm workers; both modes alternate. Wall time is counted from the first job's start to the last
job's end, CPU time from when the workers were warm.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import soundfile
from instance import create_user
from sqlmodel import Session, col, func, select

from sp404_app import db
from sp404_app.audio.synth import demo_sounds
from sp404_app.models import JobStatus, ProcessingJob
from sp404_app.services.auth import signing_keys
from sp404_app.services.infra import events, queue
from sp404_app.services.library import samples
from sp404_app.settings import settings
from sp404_app.supervisor import migrations, orphans, postgresql, redis_server
from sp404_app.supervisor.environment import for_worker
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.watchdog import Watchdog

FILE_COUNT, ROUNDS, TIMEOUT_S = 200, 2, 300.0
WORKER_SCRIPT = """
import sp404_app.jobs.runner
import sp404_app.jobs.worker
sp404_app.jobs.runner.BATCH_FILES = {most}
sp404_app.jobs.worker.main()
"""


def main() -> None:
    """Alternate the modes and print."""
    workers = int(sys.argv[1]) if len(sys.argv) > 1 else settings().workers
    with temporary_home() as folder:
        sounds = render_one_shots(folder)
        found: dict[int, list[tuple[float, float]]] = {1: [], 16: []}
        for _ in range(ROUNDS):
            for most, results in found.items():
                results.append(measure_round(sounds, most, workers))
                files, cpu = results[-1]
                print(
                    f"{most:>2} per process: {files:5.1f} files/s  {cpu:5.1f} ms CPU each",
                    flush=True,
                )
    for most, results in found.items():
        files, cpu = (statistics.median(column) for column in zip(*results, strict=True))
        print(f"{most:>2} per process: {files:5.1f} files/s  {cpu:5.1f} ms CPU each (median)")


@contextmanager
def temporary_home() -> Iterator[Path]:
    """Start PostgreSQL and Redis in a temporary home, and stop them."""
    root = Path(tempfile.mkdtemp(prefix="sp404b-"))
    place = Home(root)
    place.prepare()
    guard = Watchdog(place)
    try:
        environment = dict(os.environ)
        database = postgresql.prepare_postgres(
            place, environment | orphans.marker_variable(place, "database")
        )
        redis = redis_server.prepare_redis(
            place, environment | orphans.marker_variable(place, "redis")
        )
        database.start()
        redis.start()
        redis_server.wait_for_redis(redis, place)
        postgresql.wait_for_postgres(database, place)
        os.environ["SP404_HOME"] = str(root)
        os.environ["SP404_DATABASE_URL"] = postgresql.postgres_url(place)
        os.environ["SP404_REDIS_URL"] = redis_server.embedded_redis_url(place)
        settings.cache_clear()
        migrations.run_migrations(settings().database_url)
        signing_keys.ensure_signing_key()
        yield root
    finally:
        guard.release()
        shutil.rmtree(root, ignore_errors=True)


def render_one_shots(folder: Path) -> list[samples.IncomingFile]:
    """Write one-shots, all different."""
    sounds: list[samples.IncomingFile] = []
    seed = 0
    while len(sounds) < FILE_COUNT:
        rng = np.random.default_rng(seed)
        for sound in demo_sounds.one_shots(rng):
            path = folder / f"{len(sounds)}.wav"
            signal = sound.signal * rng.uniform(0.3, 0.9)
            soundfile.write(path, signal, sound.sample_rate, subtype="PCM_16")
            sounds.append(samples.inspect_file(path, f"{sound.name}.wav"))
        seed += 1
    return sounds[:FILE_COUNT]


def measure_round(
    sounds: list[samples.IncomingFile], most: int, workers: int
) -> tuple[float, float]:
    """Analyse all sounds with warm workers; return files per second and CPU ms per file."""
    processes = [start_worker(most) for _ in range(workers)]
    try:
        while len(events.connection().smembers("rq:workers")) < workers:
            time.sleep(0.1)
        time.sleep(0.5)
        before = sum(map(cpu_seconds, processes))
        with db.transaction() as session:
            owner = create_user(session, f"{time.time_ns()}@example.org", "x").id
        with db.transaction() as session:
            for sound in sounds:
                samples.add_sample(session, owner, sound)
        mine = ProcessingJob.user_id == owner
        until = time.monotonic() + TIMEOUT_S
        while True:
            time.sleep(0.1)
            with Session(db.engine()) as session:
                done = select(func.count()).where(mine, ProcessingJob.status == JobStatus.DONE)
                if session.exec(done).one() == FILE_COUNT and not queue.queued_ids():
                    break
            if time.monotonic() > until:
                raise TimeoutError
        time.sleep(0.3)
        cpu = sum(map(cpu_seconds, processes)) - before
        with Session(db.engine()) as session:
            ends = func.min(ProcessingJob.started_at), func.max(col(ProcessingJob.finished_at))
            began, ended = session.exec(select(*ends).where(mine)).one()
    finally:
        for worker in processes:
            worker.terminate()
        for worker in processes:
            worker.wait(20)
    return FILE_COUNT / (ended - began).total_seconds(), 1000 * cpu / FILE_COUNT


def start_worker(most: int) -> "subprocess.Popen[bytes]":
    """Start a worker that analyses up to `most` small files per process."""
    command = [sys.executable, "-c", WORKER_SCRIPT.format(most=most)]
    place = Path(__file__).resolve().parents[1]
    return subprocess.Popen(command, cwd=place, env=for_worker(dict(os.environ)))


def cpu_seconds(worker: "subprocess.Popen[bytes]") -> float:
    """Return the CPU seconds of a worker and its child processes."""
    times = psutil.Process(worker.pid).cpu_times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()

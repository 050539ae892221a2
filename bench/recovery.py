"""Seconds until an analysis goes on after its worker was killed: `python bench/recovery.py`.

Kills the worker, or only the process of the job, while it analyses a sound of 16 minutes, and
waits until another attempt has begun.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
import psycopg

from sp404_app.supervisor import postgresql
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.restarts import HEALTHY_AFTER_S
from tests.ops.conftest import signed_in
from tests.product import Product, home_in, slot
from tests.sounds import wav
from tests.supervisor.test_supervisor import named

POLL_S = 0.02
WARM_UP_S = 30.0
ROUNDS = 2


def main() -> None:
    """Print a Markdown table."""
    print("| killed | workers | seconds until the next attempt |\n|---|---:|---|")
    for workers in ("1", "2"):
        with slot() as folder, home_in(folder) as product:
            product.extra = {"SP404_WORKERS": workers, "SP404_DEMO": "false"}
            product.extra["SP404_SIGN_INS_PER_MINUTE"] = "1000"
            product.start()
            time.sleep(WARM_UP_S)
            for what in ("worker", "process of the job"):
                seconds = [measure(product, what) for _ in range(ROUNDS)]
                print(f"| {what} | {workers} | {', '.join(f'{one:.1f}' for one in seconds)} |")
            product.stop()


def measure(product: Product, what: str) -> float:
    """Return the seconds from the kill to the next attempt."""
    while (seconds := try_to_measure(product, what)) is None:
        time.sleep(HEALTHY_AFTER_S)
    time.sleep(HEALTHY_AFTER_S)  # the supervisor gives up after several ends in short time
    return seconds


def try_to_measure(product: Product, what: str) -> float | None:
    """Return the seconds from the kill to the next attempt; None if the kill came too late."""
    with (
        psycopg.connect(postgresql.postgres_url(Home(product.home)), autocommit=True) as database,
        signed_in(product) as client,
    ):
        file = {"file": ("long.wav", wav(110.0, seconds=16 * 60.0))}
        sample = client.post("/api/samples", files=file).json()["samples"][0]["id"]

        def job() -> tuple[str, int]:
            statement = "select status, attempts from processing_jobs where sample_id = %s"
            row = database.execute(statement, [sample]).fetchone()
            assert row
            return row[0], row[1]

        wait(lambda: job()[1] == 1)
        busy = [worker for worker in workers_of(product) if worker.children()]
        if not busy:
            return None
        (busy[0] if what == "worker" else busy[0].children()[0]).kill()
        begun = time.monotonic()
        wait(lambda: job()[1] == 2 or job()[0] == "done")
        seconds = time.monotonic() - begun
        status, attempts = job()
        client.delete(f"/api/samples/{sample}")
    return seconds if attempts == 2 or status != "done" else None


def workers_of(product: Product) -> list[psutil.Process]:
    """Return the workers without their forks."""
    found = named(product, "worker ")
    return [process for process in found if process.ppid() == product.running.pid]


def wait(claim: Callable[[], bool]) -> None:
    """Wait until a claim is true."""
    while not claim():
        time.sleep(POLL_S)


if __name__ == "__main__":
    main()

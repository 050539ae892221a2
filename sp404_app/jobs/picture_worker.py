"""The picture worker: one process beside the analysis workers, the only one that imports librosa.

Importing librosa takes two seconds, and half a minute on the first start after an installation,
when numba compiles its code into `NUMBA_CACHE_DIR`. So this process waits until a picture is
requested or the analysis queues have been empty for a while, compiles in a process of the lowest
priority, and then forks one short-lived child per picture, as the analysis workers do.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Final

from redis.exceptions import RedisError

from sp404_app.jobs import runner
from sp404_app.jobs.worker import ForkingWorker
from sp404_app.services.infra import library_use, queue
from sp404_app.telemetry import metrics, processes, sentry, tracing

log = logging.getLogger(__name__)

__all__ = ["main", "runner"]  # imported before the fork, so that each child saves the time

IDLE_S: Final = 20.0
POLL_S: Final = 0.25
NICENESS: Final = 10  # an analysis at the same time gets three times the CPU, a request nine times
COMPILE: Final = """
import os
os.nice(19)
from sp404_app.jobs.spectrogram import warm_up
warm_up()
"""


def main() -> None:
    """Draw pictures until a signal stops the process."""
    signal.signal(signal.SIGTERM, _quit)  # RQ installs its own handler later
    os.nice(NICENESS)
    wait_until_wanted(IDLE_S)
    compile_librosa()
    from sp404_app.jobs.spectrogram import warm_up  # noqa: PLC0415 - imports librosa, compiled by now

    warm_up()
    metrics.start_process(processes.PICTURES)
    sentry.start()
    library_use.show_use("picture worker")
    tracing.prepare()
    worker = ForkingWorker([queue.PICTURES])
    log.info("picture worker %d is ready", os.getpid())
    worker.work(with_scheduler=False, logging_level="WARNING")


def wait_until_wanted(idle_s: float) -> None:
    """Wait until a picture is queued, or until the other queues were empty for `idle_s` seconds."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < idle_s:
        try:
            if queue.rq_queue(queue.PICTURES).count:
                return
            if any(queue.rq_queue(name).count for name in queue.QUEUES):
                quiet_since = time.monotonic()
        except RedisError:
            log.warning("the picture worker waits for Redis")
            quiet_since = time.monotonic()
        time.sleep(POLL_S)


def compile_librosa() -> None:
    """Fill numba's cache on disk in a process of the lowest priority, once for each version."""
    marker = _compiled_marker()
    if marker and marker.exists():
        return
    done = subprocess.run([sys.executable, "-c", COMPILE], check=False)  # noqa: S603 - our own code
    if done.returncode:
        log.error("librosa could not be compiled, exit code %d", done.returncode)
    elif marker:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()


def _compiled_marker() -> Path | None:
    """Return the file that says that the cache is filled; None without a cache of our own."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    versions = "-".join(f"{name}-{version(name)}" for name in ("librosa", "numba"))
    return Path(folder) / f"compiled-{versions}" if folder else None


def _quit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)

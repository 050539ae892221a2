"""The worker processes, restarted when they die, unless they die too often."""

import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from sp404_app.supervisor import orphans
from sp404_app.supervisor.environment import ROOT, for_worker
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.process import Child

MAX_DEATHS = 10
DEATHS_WINDOW_S = 120.0
PICTURE_WORKER = "picture worker"
STOP_TIMEOUT_S = 3.0  # a job that is killed is requeued at the next start


@dataclass(slots=True)
class WorkerPool:
    """The worker processes of one home."""

    home: Home
    environment: Mapping[str, str]
    size: int
    log_to_file: bool = True
    workers: list[Child] = field(default_factory=list)
    deaths: deque[float] = field(default_factory=deque)

    def start(self) -> None:
        """Start all workers; they do not wait for each other."""
        self.workers = [self._worker(number) for number in range(1, self.size + 1)]
        for worker in self.workers:
            worker.start()

    def start_picture_worker(self) -> None:
        """Start the worker that draws spectrograms, once everything else is up."""
        pictures = self._worker_process(PICTURE_WORKER, "worker-pictures", "--pictures")
        self.workers.append(pictures)
        pictures.start()

    def restart_dead(self) -> list[str]:
        """Restart workers that have ended; return a message for each.

        Raises:
            Failure: If more than ten ended within two minutes.
        """
        return [self._restart(worker) for worker in self.workers if worker.exit_code is not None]

    def _restart(self, worker: Child) -> str:
        message = worker.exit_message()
        now = time.monotonic()
        if worker.name != PICTURE_WORKER:  # the product works without spectrograms
            self.deaths.append(now)
        while self.deaths and now - self.deaths[0] > DEATHS_WINDOW_S:
            self.deaths.popleft()
        if len(self.deaths) > MAX_DEATHS:
            raise Failure(f"Workers keep dying. The last {message.removeprefix('The ')}")
        # The fork that ran its job may still run, and the job is about to be queued again.
        orphans.kill_descendants(self.home, worker.name)
        worker.start()
        return f"{message} It was restarted."

    def _worker(self, number: int) -> Child:
        return self._worker_process(f"worker {number}", f"worker-{number}")

    def _worker_process(self, name: str, log_name: str, *options: str) -> Child:
        return Child(
            name=name,
            command=[sys.executable, "-m", "sp404_app", "worker", *options],
            environment=for_worker(dict(self.environment))
            | orphans.marker_variable(self.home, name),
            log=self.home.log(log_name) if self.log_to_file else None,
            folder=ROOT,
            stop_timeout_s=STOP_TIMEOUT_S,
        )

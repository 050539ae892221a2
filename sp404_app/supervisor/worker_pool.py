"""The workers, and how often one that died is replaced."""

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

DEATHS_ALLOWED = 10
WITHIN_SECONDS = 120.0
PICTURE_WORKER = "picture worker"
PATIENCE = 3.0  # a job that is cut off is taken up again at the next start


@dataclass(slots=True)
class Crew:
    """All workers of one home."""

    home: Home
    environment: Mapping[str, str]
    size: int
    log_to_file: bool = True
    members: list[Child] = field(default_factory=list)
    deaths: deque[float] = field(default_factory=deque)

    def start(self) -> None:
        """Start every worker; they warm up by themselves."""
        self.members = [self._member(number) for number in range(1, self.size + 1)]
        for worker in self.members:
            worker.start()

    def start_picture_worker(self) -> None:
        """Start the worker that draws spectrograms, once everything else is up."""
        pictures = self._worker_process(PICTURE_WORKER, "worker-pictures", "--pictures")
        self.members.append(pictures)
        pictures.start()

    def replace_dead(self) -> list[str]:
        """Start dead workers again and return what happened, for the person at the keyboard.

        Raises:
            Failure: when they die as fast as they are started.
        """
        return [self._replace(worker) for worker in self.members if worker.code is not None]

    def _replace(self, worker: Child) -> str:
        said = worker.obituary()
        now = time.monotonic()
        if worker.name != PICTURE_WORKER:  # the product works without spectrograms
            self.deaths.append(now)
        while self.deaths and now - self.deaths[0] > WITHIN_SECONDS:
            self.deaths.popleft()
        if len(self.deaths) > DEATHS_ALLOWED:
            raise Failure(f"Workers keep dying. The last {said[4:]}")
        # The process that did its job may still be at it, and the job is about to start anew.
        orphans.end_family(self.home, worker.name)
        worker.start()
        return f"{said} It is started again."

    def _member(self, number: int) -> Child:
        return self._worker_process(f"worker {number}", f"worker-{number}")

    def _worker_process(self, name: str, log_name: str, *options: str) -> Child:
        return Child(
            name=name,
            command=[sys.executable, "-m", "sp404_app", "worker", *options],
            environment=for_worker(dict(self.environment)) | orphans.mark(self.home, name),
            log=self.home.log(log_name) if self.log_to_file else None,
            folder=ROOT,
            patience=PATIENCE,
        )

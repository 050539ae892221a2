"""The worker processes and the scheduler, restarted when they end, unless they end too often."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from sp404_app.supervisor import orphans
from sp404_app.supervisor.environment import ROOT, for_worker
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.process import Child
from sp404_app.supervisor.restarts import Restarter

PICTURE_WORKER = "picture worker"
SCHEDULER = "scheduler"


@dataclass(slots=True)
class WorkerPool:
    """The worker processes and the scheduler of one home."""

    home: Home
    environment: Mapping[str, str]
    size: int
    log_to_file: bool = True
    drain_s: float = 3.0  # a job that is killed after it is queued again
    restarters: list[Restarter] = field(default_factory=list)

    @property
    def workers(self) -> list[Child]:
        """Return all processes of the pool."""
        return [restarter.child for restarter in self.restarters]

    def start(self) -> None:
        """Start all workers; they do not wait for each other."""
        for number in range(1, self.size + 1):
            self._add(f"worker {number}", f"worker-{number}", "worker")

    def start_scheduler(self) -> None:
        """Start the scheduler."""
        self._add(SCHEDULER, "scheduler", "scheduler")

    def start_picture_worker(self) -> None:
        """Start the worker that draws spectrograms, once everything else is up."""
        if self.size:
            self._add(PICTURE_WORKER, "worker-pictures", "worker", "--pictures")

    def restart_dead(self) -> list[str]:
        """Restart processes that have ended; return a message for each.

        Raises:
            Failure: If one keeps ending quickly. The product works without spectrograms, so the
                picture worker is always restarted.
        """
        messages = [restarter.restart_if_ended() for restarter in self.restarters]
        return [message for message in messages if message]

    def restart_when_idle(self) -> None:
        """Start each process anew, with the code on the disk, once it has finished its job."""
        for restarter in self.restarters:
            restarter.restart_when_idle()

    def _add(self, name: str, log_name: str, *command: str) -> None:
        child = Child(
            name=name,
            command=[sys.executable, "-m", "sp404_app", *command],
            environment=for_worker(dict(self.environment))
            | orphans.marker_variable(self.home, name),
            log=self.home.log(log_name) if self.log_to_file else None,
            folder=ROOT,
            stop_timeout_s=self.drain_s,
        )
        self.watch(child)
        child.start()

    def watch(self, child: Child) -> None:
        """Restart a child when it ends."""
        # The fork that ran its job may still run, and the job is about to be queued again.
        kill_fork = partial(orphans.kill_descendants, self.home, child.name)
        essential = child.name != PICTURE_WORKER
        self.restarters.append(Restarter(child, kill_fork, essential=essential))

"""The name of this process in the metrics, and the folder that all processes of a host share.

prometheus-client writes the metrics of each process into memory-mapped files of that folder; a
scrape adds them up. Files are named after the process, as `web-123` or `worker-456`.

A worker forks a process for each job. With a file for each of them the folder would grow without
end, so the jobs of a worker share the files of `jobs-<pid of the worker>`: a worker runs one job at
a time, and a forked process reads the values that the former one left.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # the name that prometheus-client reads
OTHER, WEB, WORKER, PICTURES, SCHEDULER, JOBS = (
    "other",
    "web",
    "worker",
    "pictures",
    "scheduler",
    "jobs",
)
FORKING_ROLES = frozenset({WORKER, PICTURES})


class _Process:
    """The role of this process, and the name of its files."""

    def __init__(self) -> None:
        self.role = OTHER
        self.name = f"{OTHER}-{os.getpid()}"

    def set_role(self, role: str) -> None:
        self.role, self.name = role, f"{role}-{os.getpid()}"

    def after_fork(self) -> None:
        """Name a forked process: after its worker if it runs a job, else after its own id."""
        if self.role in FORKING_ROLES:
            self.role, self.name = JOBS, f"{JOBS}-{os.getppid()}"
        else:
            self.set_role(self.role)


_process = _Process()
os.register_at_fork(after_in_child=_process.after_fork)


def set_role(role: str) -> None:
    """Say what this process does; call it before the process takes work."""
    _process.set_role(role)


def role() -> str:
    """Return what this process does."""
    return _process.role


def name() -> str:
    """Return the name of this process's files; no two processes that run have the same."""
    return _process.name


def folder() -> Path | None:
    """Return the folder with the metrics of all processes; None if they stay in this process."""
    path = os.environ.get(FOLDER_VARIABLE)
    return Path(path) if path else None


def use_own_folder() -> None:
    """Use a temporary folder if no supervisor has given one; call before metrics are imported.

    Processes in other containers have process ids of their own, so they must not share a folder.

    Raises:
        OSError: If a folder that was given cannot be written.
    """
    given = folder()
    if given is not None:
        given.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=given).close()
        return
    path = tempfile.mkdtemp(prefix="sp404-metrics-")
    os.environ[FOLDER_VARIABLE] = path
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(path, ignore_errors=True))


def empty_folder(path: Path) -> None:
    """Make an empty folder for the metrics of a new start."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700, parents=True)

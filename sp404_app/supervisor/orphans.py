"""Find and end what belongs to a home, whatever became of its supervisor.

Children carry a mark in their environment, which their own children inherit. PostgreSQL and
Redis write over theirs, so those two are known by the folder they work in.
"""

import os
import signal
import time
from pathlib import Path

import psutil

from sp404_app.supervisor.home import Home

MARK = "SP404_SUPERVISED"
POLITE_SECONDS = 5.0


def mark(home: Home, name: str) -> dict[str, str]:
    """Return the variable by which a child of this home is found again."""
    return {MARK: f"{home.mark}/{name}"}


def end_family(home: Home, name: str) -> None:
    """Kill what is left of one dead child, such as the process that did its job, and see it end."""
    family = _marked(f"{home.mark}/{name}")
    for process in family:
        _send(process, signal.SIGKILL)
    _wait(family, time.monotonic() + POLITE_SECONDS)


def busy(folder: Path) -> bool:
    """Say whether a server works in this data directory."""
    return any(_alive(process) for process in _working_in(folder))


def end_all(home: Home) -> int:
    """End everything of this home: servers of data politely, the rest at once.

    Returns:
        How many processes there were.
    """
    found: set[int] = set()
    until = time.monotonic() + POLITE_SECONDS
    servers = _working_in(home.postgres, home.redis)
    pids = {process.pid for process in servers}
    found |= pids
    for process in servers:
        # PostgreSQL's own children are told by their parent; a signal of ours could confuse them.
        if _parent(process) not in pids:
            _send(process, _polite_signal(process))
    # New ones may be born while we look, so look until nobody is there.
    while ours := [child for child in _marked(home.mark + "/") if child.pid not in pids]:
        for process in ours:
            found.add(process.pid)
            _send(process, signal.SIGKILL)
        _wait(ours, time.monotonic() + 0.2)
    for process in _wait(servers, until):
        _send(process, signal.SIGKILL)
    _wait(servers, time.monotonic() + 1)
    return len(found)


def _wait(processes: list[psutil.Process], until: float) -> list[psutil.Process]:
    """Wait for the end of processes that need not be our children; return those left."""
    while (left := [process for process in processes if _alive(process)]) and (
        time.monotonic() < until
    ):
        time.sleep(0.02)
    return left


def _alive(process: psutil.Process) -> bool:
    try:
        # A zombie has ended; its parent has only not asked yet.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _polite_signal(process: psutil.Process) -> signal.Signals:
    try:
        return signal.SIGINT if process.name() == "postgres" else signal.SIGTERM
    except psutil.Error:
        return signal.SIGTERM


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.Error:
        return 0


def _marked(beginning: str) -> list[psutil.Process]:
    ours = []
    for process in psutil.process_iter():
        try:
            found = process.environ().get(MARK, "")
            if found.startswith(beginning) and process.pid != os.getpid() and _alive(process):
                ours.append(process)
        except (psutil.Error, OSError):
            continue  # gone meanwhile, or somebody else's
    return ours


def _working_in(*folders: Path) -> list[psutil.Process]:
    places = {str(folder.resolve()) for folder in folders}
    ours = []
    for process in psutil.process_iter():
        try:
            if process.cwd() in places and process.name() in {"postgres", "redis-server"}:
                ours.append(process)
        except (psutil.Error, OSError):
            continue  # gone meanwhile, or somebody else's
    return ours


def _send(process: psutil.Process, sign: signal.Signals) -> None:
    try:
        process.send_signal(sign)
    except psutil.NoSuchProcess:
        return

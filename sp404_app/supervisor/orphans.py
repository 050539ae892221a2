"""Find and stop the processes of a home, also after its supervisor was killed.

Children have a variable in their environment that their own children inherit. PostgreSQL and
Redis overwrite their environment, so they are found by their working directory.
"""

import os
import signal
import time
from pathlib import Path

import psutil

from sp404_app.supervisor.home import Home

MARK = "SP404_SUPERVISED"
STOP_TIMEOUT_S = 5.0


def marker_variable(home: Home, name: str) -> dict[str, str]:
    """Return the environment variable that marks a child of this home."""
    return {MARK: f"{home.mark}/{name}"}


def kill_descendants(home: Home, name: str) -> None:
    """Kill the processes that a dead child has left, such as the fork that ran a worker's job."""
    left = _find_marked(f"{home.mark}/{name}")
    for process in left:
        _send(process, signal.SIGKILL)
    _wait(left, time.monotonic() + STOP_TIMEOUT_S)


def is_server_running(folder: Path) -> bool:
    """Return whether a database server runs in this data directory."""
    return any(_is_alive(process) for process in _find_servers(folder))


def stop_all_processes(home: Home) -> int:
    """Stop all processes of a home: database servers by a signal to shut down, others by SIGKILL.

    Returns:
        The number of processes.
    """
    found: set[int] = set()
    until = time.monotonic() + STOP_TIMEOUT_S
    servers = _find_servers(home.postgres, home.redis)
    pids = {process.pid for process in servers}
    found |= pids
    for process in servers:
        # PostgreSQL's main process stops its own children.
        if _parent_pid(process) not in pids:
            _send(process, _shutdown_signal(process))
    # Processes may fork meanwhile, so repeat until none is left.
    while left := [child for child in _find_marked(home.mark + "/") if child.pid not in pids]:
        for process in left:
            found.add(process.pid)
            _send(process, signal.SIGKILL)
        _wait(left, time.monotonic() + 0.2)
    for process in _wait(servers, until):
        _send(process, signal.SIGKILL)
    _wait(servers, time.monotonic() + 1)
    return len(found)


def _wait(processes: list[psutil.Process], until: float) -> list[psutil.Process]:
    """Wait until processes have ended; return those that have not. They need not be children."""
    while (left := [process for process in processes if _is_alive(process)]) and (
        time.monotonic() < until
    ):
        time.sleep(0.02)
    return left


def _is_alive(process: psutil.Process) -> bool:
    try:
        # A zombie has ended; its parent has not read the exit status yet.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _shutdown_signal(process: psutil.Process) -> signal.Signals:
    try:
        return signal.SIGINT if process.name() == "postgres" else signal.SIGTERM
    except psutil.Error:
        return signal.SIGTERM


def _parent_pid(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.Error:
        return 0


def _find_marked(prefix: str) -> list[psutil.Process]:
    matching = []
    for process in psutil.process_iter():
        try:
            found = process.environ().get(MARK, "")
            if found.startswith(prefix) and process.pid != os.getpid() and _is_alive(process):
                matching.append(process)
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or of another user
    return matching


def _find_servers(*folders: Path) -> list[psutil.Process]:
    paths = {str(folder.resolve()) for folder in folders}
    servers = []
    for process in psutil.process_iter():
        try:
            if process.cwd() in paths and process.name() in {"postgres", "redis-server"}:
                servers.append(process)
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or of another user
    return servers


def _send(process: psutil.Process, sign: signal.Signals) -> None:
    try:
        process.send_signal(sign)
    except psutil.NoSuchProcess:
        return
